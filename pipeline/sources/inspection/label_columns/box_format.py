"""Four numbers per box -> the format in which they fit their pictures, or why none is certain. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Sides = tuple[int, int]
"""Height and width of a picture, in pixels."""

ROWS_THAT_FIT = 0.95
"""Share of rows whose boxes must fit; real boxes overshoot their pictures here and there."""
_SLACK_PIXELS, _SLACK_SHARE = 2.0, 0.01
_THOUSANDS = 1000.0
_AFTER_NAMES = {
    "coco": "coco", "xywh": "coco", "ltwh": "coco",
    "voc": "pascal_voc", "pascal": "pascal_voc", "xyxy": "pascal_voc", "ltrb": "pascal_voc",
    "yolo": "yolo", "cxcywh": "yolo", "xcycwh": "yolo", "albumentations": "albumentations",
}  # fmt: skip
_TOLD = {
    "coco": "x, y, width, height in pixels",
    "pascal_voc": "x_min, y_min, x_max, y_max in pixels",
    "yolo": "centre x, centre y, width, height in shares of the picture",
    "albumentations": "x_min, y_min, x_max, y_max in shares of the picture",
    "centre": "centre x, centre y, width, height in pixels",
    "y first": "y_min, x_min, y_max, x_max",
    "corner and size": "x, y, width, height in shares of the picture",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    """A format of boxes that is certain (`name`), or why none is; `misfits` is the share of rows that it fits not."""

    name: str
    note: str
    misfits: float = 0.0


def format_of(rows: Sequence[Numbers], sides: Sequence[Sides], name: str) -> Format:
    """The format of the boxes of some rows, (n, 4) each with at least one box in all, on pictures of these sizes.

    `name` is what their column is called, which may tell.
    """
    whole = _in_shares(rows)
    ways = _SHARES if whole else _PIXELS
    fits = {way: _share(test, rows, sides, whole) for way, test in ways.items()}
    good = [way for way in ways if fits[way] >= ROWS_THAT_FIT]
    hint = next((way for word, way in _AFTER_NAMES.items() if word in name.lower()), "")
    if hint in good:
        return _certain(hint, rows, fits)
    if not good:
        return Format("", f"no format fits the sizes of the pictures{_thousandths(rows)}")
    if not whole and _may_be_thousandths(rows, sides):
        return Format("", "they may be thousandths of the sides: no number is above 1000 on larger pictures")
    offered = [way for way in good if way in _AFTER_NAMES.values()]
    rivals = [way for way in good if way != offered[0] and way not in _UNUSUAL] if offered else []
    if not offered or rivals:
        return Format("", f"they fit as {' and as '.join(_TOLD[way] for way in good)}")
    return _certain(offered[0], rows, fits)


def _certain(way: str, rows: Sequence[Numbers], fits: dict[str, float]) -> Format:
    count = sum(len(boxes) for boxes in rows)
    boxes = f"{count:,} box{'' if count == 1 else 'es'}"
    return Format(way, f"{boxes} looked at fit as {_TOLD[way]}", 1 - fits[way])


def _in_shares(rows: Sequence[Numbers]) -> bool:
    return max(float(np.abs(boxes).max(initial=0.0)) for boxes in rows) <= 1 + _SLACK_SHARE


def _share(test: "_Test", rows: Sequence[Numbers], sides: Sequence[Sides], whole: bool) -> float:
    """Share of the rows with boxes of which all fit."""
    held = [
        bool(test(boxes, (1.0, 1.0) if whole else (float(height), float(width))))
        for boxes, (height, width) in zip(rows, sides, strict=True)
        if len(boxes)
    ]
    return sum(held) / len(held) if held else 0.0


def _may_be_thousandths(rows: Sequence[Numbers], sides: Sequence[Sides]) -> bool:
    """Whether all pictures are larger than a thousand, but no number is, though some come close on both axes."""
    if min(min(pair) for pair in sides) <= 1.1 * _THOUSANDS:
        return False
    everything = np.concatenate(list(rows))
    ends = everything[:, 2:].max(axis=0)
    return bool(everything.max() <= _THOUSANDS and (ends > 0.9 * _THOUSANDS).all())


def _thousandths(rows: Sequence[Numbers]) -> str:
    highest = max(float(boxes.max(initial=0.0)) for boxes in rows)
    return "; they may be thousandths of the sides" if 0.9 * _THOUSANDS < highest <= _THOUSANDS else ""


def _corners(boxes: Numbers, sides: tuple[float, float]) -> Any:
    height, width = sides
    slack = _SLACK_SHARE if height == width == 1 else max(_SLACK_PIXELS, _SLACK_SHARE * max(sides))
    inside = (boxes >= -slack).all() and (boxes[:, 2] <= width + slack).all() and (boxes[:, 3] <= height + slack).all()
    return inside and (boxes[:, 2:] >= boxes[:, :2]).all()


def _corner_and_size(boxes: Numbers, sides: tuple[float, float]) -> Any:
    return _corners(np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1), sides)


def _centre_and_size(boxes: Numbers, sides: tuple[float, float]) -> Any:
    half = boxes[:, 2:] / 2
    return _corners(np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1), sides)


def _y_first(boxes: Numbers, sides: tuple[float, float]) -> Any:
    return _corners(boxes[:, [1, 0, 3, 2]], sides)


_Test = Callable[[Numbers, tuple[float, float]], Any]
_PIXELS: dict[str, _Test] = {
    "coco": _corner_and_size,
    "pascal_voc": _corners,
    "centre": _centre_and_size,
    "y first": _y_first,
}
_SHARES: dict[str, _Test] = {
    "yolo": _centre_and_size,
    "albumentations": _corners,
    "corner and size": _corner_and_size,
}
_UNUSUAL = frozenset({"centre", "y first"})
"""Ways that nobody writes without saying so: another one that fits is believed."""
