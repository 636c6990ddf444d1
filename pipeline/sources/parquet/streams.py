"""Row groups of Parquet files, read forwards and kept open: the next shard goes on where the last one stopped."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.records import Unit
from pipeline.sources.interface import HELD_BYTES
from pipeline.sources.parquet.footers import footer_of
from pipeline.sources.range_reads import SMALL_BYTES, SPANS_BYTES, Spans, fetch, joined
from pipeline.storage.folder import Folder

_STREAM_BYTES = 1 << 20
_FAR, _PLACES = 8, 4
_OPEN_STREAMS = 18  # a shard's rows come from several, see `planning.shard_mixing`


@dataclass(frozen=True, slots=True)
class Source:
    """What a stream reads: columns of a row group in batches of `size` rows.

    `held`: batches stay until the stream is closed. `spread`: rows are read at several places in turns.
    """

    root: Folder
    unit: Unit
    columns: tuple[str, ...]
    size: int
    held: bool = False
    spread: bool = False


class _Stream:
    """A row group read forwards, page by page. Batches always begin at the same rows, wherever reading starts."""

    def __init__(self, source: Source) -> None:
        self.source = source
        root, unit, columns = source.root, source.unit, source.columns
        footer = footer_of(root, unit.file, unit.listed)
        self._open = _opened(root, unit, footer, columns)
        file = pq.ParquetFile(
            self._open.__enter__(),
            metadata=footer,
            buffer_size=_STREAM_BYTES,
            pre_buffer=False,  # else the whole row group is held
            page_checksum_verification=True,  # of files that have checksums
        )
        there = set(file.schema_arrow.names)
        self._columns = [name for name in columns if name in there]
        self._batches = file.iter_batches(source.size, row_groups=[unit.part], columns=self._columns, use_threads=False)
        self._held: list[pa.RecordBatch] = []
        self._first = self._next = 0

    @property
    def first(self) -> int:
        """Row number of the first row that can still be read."""
        return 0 if self.source.held else self._first

    def rows(self, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Rows `start`..`stop`; `start` is not before `first`."""
        first = self.first
        for batch in self._from_first():
            low, high = max(start - first, 0), min(stop - first, batch.num_rows)
            if low < high:
                yield batch.slice(low, high - low).select(self._columns)
            first += batch.num_rows
            if first >= stop:
                return

    def _from_first(self) -> Iterator[pa.RecordBatch]:
        """What is held, then what follows; of what is not held the last batch alone, for who goes on within it."""
        yield from tuple(self._held)
        while (batch := next(self._batches, None)) is not None:
            self._first, self._next = self._next, self._next + batch.num_rows
            if not self.source.held:
                self._held.clear()
            self._held.append(batch)
            yield batch

    def close(self) -> None:
        """Close the file."""
        self._open.__exit__(None, None, None)


class _Streams(threading.local):
    """The streams that a thread has open."""

    def __init__(self) -> None:
        self.open: list[_Stream] = []
        self.apart: list[_Stream] = []
        self.turns: dict[Unit, int] = {}


_streams = _Streams()


def expect(units: Sequence[Unit]) -> None:
    """Note that these are read next, in this order."""
    _streams.turns = {unit: turn for turn, unit in enumerate(units)}


def stream(source: Source, start: int, apart: bool) -> _Stream:
    """The open stream that is nearest before row `start`, else a new one. `apart`: of those that nobody else uses.

    Rows far behind it are another place that later shards go on from: the nearer rows keep their stream.
    """
    streams = _streams.apart if apart else _streams.open
    same = [stream for stream in streams if stream.source == source]
    found = max((s for s in same if s.first <= start), key=lambda stream: stream.first, default=None)
    far = found is not None and source.spread and start - found.first > source.unit.rows // _FAR
    if found is None or (far and len(same) < _PLACES):
        found = _Stream(source)
    else:
        streams.remove(found)
    streams.append(found)
    while len(streams) > _OPEN_STREAMS or (len(streams) > 1 and _held_bytes(streams) > HELD_BYTES):
        streams.pop(_least_wanted(streams)).close()
    return found


def _least_wanted(streams: Sequence[_Stream]) -> int:
    """Which stream to close; the last one is being read.

    The next shard takes its rows from nearly the same units in the same order. So first goes what this shard does not
    read, the oldest of it; else what it has read last: what was read before that comes first again.
    """
    turns, now = _streams.turns, len(streams) - 1
    turn = turns.get(streams[now].source.unit, len(turns))
    others = [n for n in range(now) if streams[n].source.unit not in turns]
    if others or not turns:
        return others[0] if others else 0
    done = [n for n in range(now) if turns[streams[n].source.unit] < turn]
    return max(done or range(now), key=lambda n: turns[streams[n].source.unit])


def _held_bytes(streams: Sequence[_Stream]) -> int:
    return sum(stream.source.unit.bytes for stream in streams if stream.source.held)


def _opened(root: Folder, unit: Unit, footer: pq.FileMetaData, columns: tuple[str, ...]) -> AbstractContextManager[Any]:
    """The unit's file. Of a remote one the wanted columns come with few requests where they are small."""
    listed = unit.listed
    if root.local or listed is None:
        return root.open(unit.file)
    spans = joined(_chunks(footer.row_group(unit.part), columns))
    if listed.size > SMALL_BYTES and sum(end - begin for begin, end in spans) > SPANS_BYTES:
        return root.open(unit.file, listed.size)
    file = Spans(lambda begin, end: fetch(root, listed, begin, end), listed.size, spans)
    return nullcontext(pa.PythonFile(file, "r"))


def _chunks(group: pq.RowGroupMetaData, columns: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where in the file the columns of a row group are."""
    for number in range(group.num_columns):
        chunk = group.column(number)
        if any(chunk.path_in_schema == name or chunk.path_in_schema.startswith(f"{name}.") for name in columns):
            first = chunk.data_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset:
                first = min(first, chunk.dictionary_page_offset)
            yield first, first + chunk.total_compressed_size
