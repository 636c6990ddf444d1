"""Runs on a real Spark: the same files as a direct run; poison, deaths, Ctrl-C, workers without fanbeam."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
import workdata
from engine_records import ALL, Records
from engine_survey import survey_is_the_same
from spark_cluster import SETUP_FILE, SparkCluster, spark
from trouble_library import Trouble, slow_field, text_rows

from pipeline.engines.adapters import spark as engine

__all__ = ["spark"]
pytestmark = [pytest.mark.slow, pytest.mark.cluster]
SMALL = "10KiB"


def test_without_any_cluster(records: Records, spark: SparkCluster, tmp_path: Path) -> None:
    """`--runner SparkRunner` alone, once the job server's jar is there."""
    before = set(_java())
    assert records.made(tmp_path, ALL, "--runner", "SparkRunner") == records.expected[ALL]
    assert set(_java()) <= before


def test_loopback(records: Records, spark: SparkCluster, tmp_path: Path) -> None:
    """Nothing but the address of a master on this machine."""
    assert records.made(tmp_path, ALL, *spark.master) == records.expected[ALL]


def test_staged_to_workers_of_two_executors(records: Records, spark: SparkCluster, tmp_path: Path) -> None:
    """Through the job server that runs; fanbeam comes as a package, each executor starts one Python worker."""
    logs = spark.folder / "workers" / "logs"
    before = set(logs.iterdir()) if logs.exists() else set()
    options = [*spark.master, *spark.job_server, *spark.process(), SETUP_FILE]
    assert records.made(tmp_path, ALL, *options) == records.expected[ALL]
    assert len(set(logs.iterdir()) - before) == 2
    workdata.until(lambda: not spark.workers(), timeout=20)


def test_the_survey_of_payloads_finds_what_this_machine_finds(spark: SparkCluster, tmp_path: Path) -> None:
    options = [*spark.master[2:], *spark.job_server, *spark.process(), SETUP_FILE]
    survey_is_the_same("spark", options, tmp_path)


def _java() -> list[int]:
    """Children of this process's runs that outlived them, and all other Javas that are a job server of Spark."""
    found = []
    for process in psutil.process_iter(["cmdline", "username"]):
        words = process.info["cmdline"] or []
        if any("spark-job-server" in w for w in words) and "-jar" in words and "--job-port" in words:
            found.append(process.pid)
    return found


class Slow:
    """Texts that take a while, and the files that a direct run makes of them."""

    def __init__(self, installed: Trouble, home: Path) -> None:
        self.installed, self.home = installed, home
        self.rows = text_rows(40, 1000)
        self.direct = self.config(home / "direct")
        done = workdata.run("run", self.direct, PYTHONPATH=installed.path)
        assert done.returncode == 0, done.stderr
        self.contents = workdata.contents(workdata.version_folder(home / "direct" / "out"))

    def config(self, home: Path) -> Path:
        output = {"path": str(home / "out"), "shard_size": SMALL}
        made = self.installed.config(home, self.rows, fields=slow_field(0.1), split={}, output=output)
        os.utime(made.with_name("in.parquet"), (1, 1))
        return made

    def begun(self, config: Path, *options: str) -> "subprocess.Popen[str]":
        """A run that has finished a first shard."""
        process = workdata.start("run", config, *options, PYTHONPATH=self.installed.path)
        try:
            workdata.until(lambda: self.receipts(config), timeout=120)
        except BaseException:
            process.kill()
            raise
        return process

    @staticmethod
    def receipts(config: Path) -> int:
        return len(list((config.parent / "out").glob("*/_receipts/[!.]*")))

    def is_whole(self, config: Path) -> None:
        assert workdata.contents(workdata.version_folder(config.parent / "out")) == self.contents


@pytest.fixture(scope="module")
def slow(installed: Trouble, tmp_path_factory: pytest.TempPathFactory) -> Slow:
    return Slow(installed, tmp_path_factory.mktemp("slow"))


