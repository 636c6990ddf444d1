"""Lines of text files: where each begins, which are no text, and going back where a quote swallowed some."""

import io
from collections import deque
from typing import Any

from pipeline.errors import InputError, Problem
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found

BOM = b"\xef\xbb\xbf"
BLANK = " \t\r\n"
NOT_TEXT = "not UTF-8 text. Convert it: iconv -t utf-8"
LONGEST_RECORD = 2**28
"""Bytes after which a quote counts as one that is never closed."""
_BUFFER = 1 << 20


class OpenQuote(ValueError):
    """A record goes on and on."""


def input_error(path: str, line: int, message: str, suggestion: str = "") -> InputError:
    """One problem at one line of a file; 0: at none."""
    problem = Problem(f"{path}:{line}" if line else path, message, suggestion)
    return InputError(str(problem), (problem,))


def told(why: str) -> tuple[str, str]:
    """A cause as a sentence, and what to do."""
    message, _, remedy = why.partition(". ")
    return f"{message.rstrip('.')}.", remedy


class Lines:
    """Lines of a file as text, one record after another. Use as a context manager.

    `offset`, `number`: bytes and lines handed out. `record`, `first`: where the record that is being read began,
    and its first line. `is_text`: whether all of it is UTF-8; what is not stands for itself as lone surrogates.
    """

    def __init__(self, root: Folder, file: Found) -> None:
        self.path, self.offset, self.number = file.path, 0, 0
        self.record, self.first, self.is_text = 0, 1, True
        self._opened = root.open(file.path)
        self._held: list[bytes] = []
        self._again: deque[bytes] = deque()

    def __enter__(self) -> "Lines":
        self._stream = io.BufferedReader(_Raw(self._opened.__enter__()), _BUFFER)
        return self

    def __exit__(self, *details: Any) -> None:
        self._opened.__exit__(*details)

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        raw = self._again.popleft() if self._again else self._stream.readline()
        if not raw:
            raise StopIteration
        self.offset += len(raw)
        self.number += 1
        self._held.append(raw)
        if self.offset - self.record > LONGEST_RECORD and len(self._held) > 1:
            raise OpenQuote(f"a quote is not closed within {LONGEST_RECORD >> 20} MiB")
        text = raw.removeprefix(BOM) if self.number == 1 else raw
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError:
            self.is_text = False
            return text.decode("utf-8", "surrogateescape")

    @property
    def count(self) -> int:
        """Lines of the record so far."""
        return len(self._held)

    def begin(self) -> None:
        """The next line is the first of another record."""
        self.record, self.first, self.is_text = self.offset, self.number + 1, True
        self._held.clear()

    def go_back(self) -> None:
        """All lines of the record but its first are handed out once more.

        The quote that opened is closed by the next line that opens one: no line is read much more than twice.
        """
        again = self._held[1:]
        self._again.extendleft(reversed(again))
        self.offset -= sum(map(len, again))
        self.number -= len(again)
        del self._held[1:]


class _Raw(io.RawIOBase):
    """An Arrow file as a raw stream of the standard library."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
