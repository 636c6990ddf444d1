"""A changed text put together again: words in their places, separators as they were wherever nothing went between them.

Where a word went, the separators on both sides become one; where one came, a space parts it from the next word, if its
script has spaces.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from transforms.labels.spans import Piece
from transforms.text.words import UNSPACED, Split

_UNSPACED = re.compile(f"[{UNSPACED}]")
_OPENING = frozenset("([{<«“‘„‚¿¡「『（《〈【〔")
_CLOSING = frozenset(")]}>.,;:!?…%»”’」』）》〉】〕。，、；：！？।॥؟،؛۔")
_PAUSES = frozenset(".,;:!?…。，、；：！？।॥؟،؛۔")
_ENDS = frozenset(".!?…。！？।॥؟۔")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a word: `origin` is the number of the word of the old text that is there now, None for a new one.

    An empty `text` says that the word is gone.
    """

    origin: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The new text, and what became of each stretch of the old one: words and separators, in order."""

    text: str
    pieces: tuple[Piece, ...]


def joined(split: Split, slots: Sequence[Slot]) -> Joined:
    """Put the text together. Old words keep their order among the slots or change places; none is there twice."""
    builder = _Builder(split)
    for slot in slots:
        builder.add(slot)
    return builder.finished()


class _Builder:
    """Grows the text slot by slot; `_waiting` is the separator that stands before the next word that stays."""

    def __init__(self, split: Split) -> None:
        self._split = split
        self._gaps = split.gaps()
        self._words = split.strings()
        self._parts: list[str] = []
        self._length = 0
        self._pieces: list[Piece] = []
        self._place = 0
        self._waiting = [self._gap(0)]

    def add(self, slot: Slot) -> None:
        if slot.origin is None:
            self._insert(slot.text)
            return
        self._place += 1
        begin, end = self._split.words[slot.origin]
        if not slot.text:
            self._gone(begin, end)
            self._close_up()
            return
        self._flush()
        same = slot.text == self._words[slot.origin]
        start = self._put(slot.text)
        self._pieces.append(Piece(begin, end, start, self._length, same))
        self._waiting = [self._gap(self._place)]

    def finished(self) -> Joined:
        self._flush()
        pieces = sorted(self._pieces, key=lambda piece: (piece.begin, piece.end))
        return Joined("".join(self._parts), tuple(pieces))

    def _insert(self, text: str) -> None:
        if not text:
            return
        if self._parts and not any(part.text for part in self._waiting) and not _touch(self._parts[-1], text):
            self._waiting.append(_Part(" "))
        self._flush()
        self._put(text)
        following = self._words[self._place] if self._place < len(self._words) else ""
        if following and not _touch(text, following):
            self._waiting = [_Part(" ")]

    def _close_up(self) -> None:
        """Make one of the separators before and after a word that went."""
        after = self._gap(self._place)
        before = "".join(part.text for part in self._waiting)
        ends = not self._parts, self._place == len(self._words)
        left, between, right = merged(before, after.text, first=ends[0], last=ends[1])
        kept: list[_Part] = []
        for part in self._waiting:
            here = min(len(part.text), left)
            left -= here
            kept.append(_Part(part.text[:here], part.begin))
            if part.begin is not None:
                self._gone(part.begin + here, part.begin + len(part.text))
        begin = 0 if after.begin is None else after.begin
        cut = len(after.text) - right
        self._gone(begin, begin + cut)
        self._waiting = [*kept, _Part(between), _Part(after.text[cut:], begin + cut)]

    def _gone(self, begin: int, end: int) -> None:
        if begin < end:
            self._pieces.append(Piece(begin, end, -1, -1, same=False))

    def _flush(self) -> None:
        for part in self._waiting:
            start = self._put(part.text)
            if part.text and part.begin is not None:
                end = part.begin + len(part.text)
                self._pieces.append(Piece(part.begin, end, start, self._length, same=True))
        self._waiting = []

    def _put(self, text: str) -> int:
        start = self._length
        if text:
            self._parts.append(text)
            self._length += len(text)
        return start

    def _gap(self, number: int) -> "_Part":
        begin, end = self._gaps[number]
        return _Part(self._split.text[begin:end], begin)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a separator; `begin` is where it was in the old text, None for a new one."""

    text: str
    begin: int | None = None


def merged(left: str, right: str, first: bool = False, last: bool = False) -> tuple[int, str, int]:
    """What is left of two separators, now that the word between them is gone.

    So many characters of the first one's beginning, new white space, so many of the second one's end. `first`: no word
    comes before them, `last`: none after.
    """
    pause = _stronger_pause(left, right)
    if pause is not None:
        return (len(left), "", 0) if pause == "left" else (0, "", len(right))
    head = left.rstrip()
    space = left[len(head) :]
    tail = right.lstrip()
    gap = right[: len(right) - len(tail)]
    between = gap if gap.count("\n") > space.count("\n") or not space else space
    if (first and not head and not space) or (last and not tail and not gap):
        between = ""
    if not space and head and head[-1] in _OPENING and "\n" not in between:
        between = ""
    if tail and tail[0] in _CLOSING and "\n" not in between:
        between = gap  # the space of its own that French puts before marks, or none
    return len(head), between, len(tail)


def _stronger_pause(left: str, right: str) -> str | None:
    """Which of two pauses stays, such as the full stop of a comma and a full stop; None if one is no mere pause."""
    before, after = left.strip(), right.strip()
    if not before or not after or not _PAUSES.issuperset(before) or not _PAUSES.issuperset(after):
        return None
    lines = left.count("\n") - right.count("\n")
    if lines:
        return "left" if lines > 0 else "right"
    return "left" if _ENDS.intersection(before) and not _ENDS.intersection(after) else "right"


def _touch(left: str, right: str) -> bool:
    """Whether two words are written without a space between them."""
    return bool(_UNSPACED.match(left[-1]) and _UNSPACED.match(right[0]))
