"""Texts of one record side by side: wrapped, shortened, and what a copy changed marked in colour."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from PIL import Image, ImageDraw

from pipeline.preview import drawing
from pipeline.preview.bound_labels import Names
from pipeline.preview.drawing import BODY, LINE
from pipeline.preview.drawn_labels import counted
from pipeline.preview.label_colours import PALETTE, Colours, colours_of
from pipeline.preview.panels import PAD, WIDTH, Panel
from pipeline.preview.word_diff import (
    MAX_CHARACTERS,
    Word,
    changes,
    from_first_change,
    marked_words,
    underlined,
    words_of,
)
from transforms.values import TextValue

MAX_LINES = 12
_MAX_CHARACTERS = 1500
_SHOWN_CHARACTERS = 300
_ROOM = WIDTH - 2 * PAD
Line = list[Word]
_BREAK: Line = [Word("\n")]


def text_panels(
    values: Sequence[TextValue],
    original: TextValue | None,
    names: Sequence[Names] = (),
    colours: Colours | None = None,
) -> list[Panel]:
    """Texts on panels of one height, spans underlined, with what differs from `original` marked, and how much it is."""
    colours = colours_of(names) if colours is None else colours
    called = [cell.get("spans", ()) for cell in names] or [()] * len(values)
    inked = [_inked(value, cell, colours) for value, cell in zip(values, called, strict=True)]
    marked = [_marked(value, original, spans) for value, spans in zip(values, inked, strict=True)]
    laid = [lines_of(words) for words in marked]
    height = 2 * PAD + LINE[BODY] * max(1, *(len(lines) for lines in laid))
    return [
        (_drawn(lines, height, _right_to_left(words)), f"{_described(value, words)}{counted(value)}")
        for value, words, lines in zip(values, marked, laid, strict=True)
    ]


def lines_of(words: Sequence[Word]) -> list[Line]:
    """Words broken into lines that fit; at most MAX_LINES, the last one with an ellipsis if there is more."""
    lines: list[Line] = [[]]
    for group in _groups(words):
        blank = group[0].text.isspace()
        if lines[-1] and (group == _BREAK or (not blank and _width([*lines[-1], *group]) > _ROOM)):
            lines.append([])
        if group == _BREAK or (blank and not lines[-1]):
            continue
        if len(lines) > MAX_LINES:
            return [*lines[: MAX_LINES - 1], _with_ellipsis(lines[MAX_LINES - 1])]
        lines[-1] += group
    return [line for line in lines if line]


def _groups(words: Sequence[Word]) -> Iterator[Line]:
    """What a line break must not tear apart, none wider than a line; line breaks of the text as _BREAK."""
    group: Line = []
    for word in words:
        alone = word.text.isspace() or drawing.breakable(word.text)
        if group and (alone or _width([*group, word]) > _ROOM):
            yield group
            group = []
        if "\n" in word.text and alone:
            yield _BREAK
            continue
        *full, last = (replace(word, text=p) for p in drawing.pieces([drawing.visible(word.text)], BODY, _ROOM))
        yield from ([piece] for piece in full)
        group.append(last)
        if alone:
            yield group
            group = []
    if group:
        yield group


def _width(line: Line) -> float:
    return sum(drawing.width_of(w.text, BODY) for w in line)


def _inked(value: TextValue, names: Sequence[str], colours: Colours) -> list[tuple[int, int, str]]:
    """The spans of a text, each with its colour."""
    bounds = [] if value.spans is None else value.spans.bounds.tolist()
    inks = [colours.get(names[n] if n < len(names) else "", PALETTE[0]) for n in range(len(bounds))]
    return [(start, end, ink) for (start, end), ink in zip(bounds, inks, strict=True)]


def _marked(value: TextValue, original: TextValue | None, spans: Sequence[tuple[int, int, str]]) -> list[Word]:
    if original is None or value.text == original.text:
        words = [Word(t) for t in words_of(value.text[:_MAX_CHARACTERS])]
        words = underlined(words, value.text, spans)
        return [*words, Word("…")] if len(value.text) > _MAX_CHARACTERS else words
    return from_first_change(underlined(marked_words(original.text, value.text), value.text, spans), _SHOWN_CHARACTERS)


def _described(value: TextValue, words: Sequence[Word]) -> str:
    """How long it is, and how much was changed as far as was compared."""
    count, changed = len(value.text), changes(words)
    size = f"{count:,} character{'' if count == 1 else 's'}"
    if not changed or count > MAX_CHARACTERS:
        return size
    return f"{size} · {changed} word{'' if changed == 1 else 's'} changed"


def _with_ellipsis(line: Line) -> Line:
    """The last line that is shown, with room made for an ellipsis."""
    kept = list(line)
    while len(kept) > 1 and _width(kept) + BODY > _ROOM:
        kept.pop()
    return [*kept, Word("…")]


def _right_to_left(words: Sequence[Word]) -> bool:
    """The direction of the first letter that has one."""
    directions = (unicodedata.bidirectional(c) for w in words for c in w.text)
    return next((d != "L" for d in directions if d in ("L", "R", "AL")), False)


def _drawn(lines: Sequence[Line], height: int, mirrored: bool) -> Image.Image:
    panel = Image.new("RGB", (WIDTH, height), drawing.WELL)
    draw = ImageDraw.Draw(panel)
    for number, line in enumerate(lines):
        x = float(WIDTH - PAD if mirrored else PAD)
        for word in line:
            width = drawing.width_of(word.text, BODY)
            left = x - width if mirrored else x
            _draw_word(draw, word, (left, PAD + number * LINE[BODY]), width)
            x = left if mirrored else x + width
    return panel


def _draw_word(draw: ImageDraw.ImageDraw, word: Word, at: tuple[float, float], width: float) -> None:
    (left, top), removed = at, word.mark == "removed"
    if word.mark != "same":
        ground = drawing.REMOVED if removed else drawing.CHANGED
        draw.rectangle((left - 1, top - 1, left + width, top + LINE[BODY] - 4), fill=ground)
    drawing.draw_line(draw, (left, top), word.text, BODY, drawing.REMOVED_INK if removed else drawing.INK)
    if word.ink:
        low = top + LINE[BODY] - 3
        draw.rectangle((left, low, left + width - 1, low + 1), fill=word.ink)
    if removed:
        middle = top + LINE[BODY] // 2
        draw.line((left, middle, left + width, middle), fill=drawing.REMOVED_INK)
