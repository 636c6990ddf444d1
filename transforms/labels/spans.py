"""Where marked stretches of a text are after some of its words were changed: on the same words, or lost.

Which stretch of the old text is where in the new one is known from the change itself (`Piece`), never guessed from the
two texts.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from transforms.interface import LabelLost
from transforms.values import Spans, TextValue

_REASONS = {"answers": "answer_lost", "spans": "span_lost", "tokens": "token_lost"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters `begin`..`end` of the old text became `start`..`stop` of the new one (equal: they were deleted).

    `same`: the very same characters.
    """

    begin: int
    end: int
    start: int
    stop: int
    same: bool


def changed(value: TextValue, text: str, pieces: Sequence[Piece]) -> TextValue:
    """The value with a new text, its labels where the pieces went. Raises LabelLost."""
    return _following(value, text, lambda spans: moved(spans, value.text, text, pieces))


def rewritten(value: TextValue, text: str) -> TextValue:
    """The value with a text that was written anew: a label follows whose words are in both texts exactly once.

    Raises LabelLost for any other.
    """
    if text == value.text:
        return value
    return _following(value, text, lambda spans: _found_again(spans, value.text, text))


def kept(value: TextValue) -> list[tuple[int, int]]:
    """The stretches of a text that no step may change."""
    held = [spans for spans in (value.spans, value.answers) if spans is not None and spans.keep]
    return [(begin, end) for spans in held for begin, end in spans.bounds.tolist()]


def _following(value: TextValue, text: str, follow: Callable[[Spans], Spans]) -> TextValue:
    held = {kind: spans for kind in _REASONS if (spans := getattr(value, kind)) is not None}
    moved_labels: dict[str, Any] = {}
    for kind, spans in held.items():
        try:
            moved_labels[kind] = follow(spans)
        except LabelLost as error:
            raise LabelLost(_REASONS[kind], str(error)) from error
    return replace(value, text=text, **moved_labels)


def moved(spans: Spans, old: str, new: str, pieces: Sequence[Piece]) -> Spans:
    """The spans in the new text. Raises LabelLost (`span_lost`) if one cannot stay on its own words and no others.

    `pieces` cover the old text, in its order. A word that changed still is its word; a word that came within a span
    belongs to it, one that is gone is missed; words of others within it are not.
    """
    if old == new:
        return spans
    index = _Index(pieces, old, new)
    bounds = [index.moved(begin, end) for begin, end in spans.bounds.tolist()]
    return replace(spans, bounds=np.array(bounds, np.int64).reshape(-1, 2))


class _Index:
    """The pieces, found by their place in the old text, and counted by their place in the new one."""

    def __init__(self, pieces: Sequence[Piece], old: str, new: str) -> None:
        self._old, self._new = old, new
        self._pieces = pieces
        self._begins = [piece.begin for piece in pieces]
        self._starts = sorted(p.start for p in pieces if p.stop > p.start and not old[p.begin : p.end].isspace())

    def moved(self, begin: int, end: int) -> tuple[int, int]:
        first = max(0, bisect_right(self._begins, begin) - 1)
        covered = self._pieces[first : bisect_left(self._begins, end)]
        mine = [p for p in covered if p.begin < end and p.end > begin and p.stop > p.start]
        shifts = {p.start - p.begin if p.same else None for p in covered}
        if len(shifts) == 1 and None not in shifts:  # nothing in it changed
            return begin + covered[0].start - covered[0].begin, end + covered[0].start - covered[0].begin
        mine = [p for p in mine if not self._old[p.begin : p.end].isspace()] or mine
        if not mine:
            raise LabelLost("span_lost", f"the words of the span {begin}..{end} are gone")
        if _has_word(self._old[begin:end]) and not any(_has_word(self._old[p.begin : p.end]) for p in mine):
            raise LabelLost("span_lost", f"the words of the span {begin}..{end} are gone")
        places = [_image(piece, begin, end, self._old, self._new) for piece in mine]
        start, stop = min(place[0] for place in places), max(place[1] for place in places)
        if self._old[begin:end].strip() and not self._new[start:stop].strip():
            raise LabelLost("span_lost", f"the words of the span {begin}..{end} are gone")
        own = sum(not self._old[p.begin : p.end].isspace() and p.start >= start for p in mine)
        if bisect_left(self._starts, stop) - bisect_left(self._starts, start) > own:
            raise LabelLost("span_lost", f"other words came between those of the span {begin}..{end}")
        return start, stop


def _has_word(text: str) -> bool:
    return any(map(str.isalnum, text))


def _image(piece: Piece, begin: int, end: int, old: str, new: str) -> tuple[int, int]:
    """Where the part of a piece is that lies within a span: in the same piece, or beside what stayed of a changed one.

    Raises LabelLost.
    """
    start, stop = piece.start, piece.stop
    if piece.same:
        return start + max(0, begin - piece.begin), stop - max(0, piece.end - end)
    word = new[start:stop]
    before, after = old[piece.begin : max(piece.begin, begin)], old[min(end, piece.end) : piece.end]
    own = old[max(begin, piece.begin) : min(end, piece.end)]
    if not (before and after):
        if before and word.endswith(own):
            return stop - len(own), stop
        if after and word.startswith(own):
            return start, start + len(own)
    if not (word.startswith(before) and word.endswith(after) and len(before) + len(after) < len(word)):
        raise LabelLost("span_lost", f"the span {begin}..{end} covers a part of a word that changed")
    return start + len(before), stop - len(after)


def _found_again(spans: Spans, old: str, new: str) -> Spans:
    bounds = []
    for begin, end in spans.bounds.tolist():
        words = old[begin:end]
        at = new.find(words) if words.strip() else -1
        if at < 0 or old.count(words) != 1 or new.count(words) != 1 or _cuts(new, at, at + len(words)):
            raise LabelLost("span_lost", f"the span {begin}..{end} is not in the new text, or more than once")
        bounds.append((at, at + len(words)))
    return replace(spans, bounds=np.array(bounds, np.int64).reshape(-1, 2))


def _cuts(text: str, begin: int, end: int) -> bool:
    """Whether a stretch begins or ends within a run of letters."""
    inside = [n for n in (begin, end) if 0 < n < len(text)]
    return any(text[n - 1].isalnum() and text[n].isalnum() for n in inside)
