"""Columns with one entry for each box, point or stretch of another column: they follow it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pyarrow as pa

from pipeline.config.labels import BoxFormat
from pipeline.modalities.labels.formats.boxes import to_corners
from pipeline.modalities.labels.formats.oriented_boxes import WIDTHS
from pipeline.sources.inspection.column_roles import WORD, words_of_name
from pipeline.sources.inspection.findings import LabelFound
from pipeline.sources.inspection.label_columns.content import Content, Looked
from pipeline.sources.inspection.label_columns.outlines import area_in
from pipeline.sources.inspection.label_columns.parts import is_list, label_member_of, named, plain

_AREA, _ALIKE = "area", 0.02
_LISTED = frozenset({"boxes", "keypoints", "polygons", "segments", "spans"})
_BESIDE = frozenset({
    "label", "category", "categorie", "class", "clas", "name", "id", "area", "iscrowd", "crowd", "score", "confidence",
    "difficult", "occluded", "truncated", "visibility", "attribute", "speaker", "tag", "species", "number", "pose",
})  # fmt: skip


def with_followers(labels: Sequence[LabelFound], columns: Sequence[pa.Field], looked: Looked) -> Iterator[LabelFound]:
    """The labels, bound ones with the columns that follow them."""
    taken, stated = {name for label in labels for name in label.columns}, False
    for label in labels:
        if label.kind not in _LISTED:
            yield label
            continue
        found = [name for name in _beside(label, columns, looked) if name not in taken]
        taken |= set(found)
        followed = _followed(label, found)
        if label.kind in ("boxes", "polygons") and not stated:
            followed = with_area(followed, looked, [other for other in labels if other.kind == "polygons"])
            stated = dict(followed.binding).get("area") is not None
        yield with_sides(followed, looked) if label.kind == "keypoints" and label.sided else followed


def _followed(label: LabelFound, found: Sequence[str]) -> LabelFound:
    keys = dict(label.binding)
    name = "" if "labels" in keys else label_member_of(found)
    more = tuple(column for column in found if column != name)
    keys |= ({"labels": name} if name else {}) | ({"columns": more} if more else {})
    return replace(label, binding=tuple(keys.items()), columns=(*label.columns, *found))


def _beside(label: LabelFound, columns: Sequence[pa.Field], looked: Looked) -> Iterator[str]:
    """Columns of lists that are as long as the label's in every row, if that tells: in length, or by their name."""
    counts = _counts(looked.cells(label.column))
    telling = len({count for count in counts if count is not None}) > 1
    for column in columns:
        if is_list(plain(column.type)) and column.name != label.column and (telling or named(column.name, _BESIDE)):
            pairs = zip(counts, _counts(looked.cells(column.name)), strict=True)
            if all(one == other or other is None for one, other in pairs):
                yield column.name


def _counts(cells: Sequence[object]) -> list[int | None]:
    """How many entries each cell has; a struct of lists has as many as its first list."""
    held = [next((v for v in c.values() if isinstance(v, list)), None) if isinstance(c, dict) else c for c in cells]
    return [len(cell) if isinstance(cell, list) else None for cell in held]


def with_area(label: LabelFound, looked: Looked, outlines: Sequence[LabelFound] = ()) -> LabelFound:
    """Boxes or outlines with the member or column that states the area of each, of the box or of the outline."""
    keys = dict(label.binding)
    columns = keys.get("columns", ())
    beside = isinstance(columns, tuple) and _AREA in columns
    areas = looked.cells(_AREA) if beside else _entries(looked.cells(label.column), _AREA)
    said = [number for row in areas for number in row or ()]
    if not said or not all(isinstance(number, int | float) for number in said):
        return label
    ways = [_areas(label, looked)] if label.kind == "boxes" else []
    ways += [_areas(other, looked) for other in outlines]
    if not any(len(own) == len(said) and _are_alike(said, own) for own in ways):
        return label
    if beside and isinstance(columns, tuple):
        keys["columns"] = tuple(str(name) for name in columns if name != _AREA)
    keys = {key: held for key, held in keys.items() if held != ()}
    return replace(label, binding=(*keys.items(), ("area", _AREA)))


def _are_alike(said: Sequence[float], own: Sequence[float]) -> bool:
    return all(abs(one - other) <= _ALIKE * other + 1 for one, other in zip(said, own, strict=True))


def _areas(label: LabelFound, looked: Looked) -> list[float]:
    """Square pixels of every box or outline of all rows; none of boxes that are not upright."""
    keys = dict(label.binding)
    member = str(keys.get("member", "bbox" if label.kind == "boxes" else "segmentation"))
    rows = _entries(looked.cells(label.column), member)
    if label.kind == "polygons":
        return [area_in(entry) for row in rows for entry in row]
    form = str(keys["format"])
    if form in WIDTHS:
        return []
    return [_area(box, form, content) for row, content in zip(rows, looked.contents, strict=True) for box in row]


def _entries(cells: Sequence[Any], member: str) -> list[list[Any]]:
    """One member of every entry, or the entries themselves where they are no structs."""
    found = []
    for cell in cells:
        if isinstance(cell, dict):
            found.append(list(cell.get(member) or ()))
        else:
            held = [e.get(member) if isinstance(e, dict) else e for e in cell or ()]
            found.append([entry for entry in held if entry is not None])
    return found


def _area(box: Any, written: str, content: Content) -> float:
    """Square pixels of a box."""
    height, width = content.sides[-2:]
    numbers = np.array([box[:4]], np.float64)
    x1, y1, x2, y2 = to_corners(numbers, cast(BoxFormat, written), height, width)[0].tolist()
    return float((x2 - x1) * (y2 - y1))


def with_sides(label: LabelFound, looked: Looked) -> LabelFound:
    """Points with the pairs of their names that change places in a mirror; without sides where no name has one."""
    keys = dict(label.binding)
    names = _called(label.column, keys.get("labels"), looked)
    pairs = tuple((name, other) for name in names if (other := _other_side(name)) in names)
    one_sided = [name for name in names if _is_sided(name) and not any(name in pair for pair in pairs)]
    if not names or one_sided:
        return label
    binding = (*label.binding, ("swap", pairs)) if pairs else label.binding
    return replace(label, binding=binding, sided=False)


def _called(column: str, labels: object, looked: Looked) -> list[str]:
    """What the points of the rows are called, each name once, in their order."""
    if not isinstance(labels, str):
        return []
    beside = labels in looked.samples[0].rows.column_names
    found: list[object] = []
    for cell in looked.cells(labels if beside else column):
        if beside or cell is None:
            found += cell or []
        elif isinstance(cell, dict):
            found += cell.get(labels) or []
        else:
            found += [entry.get(labels) for entry in cell if entry is not None]
    return list(dict.fromkeys(name for name in found if isinstance(name, str)))


_SIDES = {"left": "right", "l": "r"}


def _other_side(name: str) -> str:
    """`right_eye` of `left_eye`; empty for a name that says no left."""
    for word in WORD.finditer(name):
        other = _SIDES.get(word[0].lower())
        if other is not None:
            cased = other.upper() if word[0].isupper() else other.title() if word[0].istitle() else other
            return name[: word.start()] + cased + name[word.end() :]
    return ""


def _is_sided(name: str) -> bool:
    return bool({"left", "right", "l", "r"} & set(words_of_name(name)))
