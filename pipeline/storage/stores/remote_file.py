"""A remote object as a file for Arrow: what is read on and on is fetched ahead, in few large requests side by side."""

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa

_SMALLEST, _LARGEST = 2 * 2**20, 4 * 2**20
_OF_LONG_READS = 8 * 2**20
_AHEAD = 4
_LANES = 8
_THREADS = 8
Fetch = Callable[[int, int], bytes | memoryview]
_pools: dict[int, ThreadPoolExecutor] = {}


@dataclass(slots=True)
class _Lane:
    """One column chunk, or a whole file, read forwards: what comes next, and what of it is on its way."""

    next: int
    window: int = 0
    fetched: int = 0
    parts: deque[tuple[int, "Future[bytes | memoryview]"]] = field(default_factory=deque)


class RemoteFile:
    """Random access by `fetch(begin, end)` to an object of `size` bytes.

    Memory: at most eight lanes of four windows of 4 MiB, commonly one or two; while one read is longer than a lane,
    what it asks for and four windows of 8 MiB.
    """

    closed = False

    def __init__(self, fetch: Fetch, size: int) -> None:
        self._fetch, self._size = fetch, size
        self._positions = threading.local()
        self._busy = threading.Lock()
        self._lanes: deque[_Lane] = deque(maxlen=_LANES)

    def read(self, count: int | None = -1) -> bytes | memoryview:
        """The next bytes; fewer only at the end of the file."""
        begin = self._position
        end = self._size if count is None or count < 0 else min(begin + count, self._size)
        if begin >= end:
            return b""
        data = self._read(begin, end)
        self._position = begin + len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The new position."""
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    @property
    def _position(self) -> int:
        """Of this thread: Arrow seeks and reads in two calls, from several threads."""
        return int(getattr(self._positions, "now", 0))

    @_position.setter
    def _position(self, position: int) -> None:
        self._positions.now = position

    def tell(self) -> int:
        """The position."""
        return self._position

    def size(self) -> int:
        """Bytes of the object."""
        return self._size

    def flush(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """What is on its way is dropped."""
        for lane in self._lanes:
            _drop(lane)
        self._lanes.clear()
        self.closed = True

    def _read(self, begin: int, end: int) -> bytes | memoryview:
        with self._busy:
            lane = next((lane for lane in self._lanes if lane.next == begin), None)
            if lane is not None:
                self._lanes.remove(lane)
            elif len(self._lanes) == _LANES:
                _drop(self._lanes.popleft())
            known, lane = lane is not None, lane or _Lane(end)
            self._lanes.append(lane)
            if known or end - begin > _LARGEST:
                return self._taken(lane, begin, end, self._size if known else end)
        return self._fetch(begin, end)

    def _taken(self, lane: _Lane, begin: int, end: int, limit: int) -> bytes | memoryview:
        """What comes next in a lane. Of a long read only a part is on its way at once."""
        lane.next = end
        lane.fetched = lane.fetched if lane.parts else begin
        long = end - begin > _AHEAD * _LARGEST
        lane.window = _OF_LONG_READS if long else min(_LARGEST, max(_SMALLEST, 2 * lane.window))
        piece = self._piece(lane, begin, end, limit)
        if len(piece) == end - begin:
            return piece
        whole, filled = memoryview(pa.allocate_buffer(end - begin)).cast("B"), 0
        while piece:
            whole[filled : filled + len(piece)] = piece
            filled += len(piece)
            piece = self._piece(lane, begin + filled, end, limit) if filled < len(whole) else memoryview(b"")
        return whole

    def _piece(self, lane: _Lane, begin: int, end: int, limit: int) -> memoryview:
        """As much as one request has brought."""
        while lane.fetched < limit and len(lane.parts) < _AHEAD:
            stop = min(limit, _stop(lane))
            lane.parts.append((lane.fetched, _pool().submit(self._fetch, lane.fetched, stop)))
            lane.fetched = stop
        first, coming = lane.parts[0]
        data = coming.result()
        piece = memoryview(data)[begin - first : end - first]
        if not piece:
            raise EOFError("the object is shorter than it was")
        if begin + len(piece) == first + len(data):
            lane.parts.popleft()
        return piece


def _stop(lane: _Lane) -> int:
    """Where the next request of a lane ends. Long ones end where parts of uploads commonly do: stores answer faster.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html
    """
    stop = lane.fetched + lane.window
    return stop - stop % lane.window if lane.window == _OF_LONG_READS else stop


def _drop(lane: _Lane) -> None:
    for _, coming in lane.parts:
        coming.cancel()
    lane.parts.clear()


def _pool() -> ThreadPoolExecutor:
    """Threads of this process: a fork has none of its parent's."""
    found = _pools.get(os.getpid())
    if found is None:
        found = _pools.setdefault(os.getpid(), ThreadPoolExecutor(_THREADS, "fanbeam-read"))
    return found
