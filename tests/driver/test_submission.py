"""What an engine that dies, hangs or finds fault makes of a run; on Beam's in-process runner in place of a cluster."""

import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from small_inputs import config_of, parquet, text_columns

from pipeline.driver import submission
from pipeline.driver.api import run
from pipeline.driver.run_options import RunOptions
from pipeline.engines import options as runners
from pipeline.errors import LimitsExceeded, Problem, RunFailed, UsageError
from pipeline.storage.folder import Folder

BEAM = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


class Watcher:
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.begun: list[tuple[int, int]] = []
        self.counts: list[Callable[[], int]] = []

    def say(self, what: str) -> None:
        self.said.append(what)

    warn = say

    def identify(self, version: str, path: str) -> None: ...

    def begin(self, samples: int, resumed: int, count: Callable[[], int]) -> None:
        self.begun.append((samples, resumed))
        self.counts.append(count)

    def end(self) -> None: ...


class Cluster(ModuleType):
    """An engine module whose answers a test decides."""

    def __init__(self) -> None:
        super().__init__("tests_cluster")
        self.missing: list[Problem] = []
        self.cancelled: list[str] = []
        self.why = ""

    def settled(self, given: Mapping[str, Any]) -> list[str]:
        return ["--direct_running_mode=in_memory"]

    def problems(self, options: Mapping[str, Any], output: Folder) -> list[Problem]:
        assert options["direct_running_mode"] == "in_memory"
        return self.missing

    def cancel(self, options: Mapping[str, Any], job_name: str) -> None:
        self.cancelled.append(job_name)

    def cause(self, options: Mapping[str, Any], job_name: str) -> str:
        return self.why


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    module = Cluster()
    monkeypatch.setitem(sys.modules, "tests_cluster", module)
    monkeypatch.setitem(runners.ENGINES, "cluster", runners.Engine(BEAM, module="tests_cluster"))
    return module


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    parquet(tmp_path / "in" / "texts.parquet", text_columns(40), per_group=5)
    return tmp_path / "in"


def options(watcher: Watcher | None = None, **more: Any) -> RunOptions:
    return RunOptions("cluster", 1, progress=watcher or Watcher(), **more)


def contents(path: str) -> dict[str, bytes]:
    top = Path(path)
    files = (p for p in sorted(top.rglob("*")) if p.is_file() and "_runs" not in p.parts)
    return {str(p.relative_to(top)): p.read_bytes() for p in files}


def dying(monkeypatch: pytest.MonkeyPatch, times: int, after: int) -> None:
    """The engine dies so many times, each time after so many shards."""
    from pipeline.engines.beam import worker_pools

    whole, left, count = worker_pools.render, [times], [0]

    def render(job: Any, task: Any) -> Any:
        if left[0] and count[0] >= after:
            left[0], count[0] = left[0] - 1, 0
            raise RuntimeError("Process died with exit code 137")
        count[0] += 1
        return whole(job, task)

    monkeypatch.setattr(worker_pools, "render", render)


def test_a_cluster_makes_the_same_files(cluster: Cluster, texts: Path, tmp_path: Path) -> None:
    watcher = Watcher()
    there = run(config_of(texts, tmp_path / "a", output__shard_size="2KiB"), options(watcher))
    here = run(config_of(texts, tmp_path / "b", output__shard_size="2KiB"))
    assert contents(there.path) == contents(here.path)
    assert watcher.begun == [(there.samples, 0)]
    assert watcher.counts[0]() == pytest.approx(there.samples, rel=0.1)


def test_a_job_that_dies_is_submitted_again_and_finished_shards_stay(
    cluster: Cluster, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying(monkeypatch, times=2, after=3)
    watcher = Watcher()
    result = run(config_of(texts, tmp_path / "a", output__shard_size="2KiB"), options(watcher))
    assert [resumed for _, resumed in watcher.begun] == [0, 3, 6]
    assert sum("the job died (" in line and "of 3" in line for line in watcher.said) == 2
    assert contents(result.path) == contents(run(config_of(texts, tmp_path / "b", output__shard_size="2KiB")).path)


def test_after_the_last_attempt_the_engines_own_reason_is_told(
    cluster: Cluster, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying(monkeypatch, times=9, after=0)
    cluster.why = "the TaskManager is no longer reachable"
    with pytest.raises(RunFailed, match=r"gave up 2 times: the TaskManager is no longer reachable\. The same command"):
        run(config_of(texts, tmp_path / "a"), options(attempts=2))
    assert not list(tmp_path.glob("a/*/manifest.json"))


def test_what_the_user_must_mend_is_told_at_once(
    cluster: Cluster, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.engines.beam import render_steps

    def full(job: Any, around: Any) -> None:
        raise RunFailed("the disk is full", (Problem("x", "y"),))

    monkeypatch.setattr(render_steps, "look_around", full)
    watcher = Watcher()
    with pytest.raises(RunFailed, match="the disk is full"):
        run(config_of(texts, tmp_path / "a"), options(watcher))
    assert len(watcher.begun) == 1


def test_limits_are_told_and_not_tried_again(cluster: Cluster, tmp_path: Path) -> None:
    columns = text_columns(20)
    columns["text"] = [None, *columns["text"][1:]]
    parquet(tmp_path / "in" / "texts.parquet", columns)
    watcher = Watcher()
    with pytest.raises(LimitsExceeded):
        run(config_of(tmp_path / "in", tmp_path / "a", limits__failed=0.0), options(watcher))
    assert len(watcher.begun) == 1


def test_everything_that_is_missing_is_told_before_anything_is_written(
    cluster: Cluster, texts: Path, tmp_path: Path
) -> None:
    cluster.missing = [Problem("--master", "no cluster.", "Start one."), Problem("java", "none.")]
    with pytest.raises(UsageError, match="no cluster") as caught:
        run(config_of(texts, tmp_path / "a"), options())
    assert len(caught.value.problems) == 2
    assert not (tmp_path / "a").exists()


def test_an_interrupted_run_cancels_the_job_and_goes_on_later(
    cluster: Cluster, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apache_beam.runners.portability.fn_api_runner.fn_runner import RunnerResult

    def interrupted(self: Any, duration: Any = None) -> None:
        raise KeyboardInterrupt

    config = config_of(texts, tmp_path / "a")
    with monkeypatch.context() as patched:
        patched.setattr(RunnerResult, "wait_until_finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(config, options())
    (name,) = cluster.cancelled
    assert name.startswith("fanbeam-")
    assert run(config, options()).samples


def test_what_was_assigned_is_gone_when_a_run_is_over(
    cluster: Cluster, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying(monkeypatch, times=1, after=2)
    run(config_of(texts, tmp_path / "a", output__shard_size="2KiB"), options())
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and "work" in path.parts]


def test_receipts_are_listed_the_less_often_the_longer_that_takes(
    cluster: Cluster, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher, listed, clock = Watcher(), [], [1_000.0]
    run(config_of(texts, tmp_path / "a", output__shard_size="2KiB"), options(watcher))
    (count,) = watcher.counts

    def slow(dataset: Folder) -> set[str]:
        listed.append(clock[0])
        clock[0] += 7.0
        return set()

    monkeypatch.setattr(submission, "receipted", slow)
    monkeypatch.setattr(submission.time, "monotonic", lambda: clock[0])
    clock[0] = 1e9
    while clock[0] < 1e9 + 1_000:
        count()
        clock[0] += 1.0
    assert len(listed) == pytest.approx(1_000 / (7 * 21), abs=1)


def test_beam_is_loaded_by_one_thread_at_a_time() -> None:
    threads = [threading.Thread(target=submission.load_beam, args=(False,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
