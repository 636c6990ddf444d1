"""Outlines of objects in columns, as COCO writes them: per row a list of entries, each of rings x, y, x, y… in pixels.

An entry is a list of rings, or a single ring. Both stay as they are: a ring that an edge cuts into parts stays one.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config.labels import PolygonBinding
from pipeline.modalities.labels import anchors, cells, plausibility
from pipeline.modalities.labels.cells import ALONE, BadLabels
from transforms.outlines import Ring, areas_of, covered, in_view
from transforms.values import ImageValue, Polygons

_FEWEST = 6
"""Numbers of a ring: three points."""
_FARTHEST = 2.0**31
_LEAST_AREA = 1e-3


def member_of(binding: PolygonBinding, kind: pa.DataType) -> str:
    """Where in a column of this type the outlines are: a member, or ALONE. Raises ValueError."""
    structs = pa.types.is_struct(kind) or (_is_list(kind) and pa.types.is_struct(kind.value_type))
    entry = _entry_type(binding, kind)
    if entry is None or _numbers_of(entry) is None:
        runs = "; run lengths are bound as masks" if "counts" in str(kind) else ""
        raise ValueError(
            f"is {kind}; it must be a list with an entry for each object, a list of structs, or a struct of lists "
            f"with {binding.member}: each entry is a list x, y, x, y… or a list of such lists{runs}"
        )
    if "fixed_size" in str(entry):
        raise ValueError(f"is {kind}; outlines gain and lose points, which lists of a fixed size cannot hold")
    return binding.member if structs else ALONE


def with_polygons(binding: PolygonBinding, row: pa.RecordBatch, index: int, value: ImageValue) -> ImageValue:
    """The value with the outlines of a row, as far as they lie in it. Raises BadLabels."""
    column = row.column(binding.column)
    entries = entries_of(binding, column, index)
    rings = [[_ring(ring) for ring in _rings(entry)] for entry in entries]
    count, size = len(entries), (value.pixels.shape[0], value.pixels.shape[1])
    polygons = Polygons(
        tuple(ring for held in rings for ring in held),
        np.repeat(np.arange(count, dtype=np.int64), [len(held) for held in rings]),
        np.array([n for n, held in enumerate(rings) if not held], np.int64),
        count,
        binding.min_area,
        bool(pa.types.is_integer(_numbers_of(_entry_type(binding, column.type)))),
        with_boxes=count == anchors.boxes_in(value),
        with_masks=value.mask_rows is not None and count == len(value.mask_rows),
    )
    seen = in_view(polygons, size)
    plausibility.refuse_outlines_elsewhere(polygons.rings, areas_of(polygons), areas_of(seen), size)
    return replace(value, polygons=seen)


def entries_of(binding: PolygonBinding, column: pa.Array, index: int) -> list[Any]:
    """The entries of a row as Python values, one for each object; none of a null cell."""
    cell, member = column[index], member_of(binding, column.type)
    if not cell.is_valid:
        return []
    if member != ALONE and pa.types.is_struct(column.type):
        if not cell[member].is_valid:  # none of the objects has an outline
            return [None] * max(cells.member_lengths(column, index).values(), default=0)
        cell = cell[member]
    held = cell.values if member == ALONE or pa.types.is_struct(column.type) else cell.values.field(member)
    entries: list[Any] = held.to_pylist()
    return entries


def without_specks(polygons: Polygons) -> Polygons:
    """Outlines as they are written, without entries that have too little area left."""
    rings = tuple(np.rint(ring) for ring in polygons.rings) if polygons.whole else polygons.rings
    polygons = replace(polygons, rings=rings)
    least, areas = max(polygons.min_area, _LEAST_AREA), [covered(ring) for ring in rings]
    whole = np.bincount(polygons.rows, areas, polygons.count)
    kept = [n for n, row in enumerate(polygons.rows.tolist()) if whole[row] >= least and areas[n] > 0]
    return replace(polygons, rings=tuple(rings[n] for n in kept), rows=polygons.rows[kept])


def without(polygons: Polygons, gone: Any) -> Polygons:
    """The outlines but for those of some entries."""
    kept = np.flatnonzero(~np.isin(polygons.rows, gone)).tolist()
    blank = polygons.blank[~np.isin(polygons.blank, gone)]
    return replace(polygons, rings=tuple(polygons.rings[n] for n in kept), rows=polygons.rows[kept], blank=blank)


def written_polygons(
    binding: PolygonBinding, column: pa.Array, index: int, rows: Sequence[int], polygons: Polygons
) -> list[Any]:
    """What to write for some entries of a row, each in the form in which it came. Raises BadLabels."""
    before, kind = entries_of(binding, column, index), _entry_type(binding, column.type)
    rings: dict[int, list[list[Any]]] = {}
    for row, ring in zip(polygons.rows.tolist(), polygons.rings, strict=True):
        rings.setdefault(row, []).append(cells.typed(ring.reshape(-1), _numbers_of(kind)))
    alone = kind is not None and not _is_list(kind.value_type)
    return [before[row] if row not in rings else rings[row][0] if alone else rings[row] for row in rows]


def _rings(entry: Any) -> list[Any]:
    """The rings of an entry; none of one that has no outline."""
    if not entry:
        return []
    return list(entry) if any(ring is None or isinstance(ring, list) for ring in entry) else [entry]


def _ring(numbers: Any) -> Ring:
    """(n, 2) of x, y, x, y… Raises BadLabels."""
    if not isinstance(numbers, list) or None in numbers:
        raise BadLabels("an outline has null in place of a ring, or of a number")
    if len(numbers) % 2 or len(numbers) < _FEWEST:
        pairs = "; points are written one after the other, x, y, x, y…, not as pairs" if len(numbers) == 2 else ""
        raise BadLabels(f"a ring of an outline has {len(numbers)} numbers, not x and y of three points or more{pairs}")
    found = np.array(numbers, np.float64)
    if not np.isfinite(found).all() or np.abs(found).max() > _FARTHEST:
        raise BadLabels("a coordinate of an outline is not finite, or farther away than any picture is large")
    return found.reshape(-1, 2)


def _entry_type(binding: PolygonBinding, kind: pa.DataType) -> pa.DataType | None:
    """Type of what a column holds for each object; None if it is no list of them."""
    held = kind.value_type if _is_list(kind) else kind
    if not pa.types.is_struct(held):
        return held if _is_list(kind) else None
    place = held.get_field_index(binding.member)
    inner = None if place < 0 else held.field(place).type
    if inner is None or _is_list(kind):
        return inner
    return inner.value_type if _is_list(inner) else None


def _numbers_of(entry: pa.DataType | None) -> pa.DataType | None:
    """Type of the numbers in a list, or in a list of lists; None for anything else."""
    depth = 0
    while entry is not None and (_is_list(entry) or pa.types.is_fixed_size_list(entry)):
        entry, depth = entry.value_type, depth + 1
    number = entry is not None and (pa.types.is_integer(entry) or pa.types.is_floating(entry))
    return entry if number and depth in (1, 2) else None


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))
