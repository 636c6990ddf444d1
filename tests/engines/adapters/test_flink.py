"""What `--runner flink` settles and finds missing, against a made-up REST interface; no Flink here."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.engines.adapters import flink, flink_checks, flink_rest
from pipeline.engines.beam.settings import settings_of
from pipeline.engines.options import engine_of
from pipeline.errors import RunFailed
from pipeline.storage.folder import Folder

HERE = Folder("s3://bucket/out")
NAME = "fanbeam-1-2"


class Flink:
    """Answers by path, and what was asked for besides."""

    def __init__(self, port: int, silent: int) -> None:
        self.port, self.silent = port, silent
        self.patched: list[str] = []
        self.version = "1.19.3"
        self.overview = {"taskmanagers": 2, "slots-total": 4, "slots-available": 3}
        self.jobs = [{"jid": "a", "name": NAME, "state": "RUNNING", "start-time": 1}]
        self.exceptions: dict[str, Any] = {}
        self.after_cancel = "CANCELED"

    def answer(self, path: str) -> Any:
        known: dict[str, Any] = {
            "/config": {"flink-version": self.version},
            "/overview": self.overview,
            "/jobs/overview": {"jobs": self.jobs},
            "/jobs/a/exceptions": self.exceptions,
            "/list": [],
        }
        return known.get(path)

    def patch(self, path: str) -> None:
        self.patched.append(path)
        self.jobs[0]["state"] = self.after_cancel

    @property
    def options(self) -> dict[str, Any]:
        return {"flink_master": f"localhost:{self.port}", "environment_type": "LOOPBACK", "job_endpoint": self.address}

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"


@pytest.fixture
def cluster() -> Iterator[Flink]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = state.answer(self.path)
            body = json.dumps(found).encode() if found is not None else b""
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PATCH(self) -> None:
            state.patch(self.path)
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *details: Any) -> None: ...

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    deaf = socket.create_server(("localhost", 0))
    state = Flink(server.server_address[1], deaf.getsockname()[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()
    deaf.close()


@pytest.fixture(autouse=True)
def no_jar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None in the cache, nor in the environment."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FANBEAM_FLINK_JOB_SERVER_JAR", raising=False)
    monkeypatch.setattr(flink, "_APPEARS_SECONDS", 0.3)


def jar(path: Path, version: str = "1.19") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"META-INF/maven/org.apache.beam/beam-runners-flink-{version}/pom.properties", "")
    return path


def java(path: Path, said: str, code: int = 0) -> str:
    path.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


def free_port() -> int:
    with socket.socket() as own:
        own.bind(("localhost", 0))
        port: int = own.getsockname()[1]
        return port


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the cluster were on another host."""
    monkeypatch.setattr(flink_checks, "is_here", lambda host: False)
    monkeypatch.setattr(flink, "is_here", lambda host: False)


# ---- settled


def test_alone_it_renders_in_this_process() -> None:
    settled = flink.settled({})
    assert "--environment_type=LOOPBACK" in settled
    assert any(word.startswith("--parallelism=") for word in settled)
    assert not any(word.startswith("--flink_version") for word in settled)


def test_the_newest_jar_at_hand_is_used_with_its_version(tmp_path: Path) -> None:
    for version in ("2.9.0", "2.70.0"):
        jar(tmp_path / "cache" / "fanbeam" / "engines" / f"beam-flink-job-server-{version}" / "job-server.jar")
    settled = flink.settled({})
    assert [word for word in settled if word.startswith("--flink_job_server_jar=") and "2.70.0" in word]
    assert "--flink_version=1.19" in settled


def test_a_jar_of_the_environment_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = jar(tmp_path / "mine.jar", "1.20")
    monkeypatch.setenv("FANBEAM_FLINK_JOB_SERVER_JAR", str(mine))
    assert {f"--flink_job_server_jar={mine}", "--flink_version=1.20"} <= set(flink.settled({}))


