import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.parquet_file import ParquetFile, file_of, leaf_columns

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
    data = file.close()
    assert [meta(data).row_group(n).num_rows for n in range(3)] == [5, 1, 70_000]
    assert pq.read_table(pa.BufferReader(data)).num_rows == 70_006


def test_a_file_without_rows() -> None:
    schema = pa.schema([("x", pa.int64())])
    assert pq.read_table(pa.BufferReader(ParquetFile(schema, frozenset()).close())).num_rows == 0
    assert pq.read_table(pa.BufferReader(file_of(schema.empty_table()))).schema == schema


def test_payload_is_stored_plain_and_the_rest_compressed() -> None:
    table = pa.table({"image": [NOISE], "text": ["words " * 1_000], "n": [1]})
    file = ParquetFile(table.schema, frozenset({"image"}))
    file.add(table)
    found = columns(file.close())
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
    found = columns(file.close())
    assert found["image.bytes"].compression == "UNCOMPRESSED"
    assert found["image.path"].compression == "ZSTD"


@pytest.mark.parametrize("plain", ["photo.jpg", "photo"])
def test_dots_in_names(plain: str) -> None:
    """`photo.jpg` is a column, not a member of `photo`."""
    table = pa.table({"photo.jpg": [NOISE], "photo": [NOISE], "photo.caption": ["words " * 1_000], "x": [{"y.z": 1}]})
    file = ParquetFile(table.schema, frozenset({plain}))
    file.add(table)
    data = file.close()
    found = {name: c.compression for name, c in columns(data).items()}
    assert found.pop(plain) == "UNCOMPRESSED"
    assert set(found.values()) == {"ZSTD"}
    assert pq.read_table(pa.BufferReader(data)).to_pydict() == table.to_pydict()


def test_pages_are_small_enough_to_stream() -> None:
    table = pa.table({"image": [NOISE[n : n + 100_000] for n in range(0, 2_000_000, 100_000)]})
    file = ParquetFile(table.schema, frozenset({"image"}))
    file.add(table)
    data = file.close()
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
from pipeline.parquet_file import file_of
table = pa.table({"x": [f"v{n % 7}" for n in range(5000)], "y": [{"a": [n, None]} for n in range(5000)]})
print(hashlib.sha256(file_of(table)).hexdigest())
"""


def test_the_same_bytes_in_every_process() -> None:
    def run(seed: str) -> str:
        settings = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=settings, capture_output=True, text=True, check=True
        ).stdout

    assert run("1") == run("2")
