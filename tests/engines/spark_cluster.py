"""A Spark cluster for tests, made by scripts/engines/spark.sh in its own folder, and ways to look at it."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import workdata

SCRIPTS = workdata.ROOT / "scripts" / "engines"
SETUP_FILE = f"--setup_file={workdata.ROOT / 'setup.py'}"


def script(name: str, *arguments: object, timeout: float = 900) -> "subprocess.CompletedProcess[str]":
    """Run an engine's script as a user would; the first time it fetches jars or builds programs."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = ["bash", SCRIPTS / name, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment)
    assert done.returncode in (0, 3), done.stderr + done.stdout
    return done


@dataclass(frozen=True)
class SparkCluster:
    """One cluster; `folder` holds its ports, process numbers and logs."""

    folder: Path

    def script(self, command: str) -> "subprocess.CompletedProcess[str]":
        """up, status, down."""
        return script("spark.sh", command, "--dir", self.folder, "--python", sys.executable)

    def port(self, name: str) -> int:
        """One of its ports: master, ui, job."""
        found = re.search(rf"^{name}_port=(\d+)$", (self.folder / "settings.sh").read_text(), re.MULTILINE)
        assert found
        return int(found[1])

    @property
    def master(self) -> list[str]:
        """The engine and its address."""
        return ["--runner", "spark", f"--spark_master_url=spark://localhost:{self.port('master')}"]

    @property
    def job_server(self) -> list[str]:
        """The job server that is running already."""
        return [f"--job_endpoint=localhost:{self.port('job')}"]

    def process(self, path: str = "") -> list[str]:
        """Workers that the executors start; `path`: what they may import besides."""
        command = {"command": str(self.folder / "boot.sh"), "env": {"FANBEAM_WORKER_PYTHONPATH": path}}
        return ["--environment_type=PROCESS", f"--environment_config={json.dumps(command)}"]

    def page(self) -> Any:
        """What the master tells."""
        with urllib.request.urlopen(f"http://localhost:{self.port('ui')}/json/", timeout=20) as answer:
            return json.load(answer)

    def executors(self) -> list[psutil.Process]:
        """The Java processes that the workers have started."""
        pids = [int((self.folder / f"worker-{n}.pid").read_text().split()[0]) for n in (1, 2)]
        return [child for pid in pids for child in psutil.Process(pid).children()]

    def workers(self) -> list[Path]:
        """Homes of Beam's Python workers that are there."""
        return list((self.folder / "workers").glob("worker-*"))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A master and two workers with one core each."""
    cluster = SparkCluster(tmp_path_factory.mktemp("spark"))
    try:
        cluster.script("up")
        yield cluster
    finally:
        cluster.script("down")
