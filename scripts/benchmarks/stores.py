"""Reading and writing shards on S3: fanbeam beside pyarrow's own file system, the same bytes, in turn.

The environment names the store (docs/stores.md); what is written is removed.
"""

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import S3FileSystem

from pipeline.dataset.parquet_writer import ROW_GROUP_BYTES
from pipeline.sources.parquet.reader import list_parquet
from pipeline.storage.folder import Folder

PAYLOAD_BYTES = 64 * 2**10
SHARD_BYTES = 64 * 2**20
GROUPS = (ROW_GROUP_BYTES, SHARD_BYTES)
Timed = dict[str, list[float]]


def shard(size: int, seed: int, group_bytes: int = ROW_GROUP_BYTES) -> pa.Buffer:
    """A file like those that fanbeam writes: payload stored plain, row groups of the usual size."""
    rng, rows = np.random.default_rng(seed), size // PAYLOAD_BYTES
    table = pa.table(
        {"id": [f"r{n:06d}" for n in range(rows)], "payload": [rng.bytes(PAYLOAD_BYTES) for _ in range(rows)]}
    )
    sink = pa.BufferOutputStream()
    compression = {"id": "ZSTD", "payload": "NONE"}
    pq.write_table(
        table, sink, group_bytes // PAYLOAD_BYTES, compression=compression, use_dictionary=False,
        data_page_size=1 << 20, write_statistics=["id"],
    )  # fmt: skip
    return sink.getvalue()


def pyarrow_system() -> S3FileSystem:
    """Pyarrow's own client of the store that the environment names."""
    scheme, mark, host = (os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ["AWS_ENDPOINT_URL"]).partition("://")
    return S3FileSystem(endpoint_override=host, scheme=scheme if mark else "https", region=os.environ["AWS_REGION"])


def contenders(folder: Folder, names: list[str], shards: list[pa.Buffer]) -> dict[str, Callable[[], int]]:
    """What is timed; each returns the bytes that it moved."""
    system, top = pyarrow_system(), folder.url.removeprefix("s3://")

    def put_fanbeam() -> int:
        for name, data in zip(names, shards, strict=True):
            folder.put(name, data)
        return sum(data.size for data in shards)

    def put_pyarrow() -> int:
        for name, data in zip(names, shards, strict=True):
            with system.open_output_stream(f"{top}/{name}") as file:
                file.write(data)
        return sum(data.size for data in shards)

    def read_pyarrow(pre_buffer: bool) -> int:
        files = (pq.ParquetFile(f"{top}/{name}", filesystem=system, pre_buffer=pre_buffer) for name in names)
        return sum(batch.nbytes for file in files for batch in file.iter_batches(128, use_threads=pre_buffer))

    return {
        "write: fanbeam": put_fanbeam,
        "write: pyarrow": put_pyarrow,
        "read: fanbeam": lambda: sum(batch.nbytes for batch in _read(folder)),
        "read: pyarrow": lambda: read_pyarrow(False),
        "read: pyarrow, pre_buffer": lambda: read_pyarrow(True),
    }


def _read(folder: Folder) -> Iterator[pa.RecordBatch]:
    """As a run reads its input: listed, then row group by row group."""
    listing = list_parquet(folder, folder.walk())
    listed = {file.path: file for file in listing.files}
    for unit in listing.units:
        yield from listing.reader.read(replace(unit, listed=listed[unit.file]), None, 0, unit.rows)


def show_all(url: str, count: int, rounds: int) -> None:
    """A table for each size of row groups: as fanbeam writes them, and one in a file."""
    for group_bytes in GROUPS:
        print(f"\n{count} shards of {SHARD_BYTES // 2**20} MiB, row groups of {group_bytes // 2**20} MiB\n")
        show(compare(url, count, rounds, group_bytes))


def compare(url: str, count: int, rounds: int, group_bytes: int) -> Timed:
    """MB/s of each contender, round by round, every round in another order."""
    folder = Folder(f"{url.rstrip('/')}/fanbeam-bench")
    names = [f"part-{n:05d}.parquet" for n in range(count)]
    shards = [shard(SHARD_BYTES, n, group_bytes) for n in range(count)]
    calls = contenders(folder, names, shards)
    found: Timed = defaultdict(list)
    try:
        for call in calls.values():
            call()  # connected, and something to read
        for number in range(rounds):
            turned = list(calls.items())
            for name, call in turned[number % len(turned) :] + turned[: number % len(turned)]:
                started = time.perf_counter()
                moved = call()
                found[name].append(moved / 1e6 / (time.perf_counter() - started))
    finally:
        for name in names:
            with suppress(OSError):
                folder.remove(name)
    return found


def show(found: Timed) -> None:
    """One table; ratios pair by pair: more than 1 is faster than fanbeam."""
    print("| | MB/s (median, least-most) | its throughput / fanbeam's |")
    print("|---|---|---|")
    for name in sorted(found):
        rates, ours = found[name], found[f"{name.partition(':')[0]}: fanbeam"]
        ratio = statistics.median(rate / own for rate, own in zip(rates, ours, strict=True))
        print(f"| {name} | {statistics.median(rates):.0f} ({min(rates):.0f}-{max(rates):.0f}) | {ratio:.2f} |")
