"""Pairs of start and end: segments of sounds and clips, spans of texts; whether they fit, and in which unit. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.sources.inspection.findings import LabelFound
from pipeline.sources.inspection.label_columns.content import Content
from pipeline.sources.inspection.label_columns.parts import (
    Cells,
    Part,
    depth_of_numbers,
    is_number,
    label_member,
    named,
)
from pipeline.sources.inspection.payload_columns import is_text

STRETCHES = frozenset({
    "segment", "span", "event", "interval", "entity", "entitie", "ner", "annotation", "region", "turn", "timestamp",
    "timing", "alignment", "boundary", "boundarie", "mention", "label", "slot", "offset", "phoneme", "phone", "word",
    "diarization", "answer", "highlight", "chunk", "action", "activity", "activitie", "moment", "onset",
})  # fmt: skip
STARTS = (
    "start", "begin", "from", "onset", "start_time", "starttime", "start_sec", "start_s", "start_offset", "start_char",
    "begin_time", "start_idx", "start_pos", "start_position", "char_start", "tmin", "xmin", "t0", "t_start", "onset_s",
)  # fmt: skip
ENDS = (
    "end", "stop", "to", "offset", "end_time", "endtime", "end_sec", "end_s", "end_offset", "end_char", "end_time_s",
    "stop_time", "finish", "end_idx", "end_pos", "end_position", "char_end", "tmax", "xmax", "t1", "t_end", "offset_s",
)  # fmt: skip
ROWS_THAT_FIT = 0.95
_SLACK_SECONDS = 0.05
_NEAR_THE_END = 0.5
"""Share of its sound that some segment must reach where whole numbers are believed to be milliseconds or samples."""
_AT_WORDS = 0.9
"""Share of spans that begin and end where words do."""

Pairs = list[list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Stretches:
    """Start and end of every entry of the rows, and what binds them: keys for members, the member of the labels."""

    column: str
    pairs: Pairs
    keys: tuple[tuple[str, str], ...]
    texts: tuple[tuple[list[Any], ...], ...] = ()
    """Of each member of text: by row, what the entries hold; it may be the very text that they mark."""
    says: bool = False
    """Whether a member is called as if it held the text that is marked."""


def stretches_of(parts: Sequence[Part], cells: Cells) -> Stretches | None:
    """Start and end in the parts of one column; None where there are none, or some are no numbers."""
    if len(parts) == 1 and not parts[0].member:
        part = parts[0]
        if not part.several or depth_of_numbers(part.entry) != 1 or not named(part.column, STRETCHES):
            return None
        rows = [part.entries(cell) for cell in cells]
        return _made(part.column, rows, ())
    members = {p.member: p for p in parts if (p.several or p.structs) and is_number(p.entry)}
    start = next((name for name in STARTS if name in members), None)
    end = next((name for name in ENDS if name in members), None)
    if start is None or end is None:
        return None
    rows = [
        [list(pair) for pair in zip(members[start].entries(c), members[end].entries(c), strict=False)] for c in cells
    ]
    label = label_member(parts, (start, end))
    keys = [("start", start)] * (start != "start") + [("end", end)] * (end != "end") + [("labels", label)] * bool(label)
    worded = [p for p in parts if (p.several or p.structs) and is_text(p.entry)]
    texts = tuple(tuple(part.entries(c) for c in cells) for part in worded)
    made = _made(parts[0].column, rows, tuple(keys))
    return made and replace(made, texts=texts, says=any(p.member in _SAYING for p in worded))


_SAYING = frozenset({"text", "word", "surface", "value", "token", "mention", "form", "surface_form"})


def _made(column: str, rows: Sequence[list[Any]], keys: tuple[tuple[str, str], ...]) -> Stretches | None:
    entries = [entry for row in rows for entry in row]
    if not entries or any(entry is None or len(entry) < 2 or None in entry[:2] for entry in entries):
        return None
    return Stretches(column, [[(float(entry[0]), float(entry[1])) for entry in row] for row in rows], keys)


def segments(found: Stretches, contents: Sequence[Content]) -> LabelFound:
    """Stretches of sounds or clips: bound where they lie within in one unit, and come near the end of one of them."""
    rows = list(_filled(found.pairs, contents))
    units = {"seconds": [1.0] * len(rows), "milliseconds": [1000.0] * len(rows), "samples": [c.rate for _, c in rows]}
    for unit, scales in units.items():
        scaled = [
            [(start / scale, end / scale) for start, end in row] if scale else []
            for (row, _), scale in zip(rows, scales, strict=True)
        ]
        fits = sum(_seconds_fit(row, content) for row, (_, content) in zip(scaled, rows, strict=True) if row) / len(
            rows
        )
        if fits >= ROWS_THAT_FIT:
            ends = [
                (max(end for _, end in row), content.seconds) for row, (_, content) in zip(scaled, rows, strict=True)
            ]
            return _segments(found, unit, ends, 1 - fits)
    return _unbound(found, "segments", _why_not_seconds(found))


def _segments(found: Stretches, unit: str, ends: Sequence[tuple[float, float]], misfits: float) -> LabelFound:
    """Segments that lie within as a unit, unless they may be counted in another."""
    if unit == "seconds" and _may_be_shares(ends):
        return _unbound(found, "segments", "no end is above 1: they may be shares of the duration, not seconds")
    if unit != "seconds" and max(end / duration for end, duration in ends) < _NEAR_THE_END:
        return _unbound(
            found, "segments", f"they lie within their sound as {unit}, but all near its beginning; frames?"
        )
    note = f"{sum(map(len, found.pairs)):,} looked at lie within their sound as {unit}"
    keys = (("column", found.column), *found.keys, *([("unit", unit)] if unit != "seconds" else []))
    return LabelFound(found.column, "segments", note, "segments", keys, (found.column,), misfits)


def _may_be_shares(ends: Sequence[tuple[float, float]]) -> bool:
    return max(end for end, _ in ends) <= 1.0 and min(duration for _, duration in ends) >= 1.5


def _why_not_seconds(found: Stretches) -> str:
    if any(end < start for row in found.pairs for start, end in row):
        return "some end before they begin"
    return "many lie outside of their sounds, in seconds, milliseconds and samples"


def _seconds_fit(row: Sequence[tuple[float, float]], content: Content) -> bool:
    return all(-_SLACK_SECONDS <= start <= end <= content.seconds + _SLACK_SECONDS for start, end in row)


def spans(found: Stretches, contents: Sequence[Content]) -> LabelFound | None:
    """Stretches of texts: bound where they are characters that words begin and end at; None if they are of no text."""
    texts = [content.text for content in contents]
    if not _within(found.pairs, [len(text) for text in texts]):
        octets = _within(found.pairs, [len(text.encode()) for text in texts])
        why = "they lie within their texts as bytes, not as characters" if octets else _OUTSIDE
        return _unbound(found, "spans", why) if octets or named(found.column, STRETCHES) else None
    return _said_spans(found, texts) or _worded_spans(found, texts)


def _said_spans(found: Stretches, texts: Sequence[str]) -> LabelFound | None:
    """Spans beside the very text that they mark, which tells how they are counted; None where none stands there."""
    if max((_said(found.pairs, texts, names, 0) for names in found.texts), default=0.0) >= ROWS_THAT_FIT:
        return _span(found, "mark the very text that they name in")
    if max((_said(found.pairs, texts, names, 1) for names in found.texts), default=0.0) >= ROWS_THAT_FIT:
        return _unbound(found, "spans", "the last character is counted in; spans end after it")
    if found.says:
        return _unbound(found, "spans", "they do not mark the text that they name: counted in bytes or tokens?")
    return None


def _worded_spans(found: Stretches, texts: Sequence[str]) -> LabelFound:
    """Spans of which only the text can tell how they are counted."""
    at_words, one_more = (_at_words(found.pairs, texts, more) for more in (0, 1))
    if at_words >= _AT_WORDS:
        return _span(found, f"begin and end where words do in {at_words:.0%} of")
    if one_more >= _AT_WORDS:
        return _unbound(found, "spans", "the last character seems to be counted in; spans end after it")
    return _unbound(found, "spans", f"only {at_words:.0%} begin and end where words do")


_OUTSIDE = "many lie outside of their texts"


def _said(pairs: Pairs, texts: Sequence[str], names: Sequence[list[Any]], more: int) -> float:
    """Share of stretches that mark the text that stands beside them, `more` characters after their end counted in."""
    held = [
        text[int(start) : int(end) + more] == name
        for text, row, said in zip(texts, pairs, names, strict=True)
        for (start, end), name in zip(row, said, strict=False)
        if isinstance(name, str)
    ]
    return sum(held) / len(held) if held else 0.0


def _span(found: Stretches, note: str) -> LabelFound:
    count = sum(map(len, found.pairs))
    keys = (("column", found.column), *found.keys)
    return LabelFound(found.column, "spans", f"{note} {count:,} looked at", "spans", keys, (found.column,))


def _within(pairs: Pairs, lengths: Sequence[int]) -> bool:
    rows = [(row, length) for row, length in zip(pairs, lengths, strict=True) if row]
    held = sum(all(0 <= start <= end <= length for start, end in row) for row, length in rows)
    return bool(rows) and held >= ROWS_THAT_FIT * len(rows)


def _at_words(pairs: Pairs, texts: Sequence[str], more: int) -> float:
    """Share of stretches that are whole words, `more` characters after their end counted in."""
    held = [
        _is_words(text, int(start), int(end) + more)
        for row, text in zip(pairs, texts, strict=True)
        for start, end in row
        if end > start
    ]
    return sum(held) / len(held) if held else 0.0


def _is_words(text: str, start: int, end: int) -> bool:
    """Whether there is no letter just before it or just after it, and no blank at its edges."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    inside = text[start:end]
    return bool(inside) and inside == inside.strip() and not before.isalnum() and not after.isalnum()


def _filled(pairs: Pairs, contents: Sequence[Content]) -> Iterator[tuple[list[tuple[float, float]], Content]]:
    return ((row, content) for row, content in zip(pairs, contents, strict=True) if row)


def _unbound(found: Stretches, what: str, why: str) -> LabelFound:
    return LabelFound(found.column, what, why, columns=(found.column,))
