"""Engine scripts: a port that another program took between choosing and binding; a job server that died."""

import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import workdata
from spark_cluster import script

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
ENGINES = ["prism", "flink", "spark"]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


@pytest.fixture
def python(taken: int, tmp_path: Path) -> Path:
    """A Python that is told the taken port as the first free one, once."""
    made, told = tmp_path / "python", tmp_path / "told"
    made.write_text(
        f"""#!/usr/bin/env bash
if [[ $1 == */free_ports.py && ! -e {told} ]]; then
    touch {told}
    {sys.executable} "$@" | sed '1s/.*/{taken}/'
    exit
fi
exec {sys.executable} "$@"
"""
    )
    made.chmod(0o755)
    return made


def ports(folder: Path) -> dict[str, int]:
    found = re.findall(r"^(\w+)_port=(\d+)$", (folder / "settings.sh").read_text(), re.MULTILINE)
    assert len(dict(found)) == len(found)
    return {name: int(port) for name, port in found}


@pytest.mark.parametrize("engine", ENGINES)
def test_one_that_is_taken_meanwhile(
    engine: str, taken: int, python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON", str(python))
    folder = tmp_path / "engine"
    own = [] if engine == "prism" else ["--python", python]
    try:
        told = script(f"{engine}.sh", "up", "--dir", folder, *own)
        assert told.returncode == 0 and "a port was taken meanwhile" in told.stderr
        assert (tmp_path / "told").exists() and taken not in ports(folder).values()
        assert script(f"{engine}.sh", "status", "--dir", folder).returncode == 0
        with socket.create_connection(("127.0.0.1", ports(folder)["job"]), timeout=5):
            pass
    finally:
        script(f"{engine}.sh", "down", "--dir", folder)


def test_a_job_server_that_died_gets_its_port_again(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    try:
        script("spark.sh", "up", "--dir", folder, "--python", sys.executable)
        before, server = ports(folder), int((folder / "job-server.pid").read_text().split()[0])
        os.kill(server, signal.SIGKILL)
        workdata.until(lambda: not psutil.pid_exists(server), timeout=30)
        assert script("spark.sh", "status", "--dir", folder).returncode == 3
        script("spark.sh", "up", "--dir", folder, "--python", sys.executable)
        assert ports(folder) == before
        assert script("spark.sh", "status", "--dir", folder).returncode == 0
    finally:
        script("spark.sh", "down", "--dir", folder)