def test_what_is_given_is_not_repeated(cluster: Flink) -> None:
    given = {"flink_master": cluster.address, "environment_type": "PROCESS", "parallelism": 7, "flink_version": "1.19"}
    given["environment_cache_millis"] = "0"
    assert flink.settled({**given, "job_server_java_launcher": "/opt/java"}) == []
    assert flink.settled({**given, "job_server_jvm_properties": ["-Xmx2g"]}) == []
    assert flink.settled({**given, "flink_submit_uber_jar": True}) == []


def test_a_cluster_decides_version_and_parallelism(cluster: Flink, tmp_path: Path) -> None:
    jar(tmp_path / "cache" / "fanbeam" / "engines" / "beam-flink-job-server-2.70.0" / "job-server.jar")
    cluster.version = "1.20.1"
    settled = flink.settled({"flink_master": cluster.address, "job_server_java_launcher": "java"})
    assert settled == ["--environment_type=LOOPBACK", "--flink_version=1.20", "--parallelism=3"]


def test_busy_slots_count_when_none_is_free(cluster: Flink) -> None:
    cluster.overview["slots-available"] = 0
    assert "--parallelism=4" in flink.settled({"flink_master": cluster.address})


def test_a_job_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    launcher, *words = (word.partition("=")[2] for word in flink.settled({}) if "job_server_j" in word)
    server = [launcher, *words[:-1], "sleep", "60"]
    script = f"import subprocess as s; print(s.Popen({server!r}).pid, flush=True); input()"
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        child = psutil.Process(int(parent.stdout.readline() if parent.stdout else 0))
        while child.name() != "sleep":
            time.sleep(0.01)
        parent.kill()
    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(10)


@pytest.mark.parametrize("kind", ["PROCESS", "DOCKER", "EXTERNAL"])
def test_workers_stay_from_stage_to_stage(cluster: Flink, kind: str) -> None:
    settled = flink.settled({"flink_master": cluster.address, "environment_type": kind})
    assert "--environment_cache_millis=60000" in settled
    alone = flink.settled({"flink_master": cluster.address})  # this process renders
    assert not [word for word in alone if "cache_millis" in word]


