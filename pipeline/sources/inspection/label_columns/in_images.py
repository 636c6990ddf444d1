"""Boxes, points and outlines of pictures: which parts of a column they are, and whether they can be bound. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.sources.inspection.column_roles import words_of_name
from pipeline.sources.inspection.findings import LabelFound, Setting
from pipeline.sources.inspection.label_columns.box_format import ROWS_THAT_FIT, Numbers, Sides, format_of
from pipeline.sources.inspection.label_columns.outlines import OUTLINES, outlines_in, quads_in
from pipeline.sources.inspection.label_columns.parts import (
    Cells,
    Part,
    depth_of_numbers,
    is_number,
    label_member,
    named,
    numbers_in,
)

BOXES = frozenset({
    "bbox", "box", "bndbox", "bounding", "boundingbox", "rect", "rectangle", "xywh", "xyxy", "cxcywh",
    "ltrb", "ltwh", "detection", "roi", "crop",
})  # fmt: skip
POINTS = frozenset({"keypoint", "landmark", "point", "joint", "pose", "kp", "kpt", "marker", "pupil", "fiducial"})
SURE_WITHOUT_A_NAME = 8
"""Boxes in a column of any name that must all fit, before it is believed that they are boxes."""
_AS_MEMBERS = (
    {"xmin", "ymin", "xmax", "ymax"}, {"x1", "y1", "x2", "y2"}, {"left", "top", "right", "bottom"},
    {"x", "y", "w", "h"}, {"x", "y", "width", "height"}, {"left", "top", "width", "height"},
    {"cx", "cy", "w", "h"}, {"x0", "y0", "x1", "y1"}, {"minx", "miny", "maxx", "maxy"},
)  # fmt: skip
_OUTSIDE = 0.01
_WIDEST_POINT = 5


def in_column(parts: Sequence[Part], cells: Cells, sides: Sequence[Sides]) -> list[LabelFound]:
    """What the parts of one column label in pictures of these sizes."""
    found = [label for part in parts if (label := _in_part(part, cells, sides, label_member(parts)))]
    return found or _in_members(parts, cells, sides)


def _in_part(part: Part, cells: Cells, sides: Sequence[Sides], label: str) -> LabelFound | None:
    depth = depth_of_numbers(part.entry)
    rows = [part.entries(cell) for cell in cells]
    if depth is None or (depth == 0 and (part.structs or not part.several)):
        return None
    if depth == 0:
        return _flat(part, rows)
    if not any(entry is not None for row in rows for entry in row):
        telling = named(part.place, BOXES | POINTS | OUTLINES)
        return _unbound(part, "boxes or points", "there are none in the rows looked at") if telling else None
    return _nested(part, rows, sides, label) if depth > 1 else _listed(part, rows, sides, label)


def _listed(part: Part, rows: Sequence[list[Any]], sides: Sequence[Sides], label: str) -> LabelFound | None:
    """A list of numbers for each entry."""
    widths = {len(entry) for row in rows for entry in row if entry is not None}
    if named(part.place, OUTLINES):
        return outlines_in(part, rows, sides, label)
    if named(part.place, POINTS):
        return _points(part, rows, sides, label)
    if _are_grids(rows, sides):
        return _unbound(part, "a grid of numbers", "it is as large as its picture; grids in lists cannot be bound")
    if widths == {4}:
        return _boxes(part, rows, sides, label)
    return _other_boxes(part, rows, sides, label) if named(part.place, BOXES) else None


def _other_boxes(part: Part, rows: Sequence[list[Any]], sides: Sequence[Sides], label: str) -> LabelFound:
    """Entries of another number than four that are called boxes."""
    widths = {len(entry) for row in rows for entry in row if entry is not None}
    if widths == {8}:
        return quads_in(part, rows, sides, label)
    counts = ", ".join(map(str, sorted(widths)[:4]))
    return _unbound(part, "boxes", f"entries have {counts} numbers, boxes have four")


def _boxes(part: Part, rows: Sequence[list[Any]], sides: Sequence[Sides], label: str) -> LabelFound | None:
    telling = named(part.place, BOXES)
    numbers = _arrays(rows, 4)
    if numbers is None:
        return _unbound(part, "boxes", "some have no numbers") if telling else None
    found = format_of(numbers, sides, part.place)
    sure = telling or sum(map(len, numbers)) >= SURE_WITHOUT_A_NAME
    if found.name and sure:
        keys = [("column", part.column), ("format", found.name), *_member(part, "bbox"), *_labels(label)]
        return LabelFound(part.column, "boxes", found.note, "boxes", tuple(keys), (part.column,), found.misfits)
    if telling:
        return _unbound(part, "boxes", found.note)
    return _unbound(part, "boxes", f"{found.note}, but they are few") if found.name else None


def _points(part: Part, rows: Sequence[list[Any]], sides: Sequence[Sides], label: str) -> LabelFound:
    widths = {len(entry) for row in rows for entry in row if entry is not None}
    if max(widths, default=0) > _WIDEST_POINT:
        return _unbound(part, "points", f"entries have {max(widths)} numbers: several points each cannot be bound")
    numbers = _arrays(rows, 2)
    if numbers is None or not sum(map(len, numbers)):
        return _unbound(part, "points", "entries have fewer than two numbers")
    fits = points_fit(numbers, sides)
    if fits < ROWS_THAT_FIT:
        return _unbound(part, "points", _why_outside(numbers, sides))
    count = sum(map(len, numbers))
    note = f"{count:,} point{'' if count == 1 else 's'} looked at fit as x, y in pixels"
    keys: list[tuple[str, Setting]] = [("column", part.column), *_member(part, "point"), *_labels(label)]
    if _have_visibility(rows):
        keys.append(("keep_all", True))
    else:
        note += "; those that leave the picture are dropped (keep_all needs a visibility after x and y)"
    return LabelFound(part.column, "keypoints", note, "keypoints", tuple(keys), (part.column,), 1 - fits, sided=True)


def _have_visibility(rows: Sequence[list[Any]]) -> bool:
    """Whether all rows have as many points, with 0, 1 or 2 after x and y, as COCO writes them."""
    shown = {entry[2] if len(entry) > 2 else None for row in rows for entry in row}
    return len({len(row) for row in rows if row}) == 1 and shown <= {0, 1, 2} and shown != {0}


def points_fit(rows: Sequence[Numbers], sides: Sequence[Sides]) -> float:
    """Share of the rows with points whose points all lie in their picture, as x and y in pixels; 0 for shares of it."""
    if max(float(np.abs(points[:, :2]).max(initial=0.0)) for points in rows) <= 1 + _OUTSIDE:
        return 0.0
    pairs = [(points, pair) for points, pair in zip(rows, sides, strict=True) if len(points)]
    return sum(_inside(points, pair) for points, pair in pairs) / max(1, len(pairs))


def _inside(points: Numbers, sides: Sides) -> bool:
    height, width = sides
    slack = 2 + _OUTSIDE * max(sides)
    x, y = points[:, 0], points[:, 1]
    return bool((points[:, :2] >= -slack).all() and (x <= width + slack).all() and (y <= height + slack).all())


def _why_outside(rows: Sequence[Numbers], sides: Sequence[Sides]) -> str:
    if max(float(np.abs(points[:, :2]).max(initial=0.0)) for points in rows) <= 1 + _OUTSIDE:
        return "they are shares of the sides; keypoints are bound in pixels"
    if points_fit([points[:, 1::-1] for points in rows], sides) >= ROWS_THAT_FIT:
        return "they fit as y, x; keypoints are bound as x, y"
    return "many lie outside of their pictures"


def _nested(part: Part, rows: Sequence[list[Any]], sides: Sequence[Sides], label: str) -> LabelFound | None:
    """Lists of lists of numbers for each entry: outlines of objects, poses of people, grids."""
    if named(part.place, OUTLINES) and depth_of_numbers(part.entry) == 2:
        return outlines_in(part, rows, sides, label)
    if named(part.place, OUTLINES | POINTS | BOXES):
        return _unbound(part, "outlines or points", "lists of them for each entry cannot be bound")
    grids = [row for row in rows if row]
    held = [list(numbers_in(row)) for row in grids]
    tops = [max(pair) for row, pair in zip(rows, sides, strict=True) if row]
    if held and all(numbers and min(numbers) >= 0 for numbers in held):
        inside = all(1.5 < max(numbers) <= top + 2 for numbers, top in zip(held, tops, strict=True))
        return _unbound(part, "outlines or points", "its numbers may be places in the picture") if inside else None
    return None


def _are_grids(rows: Sequence[list[Any]], sides: Sequence[Sides]) -> bool:
    shapes = [((len(row), len(row[0] or ())), pair) for row, pair in zip(rows, sides, strict=True) if row]
    return all(shape == pair for shape, pair in shapes)


def _flat(part: Part, rows: Sequence[list[Any]]) -> LabelFound | None:
    """One flat list of numbers a row, by the last word of its name: `bbox`, not `bbox_id`."""
    called = words_of_name(part.member or part.column)[-1:]
    counts = {len(row) for row in rows if row}
    if named("".join(called), BOXES) and counts == {4}:
        return _unbound(part, "a box", "one flat list of numbers; boxes are a list of lists of four")
    if named("".join(called), POINTS | OUTLINES | BOXES) and counts and min(counts) >= 2:
        return _unbound(part, "points", "one flat list of numbers; keypoints are a list of lists of x, y")
    return None


def _in_members(parts: Sequence[Part], cells: Cells, sides: Sequence[Sides]) -> list[LabelFound]:
    """Coordinates that are members of structs of their own: x, y of points; the sides of boxes."""
    members = {p.member.lower().replace("_", ""): p for p in parts if p.member and is_number(p.entry)}
    if any(names <= set(members) for names in _AS_MEMBERS):
        part = Part(parts[0].column, "", pa.null(), True)
        return [_unbound(part, "boxes", "their numbers are members of their own; boxes have one member with four")]
    x, y = members.get("x"), members.get("y")
    if x is None or y is None or (x.member, y.member) != ("x", "y"):
        return []
    if not (x.structs or x.several):
        return [_unbound(x, "a point", "a single struct; keypoints are a list")]
    pairs = [list(zip(x.entries(cell), y.entries(cell), strict=False)) for cell in cells]
    return [_points(Part(x.column, "", x.entry, True), pairs, sides, label_member(parts))]


def _arrays(rows: Sequence[list[Any]], width: int) -> list[Numbers] | None:
    """Each row's first numbers as (n, width); None where an entry has fewer, or nulls."""
    if any(entry is None or len(entry) < width or None in entry[:width] for row in rows for entry in row):
        return None
    return [np.array([entry[:width] for entry in row], np.float64).reshape(-1, width) for row in rows]


def _labels(label: str) -> list[tuple[str, str]]:
    return [("labels", label)] if label else []


def _member(part: Part, usual: str) -> list[tuple[str, str]]:
    return [("member", part.member)] if part.member and part.member != usual else []


def _unbound(part: Part, what: str, why: str) -> LabelFound:
    return LabelFound(part.column, what, f"{part.place}: {why}" if part.member else why, columns=(part.column,))
