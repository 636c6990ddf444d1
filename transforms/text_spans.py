"""Where marked stretches of a text are after some of its words were changed: on the same words, or lost.

The old and the new text are aligned word by word (difflib). Words that are the same on both sides anchor the others;
a changed word stands for the one in its place.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from transforms.interface import LabelLost
from transforms.values import Spans

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters `begin`..`end` of the old text became `start`..`stop` of the new one (equal: they were deleted)."""

    begin: int
    end: int
    start: int
    stop: int
    same: bool


def moved(spans: Spans, old: str, new: str) -> Spans:
    """The spans in the new text. Raises LabelLost (`span_lost`) if one cannot stay on its own words and no others."""
    if old == new:
        return spans
    pieces = aligned(old, new)
    bounds = [_moved(begin, end, pieces, old, new) for begin, end in spans.bounds.tolist()]
    return Spans(np.array(bounds, np.int64).reshape(-1, 2), spans.rows)


def aligned(old: str, new: str) -> list[Piece]:
    """Every word of the old text, or run of words, and what became of it, in the order of the old text."""
    left, right = (list(_WORD.finditer(text)) for text in (old, new))
    matcher = SequenceMatcher(None, [_key(m) for m in left], [_key(m) for m in right], autojunk=False)
    words = {_key(m) for m in left}, {_key(m) for m in right}
    pieces: list[Piece] = []
    gone: list[re.Match[str]] = []
    come: list[re.Match[str]] = []
    for kind, a1, a2, b1, b2 in matcher.get_opcodes():
        mine, theirs = left[a1:a2], right[b1:b2]
        strange = not ({_key(m) for m in mine} & words[1] or {_key(m) for m in theirs} & words[0])
        if kind == "equal" or (kind == "replace" and strange and len(mine) == len(theirs)):
            pieces += [_piece(a, a, b, b) for a, b in zip(mine, theirs, strict=True)]
        elif kind == "replace" and strange:
            pieces.append(_piece(mine[0], mine[-1], theirs[0], theirs[-1]))
        else:  # words that went, came, or changed places
            gone += mine
            come += theirs
    return sorted([*pieces, *_moved_words(gone, come)], key=lambda piece: piece.begin)


def _moved_words(gone: list[re.Match[str]], come: list[re.Match[str]]) -> Iterator[Piece]:
    """Words that only changed their place; what is left of the others is an empty place."""
    once = Counter(map(_key, gone)), Counter(map(_key, come))
    places = {_key(m): m for m in come}
    for word in gone:
        key = _key(word)
        if once[0][key] == once[1][key] == 1:
            yield _piece(word, word, places[key], places[key])
        else:
            yield Piece(word.start(), word.end(), -1, -1, same=False)


def _piece(first: re.Match[str], last: re.Match[str], start: re.Match[str], stop: re.Match[str]) -> Piece:
    same = first is last and first.group() == start.group()
    return Piece(first.start(), last.end(), start.start(), stop.end(), same)


def _key(word: re.Match[str]) -> str:
    return word.group().casefold()  # a word that comes to the front of a sentence gets a capital


def _moved(begin: int, end: int, pieces: list[Piece], old: str, new: str) -> tuple[int, int]:
    mine = [p for p in pieces if p.begin < end and p.end > begin and p.stop > p.start]
    if not mine:
        raise LabelLost("span_lost", f"the words of the span {begin}..{end} are gone")
    starts = [p.start if begin <= p.begin else _inside(p, begin, old, new) for p in mine]
    stops = [p.stop if end >= p.end else _inside(p, end, old, new, from_end=True) for p in mine]
    if None in starts or None in stops:
        raise LabelLost("span_lost", f"the span {begin}..{end} covers a part of a word that changed")
    start, stop = min(n for n in starts if n is not None), max(n for n in stops if n is not None)
    if any(start <= p.start < stop and p.stop > p.start for p in pieces if p not in mine):
        raise LabelLost("span_lost", f"other words came between those of the span {begin}..{end}")
    return start, stop


def _inside(piece: Piece, at: int, old: str, new: str, from_end: bool = False) -> int | None:
    """A place within a word: where it is in the same word, or beside the part of a changed word that stayed."""
    if piece.same:
        return piece.start + at - piece.begin
    word = new[piece.start : piece.stop]
    if from_end:
        rest = old[at : piece.end]
        return piece.stop - len(rest) if word.endswith(rest) else None
    rest = old[piece.begin : at]
    return piece.start + len(rest) if word.startswith(rest) else None
