"""One colour for each name of labels, the same all over the sheet; and the legend that tells them."""

from collections.abc import Iterable, Mapping, Sequence

from PIL import Image, ImageDraw

from pipeline.preview import drawing
from pipeline.preview.bound_labels import Names
from pipeline.preview.drawing import LINE, SMALL

Colours = Mapping[str, str]
PALETTE = (
    "#d6215b", "#1f77d0", "#e07b00", "#2f9e44", "#8a3ffc", "#0f9bb5", "#c026b3", "#8a6116", "#5c7cfa", "#5f6b2d",
)  # fmt: skip
VEILS = (
    "#00b8a9", "#f6c90e", "#7b61ff", "#ff7043", "#26c6da", "#9ccc65", "#ec407a", "#8d6e63", "#42a5f5", "#ab47bc",
)  # fmt: skip
"""Colours of masks by number: others than those of names."""
_SWATCH, _GAP, _MOST_LINES = 10, 12, 2


def colours_of(names: Sequence[Names]) -> Colours:
    """A colour for each name in some cells, in the order of the alphabet."""
    found = sorted({name for cell in names for listed in cell.values() for name in listed})
    return {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(found)}


def colour_of(number: int, palette: Sequence[str] = PALETTE) -> str:
    """The colour of the entry or class of a number."""
    return palette[number % len(palette)]


def legend(names: Iterable[str], colours: Colours, width: int) -> Image.Image | None:
    """Swatches with names in at most two lines; None for no names."""
    listed = sorted({name for name in names if name})
    if not listed:
        return None
    lines: list[list[tuple[float, str]]] = [[]]
    x = 0.0
    for name in listed:
        text = drawing.shortened(name, SMALL, width / 2)
        needed = _SWATCH + 4 + drawing.width_of(text, SMALL)
        if x and x + needed > width:
            lines.append([])
            x = 0.0
        lines[-1].append((x, name))
        x += needed + _GAP
    shown = lines[:_MOST_LINES]
    image = Image.new("RGB", (width, LINE[SMALL] * len(shown)), drawing.CARD)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(shown):
        top = number * LINE[SMALL]
        for x, name in line:
            draw.rectangle((x, top + 3, x + _SWATCH - 1, top + 2 + _SWATCH), fill=colours.get(name, PALETTE[0]))
            text = drawing.shortened(name, SMALL, width / 2)
            drawing.draw_line(draw, (x + _SWATCH + 4, top), text, SMALL, drawing.MUTED)
    return image
