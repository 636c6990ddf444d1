import json
import threading
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from small_inputs import FLIP, Ran, config_of, jpeg, parquet, planned, put, ran, text_columns, words
from totals_and_keys import tallied

from pipeline.dataset import commit as commit_module
from pipeline.dataset.commit import (
    Expected,
    check_limits,
    commit,
    commit_outcome,
    complete,
    completed,
    finished,
    manifest_of,
    point_latest,
)
from pipeline.dataset.manifest import manifest_bytes, publish, read_manifest
from pipeline.dataset.receipts import read_receipt
from pipeline.dataset.totals import Tally
from pipeline.errors import LimitsExceeded, RunFailed
from pipeline.planning.job import Job, Task
from pipeline.records import SPLITS, Receipt
from pipeline.rendering.stages import render
from pipeline.storage.folder import Folder


def done(home: Path, count: int = 40, **changes: Any) -> Ran:
    parquet(home / "in" / "a.parquet", text_columns(count), 10)
    changes = {"split": {"validation": 0.2, "test": 0.2}, "output__shard_size": "8KiB", **changes}
    return ran(config_of(home / "in", home / "out", **changes))


def rendered(home: Path, **changes: Any) -> tuple[Job, Expected, list[Receipt]]:
    """Everything but the commit."""
    parquet(home / "in" / "a.parquet", text_columns(40), 10)
    job, listing, plan = planned(config_of(home / "in", home / "out", output__shard_size="8KiB", **changes))
    receipts = [render(job, Task(shard)) for shard in plan.shards]
    return job, Expected(tuple(s.name for s in plan.shards), plan.records, listing.files), receipts


def receipt(split: Any = "train", index: int = 0, **values: Any) -> Receipt:
    counts: dict[str, Any] = {"records": 100, "samples": 300, "kept_records": 100, "data": None, **values}
    return Receipt(split=split, index=index, **counts)


# The manifest


def test_the_manifest_is_as_the_design_says(tmp_path: Path) -> None:
    made = done(tmp_path)
    manifest = json.loads((tmp_path / "out" / made.job.version / "manifest.json").read_bytes())
    assert manifest == made.dataset.manifest
    assert {
        "format", "version", "config", "input", "libraries", "cpu", "splits", "dropped", "shards", "dropped_shards",
    } <= set(manifest)  # fmt: skip
    assert manifest["version"] == made.job.version
    assert manifest["input"]["records"] == 40
    (file,) = manifest["input"]["files"]
    assert (file["path"], file["size"]) == ("a.parquet", (tmp_path / "in/a.parquet").stat().st_size)
    assert set(manifest["splits"]) == set(SPLITS)
    for split, totals in manifest["splits"].items():
        shards = [s for s in manifest["shards"] if s["split"] == split]
        assert totals["samples"] == sum(s["rows"] for s in shards) == made.table(split).num_rows
        assert totals["bytes"] == sum(s["bytes"] for s in shards)
        assert totals["records"] == sum(c["records"] for c in totals["classes"].values())
        assert totals["samples"] == sum(c["samples"] for c in totals["classes"].values())
    assert sum(s["records"] for s in manifest["splits"].values()) == 40


def test_nothing_in_it_tells_where_or_when(tmp_path: Path) -> None:
    here, there = (done(tmp_path / name, input__fingerprint="content") for name in ("here", "some/where else"))
    for name in ("manifest.json", "README.md", "croissant.json"):
        text = (Path(here.dataset.path) / name).read_bytes()
        assert text == (Path(there.dataset.path) / name).read_bytes()
        assert str(tmp_path).encode() not in text


def test_its_bytes_are_sorted_and_readable(tmp_path: Path) -> None:
    manifest = done(tmp_path).dataset.manifest
    data = manifest_bytes(manifest)
    assert data == manifest_bytes(dict(reversed(manifest.items())))
    assert list(json.loads(data)) == sorted(manifest)
    assert data.endswith(b"}\n")


