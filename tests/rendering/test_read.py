from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import config_of, jpeg, opened, parquet, planned, put, text_columns

from pipeline.errors import InputError, RunFailed
from pipeline.planning.job import Task
from pipeline.records import Block, Record, Refusal, Shard
from pipeline.rendering.read import read_task, without_payload

IMAGE = {"image": {"type": "image"}}


def records(home: Path, data: Any, per_group: int = 1_000, **changes: Any) -> list[Record]:
    path = parquet(home / "a.parquet", data, per_group)
    job, _, plan = planned(config_of(path, home / "out", **{"split": {}, **changes}))
    return [r for shard in plan.shards for r in read_task(job, Task(shard))]


def columns(images: Any, **more: Any) -> dict[str, Any]:
    return {"id": [f"r{n}" for n in range(len(images))], "label": ["x"] * len(images), "image": images, **more}


@given(st.integers(1, 60), st.integers(1, 25), st.sampled_from(["1KiB", "8KiB", "64MiB"]))
def test_every_record_is_read_once_in_its_split(
    tmp_path_factory: pytest.TempPathFactory, count: int, per_group: int, size: str
) -> None:
    home = tmp_path_factory.mktemp("r")
    path = parquet(home / "a.parquet", text_columns(count), per_group)
    config = config_of(path, home / "out", split={"validation": 0.3, "test": 0.2}, output__shard_size=size)
    job, _, plan = planned(config)
    found = {s: [r for p in plan.shards if p.split == s for r in read_task(job, Task(p))] for s in plan.splits}
    assert {s: len(r) for s, r in found.items()} == {s: t.records for s, t in plan.splits.items()}
    assert sorted(r.key for rs in found.values() for r in rs) == [f"r{n:04d}" for n in range(count)]
    for rs in found.values():
        assert [r.row for r in rs] == sorted(r.row for r in rs)
        assert all(r.payloads["text"].startswith(f"word{r.row}a") for r in rs)
        assert all(r.batch.column("id")[r.index].as_py() == r.key for r in rs)


def test_only_one_record(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(50), 7)
    job, _, plan = planned(config_of(path, tmp_path / "out", split={"test": 0.5}))
    shard = next(s for s in plan.shards if s.split == "test")
    everything = [r.key for r in read_task(job, Task(shard))]
    for number in (0, 3, len(everything) - 1):
        assert [r.key for r in read_task(job, Task(shard, only=number))] == [everything[number]]
    assert list(read_task(job, Task(shard, only=len(everything)))) == []


def test_quarantined_records_carry_their_refusal(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(5))
    job, _, plan = planned(config_of(path, tmp_path / "out", split={}))
    crash = Refusal("failed", "", "render", "worker_crashed")
    found = list(read_task(job, Task(plan.shards[0], quarantine=((3, crash),))))
    assert [r.refusal for r in found] == [None, None, None, crash, None]
    (alone,) = read_task(job, Task(plan.shards[0], quarantine=((3, crash),), only=3))
    assert alone.refusal == crash


@pytest.mark.parametrize(
    "kind",
    [pa.binary(), pa.large_binary(), pa.binary_view(), pa.struct([("bytes", pa.binary()), ("path", pa.string())])],
)
def test_payload_of_every_type(tmp_path: Path, kind: pa.DataType) -> None:
    values: list[Any] = [jpeg(0), jpeg(1), None]
    if pa.types.is_struct(kind):
        values = [{"bytes": jpeg(0), "path": "a.jpg"}, {"bytes": jpeg(1), "path": None}, None]
    found = records(tmp_path, columns(pa.array(values, kind)), fields=IMAGE)
    assert [r.payloads["image"] for r in found] == [jpeg(0), jpeg(1), None]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_text_of_every_type(tmp_path: Path, kind: pa.DataType) -> None:
    data = {"id": ["a", "b", "c"], "label": ["x"] * 3, "text": pa.array(["one", "", None]).cast(kind)}
    assert [r.payloads["text"] for r in records(tmp_path, data)] == ["one", "", None]


def test_a_struct_with_bytes_null_and_a_path_has_no_payload(tmp_path: Path) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    (found,) = records(tmp_path, columns(pa.array([{"bytes": None, "path": "a.jpg"}], kind)), fields=IMAGE)
    assert found.payloads == {"image": None}


def test_null_ids_and_labels_are_refused(tmp_path: Path) -> None:
    data = {"id": ["a", None, "c"], "label": [None, "x", "y"], "text": ["u", "v", "w"]}
    assert [r.refusal and r.refusal.reason for r in records(tmp_path, data)] == ["null_label", "null_id", None]


def test_payload_does_not_travel_in_the_batch(tmp_path: Path) -> None:
    data = columns([jpeg(0)], other=[b"x"], meta=[{"bytes": b"kept", "n": 1}])
    (found,) = records(tmp_path, data, fields=IMAGE)
    assert found.batch.schema.names == ["id", "label", "other", "meta"]
    assert found.batch.to_pylist() == [{"id": "r0", "label": "x", "other": b"x", "meta": {"bytes": b"kept", "n": 1}}]


def test_members_beside_bytes_stay(tmp_path: Path) -> None:
    array = pa.array([{"path": "a", "bytes": b"1", "n": 1}, None, {"path": None, "bytes": None, "n": 3}])
    batch = pa.record_batch({"image": array, "x": [1, 2, 3]}).slice(1)
    rest = without_payload(batch, ("image",))
    assert rest.schema.field("image").type == pa.struct([("path", pa.string()), ("n", pa.int64())])
    assert rest.column("image")[1].as_py() == {"path": None, "n": 3}
    assert rest.column("x").to_pylist() == [2, 3]


def test_a_batch_of_nothing_but_payload_counts_rows() -> None:
    batch = pa.record_batch({"image": [b"1", b"2"], "struct": [{"bytes": b"1"}] * 2})
    assert without_payload(batch, ("image", "struct")).num_rows == 2


def test_two_fields(tmp_path: Path) -> None:
    fields = {"image": {"type": "image"}, "text": {"type": "text"}}
    (found,) = records(tmp_path, columns([jpeg(0)], text=["words"]), fields=fields)
    assert found.payloads == {"image": jpeg(0), "text": "words"}


def test_reading_is_lazy(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(50), 5)
    job, _, plan = planned(config_of(path, tmp_path / "out", split={}))
    flow = read_task(job, Task(plan.shards[0]))
    assert next(flow).row == 0
    flow.close()  # type: ignore[attr-defined]
    assert [r.row for r in read_task(job, Task(plan.shards[0]))] == list(range(50))


def test_input_that_changed_is_told(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(50), 5)
    job, _, plan = planned(config_of(path, tmp_path / "out", split={}))
    put(path, b"PAR1 something else altogether PAR1")
    with pytest.raises((RunFailed, InputError)) as caught:
        list(read_task(job, Task(plan.shards[0])))
    assert "a.parquet" in caught.value.message


def test_a_page_that_is_damaged_is_told(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(2_000))
    data = bytearray(path.read_bytes())
    data[20:2_000] = bytes(1_980)
    path.write_bytes(data)
    job, listing = opened(config_of(path, tmp_path / "out", split={}))
    block = Block(listing.units[0], 0, 2_000)
    with pytest.raises(InputError, match="cannot be read") as caught:
        list(read_task(job, Task(Shard("train", 0, (block,)))))
    assert "\n" not in caught.value.message
