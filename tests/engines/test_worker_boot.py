"""scripts/engines/worker_boot.sh: a worker ends with its engine, with its job, and when it is told to."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import workdata

SCRIPT = workdata.ROOT / "scripts" / "engines" / "worker_boot.sh"
OPTIONS = json.dumps({"beam:option:job_name:v1": "fanbeam-1"})
BOOT = f"#!/bin/sh\necho '{OPTIONS}' > pipeline_options.json\necho \"$@\" > arguments\nexec sleep 600\n"


class Flink:
    """Its REST interface, as far as a worker asks it."""

    def __init__(self) -> None:
        self.jobs: list[dict[str, str]] = []
        self.asked = 0
        flink = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                flink.asked += 1
                self.send_response(200 if self.path == "/jobs/overview" else 404)
                self.end_headers()
                self.wfile.write(json.dumps({"jobs": flink.jobs}).encode())

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"127.0.0.1:{self.server.server_port}"

    def has(self, name: str, state: str) -> None:
        self.jobs = [{"name": name, "state": state}]


@pytest.fixture
def flink() -> Iterator[Flink]:
    made = Flink()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class Worker:
    """A worker whose boot program only waits, started by an engine that only waits for it."""

    def __init__(self, home: Path, **more: str) -> None:
        self.workers = home / "workers"
        self.workers.mkdir()
        boot = home / "boot"
        boot.write_text(BOOT)
        boot.chmod(0o755)
        given = {
            "FANBEAM_WORKER_BOOT": str(boot),
            "FANBEAM_WORKER_PYTHON": sys.executable,
            "FANBEAM_WORKER_PACKAGES": sysconfig.get_path("purelib"),
            "FANBEAM_WORKERS": str(self.workers),
            "FANBEAM_WORKER_LOOKS": "1",
        }
        engine = f"bash {SCRIPT} --id=1-1 & echo $! > {home / 'pid'}; wait; exec sleep 600"
        self.engine = subprocess.Popen(["bash", "-c", engine], env={**os.environ, **given, **more})
        self.home = home

    def started(self) -> "Worker":
        workdata.until(lambda: list(self.workers.glob("worker-*/arguments")), timeout=60)
        return self

    @property
    def pid(self) -> int:
        return int((self.home / "pid").read_text())

    def gone(self) -> bool:
        return not list(self.workers.glob("worker-*"))

    def has_ended(self, timeout: float) -> bool:
        try:
            return bool(workdata.until(self.gone, timeout=timeout))
        except TimeoutError:
            return False

    def end(self) -> None:
        self.engine.kill()
        self.engine.wait()
        workdata.until(self.gone, timeout=30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    made: list[Worker] = []

    def one(**more: str) -> Worker:
        made.append(Worker(tmp_path, **more))
        return made[-1].started()

    yield one
    for worker in made:
        worker.end()


def test_it_ends_with_its_engine(start: Any) -> None:
    worker = start()
    assert not worker.gone()
    worker.engine.kill()
    worker.engine.wait()
    assert worker.has_ended(timeout=30)


def test_it_ends_when_it_is_told_to(start: Any) -> None:
    worker = start()
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.has_ended(timeout=30)


@pytest.mark.parametrize("state", ["FINISHED", "CANCELED", "FAILED", "unknown"])
def test_it_ends_with_its_job(state: str, start: Any, flink: Flink) -> None:
    """Though nobody tells it: Beam forgets workers of a job that ends while they start."""
    flink.has("fanbeam-1", "RUNNING")
    worker = start(FANBEAM_WORKER_FLINK=flink.address)
    workdata.until(lambda: flink.asked >= 3, timeout=30)
    assert not worker.gone()
    flink.has("another" if state == "unknown" else "fanbeam-1", "RUNNING" if state == "unknown" else state)
    assert worker.has_ended(timeout=30)


@pytest.mark.parametrize("state", ["RUNNING", "RESTARTING", "FAILING"])
def test_it_stays_while_its_job_may_go_on(state: str, start: Any, flink: Flink) -> None:
    flink.has("fanbeam-1", state)
    worker = start(FANBEAM_WORKER_FLINK=flink.address)
    workdata.until(lambda: flink.asked >= 4, timeout=30)
    assert not worker.gone()


def test_it_stays_when_nobody_answers(start: Any, flink: Flink) -> None:
    """A JobManager that is away comes back; and no worker looks where it has not been told to."""
    worker = start(FANBEAM_WORKER_FLINK="127.0.0.1:1")
    assert not worker.has_ended(timeout=5)
    assert flink.asked == 0
