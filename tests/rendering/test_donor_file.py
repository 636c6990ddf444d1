from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.driver.donors import _within
from pipeline.planning.donors.selection import Candidate
from pipeline.records import Payload, Record
from pipeline.rendering.donor_file import donors_bytes, stored, stored_keys
from pipeline.storage.folder import Folder
from pipeline.storage.layout import DONORS

BOUND = pa.schema({"boxes": pa.list_(pa.list_(pa.float32())), "names": pa.large_list(pa.string())})


def record(key: str, payload: Payload, boxes: Any = None, names: Any = None) -> Record:
    row = pa.RecordBatch.from_pylist([{"boxes": boxes, "names": names}], BOUND)
    return Record(key, "in.parquet", 3, ("owl",), {"field": payload}, row, 0)


def kept(folder: Path, *records: Record) -> Folder:
    dataset = Folder.at(str(folder))
    dataset.make()
    dataset.put_if_absent(DONORS, donors_bytes(records, "field"))
    return dataset


def donor(key: str) -> Candidate:
    return Candidate(key, "in.parquet", 3, None, ("owl",))


@pytest.mark.parametrize("payload", [b"\x00\xff", b"", "text, ünïcode", ""])
def test_donors_come_back_as_they_were(tmp_path: Path, payload: Payload) -> None:
    records = [
        record("a", payload, [[1, 2, 3, 4], [0.5, 0, 0, 0]], ["x", None]),
        record("ü/b", payload),
        record("c", payload, [], []),
    ]
    dataset = kept(tmp_path, *records)
    assert stored_keys(dataset) == ("a", "ü/b", "c")
    for one in records:
        found = stored(dataset, donor(one.key), "field")
        assert found is not None
        assert found.payloads == {"field": payload}
        assert found.batch.schema.types == BOUND.types
        assert found.batch.to_pylist() == one.batch.to_pylist()
        assert (found.key, found.file, found.row, found.labels, found.index) == (one.key, "in.parquet", 3, ("owl",), 0)
    assert stored(dataset, donor("nobody"), "field") is None


def test_without_a_file_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        stored(Folder.at(str(tmp_path / "nothing")), donor("a"), "field")


def test_the_same_donors_make_the_same_bytes() -> None:
    records = [record(f"r{n}", bytes([n])) for n in range(20)]
    assert donors_bytes(records, "field") == donors_bytes(list(records), "field")
    assert donors_bytes(records[::-1], "field") != donors_bytes(records, "field")


def test_donors_are_as_many_as_fit() -> None:
    large = [record(f"r{n}", bytes(1000)) for n in range(9)]
    found = list(_within(iter(large), 4500))
    assert [one.key for one in found] == ["r0", "r1", "r2", "r3"]