def test_workers_elsewhere_are_not_loopback(cluster: Flink, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(monkeypatch)
    assert "--environment_type=LOOPBACK" not in flink.settled({"flink_master": cluster.address})


def test_beam_takes_what_is_settled(cluster: Flink) -> None:
    words = [f"--flink_master={cluster.address}", f"--job_endpoint={cluster.address}"]
    settings = settings_of(engine_of("FlinkRunner"), words, HERE)
    assert settings.options["parallelism"] == 3
    assert settings.options["environment_type"] == "LOOPBACK"


# ---- problems


def test_nothing_is_missing(cluster: Flink) -> None:
    assert flink.problems(cluster.options, HERE) == []


Change = Callable[[Flink, Path, pytest.MonkeyPatch], Mapping[str, Any]]


def _refused(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"flink_master": f"localhost:{free_port()}"}


def _silent(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    patch.setattr(flink_rest, "_SECONDS", 0.2)
    return {"flink_master": f"localhost:{cluster.silent}"}


def _not_flink(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"flink_master": f"http://localhost:{cluster.port}/elsewhere"}


def _other_version(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    cluster.version = "2.0.0"
    mine = jar(home / "mine.jar")
    launcher = java(home / "java", 'openjdk version "17.0.1"')
    return {"job_endpoint": None, "flink_job_server_jar": str(mine), "job_server_java_launcher": launcher}


def _no_taskmanager(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    cluster.overview = {"taskmanagers": 0, "slots-total": 0}
    return {}


def _too_parallel(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"parallelism": 5}


def _no_jar(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"job_endpoint": None, "flink_submit_uber_jar": True, "flink_job_server_jar": str(home / "none.jar")}


def _torn_jar(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    (home / "torn.jar").write_bytes(b"PK")
    return {"job_endpoint": None, "flink_submit_uber_jar": True, "flink_job_server_jar": str(home / "torn.jar")}


def _no_java(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"job_endpoint": None, "job_server_java_launcher": str(home / "none" / "java")}


def _old_java(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    launcher = java(home / "java", 'openjdk version "1.8.0_392"')
    return {"job_endpoint": None, "job_server_java_launcher": launcher}


def _strange_java(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    launcher = java(home / "java", "Unrecognized option: -version", code=1)
    return {"job_endpoint": None, "job_server_java_launcher": launcher}


def _no_job_server(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"job_endpoint": f"localhost:{free_port()}"}


def _only_a_job_server(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"flink_master": "[auto]"}


def _no_command(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"environment_type": "PROCESS"}


def _no_json(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"environment_type": "PROCESS", "environment_config": "/boot.sh"}


def _not_executable(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    (home / "boot.sh").write_text("")
    return {"environment_type": "process", "environment_options": [f"process_command={home / 'boot.sh'}"]}


def _no_pool(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"environment_type": "EXTERNAL", "environment_config": f"localhost:{free_port()}"}


def _nameless_pool(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"environment_type": "EXTERNAL"}


def _loopback_elsewhere(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    elsewhere(patch)
    return {}


def _nobody_renders(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    elsewhere(patch)
    return {"environment_type": None}


def _no_setup_file(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    return {"setup_file": str(home / "setup.py")}


def _other_setup_file(cluster: Flink, home: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    (home / "pyproject.toml").write_text("")
    return {"setup_file": str(home / "pyproject.toml")}


@pytest.mark.parametrize(
    ("change", "where", "words"),
    [
        (_refused, "--flink_master", "connection refused"),
        (_silent, "--flink_master", "no answer within 0.2 s"),
        (_not_flink, "--flink_master", "answers 404"),
        (_other_version, "--flink_job_server_jar", "the cluster runs Flink 2.0.0, the job server is for 1.19"),
        (_no_taskmanager, "--flink_master", "no TaskManager is registered"),
        (_too_parallel, "--parallelism", "5 is more than the 4 slots"),
        (_no_jar, "--flink_job_server_jar", "there is no such file"),
        (_torn_jar, "--flink_job_server_jar", "is no readable jar"),
        (_no_java, "--job_server_java_launcher", "is not installed"),
        (_old_java, "--job_server_java_launcher", "is Java 8, too old"),
        (_strange_java, "--job_server_java_launcher", "Unrecognized option"),
        (_no_job_server, "--job_endpoint", "connection refused"),
        (_only_a_job_server, "--job_endpoint", "nor cancel there"),
        (_no_command, "--environment_config", "needs the command"),
        (_no_json, "--environment_config", "/boot.sh is no JSON object"),
        (_not_executable, "--environment_config", "cannot be executed"),
        (_no_pool, "--environment_config", "connection refused"),
        (_nameless_pool, "--environment_config", "needs host:port"),
        (_loopback_elsewhere, "--environment_type", "cannot reach"),
        (_nobody_renders, "--environment_type", "nothing says where Python workers run"),
        (_no_setup_file, "--setup_file", "there is no such file"),
        (_other_setup_file, "--setup_file", "is not called setup.py"),
    ],
)
def test_each_thing_that_is_missing_is_one_problem(
    change: Change, where: str, words: str, cluster: Flink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = flink.problems({**cluster.options, **change(cluster, tmp_path, monkeypatch)}, HERE)
    assert found.where == where
    assert words in found.message
    assert found.suggestion


def test_a_command_elsewhere_is_not_looked_for(cluster: Flink, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(monkeypatch)
    process = {"environment_type": "PROCESS", "environment_config": '{"command": "/opt/none/boot"}'}
    assert flink.problems({**cluster.options, **process}, HERE) == []


def test_a_container_needs_nothing_here(cluster: Flink, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(monkeypatch)
    docker = {"environment_type": "DOCKER", "environment_config": "registry/image"}
    assert flink.problems({**cluster.options, **docker}, HERE) == []


@pytest.mark.parametrize(
    ("mounts", "missing"),
    [
        ("/dev/a / ext4 rw 0 0\n", True),
        ("/dev/a / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\n", False),
        ("/dev/a / ext4 rw 0 0\nserver:/x /dat nfs4 rw 0 0\n", True),
        ("", False),
    ],
)
def test_an_output_that_only_this_machine_sees(
    mounts: str, missing: bool, cluster: Flink, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch)
    monkeypatch.setattr(Folder, "read", lambda folder, name: mounts.encode())
    process = {"environment_type": "PROCESS", "environment_config": '{"command": "/opt/none/boot"}'}
    found = flink.problems({**cluster.options, **process}, Folder("/data/out"))
    assert [p.where for p in found] == (["output.path"] if missing else [])


# ---- cancel, cause


def test_cancel_waits_until_the_job_is_over(cluster: Flink) -> None:
    flink.cancel(cluster.options, NAME)
    assert cluster.patched == ["/jobs/a?mode=cancel"]


def test_cancel_of_a_job_that_is_over_or_unknown_does_nothing(cluster: Flink, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.jobs[0]["state"] = "FINISHED"
    flink.cancel(cluster.options, NAME)
    flink.cancel({**cluster.options, "job_endpoint": None}, "another")
    flink.cancel({}, NAME)
    assert cluster.patched == []


def test_cancel_says_so_when_the_job_goes_on(cluster: Flink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flink, "_CANCEL_SECONDS", 0.3)
    cluster.after_cancel = "CANCELLING"
    with pytest.raises(TimeoutError, match="did not end within"):
        flink.cancel(cluster.options, NAME)


TRACE = """org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy
\tat org.apache.flink.runtime.Some.method(Some.java:1)
Caused by: java.lang.IllegalStateException: Process died with exit code 137.
"""


def test_the_innermost_cause_is_told(cluster: Flink) -> None:
    cluster.exceptions = {"root-exception": TRACE}
    assert flink.cause(cluster.options, NAME) == "IllegalStateException: Process died with exit code 137"


def test_the_error_of_a_worker_is_told(cluster: Flink) -> None:
    python = "ValueError: cannot bear it [while running 'Render/write']\n"
    cluster.exceptions = {"exceptionHistory": {"entries": [{"stacktrace": f"x: y\n{python}\tat a.b\n"}]}}
    assert flink.cause(cluster.options, NAME).startswith("ValueError: cannot bear it")


def test_workers_without_fanbeam_are_told_with_what_to_do(cluster: Flink) -> None:
    cluster.exceptions = {"root-exception": f"{TRACE}ModuleNotFoundError: No module named 'pipeline'\n"}
    with pytest.raises(RunFailed, match=r"cannot import fanbeam.*--setup_file"):
        flink.cause(cluster.options, NAME)


def test_too_few_network_buffers_are_told_with_what_to_do(cluster: Flink) -> None:
    told = "Caused by: java.io.IOException: Insufficient number of network buffers: required 512"
    cluster.exceptions = {"root-exception": f"{TRACE}{told}"}
    with pytest.raises(RunFailed, match=r"sort-shuffle\.min-buffers: 64.*--parallelism"):
        flink.cause(cluster.options, NAME)


def test_a_cluster_that_is_gone_is_the_cause() -> None:
    gone = {"flink_master": f"localhost:{free_port()}"}
    assert "connection refused" in flink.cause(gone, NAME)


def test_a_job_that_the_cluster_does_not_know_has_no_cause(cluster: Flink) -> None:
    assert flink.cause(cluster.options, "another") == ""
    assert flink.cause({}, NAME) == ""


def test_an_unreadable_jar_is_not_taken(tmp_path: Path) -> None:
    assert flink_checks.jar_version(os.fspath(tmp_path / "none.jar"), "flink") == ""
