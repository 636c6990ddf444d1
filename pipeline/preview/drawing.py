"""Text and surfaces of the contact sheet: one palette, three type sizes, measuring, wrapping, shortening, drawing."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw

from pipeline.preview.fonts import font, runs

TITLE, BODY, SMALL = 22, 14, 12
LINE = {TITLE: 30, BODY: 20, SMALL: 17}

PAGE, CARD, BORDER = "#f4f5f7", "#ffffff", "#e2e5ea"
INK, MUTED = "#1c2430", "#68717f"
WELL = "#f4f5f7"
CHANGED, REMOVED, REMOVED_INK = "#ffe08a", "#fbdcd9", "#a8423a"
REFUSED = {"failed": ("#fdf1f0", "#f0c4c0", "#a8322a"), "rejected": ("#fff8e8", "#f0dcae", "#8a5a00")}

_CHECKER = ((238, 240, 243), (250, 251, 252))
_CHECKER_SIDE = 8
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han and kana
_TOKENS = re.compile(rf"\s+|[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_ALONE = re.compile(f"[{_UNSPACED}]")


def visible(text: str) -> str:
    """A text without what cannot be drawn: controls become spaces, format characters and selectors go; composed."""
    return unicodedata.normalize("NFC", "".join(_visible(c) for c in text))


def tokens(text: str) -> list[str]:
    """Words, runs of white space, and single characters of scripts that are written without spaces."""
    return _TOKENS.findall(text)


def breakable(word: str) -> bool:
    """Whether a line may end before and after it although there is no space."""
    return _ALONE.fullmatch(word) is not None


def width_of(text: str, size: int) -> float:
    """Width of one line in pixels."""
    return sum(face.getlength(part) for part, face in runs(text, size))


def draw_line(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, ink: str = INK) -> float:
    """Draw one line, `at` its top left corner; fonts that replace one another share a baseline. Returns its end."""
    x, baseline = at[0], at[1] + font(size).getmetrics()[0]
    for part, face in runs(text, size):
        draw.text((x, baseline), part, fill=ink, font=face, anchor="ls")
        x += face.getlength(part)
    return x


def shortened(text: str, size: int, width: float) -> str:
    """One line that fits, with an ellipsis in its middle where it had to be cut."""
    text = " ".join(visible(text[:2000]).split())
    if width_of(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_of(_cut(text, middle), size) <= width else (low, middle - 1)
    return _cut(text, low)


def wrapped(text: str, size: int, width: float, most: int) -> list[str]:
    """At most `most` lines; the last one ends with an ellipsis if there is more."""
    lines = [""]
    for token in pieces(tokens(visible(text)), size, width):
        if width_of((lines[-1] + token).rstrip(), size) > width:
            lines.append("")
        if len(lines) > most:
            return [*(line.rstrip() for line in lines[: most - 1]), _with_ellipsis(lines[most - 1], size, width)]
        lines[-1] += token if lines[-1] or not token.isspace() else ""
    return [line.rstrip() for line in lines if line.strip()]


def pieces(words: Sequence[str], size: int, width: float) -> Iterator[str]:
    """The words, those wider than a line cut into pieces that fit."""
    for word in words:
        rest = word
        while len(rest) > 1 and width_of(rest, size) > width:
            count = _fitting(rest, size, width)
            yield rest[:count]
            rest = rest[count:]
        yield rest


def checkerboard(width: int, height: int) -> Image.Image:
    """The ground under pictures, so that transparency and margins show."""
    rows, columns = np.indices((height, width)) // _CHECKER_SIDE
    return Image.fromarray(np.asarray(_CHECKER, np.uint8)[(rows + columns) % 2])


def _visible(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cs":
        return "\ufffd"
    if kind == "Cc" or kind in ("Zl", "Zp", "Zs"):
        return " "
    return "" if kind == "Cf" or "\ufe00" <= character <= "\ufe0f" else character


def _cut(text: str, length: int) -> str:
    head = (length + 1) // 2
    return text if length >= len(text) else f"{text[:head].rstrip()}…{text[len(text) - (length - head) :].lstrip()}"


def _with_ellipsis(line: str, size: int, width: float) -> str:
    while line and width_of(f"{line.rstrip()}…", size) > width:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _fitting(text: str, size: int, width: float) -> int:
    """How many characters fit into a line; at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_of(text[:middle], size) <= width else (low, middle - 1)
    return low
