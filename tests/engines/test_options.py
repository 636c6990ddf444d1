"""What Beam says for itself stays silent, and what it starts is ended."""

import logging
import queue
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from apache_beam.runners.worker import sdk_worker

from pipeline.driver import submission
from pipeline.engines.beam import process
from pipeline.engines.beam.process import end_job_servers, hush
from pipeline.engines.options import leaves_template


@pytest.fixture
def quiet() -> Iterator[None]:
    root, hook, level = logging.getLogger(), threading.excepthook, logging.getLogger("apache_beam").level
    hush(debug=False)
    yield
    threading.excepthook = hook
    root.removeFilter(process._is_not_of_beam)
    logging.getLogger("apache_beam").setLevel(level)
    vars(sdk_worker).pop("print", None)
    for name in process._LOGS_OF_SERVERS:
        logging.getLogger(name).disabled = False


def record(path: str) -> logging.LogRecord:
    return logging.LogRecord("root", logging.ERROR, path, 1, "java.lang.Error", (), None)


@pytest.mark.parametrize(
    ("words", "leaves"),
    [
        (["--template_location=gs://b/t"], True),
        (["--template_location", "gs://b/t"], True),
        (["--temp_location=gs://b/t"], False),
    ],
)
def test_a_template_is_left_where_a_launcher_waits_for_it(words: list[str], leaves: bool) -> None:
    assert leaves_template(words) is leaves


def test_only_beams_own_words_through_the_root_logger_are_dropped(quiet: None) -> None:
    root = logging.getLogger()
    assert not root.filter(record("/lib/apache_beam/runners/portability/portable_runner.py"))
    assert root.filter(record("/lib/mine.py"))
    assert all(logging.getLogger(name).disabled for name in ("PrismJobServer", "SparkJarJobServer"))


def test_a_worker_in_this_process_prints_no_traceback(quiet: None, capfd: pytest.CaptureFixture[str]) -> None:
    """What a step raised goes to the engine, which says so or tries again."""

    def fail() -> None:
        raise KeyError("x")

    answers: queue.Queue[Any] = queue.Queue()
    harness = SimpleNamespace(_responses=answers)
    sdk_worker.SdkHarness._execute(harness, fail, SimpleNamespace(instruction_id="1"))
    assert "KeyError" in answers.get().error
    assert capfd.readouterr().err == ""


class Farewell(grpc.RpcError):
    __module__ = "grpc._channel"

    def details(self) -> str:
        return "Socket closed"


def test_threads_that_are_hung_up_on_print_nothing_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type.__name__))
    hush(debug=False)
    hush(debug=False)

    def fail(error: Exception) -> None:
        raise error

    for error in (Farewell(), KeyError("x")):
        thread = threading.Thread(target=fail, args=(error,))
        thread.start()
        thread.join()
    assert seen == ["KeyError"]


def test_a_server_that_is_gone_is_named() -> None:
    assert submission.last_line(Farewell()) == "the engine does not answer any more: Socket closed"
    assert submission.last_line(ValueError("one\ntwo.")) == "two"


def test_job_servers_are_ended_once() -> None:
    from apache_beam.runners.portability.job_server import JobServer, StopOnExitJobServer

    class Server(JobServer):
        stops = 0

        def start(self) -> str:
            return "here"

        def stop(self) -> None:
            self.stops += 1

    mine = Server()
    kept = StopOnExitJobServer(mine)
    kept._original_sigint_handler = None
    import signal

    before = signal.getsignal(signal.SIGINT)
    try:
        kept.start()
    finally:
        signal.signal(signal.SIGINT, before)
    end_job_servers()
    end_job_servers()
    assert mine.stops == 1
