"""Runs on Beam's Prism: the same files as a direct run; a Prism that dies, one that goes on running, Ctrl-C."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import workdata
from engine_records import ALL, KINDS, Records
from engine_survey import copies_after_a_survey, survey_is_the_same
from spark_cluster import script
from trouble_library import Trouble, slow_field, text_rows

pytestmark = [pytest.mark.slow, pytest.mark.cluster]


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


class Slow:
    """Texts that take a while, and a run of them that has finished a first shard."""

    def __init__(self, installed: Trouble, home: Path) -> None:
        self.installed, self.home = installed, home
        direct = self.config(home / "direct")
        assert workdata.run("run", direct, PYTHONPATH=installed.path).returncode == 0

    def config(self, home: Path) -> Path:
        output = {"path": str(home / "out"), "shard_size": "10KiB"}
        made = self.installed.config(home, text_rows(40, 1000), fields=slow_field(0.1), split={}, output=output)
        os.utime(made.with_name("in.parquet"), (1, 1))
        return made

    def begun(self, *options: str) -> "subprocess.Popen[str]":
        process = workdata.start("run", self.config(self.home), *options, PYTHONPATH=self.installed.path)
        try:
            workdata.until(lambda: list((self.home / "out").glob("*/_receipts/[!.]*")), timeout=60)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return process

    def is_whole(self) -> None:
        made, expected = (workdata.version_folder(home / "out") for home in (self.home, self.home / "direct"))
        assert workdata.contents(made) == workdata.contents(expected)


@pytest.mark.parametrize("goes_on", [False, True])
def test_ctrl_c_and_the_same_command_goes_on(goes_on: bool, endpoint: str, installed: Trouble, tmp_path: Path) -> None:
    slow = Slow(installed, tmp_path)
    options = ["--runner", "prism", *([f"--job_endpoint={endpoint}"] if goes_on else [])]
    process = slow.begun(*options)
    family = workdata.family(process.pid)
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    workdata.until(lambda: not workdata.alive(family), timeout=20)
    done = workdata.run("run", slow.config(tmp_path), *options, "--json", PYTHONPATH=installed.path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["resumed_shards"] > 0
    slow.is_whole()


def test_a_prism_that_dies(installed: Trouble, endpoint: str, tmp_path: Path) -> None:
    slow = Slow(installed, tmp_path)
    process = slow.begun("--runner", "prism")
    (prism,) = (child for child in psutil.Process(process.pid).children() if child.name() == "prism")
    prism.kill()
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert "attempt 2 of 3" in told
    slow.is_whole()


def test_the_survey_of_payloads_finds_what_this_machine_finds(endpoint: str, tmp_path: Path) -> None:
    survey_is_the_same("prism", [f"--job_endpoint={endpoint}"], tmp_path)


def test_copies_after_a_survey_on_the_engine(endpoint: str, tmp_path: Path) -> None:
    copies_after_a_survey(["--runner", "prism", f"--job_endpoint={endpoint}"], tmp_path)
