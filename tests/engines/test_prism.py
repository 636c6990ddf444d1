"""Runs on Beam's Prism: the same files as a direct run; a Prism that dies, one that goes on running, Ctrl-C."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import material
import psutil
import pytest
from engine_records import ALL, KINDS, Records
from spark_cluster import script
from trouble_library import Trouble, slow_field, text_rows

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prism")]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prism that goes on running: its address."""
    folder = tmp_path_factory.mktemp("prism")
    try:
        told = script("prism.sh", "up", "--dir", folder).stdout
        assert script("prism.sh", "status", "--dir", folder).returncode == 0
        found = re.search(r"--job_endpoint (\S+)", told)
        assert found
        yield found[1]
    finally:
        script("prism.sh", "down", "--dir", folder)
        assert script("prism.sh", "status", "--dir", folder).returncode == 3


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
def test_same_files(kinds: tuple[str, ...], records: Records, endpoint: str, tmp_path: Path) -> None:
    """`--runner prism` alone, once the program is there."""
    assert records.made(tmp_path, kinds, "--runner", "prism") == records.expected[kinds]


def test_one_that_goes_on_running(records: Records, endpoint: str, tmp_path: Path) -> None:
    options = ["--runner", "PrismRunner", f"--job_endpoint={endpoint}"]
    assert records.made(tmp_path, ALL, *options) == records.expected[ALL]


@pytest.mark.parametrize("goes_on", [False, True])
def test_ctrl_c_and_a_death(goes_on: bool, endpoint: str, installed: Trouble, tmp_path: Path) -> None:
    rows = text_rows(40, 1000)

    def config(home: Path) -> Path:
        output = {"path": str(home / "out"), "shard_size": "10KiB"}
        made = installed.config(home, rows, fields=slow_field(0.1), split={}, output=output)
        os.utime(made.with_name("in.parquet"), (1, 1))
        return made

    assert material.run("run", config(tmp_path / "direct"), PYTHONPATH=installed.path).returncode == 0
    mine = config(tmp_path)
    options = ["--runner", "prism", *([f"--job_endpoint={endpoint}"] if goes_on else [])]

    process = material.start("run", mine, *options, PYTHONPATH=installed.path)
    material.until(lambda: list((tmp_path / "out").glob("*/_receipts/[!.]*")), timeout=60)
    family = material.family(process.pid)
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    material.until(lambda: not material.alive(family), timeout=20)

    process = material.start("run", mine, *options, PYTHONPATH=installed.path)
    if not goes_on:
        children = material.until(lambda: _prisms(process.pid), timeout=60)
        seen = len(list((tmp_path / "out").glob("*/_receipts/[!.]*")))
        material.until(lambda: len(list((tmp_path / "out").glob("*/_receipts/[!.]*"))) > seen, timeout=60)
        children[0].kill()
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert ("attempt 2 of 3" in told) != goes_on
    made, expected = (material.version_folder(home / "out") for home in (tmp_path, tmp_path / "direct"))
    assert material.contents(made) == material.contents(expected)


def _prisms(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children() if child.name() == "prism"]
