"""Segments of sounds and clips as named bars above what they are segments of, in lanes where they overlap."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.preview import drawing
from pipeline.preview.drawn_labels import TAG
from pipeline.preview.label_colours import PALETTE, Colours

_LANE, _SEAM, _MOST_LANES, _FEWEST_LETTERS = 16, 2, 4, 4
Bounds = NDArray[np.float64]
"""(n, 2): start and end in pixels."""


def segment_bars(
    bounds: Sequence[Bounds], names: Sequence[Sequence[str]], colours: Colours, width: int
) -> list[Image.Image]:
    """A strip for each cell, all of one height: bars with names, later ones lower where they overlap."""
    laned = [_lanes(found) for found in bounds]
    count = max((max(lanes, default=0) for lanes in laned), default=0) + 1
    strips = []
    for found, lanes, called in zip(bounds, laned, names, strict=True):
        strip = Image.new("RGB", (width, count * _LANE + _SEAM), drawing.CARD)
        draw = ImageDraw.Draw(strip)
        for number, ((start, end), lane) in enumerate(zip(found.tolist(), lanes, strict=True)):
            name = called[number] if number < len(called) else ""
            _bar(draw, (start, end, lane * _LANE), name, colours.get(name, PALETTE[0]))
        strips.append(strip)
    return strips


def above(bar: Image.Image, panel: Image.Image, bounds: Bounds, lines: bool) -> Image.Image:
    """A strip on top of its panel; with thin lines down where segments begin and end."""
    out = Image.new("RGB", (panel.width, bar.height + panel.height), drawing.CARD)
    out.paste(bar, (0, 0))
    out.paste(panel, (0, bar.height))
    if lines:
        draw = ImageDraw.Draw(out, "RGBA")
        for x in np.clip(np.rint(bounds), 0, panel.width - 1).astype(int).ravel().tolist():
            draw.line((x, bar.height, x, out.height), fill=(255, 255, 255, 120))
            draw.line((x - 1, bar.height, x - 1, out.height), fill=(20, 30, 60, 110))
    return out


def _lanes(bounds: Bounds) -> list[int]:
    """The lane of each segment: the first that is free when it begins, in the order of their starts."""
    ends: list[float] = []
    lanes = [0] * len(bounds)
    for number in np.argsort(bounds[:, 0], kind="stable").tolist():
        start, end = bounds[number].tolist()
        free = next((lane for lane, last in enumerate(ends) if last <= start + 0.5), len(ends))
        lane = min(free, _MOST_LANES - 1)
        ends[lane : lane + 1] = [end]
        lanes[number] = lane
    return lanes


def _bar(draw: ImageDraw.ImageDraw, at: tuple[float, float, float], name: str, ink: str) -> None:
    start, end, top = at
    right = max(start + 2, end - 1)
    draw.rectangle((start, top, right, top + _LANE - 2), fill=ink)
    text = drawing.shortened(name, TAG, max(0.0, right - start - 4))
    readable = text == name or len(text) > _FEWEST_LETTERS
    if readable and drawing.width_of(text, TAG) <= right - start - 4:
        drawing.draw_line(draw, (start + 3, top), text, TAG, "#ffffff")
