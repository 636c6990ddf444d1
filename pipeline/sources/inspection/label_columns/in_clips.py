"""Boxes of clips, which name their frame, and points of volumes, which have a depth. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.sources.inspection.findings import LabelFound
from pipeline.sources.inspection.label_columns.box_format import ROWS_THAT_FIT, format_of
from pipeline.sources.inspection.label_columns.content import Content
from pipeline.sources.inspection.label_columns.in_images import BOXES, POINTS
from pipeline.sources.inspection.label_columns.outlines import OUTLINES
from pipeline.sources.inspection.label_columns.parts import (
    Cells,
    Part,
    depth_of_numbers,
    is_number,
    label_member,
    named,
)

FRAMES = ("frame", "frame_id", "frame_index", "frame_number", "frame_idx", "frame_no", "t")


def in_clip(parts: Sequence[Part], cells: Cells, contents: Sequence[Content]) -> list[LabelFound]:
    """Boxes of frames; whatever else is called like boxes, points or outlines cannot be bound to clips."""
    frame = next((p for name in FRAMES for p in parts if p.member == name and is_number(p.entry)), None)
    telling = [p for p in parts if (depth_of_numbers(p.entry) or 0) >= 1 and named(p.place, BOXES | POINTS | OUTLINES)]
    if not telling:
        return []
    part = next((p for p in telling if named(p.place, BOXES)), telling[0])
    if frame is None or not named(part.place, BOXES) or not part.several:
        why = "boxes of clips are structs with a frame and four numbers; nothing else can be bound"
        return [LabelFound(part.column, "boxes or points", why, columns=(part.column,))]
    return [_framed(part, frame, cells, contents, label_member(parts, (part.member, frame.member)))]


def _framed(part: Part, frame: Part, cells: Cells, contents: Sequence[Content], label: str) -> LabelFound:
    rows = [part.entries(cell) for cell in cells]
    frames = [[n for n in frame.entries(cell) if n is not None] for cell in cells]
    unbound = LabelFound(part.column, "boxes", "", columns=(part.column,))
    if not any(rows) or any(entry is None or len(entry) != 4 or None in entry for row in rows for entry in row):
        return _because(unbound, "there are none in the rows looked at, or some have not four numbers")
    late = [c.frames for row, c in zip(frames, contents, strict=True) if row and max(row) >= c.frames]
    if late:
        return _because(unbound, "some name frames that their clips do not have; frames are counted from 0")
    numbers = [np.array(row, np.float64).reshape(-1, 4) for row in rows]
    found = format_of(numbers, [(c.sides[0], c.sides[1]) for c in contents], part.place)
    if not found.name:
        return _because(unbound, found.note)
    keys = [("column", part.column), ("format", found.name)]
    keys += [("member", part.member)] * (part.member != "bbox") + [("frame", frame.member)] * (frame.member != "frame")
    keys += [("labels", label)] * bool(label)
    return LabelFound(part.column, "boxes", found.note, "boxes", tuple(keys), (part.column,), found.misfits)


def in_volume(parts: Sequence[Part], cells: Cells, sides: Sequence[tuple[int, ...]]) -> list[LabelFound]:
    """Points of volumes: x, y, z in voxels."""
    found = []
    for part in parts:
        depth = depth_of_numbers(part.entry)
        if not depth or not part.several or not named(part.place, POINTS | BOXES | OUTLINES):
            continue
        found.append(_in_voxels(part, [part.entries(cell) for cell in cells], sides, label_member(parts)))
    return found


def _in_voxels(part: Part, rows: Sequence[list[Any]], sides: Sequence[tuple[int, ...]], label: str) -> LabelFound:
    unbound = LabelFound(part.column, "boxes or points", "", columns=(part.column,))
    entries = [entry for row in rows for entry in row]
    if not named(part.place, POINTS) or any(e is None or len(e) < 3 or None in e[:3] for e in entries):
        return _because(unbound, "points of volumes are lists of x, y, z; nothing else can be bound")
    pairs = [
        (np.array([e[:3] for e in row], np.float64), np.array(size[::-1]))
        for row, size in zip(rows, sides, strict=True)
        if row
    ]
    fits = [bool((points >= -1).all() and (points <= size + 1).all()) for points, size in pairs]
    if not fits or np.mean(fits) < ROWS_THAT_FIT or max(float(p.max()) for p, _ in pairs) <= 1:
        return _because(unbound, "they do not lie within their volumes as x, y, z in voxels")
    keys = [("column", part.column), *([("member", part.member)] if part.member not in ("", "point") else [])]
    keys += [("labels", label)] * bool(label)
    note = f"{len(entries):,} looked at lie within their volumes as x, y, z in voxels"
    return LabelFound(
        part.column, "keypoints", note, "keypoints", tuple(keys), (part.column,), 1 - float(np.mean(fits))
    )


def _because(found: LabelFound, why: str) -> LabelFound:
    return LabelFound(found.column, found.what, why, columns=found.columns)
