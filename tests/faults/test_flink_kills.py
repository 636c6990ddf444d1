"""kill -9 of a Python worker, a TaskManager, the JobManager or the submitting process, at random moments of a run on a
real Flink: afterwards, or after the same command again, the files of a run that nobody hurt, and nothing else.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import workdata
from trouble_library import Trouble, slow_field, text_rows

sys.path.append(str(Path(__file__).parents[1] / "engines"))

from flink_cluster import FlinkCluster

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
VICTIMS = ("worker", "taskmanager-1", "taskmanager-2", "jobmanager", "submitter")
ROUNDS = int(os.environ.get("FANBEAM_KILL_ROUNDS", "10"))  # with each strategy; half a minute to a minute each
RECORDS = 150


@pytest.fixture(scope="module", params=["none", "3"], ids=["no restarts", "restarts"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    made = FlinkCluster(tmp_path_factory.mktemp("flink"))
    try:
        made.up("--restart", request.param)
        yield made
    finally:
        made.down()


class Texts:
    """Texts that take their time, and the files that must come of them."""

    def __init__(self, trouble: Trouble, home: Path) -> None:
        self.trouble, self.home = trouble, home
        config = self.config(home)
        assert workdata.run("run", config, PYTHONPATH=trouble.path).returncode == 0
        self.contents = workdata.contents(workdata.version_folder(home / "out"))
        self.shards = sum(name.startswith("_receipts/") for name in self.contents)
        assert self.shards > 20

    def config(self, home: Path) -> Path:
        output = {"path": str(home / "out"), "shard_size": "24KiB"}
        rows = text_rows(RECORDS)
        return self.trouble.config(home, rows, fields=slow_field(0.02), split={"test": 0.2}, output=output)


@pytest.fixture(scope="module")
def texts(installed: Trouble, tmp_path_factory: pytest.TempPathFactory) -> Texts:
    return Texts(installed, tmp_path_factory.mktemp("texts"))


class Round:
    """One run that is hurt once."""

    def __init__(self, cluster: FlinkCluster, texts: Texts, home: Path) -> None:
        self.cluster, self.texts, self.home = cluster, texts, home
        self.config = texts.config(home)

    def start(self) -> "subprocess.Popen[str]":
        options = [*self.cluster.master, *self.cluster.job_server, *self.cluster.process(self.texts.trouble.path)]
        return workdata.start("run", self.config, *options, PYTHONPATH=self.texts.trouble.path)

    def receipts(self) -> int:
        return len(list((self.home / "out").glob("*/_receipts/[!.]*")))

    def hurt(self, process: Any, victim: str, draw: random.Random) -> str:
        """Kill somebody at a random moment between submission and commit; who, and when."""
        at = draw.randrange(self.texts.shards)
        workdata.until(lambda: self.receipts() >= at and (at or self._planned()), timeout=120)
        time.sleep(draw.uniform(0, 0.3 if at else 6))
        self.cluster.kill(self._pid(process, victim, draw))
        return f"{victim} at {self.receipts()} of {self.texts.shards} receipts"

    def _planned(self) -> bool:
        return bool(list((self.home / "out").glob("*/_plan.json")))

    def _pid(self, process: Any, victim: str, draw: random.Random) -> int:
        if victim == "submitter":
            return int(process.pid)
        if victim != "worker":
            return self.cluster.pid(victim)
        found = workdata.until(self.cluster.workers, timeout=60)
        return int(draw.choice(sorted(found, key=lambda p: p.pid)).pid)

    def finish(self, process: Any) -> int:
        """Mend the cluster, wait, and give the same command until it succeeds. Returns how often it was given."""
        self.cluster.up()
        for given in range(1, 4):
            _, told = process.communicate(timeout=180)
            assert "Traceback" not in told
            if process.returncode == 0:
                return given
            assert process.returncode in (4, -9), told
            process = self.start()
        raise AssertionError(told)

    def is_whole(self) -> None:
        output = self.home / "out"
        version = workdata.version_folder(output)
        assert workdata.versions(output) == [version]
        assert workdata.contents(version) == self.texts.contents
        assert workdata.leftovers(output) == []


def rounds() -> list[tuple[int, str]]:
    """Every victim as often as any other, in a random order that is always the same."""
    draw = random.Random(5)
    victims = [VICTIMS[n % len(VICTIMS)] for n in range(ROUNDS)]
    draw.shuffle(victims)
    return list(enumerate(victims))


@pytest.mark.parametrize(("number", "victim"), rounds())
def test_killed_at_a_random_moment(
    number: int, victim: str, cluster: FlinkCluster, texts: Texts, tmp_path: Path
) -> None:
    draw = random.Random(f"{number} {victim}")
    hurt = Round(cluster, texts, tmp_path)
    process = hurt.start()
    what = hurt.hurt(process, victim, draw)
    given = hurt.finish(process)
    print(f"{what}; the command was given {given} times")
    workdata.until(lambda: not _at_work(cluster), timeout=60)
    hurt.is_whole()
    # What was still on its way when the run ended changes nothing either.
    workdata.until(lambda: not cluster.processes(), timeout=90)
    hurt.is_whole()


def _at_work(cluster: FlinkCluster) -> list[str]:
    return [name for name, state in cluster.jobs().items() if state not in ("FINISHED", "CANCELED", "FAILED")]


def test_nothing_stays_behind(cluster: FlinkCluster) -> None:
    """Last, with the cluster still up: no worker, no child of one, no boot program without its TaskManager."""
    assert cluster.processes() == []
    engines = {cluster.pid(name) for name in ("taskmanager-1", "taskmanager-2")}
    boots = [p for p in psutil.process_iter() if str(cluster.folder / "workers") in " ".join(_arguments(p))]
    assert not [p for p in boots if p.ppid() not in engines]


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []
