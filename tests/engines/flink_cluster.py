"""A Flink cluster for tests, made by scripts/engines/flink.sh in its own folder, and ways to look at it and hurt it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import workdata

SCRIPT = workdata.ROOT / "scripts" / "engines" / "flink.sh"
SETUP_FILE = f"--setup_file={workdata.ROOT / 'setup.py'}"


@dataclass(frozen=True)
class FlinkCluster:
    """One cluster; `folder` holds its ports, process numbers and logs."""

    folder: Path

    def script(self, command: str, *options: str, timeout: float = 900) -> "subprocess.CompletedProcess[str]":
        """Run flink.sh; the first time it fetches jars."""
        arguments = ["bash", SCRIPT, command, "--dir", self.folder, "--python", sys.executable, *options]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=timeout, env=environment)
        assert done.returncode in (0, 3), done.stderr + done.stdout
        return done

    def up(self, *options: str) -> str:
        """Start what does not run."""
        return self.script("up", *options).stdout

    def down(self) -> None:
        """End all of it, workers included."""
        self.script("down")
        workdata.until(lambda: not self.processes(), timeout=20)

    def port(self, name: str) -> int:
        """One of its ports: rest, job, pool."""
        found = re.search(rf"^{name}_port=(\d+)$", (self.folder / "settings.sh").read_text(), re.MULTILINE)
        assert found
        return int(found[1])

    @property
    def master(self) -> list[str]:
        """The engine and its address."""
        return ["--runner", "flink", f"--flink_master=localhost:{self.port('rest')}"]

    @property
    def job_server(self) -> list[str]:
        """The job server that is running already."""
        return [f"--job_endpoint=localhost:{self.port('job')}"]

    def process(self, path: str = "") -> list[str]:
        """Workers that the TaskManagers start; `path`: what they may import besides."""
        command = {"command": str(self.folder / "boot.sh"), "env": {"FANBEAM_WORKER_PYTHONPATH": path}}
        return ["--environment_type=PROCESS", f"--environment_config={json.dumps(command)}"]

    @property
    def external(self) -> list[str]:
        """Workers that the pool starts."""
        return ["--environment_type=EXTERNAL", f"--environment_config=localhost:{self.port('pool')}"]

    def rest(self, path: str) -> Any:
        """An answer of Flink."""
        with urllib.request.urlopen(f"http://localhost:{self.port('rest')}/{path}", timeout=20) as answer:
            return json.load(answer)

    def jobs(self) -> dict[str, str]:
        """Name -> state of all jobs that it knows."""
        return {job["name"]: job["state"] for job in self.rest("jobs/overview")["jobs"]}

    def pid(self, name: str) -> int:
        """Process number of jobmanager, taskmanager-1, job-server, …"""
        return int((self.folder / f"{name}.pid").read_text().split()[0])

    def kill(self, pid: int) -> None:
        """kill -9, and it is gone: `up` takes one that is still dying for one that runs."""
        os.kill(pid, signal.SIGKILL)
        workdata.until(lambda: not _runs(pid), timeout=60)

    def started(self) -> int:
        """How many Python workers were started so far: each has a log."""
        return len(list((self.folder / "workers").glob("logs/*.log")))

    def workers(self) -> list[psutil.Process]:
        """Beam's Python workers."""
        return [p for p in self.processes() if "sdk_worker_main" in _command(p)]

    def processes(self) -> list[psutil.Process]:
        """Workers and all that they started: each worker lives in a folder of its own below the cluster's."""
        home, found = str(self.folder / "workers"), []
        for process in psutil.process_iter():
            try:
                if process.cwd().startswith(home) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
