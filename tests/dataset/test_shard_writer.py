import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_inputs import FLIP, config_of, jpeg, parquet, planned, ran, text_columns, wav, words

from pipeline.dataset import shard_writer as module
from pipeline.dataset.receipts import read_receipt, receipt_bytes
from pipeline.dataset.shard_writer import ShardBuilder, plain_columns
from pipeline.errors import RunFailed
from pipeline.planning.job import Task
from pipeline.records import FileReceipt, Receipt, Refusal
from pipeline.rendering.stages import families, render
from pipeline.storage.folder import Folder
from pipeline.storage.layout import receipt_path

POISON = {
    "id": ["a", "b", None, "d", "e"],
    "label": ["owl", "tit", "owl", None, "owl"],
    "text": pa.array([words(0), None, words(2), words(3), ""]),
}


def test_files_are_what_their_receipts_say(tmp_path: Path) -> None:
    parquet(tmp_path / "in" / "a.parquet", POISON)
    done = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, limits__failed=1))
    (receipt,) = done.receipts
    assert receipt.data is not None
    for file in (receipt.data, *receipt.dropped_files):
        data = (Path(done.dataset.path) / file.path).read_bytes()
        assert (len(data), sha256(data).hexdigest()) == (file.bytes, file.sha256)
        assert pq.read_metadata(pa.BufferReader(data)).num_rows == file.rows


def test_counts(tmp_path: Path) -> None:
    parquet(tmp_path / "in" / "a.parquet", POISON)
    (receipt,) = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, limits__failed=1)).receipts
    assert (receipt.records, receipt.samples, receipt.kept_records, receipt.failed_records) == (5, 6, 2, 3)
    assert receipt.failed == {"null_id": 1, "null_label": 1, "null_payload": 1}
    assert receipt.rejected == {}
    assert receipt.classes == {"owl": (3, 6), "tit": (1, 0)}
    assert [f.path for f in receipt.dropped_files] == ["_failed/train-00000.parquet"]


def test_rejected_copies_are_kept_apart(tmp_path: Path) -> None:
    parquet(tmp_path / "in" / "a.parquet", {"id": list("abc"), "label": ["x"] * 3, "image": [jpeg()] * 3})
    fields = {"image": {"type": "image", "augment": [FLIP], "quality": {"min_std": 200, "retries": 1}}}
    done = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, fields=fields, limits__rejected=1))
    (receipt,) = done.receipts
    assert (receipt.samples, receipt.rejected, receipt.failed_records) == (3, {"blank": 6}, 0)
    rows = done.dropped("rejected")
    assert [(r["source_id"], r["copy"], r["reason"]) for r in rows][:2] == [("a", 1, "blank"), ("a", 2, "blank")]


def test_a_shard_of_which_nothing_is_left_has_no_data_file(tmp_path: Path) -> None:
    parquet(tmp_path / "in" / "a.parquet", {"id": ["a"], "label": ["x"], "text": pa.array([None], pa.string())})
    job, _, plan = planned(config_of(tmp_path / "in", tmp_path / "out", split={}, limits__failed=1))
    assert render(job, Task(plan.shards[0])).data is None
    assert not (Path(job.dataset.url) / "train").exists()


def test_the_same_shard_has_the_same_bytes(tmp_path: Path) -> None:
    parquet(tmp_path / "in" / "a.parquet", text_columns(40), 7)
    config = config_of(tmp_path / "in", tmp_path / "out", output__shard_size="8KiB")
    first = {
        f.relative_to(tmp_path / "out"): f.read_bytes() for f in written(tmp_path / "out", ran(config).job.version)
    }
    again = config_of(tmp_path / "in", tmp_path / "else" / "where", output__shard_size="8KiB")
    second = ran(again)
    assert {
        f.relative_to(tmp_path / "else/where"): f.read_bytes()
        for f in written(tmp_path / "else/where", second.job.version)
    } == first
    assert len(first) > 4


def written(output: Path, version: str) -> list[Path]:
    return [f for f in sorted((output / version).rglob("*")) if f.is_file()]


def test_row_groups_are_about_8_mib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROW_GROUP_BYTES", 1_000)
    parquet(tmp_path / "in" / "a.parquet", text_columns(60))
    done = ran(config_of(tmp_path / "in", tmp_path / "out", split={}))
    meta = pq.read_metadata(next(Path(done.dataset.path).glob("train/*")))
    assert meta.num_rows == 180
    assert meta.num_row_groups > 5