def test_shards_are_listed_by_split_then_index(tmp_path: Path) -> None:
    paths = [s["path"] for s in done(tmp_path, 60).dataset.manifest["shards"]]
    assert paths == sorted(paths, key=lambda p: (SPLITS.index(p.split("/")[0]), p))  # type: ignore[arg-type]
    assert len(paths) > 5


def test_dropped_files_are_listed_apart(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", {"id": ["a", "b"], "label": ["x", "y"], "text": pa.array([None, words(1)])})
    manifest = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, limits__failed=1)).dataset.manifest
    assert manifest["dropped"] == {"failed": {"null_payload": 1}, "rejected": {}}
    assert [s["path"] for s in manifest["dropped_shards"]] == ["_failed/train-00000.parquet"]
    assert manifest["splits"]["train"]["classes"] == {
        "x": {"records": 1, "samples": 0}, "y": {"records": 1, "samples": 3},
    }  # fmt: skip


# Receipts


def test_receipts_of_earlier_runs_are_read_back(tmp_path: Path) -> None:
    job, expected, receipts = rendered(tmp_path)
    assert finished(job.dataset) == set(expected.shards)
    whole = tallied(receipts).as_json()
    for made in ((), receipts[1:2], receipts[::-1]):
        assert complete(job.dataset, expected, tallied(made)).as_json() == whole


def test_a_missing_receipt_commits_nothing(tmp_path: Path) -> None:
    job, expected, _ = rendered(tmp_path)
    job.dataset.remove(f"_receipts/{expected.shards[1]}.json")
    with pytest.raises(RunFailed, match=expected.shards[1]):
        commit(job, expected, Tally())
    assert read_manifest(job.dataset) is None
    assert not job.dataset.exists("README.md")


def test_other_records_than_surveyed_commit_nothing(tmp_path: Path) -> None:
    job, expected, receipts = rendered(tmp_path)
    with pytest.raises(RunFailed, match="40 records were read where the survey had counted 41"):
        commit(job, replace(expected, records=41), tallied(receipts))
    assert read_manifest(job.dataset) is None


def test_a_damaged_receipt_is_one_clear_line(tmp_path: Path) -> None:
    job, expected, _ = rendered(tmp_path)
    for damage in (b"", b"{", b"[]", b'{"split": "train"}'):
        job.dataset.put(f"_receipts/{expected.shards[0]}.json", damage)
        with pytest.raises(RunFailed, match=expected.shards[0]) as caught:
            commit(job, expected, Tally())
        assert "\n" not in caught.value.message


def test_strangers_among_the_receipts_are_no_part_of_it(tmp_path: Path) -> None:
    job, expected, receipts = rendered(tmp_path)
    job.dataset.put("_receipts/notes.txt", b"x")
    stranger = receipt("test", 99)
    with pytest.raises(RunFailed, match="test-00099"):
        complete(job.dataset, expected, tallied([*receipts, stranger]))
    assert finished(job.dataset) == set(expected.shards)


def test_a_shard_whose_receipt_or_file_is_damaged_is_made_again(tmp_path: Path) -> None:
    """A receipt whose file was gone let a manifest name what is not there."""
    job, expected, _ = rendered(tmp_path)
    gone, torn, *rest = expected.shards
    job.dataset.remove(gone.replace("train-", "train/part-") + ".parquet")
    job.dataset.put(f"_receipts/{torn}.json", b"{")
    assert finished(job.dataset) == set(rest)


def test_receipts_are_read_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, expected, _ = rendered(tmp_path)
    together = threading.Barrier(len(expected.shards), timeout=60)

    def read(dataset: Folder, name: str) -> Receipt:
        together.wait()
        return read_receipt(dataset, name)

    monkeypatch.setattr(commit_module, "read_receipt", read)
    assert len(expected.shards) > 3
    assert finished(job.dataset) == set(expected.shards)
    assert complete(job.dataset, expected, Tally()).names == set(expected.shards)


