"""Few requests, many at once: whole small files, the needed parts of big ones, results in the order of the question."""

import io
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from pipeline.records import InputFile
from pipeline.storage.folder import Folder

THREADS = 32
SMALL_BYTES = 64 * 2**10
"""A file up to this size is read whole: a request costs more than these bytes."""
KEPT_BYTES = 64 * 2**20
_AHEAD = 4
_GAP_BYTES = 1 << 20
SPANS_BYTES = 32 * 2**20
"""More than this is streamed: what is fetched as a span is held."""
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


def in_order(call: Callable[[_Asked], _Answer], asked: Iterable[_Asked], threads: int = THREADS) -> Iterator[_Answer]:
    """The call's answers, in order, from `threads` threads that are a bounded number of questions ahead."""
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[_Answer]] = deque()
    try:
        for question in asked:
            waiting.append(pool.submit(call, question))
            if len(waiting) >= threads * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class Kept:
    """What was fetched or made last, up to `room` bytes in all; the oldest goes first."""

    def __init__(self, room: int) -> None:
        self._room, self._used = room, 0
        self._things: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Any:
        """The thing of that key, or None."""
        with self._lock:
            found = self._things.get(key)
            return None if found is None else found[0]

    def put(self, key: Any, thing: Any, size: int) -> None:
        """Keep a thing of that size, unless it is larger than all the room."""
        with self._lock:
            if size > self._room or key in self._things:
                return
            self._things[key] = (thing, size)
            self._used += size
            while self._used > self._room:
                self._used -= self._things.popitem(last=False)[1][1]


small_files = Kept(KEPT_BYTES)
"""Content of small remote files by folder and listed state: the listing has read what the survey reads again."""


def fetch(root: Folder, file: InputFile, begin: int, end: int) -> bytes:
    """Bytes `begin`..`end` of a file as it was listed. A small remote file is fetched whole, and once."""
    if root.local or file.size > SMALL_BYTES:
        return root.read_range(file.path, begin, end)
    key = (root, file)
    content: bytes | None = small_files.get(key)
    if content is None:
        content = root.read(file.path)
        small_files.put(key, content, len(content))
    return content[begin:end]


class Spans(io.RawIOBase):
    """A remote file of known size as a file object. What lies in one of `spans` is fetched with the whole span.

    A read elsewhere is one request of its own. Spans that were fetched stay.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int, spans: Sequence[tuple[int, int]]) -> None:
        self._read, self._size, self._spans, self._at = read, size, spans, 0
        self._held: dict[tuple[int, int], bytes] = {}

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Position in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; nothing is read."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, fewer at the end of the file."""
        begin = self._at
        end = self._size if size < 0 else min(self._size, begin + size)
        data = self._bytes(begin, end) if end > begin else b""
        self._at = begin + len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase`."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _bytes(self, begin: int, end: int) -> bytes:
        span = next((s for s in self._spans if s[0] <= begin and end <= s[1]), None)
        if span is None:
            return self._read(begin, end)
        if span not in self._held:
            self._held[span] = self._read(*span)
        return self._held[span][begin - span[0] : end - span[0]]


def joined(parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Byte ranges that lie close together as one, so that one request brings them."""
    spans: list[tuple[int, int]] = []
    for begin, end in sorted(parts):
        if spans and begin - spans[-1][1] <= _GAP_BYTES:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((begin, end))
    return spans
