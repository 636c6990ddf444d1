import hashlib
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset.parquet_writer import ParquetFile, file_of, leaf_columns, reused_space

NOISE = os.urandom(2_000_000)
LEAF = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def meta(data: pa.Buffer) -> pq.FileMetaData:
    return pq.read_metadata(pa.BufferReader(data))


def columns(data: pa.Buffer) -> dict[str, pq.ColumnChunkMetaData]:
    group = meta(data).row_group(0)
    return {group.column(n).path_in_schema: group.column(n) for n in range(group.num_columns)}


def test_a_row_group_per_table() -> None:
    schema = pa.schema([("x", pa.int64())])
    file = ParquetFile(schema, frozenset())
    for size in (5, 1, 70_000):
        file.add(pa.table({"x": list(range(size))}))
    assert file.rows == 70_006
    data, _ = file.close()
    assert [meta(data).row_group(n).num_rows for n in range(3)] == [5, 1, 70_000]
    assert pq.read_table(pa.BufferReader(data)).num_rows == 70_006


def test_a_file_without_rows() -> None:
    schema = pa.schema([("x", pa.int64())])
    assert pq.read_table(pa.BufferReader(ParquetFile(schema, frozenset()).close()[0])).num_rows == 0
    assert pq.read_table(pa.BufferReader(file_of(schema.empty_table())[0])).schema == schema


def test_payload_is_stored_plain_and_the_rest_compressed() -> None:
    table = pa.table({"image": [NOISE], "text": ["words " * 1_000], "n": [1]})
    file = ParquetFile(table.schema, frozenset({"image"}))
    file.add(table)
    found = columns(file.close()[0])
    assert {name: c.compression for name, c in found.items()} == {"image": "UNCOMPRESSED", "text": "ZSTD", "n": "ZSTD"}
    assert found["image"].statistics is None
    assert not any("DICTIONARY" in encoding for encoding in found["image"].encodings)
    assert found["n"].statistics.max == 1
    assert found["n"].has_column_index
    assert found["n"].has_offset_index


def test_only_the_bytes_of_a_struct_are_plain() -> None:
    table = pa.table({"image": pa.array([{"bytes": NOISE, "path": "a" * 10_000}], LEAF)})
    file = ParquetFile(table.schema, frozenset({"image"}))
    file.add(table)
    found = columns(file.close()[0])
    assert found["image.bytes"].compression == "UNCOMPRESSED"
    assert found["image.path"].compression == "ZSTD"


@pytest.mark.parametrize("plain", ["photo.jpg", "photo"])
def test_dots_in_names(plain: str) -> None:
    """`photo.jpg` is a column, not a member of `photo`."""
    table = pa.table({"photo.jpg": [NOISE], "photo": [NOISE], "photo.caption": ["words " * 1_000], "x": [{"y.z": 1}]})
    file = ParquetFile(table.schema, frozenset({plain}))
    file.add(table)
    data, _ = file.close()
    found = {name: c.compression for name, c in columns(data).items()}
    assert found.pop(plain) == "UNCOMPRESSED"
    assert set(found.values()) == {"ZSTD"}
    assert pq.read_table(pa.BufferReader(data)).to_pydict() == table.to_pydict()


def test_pages_are_small_enough_to_stream() -> None:
    table = pa.table({"image": [NOISE[n : n + 100_000] for n in range(0, 2_000_000, 100_000)]})
    file = ParquetFile(table.schema, frozenset({"image"}))
    file.add(table)
    data, _ = file.close()
    reader = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
    assert sum(b.num_rows for b in reader.iter_batches(1)) == 20
    assert data.size < 2_100_000


@pytest.mark.parametrize(
    ("schema", "leaves"),
    [
        (pa.schema([("x", pa.int64())]), ("x",)),
        (pa.schema([("image", LEAF)]), ("image.bytes", "image.path")),
        (pa.schema([("x", pa.list_(pa.struct([("y", pa.int8())])))]), ("x.list.element.y",)),
        (pa.schema([("m", pa.map_(pa.string(), pa.int8()))]), ("m.key_value.key", "m.key_value.value")),
        (pa.schema([("a.b", pa.int8()), ("", pa.int8())]), ("a.b", "")),
        (pa.schema([]), ()),
    ],
)
def test_leaves(schema: pa.Schema, leaves: tuple[str, ...]) -> None:
    assert leaf_columns(schema) == leaves


PROGRAM = """
import hashlib, pyarrow as pa
from pipeline.dataset.parquet_writer import ROW_GROUP_BYTES, ParquetFile, file_of, leaf_columns, reused_space
table = pa.table({"x": [f"v{n % 7}" for n in range(5000)], "y": [{"a": [n, None]} for n in range(5000)]})
print(file_of(table)[1])
"""


def test_the_same_bytes_in_every_process() -> None:
    def run(seed: str) -> str:
        settings = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=settings, capture_output=True, text=True, check=True
        ).stdout

    assert run("1") == run("2")


def test_one_file_after_another_in_the_same_memory() -> None:
    tables = [pa.table({"image": [bytes([n]) * 70_000, b""]}) for n in range(5)]
    digests = []
    for table in tables:
        with reused_space() as space:
            file = ParquetFile(table.schema, frozenset({"image"}), space)
            file.add(table)
            content, digest = file.close()
            assert hashlib.sha256(content).hexdigest() == digest
            assert pq.read_table(pa.BufferReader(content)) == table
        digests.append((digest, id(space)))
    assert len({d for d, _ in digests}) == 5
    assert len({s for _, s in digests}) == 1


def test_an_unfinished_file_keeps_its_memory_to_itself() -> None:
    table = pa.table({"image": [b"x" * 100_000]})
    with pytest.raises(ValueError, match="stop"), reused_space() as space:
        abandoned = ParquetFile(table.schema, frozenset({"image"}), space)
        abandoned.add(table)
        raise ValueError("stop")
    with reused_space() as other:
        assert other is not space
        file = ParquetFile(table.schema, frozenset({"image"}), other)
        file.add(table)
        del abandoned
        content, _ = file.close()
        assert pq.read_table(pa.BufferReader(content)) == table