def test_no_folder_no_receipts(tmp_path: Path) -> None:
    assert finished(Folder(str(tmp_path / "gone"))) == set()


# Limits


@pytest.fixture
def job(tmp_path: Path) -> Job:
    parquet(tmp_path / "in/a.parquet", text_columns(3))
    return planned(config_of(tmp_path / "in", tmp_path / "out", limits={"failed": 0.01, "rejected": 0.2}))[0]


@pytest.mark.parametrize("failed", [0, 1, 2])
def test_the_limit_itself_is_allowed(job: Job, failed: int) -> None:
    check_limits(job, tallied([receipt(failed_records=failed, failed={"corrupt": failed}), receipt("test")]))


def test_more_failed_records_are_not(job: Job) -> None:
    parts = [
        receipt(failed_records=1, failed={"corrupt": 2}),
        receipt("test", failed_records=2, failed={"corrupt": 1, "null_id": 1}),
    ]
    with pytest.raises(LimitsExceeded) as caught:
        check_limits(job, tallied(parts))
    (problem,) = caught.value.problems
    assert problem.where == "limits.failed"
    assert "3 of 200 records failed (corrupt 3, null_id 1); 0.01" in problem.message
    assert "run again" in problem.suggestion
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(("rejected", "fine"), [(40, True), (41, False)])
def test_rejected_copies_count_against_planned_ones(job: Job, rejected: int, fine: bool) -> None:
    """Records that a balance drops are no copies that were rejected."""
    parts = [receipt(rejected={"blank": rejected, "downsampled": 60}, copies=200), receipt("test")]
    if fine:
        check_limits(job, tallied(parts))
    else:
        with pytest.raises(LimitsExceeded, match="41 of 200 copies were rejected"):
            check_limits(job, tallied(parts))


def test_both_limits_are_told_at_once(job: Job) -> None:
    with pytest.raises(LimitsExceeded) as caught:
        check_limits(job, tallied([receipt(failed_records=50, rejected={"blank": 90})]))
    assert [p.where for p in caught.value.problems] == ["limits.failed", "limits.rejected"]


