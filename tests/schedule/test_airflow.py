"""The DAG on Airflow itself: catch-up, a rerun, a retry after a killed run, a failure."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import workdata
from conftest import DAYS, SCRIPTS, Weekly, written
from flink_cluster import FlinkCluster
from trouble_library import Trouble

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
DRIVER = Path(__file__).with_name("airflow_driver.py")
ENDS = (*DAYS[1:], "2026-01-25")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty Airflow database, to be copied."""
    home = tmp_path_factory.mktemp("airflow")
    airflow(home, "airflow", "db", "migrate").communicate(timeout=600)
    return home / "airflow.db"


def airflow(home: Path, *command: object, **settings: str) -> "subprocess.Popen[str]":
    """Start a command in Airflow's environment; the first time that is made."""
    given = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(SCRIPTS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHON": sys.executable,
        **{f"FANBEAM_WEEKLY_{name.upper()}": value for name, value in settings.items()},
    }
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.Popen(
        ["bash", SCRIPTS / "airflow.sh", *map(str, command)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**inherited, **given},
    )  # fmt: skip


class Airflow:
    """An Airflow with a database of its own that runs the DAG in a folder of weekly records."""

    def __init__(self, weekly: Weekly, database: Path) -> None:
        self._weekly, self._home = weekly, weekly.home / "airflow"
        self._home.mkdir()
        (self._home / "airflow.db").write_bytes(database.read_bytes())
        self._answers = self._home / "answers"

    def start(self, *what: object, **settings: str) -> "subprocess.Popen[str]":
        settings = {
            "config": str(self._weekly.config),
            "input": "data/{{ data_interval_start | ds }}/*.parquet",  # relative: the setting `folder`
            "output": str(self._weekly.output),
            "flags": "--workers 2",
            "fanbeam": str(self._weekly.program),
            "folder": str(self._weekly.home),
            "retry_seconds": "1",
            **settings,
        }
        return airflow(self._home, "python", DRIVER, self._answers, *what, **settings)

    def ended(self, process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
        """What came of each interval."""
        log, _ = process.communicate(timeout=300)
        assert process.returncode == 0, log
        return [json.loads(line) for line in self._answers.read_text().splitlines()]

    def run(self, *what: object, **settings: str) -> list[dict[str, Any]]:
        return self.ended(self.start(*what, **settings))


@pytest.fixture
def scheduler(weekly: Weekly, migrated: Path) -> Airflow:
    return Airflow(weekly, migrated)


def test_catch_up_and_rerun(scheduler: Airflow, weekly: Weekly) -> None:
    """Three versions, each of its interval's data; an interval once more is the same version."""
    expected = [weekly.expected(day) for day in DAYS]
    assert len({version for version, _ in expected}) == 3
    runs = scheduler.run("catch-up", 3)
    assert [run["from"][:10] for run in runs] == list(DAYS)
    for run, (version, contents) in zip(runs, expected, strict=True):
        assert run["state"] == "success"
        tasks = run["tasks"]
        assert {(task["state"], task["try"]) for task in tasks.values()} == {("success", 1)}
        assert tasks["run"]["xcom"]["version"] == tasks["hand_on"]["xcom"] == version
        assert tasks["run"]["xcom"]["path"] == tasks["verify"]["xcom"]["path"] == str(weekly.output / version)
        assert tasks["verify"]["xcom"]["ok"]
        assert workdata.contents(weekly.output / version) == contents
    before = written(weekly.output)
    (again,) = scheduler.run("ended", ENDS[-1], then='cat "$OUTPUT/LATEST"')
    assert again["state"] == "success"
    assert again["tasks"]["hand_on"]["xcom"] == expected[-1][0]
    assert again["tasks"]["run"]["xcom"]["already_there"]
    assert again["tasks"]["run"]["xcom"]["seconds"] < 5
    assert written(weekly.output) == before


def test_retry_after_a_killed_run(scheduler: Airflow, weekly: Weekly) -> None:
    version, contents = weekly.expected(DAYS[0])
    process = scheduler.start("ended", ENDS[0])
    workdata.until(lambda: weekly.receipts() >= 2, timeout=120)
    done = weekly.receipts()
    (run,) = [p for p in psutil.Process(process.pid).children(recursive=True) if is_run(p)]
    family = workdata.family(run.pid)
    run.send_signal(signal.SIGKILL)
    assert not list(weekly.output.rglob("manifest.json"))
    (told,) = scheduler.ended(process)
    assert not workdata.alive(family)
    assert told["state"] == "success"
    assert (told["tasks"]["run"]["try"], told["tasks"]["verify"]["try"]) == (2, 1)
    assert told["tasks"]["run"]["xcom"]["resumed_shards"] >= done
    assert workdata.contents(weekly.output / version) == contents
    assert [p.name for p in workdata.versions(weekly.output)] == [version]


def test_on_flink(scheduler: Airflow, weekly: Weekly, trouble: Trouble) -> None:
    version, contents = weekly.expected(DAYS[0])
    cluster = FlinkCluster(weekly.home / "flink")
    try:
        cluster.up()
        flags = shlex.join([*cluster.master, *cluster.job_server, *cluster.process(trouble.path)])
        (told,) = scheduler.run("ended", ENDS[0], flags=flags)
        assert set(cluster.jobs().values()) == {"FINISHED"}
    finally:
        cluster.down()
    assert (told["state"], told["tasks"]["run"]["try"]) == ("success", 1)
    assert told["tasks"]["hand_on"]["xcom"] == version
    assert workdata.contents(weekly.output / version) == contents


def is_run(process: psutil.Process) -> bool:
    """Whether it is `fanbeam run` itself, not a process that it started."""
    try:
        return process.cmdline()[1:4] == [*workdata.command("run")[1:]]
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def test_an_interval_without_data_fails_and_hands_nothing_on(scheduler: Airflow, weekly: Weekly) -> None:
    (told,) = scheduler.run("ended", "2026-03-01", retries="0")
    assert told["state"] == "failed"
    states = {name: (task["state"], task["xcom"]) for name, task in told["tasks"].items()}
    assert states == {
        "run": ("failed", None),
        "verify": ("upstream_failed", None),
        "hand_on": ("upstream_failed", None),
    }
    assert told["tasks"]["run"]["try"] == 1
    assert not weekly.output.exists()
