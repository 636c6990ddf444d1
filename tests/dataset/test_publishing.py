"""A run that was stopped for a while must not damage what another run finished meanwhile."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from small_inputs import FLIP, config_of, jpeg, planned, put
from totals_and_keys import tallied

from pipeline.dataset.commit import Expected, commit
from pipeline.errors import RunFailed
from pipeline.planning.job import Job, Task
from pipeline.planning.plan import Plan
from pipeline.records import Receipt
from pipeline.rendering.stages import render
from pipeline.storage.folder import Folder


def contents(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): sha256(p.read_bytes()).hexdigest() for p in files}


@dataclass
class Version:
    """A version of pictures that a table refers to, rendered and committed by hand."""

    home: Path
    job: Job
    expected: Expected
    plan: Plan

    @property
    def folder(self) -> Path:
        return Path(self.job.dataset.url)

    def rendered(self, shard: int = 0) -> Receipt:
        return render(self.job, Task(self.plan.shards[shard]))

    def finished(self) -> list[Receipt]:
        return [self.rendered(n) for n in range(len(self.plan.shards))]

    def committed(self) -> dict[str, str]:
        commit(self.job, self.expected, tallied(self.finished()))
        return contents(self.folder)

    def lose_a_picture(self) -> None:
        (self.home / "in/pics/0.jpg").unlink()

    def lose_all_pictures(self) -> None:
        for path in (self.home / "in/pics").iterdir():
            path.unlink()


@pytest.fixture
def version(tmp_path: Path) -> Version:
    for number in range(3):
        put(tmp_path / f"in/pics/{number}.jpg", jpeg(number))
    put(tmp_path / "in/t.csv", "id,label,image\n" + "".join(f"r{n},x,pics/{n}.jpg\n" for n in range(3)))
    fields = {"image": {"type": "image", "uri": True, "augment": [FLIP]}}
    config = config_of(tmp_path / "in/t.csv", tmp_path / "out", split={}, fields=fields, limits__failed=1)
    job, listing, plan = planned(config)
    assert len(plan.shards) == 1
    return Version(tmp_path, job, Expected((plan.shards[0].name,), plan.records, listing.files), plan)


def test_a_late_worker_changes_nothing_of_a_committed_version(version: Version) -> None:
    before = version.committed()
    version.lose_a_picture()
    receipt = version.rendered()
    assert (receipt.samples, receipt.failed) == (9, {})  # the one that was committed
    assert contents(version.folder) == before


def test_a_late_worker_removes_no_shard_that_has_a_receipt(version: Version) -> None:
    first = version.rendered()
    before = contents(version.folder)
    version.lose_all_pictures()
    assert version.rendered() == first
    assert contents(version.folder) == before


@pytest.mark.parametrize("nth", range(3))
def test_a_worker_that_stands_still_while_another_run_commits(
    version: Version, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """It is stopped before its n-th look at the manifest: before its files, before its receipt."""
    version.lose_a_picture()
    stat = Folder.stat
    looks: list[str] = []
    committed: list[dict[str, str]] = []

    def stopped(self: Folder, name: str) -> Any:
        looks.extend([name] * (name == "manifest.json"))
        if len(looks) == nth + 1 and not committed:
            monkeypatch.setattr(Folder, "stat", stat)
            put(version.home / "in/pics/0.jpg", jpeg(0))
            committed.append(version.committed())
            monkeypatch.setattr(Folder, "stat", stopped)
        return stat(self, name)

    monkeypatch.setattr(Folder, "stat", stopped)
    version.rendered()
    assert contents(version.folder) == committed[0]


def test_a_damaged_receipt_or_a_missing_file_is_written_again(version: Version) -> None:
    first = version.rendered()
    before = contents(version.folder)
    (version.folder / "_receipts/train-00000.json").write_text("{")
    assert version.rendered() == first
    assert contents(version.folder) == before
    (version.folder / "train/part-00000.parquet").unlink()
    assert version.rendered() == first
    assert contents(version.folder) == before


def test_files_of_a_killed_run_that_dropped_more_are_removed(version: Version) -> None:
    version.lose_a_picture()
    version.rendered()
    (version.folder / "_receipts/train-00000.json").unlink()
    assert (version.folder / "_failed/train-00000.parquet").exists()
    put(version.home / "in/pics/0.jpg", jpeg(0))
    version.rendered()
    assert not (version.folder / "_failed/train-00000.parquet").exists()


def test_a_committed_version_without_that_receipt_is_left_alone(version: Version) -> None:
    version.committed()
    (version.folder / "_receipts/train-00000.json").unlink()
    before = contents(version.folder)
    with pytest.raises(RunFailed, match="another run committed this version"):
        version.rendered()
    assert contents(version.folder) == before


def test_a_late_commit_of_other_shards_changes_nothing(version: Version) -> None:
    version.lose_a_picture()
    other = version.rendered()
    (version.folder / "_receipts/train-00000.json").unlink()
    put(version.home / "in/pics/0.jpg", jpeg(0))
    before = version.committed()
    with pytest.raises(RunFailed, match="exists and differs"):
        commit(version.job, version.expected, tallied([other]))
    assert contents(version.folder) == before


def test_a_late_commit_of_the_same_shards_adopts_the_manifest(version: Version) -> None:
    before = version.committed()
    (version.folder / "leaks.json").write_text("{}")  # it would be written again
    edited = contents(version.folder)
    manifest = commit(version.job, version.expected, tallied(version.finished()))
    assert manifest["version"] == version.job.version
    assert contents(version.folder) == edited != before


@pytest.mark.parametrize("lost", ["train/part-00000.parquet", "_receipts/train-00000.json"])
def test_nothing_is_committed_if_a_file_is_gone_by_then(version: Version, lost: str) -> None:
    receipts = version.finished()
    (version.folder / lost).unlink()
    with pytest.raises((RunFailed, FileNotFoundError), match=r"part-00000|train-00000"):
        commit(version.job, version.expected, tallied(receipts))
    assert not (version.folder / "manifest.json").exists()