def test_raising_a_limit_commits_what_is_there(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", {"id": ["a", "b"], "label": ["x"] * 2, "text": pa.array([None, words(1)])})
    strict = config_of(tmp_path / "in", tmp_path / "out", split={}, limits__failed=0)
    with pytest.raises(LimitsExceeded):
        ran(strict)
    job, listing, plan = planned(strict.model_copy(update={"limits": strict.limits.model_copy(update={"failed": 1.0})}))
    expected = Expected(tuple(s.name for s in plan.shards), plan.records, listing.files)
    assert job.dataset.exists("_failed/train-00000.parquet")
    assert commit(job, expected, Tally())["splits"]["train"]["samples"] == 3


def test_limits_are_an_outcome_to_an_engine(tmp_path: Path) -> None:
    job, expected, receipts = rendered(tmp_path)
    strict = replace(
        job, config=job.config.model_copy(update={"limits": job.config.limits.model_copy(update={"failed": 0.0})})
    )
    bad = [replace(receipts[0], failed_records=1), *receipts[1:]]
    assert commit_outcome(strict, expected, tallied(bad)) == "limits"
    assert read_manifest(job.dataset) is None
    assert commit_outcome(job, expected, tallied(receipts)) == "committed"
    assert commit_outcome(job, expected, tallied(receipts)) == "committed"


def test_referenced_files_that_changed_commit_nothing(tmp_path: Path) -> None:
    put(tmp_path / "in/a.jpg", jpeg(1))
    parquet(tmp_path / "in/t.parquet", {"id": ["a"], "label": ["x"], "image": ["a.jpg"]})
    fields = {"image": {"type": "image", "uri": True, "augment": [FLIP]}}
    job, listing, plan = planned(config_of(tmp_path / "in/t.parquet", tmp_path / "out", split={}, fields=fields))
    receipts = [render(job, Task(s)) for s in plan.shards]
    put(tmp_path / "in/a.jpg", jpeg(2, 32))
    with pytest.raises(RunFailed, match="changed during the run"):
        completed(job, Expected(("train-00000",), 1, listing.files), tallied(receipts))
    assert finished(job.dataset) == set()
    assert read_manifest(job.dataset) is None


# Publishing


def test_an_equal_manifest_is_adopted_and_another_is_not(tmp_path: Path) -> None:
    manifest = done(tmp_path).dataset.manifest
    folder = Folder(str(tmp_path / "empty"))
    publish(folder, manifest)
    publish(folder, dict(reversed(manifest.items())))
    with pytest.raises(RunFailed, match="differs"):
        publish(folder, {**manifest, "version": "w"})
    assert read_manifest(folder) == manifest


def test_the_manifest_is_the_last_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, expected, receipts = rendered(tmp_path)
    names: list[str] = []
    put, absent = Folder.put, Folder.put_if_absent
    monkeypatch.setattr(Folder, "put", lambda self, name, data: (names.append(name), put(self, name, data))[1])
    monkeypatch.setattr(
        Folder, "put_if_absent", lambda self, name, data: (names.append(name), absent(self, name, data))[1]
    )
    manifest = commit(job, expected, tallied(receipts))
    assert names == ["leaks.json", "README.md", "croissant.json", "manifest.json"]
    stated, documents = manifest.pop("leaks"), manifest.pop("documents")
    for file in documents:
        data = (Path(job.dataset.url) / file["path"]).read_bytes()
        assert (len(data), sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
    assert [file["path"] for file in documents] == ["README.md", "croissant.json"]
    assert manifest == manifest_of(job, expected, tallied(receipts))
    assert stated["stopping"] == 0
    (file,) = stated["files"]
    data = job.dataset.read(file["path"])
    assert (file["bytes"], file["sha256"]) == (len(data), sha256(data).hexdigest())


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b"null", b"3"])
def test_a_damaged_manifest_is_told(tmp_path: Path, damage: bytes) -> None:
    put(tmp_path / "manifest.json", damage)
    with pytest.raises(RunFailed, match=r"manifest\.json: damaged"):
        read_manifest(Folder(str(tmp_path)))


def test_no_manifest(tmp_path: Path) -> None:
    assert read_manifest(Folder(str(tmp_path / "gone"))) is None
    put(tmp_path / "file", b"x")
    assert read_manifest(Folder(str(tmp_path / "file"))) is None


def test_latest(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    point_latest(folder, "one")
    before = (tmp_path / "LATEST").stat().st_mtime_ns
    point_latest(folder, "one")
    assert (tmp_path / "LATEST").stat().st_mtime_ns == before
    point_latest(folder, "two")
    assert (tmp_path / "LATEST").read_bytes() == b"two\n"


# An empty version


@pytest.mark.parametrize("limit", [0.01, 1.0])
def test_nothing_empty_is_committed_under_any_limit(tmp_path: Path, limit: float) -> None:
    parquet(
        tmp_path / "in/a.parquet", {"id": ["a", "b"], "label": ["x", "y"], "text": pa.array([None, None], pa.string())}
    )
    with pytest.raises(LimitsExceeded, match=r"the dataset would be empty|of 2 records failed") as error:
        ran(config_of(tmp_path / "in", tmp_path / "out", split={}, limits__failed=limit))
    assert "null_payload 2" in str(error.value.problems[-1])
    assert not list((tmp_path / "out").rglob("manifest.json"))


def test_nothing_without_training_samples_is_committed(tmp_path: Path) -> None:
    texts = pa.array([None, None, words(1)], pa.string())
    columns = {"id": list("abc"), "label": ["x"] * 3, "part": ["train", "train", "test"], "text": texts}
    parquet(tmp_path / "in/a.parquet", columns)
    with pytest.raises(LimitsExceeded, match="train would be empty: nothing is left of 2 records"):
        ran(config_of(tmp_path / "in", tmp_path / "out", split={"column": "part"}, limits__failed=1))