def test_an_executor_is_killed_and_then_the_application(slow: Slow, spark: SparkCluster, tmp_path: Path) -> None:
    """Spark replaces an executor and repeats its tasks; fanbeam submits again what an application has not written."""
    config = slow.config(tmp_path)
    process = slow.begun(config, *spark.master, *spark.job_server, *spark.process(slow.installed.path))
    (name,) = (app["name"].rpartition("_")[0] for app in spark.page()["activeapps"])
    victim = spark.executors()[0]
    victim.kill()
    workdata.until(lambda: len(spark.executors()) == 2 and victim not in spark.executors(), timeout=60)
    seen = slow.receipts(config)
    workdata.until(lambda: slow.receipts(config) > seen, timeout=60)
    options: dict[str, Any] = {"spark_master_url": spark.master[2].partition("=")[2], "job_endpoint": "x"}
    engine.cancel(options, name)
    assert engine.cause(options, name) == "the Spark application was killed"
    _, told = process.communicate(timeout=180)
    assert process.returncode == 0, told
    assert told.count("the job died") == 1
    assert "the job died (the Spark application was killed); attempt 2 of 3" in told
    slow.is_whole(config)


def test_the_job_server_is_killed(slow: Slow, spark: SparkCluster, tmp_path: Path) -> None:
    """It is the whole of a local Spark: fanbeam starts another, for what has no receipt yet."""
    config = slow.config(tmp_path)
    process = slow.begun(config, "--runner", "spark", "--spark_master_url=local[2]")
    (server,) = (child for child in psutil.Process(process.pid).children() if child.name() == "java")
    server.kill()
    _, told = process.communicate(timeout=180)
    assert process.returncode == 0, told
    assert re.search(r"the job died \(the engine does not answer any more: .+\); attempt 2 of 3", told), told
    slow.is_whole(config)


def test_ctrl_c_cancels_and_the_same_command_goes_on(slow: Slow, spark: SparkCluster, tmp_path: Path) -> None:
    config = slow.config(tmp_path)
    options = [*spark.master, *spark.job_server, *spark.process(slow.installed.path)]
    process = slow.begun(config, *options)
    assert spark.page()["activeapps"]
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=90)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert spark.page()["activeapps"] == []
    workdata.until(lambda: not spark.executors() and not spark.workers(), timeout=60)
    assert not list((tmp_path / "out").rglob("manifest.json"))
    done = workdata.run("run", config, *options, "--json", PYTHONPATH=slow.installed.path, timeout=240)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["resumed_shards"] > 0
    slow.is_whole(config)


def test_poison_is_quarantined_as_on_one_machine(spark: SparkCluster, installed: Trouble, tmp_path: Path) -> None:
    rows = text_rows(24)
    for at, word in ((3, "RAISE"), (9, "SEGV"), (17, "EXIT"), (20, "HANG")):
        rows[at]["text"] = f"{word} {rows[at]['text']}"
    found = []
    for name in ("direct", "spark"):
        output = {"path": str(tmp_path / name / "out"), "shard_size": SMALL}
        config = installed.config(tmp_path / name, rows, split={}, limits={"failed": 1}, output=output)
        os.utime(config.with_name("in.parquet"), (1, 1))
        options = [*spark.master, *spark.job_server, *spark.process(installed.path)] if name == "spark" else []
        done = workdata.run("run", config, *options, "--json", PYTHONPATH=installed.path, timeout=240)
        assert done.returncode == 0, done.stderr
        found.append(workdata.version_folder(tmp_path / name / "out"))
    assert {"augment_error", "worker_crashed"} < {row["reason"] for row in workdata.dropped(found[0])}
    assert workdata.contents(found[1]) == workdata.contents(found[0])


def test_workers_without_fanbeam(records: Records, spark: SparkCluster, tmp_path: Path) -> None:
    """Told once, with what to do; not tried again."""
    options = [*spark.master, *spark.job_server, *spark.process()]
    done = workdata.run("run", records.config(tmp_path, ("text",)), "--json", *options, timeout=240)
    assert done.returncode == 4
    assert "the workers cannot import fanbeam" in done.stdout
    assert "--setup_file" in done.stdout
    assert "attempt 2" not in done.stderr


def test_up_again_and_status(spark: SparkCluster) -> None:
    names = ("master", "worker-1", "worker-2", "job-server")
    before = {name: (spark.folder / f"{name}.pid").read_text() for name in names}
    assert f"--spark_master_url spark://localhost:{spark.port('master')}" in spark.script("up").stdout
    assert before == {name: (spark.folder / f"{name}.pid").read_text() for name in names}
    assert spark.script("status").returncode == 0
