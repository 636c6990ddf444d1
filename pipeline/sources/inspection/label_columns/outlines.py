"""Outlines and turned boxes of pictures: whether the numbers of a column can be bound as polygons, or boxes. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pipeline.sources.inspection.findings import LabelFound, Setting
from pipeline.sources.inspection.label_columns.box_format import ROWS_THAT_FIT, Numbers, Sides
from pipeline.sources.inspection.label_columns.parts import Part, named
from transforms.outlines import area_of

POLYGONS = frozenset({
    "polygon", "poly", "outline", "contour", "segmentation", "segment", "hull", "vertex", "vertice",
})  # fmt: skip
QUADS = frozenset({"quad", "quadrilateral", "corner"})
TURNED = frozenset({"obb", "xywhr"})
OUTLINES = POLYGONS | QUADS | TURNED | {"curve", "line", "polyline", "stroke"}
_ANY_TURN = "xywhr"
"""The one name of five numbers that says in which direction the angle turns."""
_SLACK_PIXELS, _SLACK_SHARE = 2.0, 0.01
_FEWEST = 6
_HALF_TURN = 3.2
_SURE = 8


def outlines_in(part: Part, rows: Sequence[list[Any]], sides: Sequence[Sides], label: str) -> LabelFound:
    """What entries of numbers, or of rings of numbers, are that are called like outlines."""
    rings = [list(_rings(row)) for row in rows]
    widths = {len(ring) for row in rings for ring in row}
    if widths == {8} and named(part.place, QUADS | TURNED) and not _nested(rows):
        return quads_in(part, rows, sides, label)
    if widths == {5} and named(part.place, TURNED):
        return _turned(part, rings, sides, label)
    if not named(part.place, POLYGONS):
        return unbound(part, "lines, and no outlines of objects: they cannot be bound")
    if widths == {2}:
        return unbound(part, "their points are pairs [x, y]; polygons are bound as rings x, y, x, y…")
    if min(widths, default=0) < _FEWEST or any(width % 2 for width in widths):
        return unbound(part, "some are no rings x, y, x, y… of three points or more")
    return _bound(part, "polygons", rings, sides, _labels(label))


def area_in(entry: Any) -> float:
    """Square pixels within the rings of an entry, together."""
    return sum(area_of(np.array(ring, np.float64).reshape(-1, 2)) for ring in _rings([entry]))


def quads_in(part: Part, rows: Sequence[list[Any]], sides: Sequence[Sides], label: str) -> LabelFound:
    """Entries of eight numbers as four corners, if these make a quadrilateral without dents in nearly all of them."""
    found = _bound(part, "boxes", rows, sides, [("format", "quad"), *_labels(label)])
    quads = np.array([ring for row in rows for ring in row], np.float64).reshape(-1, 4, 2) if found.kind else None
    if quads is None:
        return found
    sides_of = np.roll(quads, -1, axis=1) - quads
    following = np.roll(sides_of, -1, axis=1)
    turns = sides_of[..., 0] * following[..., 1] - sides_of[..., 1] * following[..., 0]
    whole = (turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)
    return found if whole.mean() >= ROWS_THAT_FIT else unbound(part, "their eight numbers are not corners in turn")


def unbound(part: Part, why: str) -> LabelFound:
    """Outlines that stay where they are."""
    note = f"{part.place}: {why}" if part.member else why
    return LabelFound(part.column, "outlines", note, columns=(part.column,))


def _bound(
    part: Part, kind: str, rings: Sequence[list[Any]], sides: Sequence[Sides], keys: list[tuple[str, Setting]]
) -> LabelFound:
    if any(number is None for row in rings for ring in row for number in ring):
        return unbound(part, "some numbers are null")
    points = [np.array([n for ring in row for n in ring], np.float64).reshape(-1, 2) for row in rings]
    count = sum(map(len, rings))
    if not count or max(float(np.abs(held).max(initial=0.0)) for held in points) <= 1 + _SLACK_SHARE:
        return unbound(part, "they are shares of the sides; they are bound in pixels")
    inside = [_inside(held, pair) for held, pair in zip(points, sides, strict=True) if len(held)]
    fits = sum(inside) / len(inside)
    if fits < ROWS_THAT_FIT:
        return unbound(part, "many lie outside of their pictures")
    usual = "segmentation" if kind == "polygons" else "bbox"
    member = [("member", part.member)] if part.member and part.member != usual else []
    note = f"{count:,} ring{'' if count == 1 else 's'} looked at fit as x, y, x, y… in pixels"
    binding = (("column", part.column), *member, *keys)
    what = "outlines" if kind == "polygons" else "boxes"
    return LabelFound(part.column, what, note, kind, binding, (part.column,), 1 - fits)


def _turned(part: Part, rings: Sequence[list[Any]], sides: Sequence[Sides], label: str) -> LabelFound:
    """Boxes of five numbers: their name must say which way the angle turns, their numbers in what it is counted."""
    held = [np.array(row, np.float64).reshape(-1, 5) for row in rings]
    everything = np.concatenate(held)
    if not np.isfinite(everything).all():
        return unbound(part, "some numbers are null")
    inside = [_inside(boxes[:, :2], pair) for boxes, pair in zip(held, sides, strict=True) if len(boxes)]
    shares = float(np.abs(everything[:, :4]).max()) <= 1 + _SLACK_SHARE
    if shares or sum(inside) < ROWS_THAT_FIT * len(inside) or (everything[:, 2:4] < 0).any():
        return unbound(part, "they do not fit as centre, width and height in pixels, and an angle")
    widest = float(np.abs(everything[:, 4]).max())
    unit = "degrees" if widest > 2 * _HALF_TURN else "radians"
    unsure = len(everything) < _SURE or (unit == "radians" and not 1 <= widest <= _HALF_TURN)
    if unsure or not named(part.place, frozenset({_ANY_TURN})):
        return unbound(
            part,
            "five numbers may be boxes with an angle; if it turns clockwise, bind them as boxes: "
            "format: xywhr, angle: radians or degrees",
        )
    angle: list[tuple[str, Setting]] = [("angle", unit)] if unit == "degrees" else []
    member = [("member", part.member)] if part.member and part.member != "bbox" else []
    note = f"{len(everything):,} boxes looked at fit as centre, width, height, angle in {unit}, by their name clockwise"
    binding = (("column", part.column), ("format", "xywhr"), *angle, *member, *_labels(label))
    return LabelFound(part.column, "boxes", note, "boxes", binding, (part.column,), 1 - sum(inside) / len(inside))


def _rings(row: Sequence[Any]) -> Iterator[Any]:
    """The rings of all entries of a row, each a list of numbers."""
    for entry in row:
        if entry and any(ring is None or isinstance(ring, list) for ring in entry):
            yield from (ring or [] for ring in entry)
        elif entry:
            yield entry


def _nested(rows: Sequence[list[Any]]) -> bool:
    return any(isinstance(ring, list) for row in rows for entry in row for ring in entry or ())


def _inside(points: Numbers, sides: Sides) -> bool:
    height, width = sides
    slack = max(_SLACK_PIXELS, _SLACK_SHARE * max(sides))
    x, y = points[:, 0], points[:, 1]
    return bool((points >= -slack).all() and (x <= width + slack).all() and (y <= height + slack).all())


def _labels(label: str) -> list[tuple[str, Setting]]:
    return [("labels", label)] if label else []