def test_only_the_records_of_the_task(tmp_path: Path) -> None:
    parquet(tmp_path / "in" / "a.parquet", text_columns(10))
    job, _, plan = planned(config_of(tmp_path / "in", tmp_path / "out", split={}))
    crash = Refusal("failed", "", "render", "worker_crashed")
    receipt = render(job, Task(plan.shards[0], quarantine=((4, crash),)))
    assert (receipt.records, receipt.samples, receipt.failed) == (10, 27, {"worker_crashed": 1})


def test_nothing_is_written_if_a_record_stops_the_shard(tmp_path: Path) -> None:
    parquet(tmp_path / "in" / "a.parquet", text_columns(10))
    job, _, plan = planned(config_of(tmp_path / "in", tmp_path / "out", split={}))

    def stops(records: Any) -> Any:
        for number, record in enumerate(records):
            if number == 5:
                raise KeyboardInterrupt
            yield record

    with pytest.raises(KeyboardInterrupt):
        render(job, Task(plan.shards[0]), stops)
    assert not (tmp_path / "out").exists()


def test_no_receipt_without_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet(tmp_path / "in" / "a.parquet", POISON)
    job, _, plan = planned(config_of(tmp_path / "in", tmp_path / "out", split={}))
    put = Folder.put

    def fails(self: Folder, name: str, data: Any) -> None:
        if name.startswith("_failed"):
            raise RunFailed("the disk is full")
        put(self, name, data)

    monkeypatch.setattr(Folder, "put", fails)
    with pytest.raises(RunFailed):
        render(job, Task(plan.shards[0]))
    assert job.dataset.names("_receipts") == []


def test_input_that_changed_gives_no_receipt(tmp_path: Path) -> None:
    path = parquet(tmp_path / "in" / "a.parquet", text_columns(10))
    job, _, plan = planned(config_of(tmp_path / "in", tmp_path / "out", split={}))

    def changes(records: Any) -> Any:
        yield from records
        parquet(path, text_columns(11))

    with pytest.raises(RunFailed, match="changed"):
        render(job, Task(plan.shards[0]), changes)
    assert job.dataset.names("_receipts") == []


FULL = Receipt(
    "validation", 7, 5, 4, 3, FileReceipt("validation/part-00007.parquet", 4, 99, "ab"),
    (FileReceipt("_failed/validation-00007.parquet", 1, 9, "cd"),), {"corrupt": 1}, {"blank": 2}, 1,
    {"ü": (5, 4), "": (1, 0)},
)  # fmt: skip


@pytest.mark.parametrize(
    "receipt", [FULL, replace(FULL, data=None, dropped_files=(), classes={}), Receipt("train", 0, 0, 0, 0, None)]
)
def test_receipts_are_read_back(tmp_path: Path, receipt: Receipt) -> None:
    folder = Folder(str(tmp_path))
    folder.put(receipt_path(receipt.name), receipt_bytes(receipt))
    assert read_receipt(folder, receipt.name) == receipt
    assert list(json.loads(receipt_bytes(receipt))) == sorted(json.loads(receipt_bytes(receipt)))


def test_receipts_are_named_by_shard() -> None:
    assert (FULL.name, receipt_path(FULL.name)) == ("validation-00007", "_receipts/validation-00007.json")
    assert replace(FULL, index=123_456).name == "validation-123456"
    assert FULL.key < replace(FULL, index=8).key < replace(FULL, split="test", index=0).key


def test_what_is_compressed_already_is_stored_plain(tmp_path: Path) -> None:
    parquet(tmp_path / "in" / "a.parquet", {
        "id": ["a"], "label": ["x"], "image": [jpeg()], "sound": [wav()], "noise": [wav()], "text": ["w"],
    })  # fmt: skip
    fields = {
        "image": {"type": "image", "augment": [FLIP]},
        "sound": {"type": "audio", "encode": {"format": "flac"}},
        "noise": {"type": "audio", "encode": {"format": "wav"}},
        "text": {"type": "text"},
    }
    job, _, _ = planned(config_of(tmp_path / "in", tmp_path / "out", split={}, fields=fields))
    assert plain_columns(job) == {"image", "sound"}


def test_in_input_order_memory_holds_one_row_group_of_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROW_GROUP_BYTES", 500)
    parquet(tmp_path / "in" / "a.parquet", text_columns(30))
    job, _, plan = planned(config_of(tmp_path / "in", tmp_path / "out", split={}))
    builder = ShardBuilder(job, plan.shards[0], "recipe")
    held = 0
    for gated in families(job, Task(plan.shards[0])):
        builder.add(gated)
        held = max(held, len(builder._pending))
    receipt, files = builder.finish()
    assert held < 12
    assert receipt.samples == 90
    assert [path for path, _ in files] == ["train/part-00000.parquet"]
