"""Texts of one record side by side: wrapped, shortened, and what a copy changed marked in colour."""

import unicodedata
from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

from pipeline import drawing
from pipeline.drawing import BODY, LINE
from pipeline.panels import PAD, WIDTH, Panel
from pipeline.word_diff import Word, changes, marked_words
from transforms.values import TextValue

MAX_LINES = 12
_MAX_CHARACTERS = 1500
_ROOM = WIDTH - 2 * PAD
_BREAK = Word("\n")

Line = list[Word]


def text_panels(values: Sequence[TextValue], original: TextValue | None) -> list[Panel]:
    """Texts on panels of one height, with what differs from `original` marked, and how much that is."""
    marked = [_marked(value, original) for value in values]
    laid = [lines_of(words) for words in marked]
    height = 2 * PAD + LINE[BODY] * max(1, *(len(lines) for lines in laid))
    return [
        (_drawn(lines, height, _right_to_left(words)), _described(value, words))
        for value, words, lines in zip(values, marked, laid, strict=True)
    ]


def lines_of(words: Sequence[Word]) -> list[Line]:
    """Words broken into lines that fit; at most MAX_LINES, the last one with an ellipsis if there is more."""
    lines: list[Line] = [[]]
    used = 0.0
    for word in _fitting(words):
        width = drawing.width_of(word.text, BODY)
        if word is _BREAK or (used + width > _ROOM and not word.text.isspace()):
            lines, used = [*lines, []] if lines[-1] else lines, 0.0
        if word is _BREAK or (word.text.isspace() and not used):
            continue
        if len(lines) > MAX_LINES:
            return [*lines[: MAX_LINES - 1], _with_ellipsis(lines[MAX_LINES - 1])]
        lines[-1].append(word)
        used += width
    return [line for line in lines if line]


def _fitting(words: Sequence[Word]) -> Iterator[Word]:
    """Words that fit into a line, line breaks as _BREAK."""
    for word in words:
        if word.text.isspace() and "\n" in word.text:
            yield _BREAK
        else:
            for piece in drawing.pieces([drawing.visible(word.text)], BODY, _ROOM):
                yield Word(piece, word.mark)


def _marked(value: TextValue, original: TextValue | None) -> list[Word]:
    if original is None or value == original:
        words = [Word(t) for t in drawing.tokens(value.text[:_MAX_CHARACTERS])]
        return [*words, Word("…")] if len(value.text) > _MAX_CHARACTERS else words
    return marked_words(original.text, value.text)


def _described(value: TextValue, words: Sequence[Word]) -> str:
    count, changed = len(value.text), changes(words)
    size = f"{count:,} character{'' if count == 1 else 's'}"
    return f"{size} · {changed} word{'' if changed == 1 else 's'} changed" if changed else size


def _with_ellipsis(line: Line) -> Line:
    """The last line that is shown, with room made for an ellipsis."""
    kept = list(line)
    while len(kept) > 1 and sum(drawing.width_of(w.text, BODY) for w in kept) + BODY > _ROOM:
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
    if removed:
        middle = top + LINE[BODY] // 2
        draw.line((left, middle, left + width, middle), fill=drawing.REMOVED_INK)
