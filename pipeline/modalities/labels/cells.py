"""One row's entries in a column: boxes, points, segments, spans, and whatever stands beside them.

Three layouts hold coordinates: a list of lists (`[[x, y, w, h], …]`), a list of structs (`[{bbox: […], name: …}, …]`),
and a struct of lists (`{bbox: [[…], …], name: […]}`), as detection data sets write them. A fourth, a plain list, only
follows. Everything goes from Arrow to Arrow, so types survive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Coordinates = NDArray[np.float64]
ALONE = "*"
"""In place of a member's name: the column holds the numbers themselves."""


class BadLabels(ValueError):
    """Labels of a record that cannot be used; the message says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a column the coordinates are: `members` within a struct, none for a list of lists.

    `width` numbers per entry. One member holds them as a list; several hold one number each. `beside` are members with
    one more number each, which come after the coordinates: the frame of a box.
    """

    width: int
    members: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    extra: int | None = None
    """How many numbers come after them; None: any."""

    def moving(self) -> tuple[str, ...]:
        """Members that change with the value."""
        return (*self.members, *self.beside)


def layout_of(
    kind: pa.DataType, width: int, candidates: Sequence[tuple[str, ...]], beside: tuple[str, ...] = ()
) -> Layout:
    """How a column of this type holds `width` coordinates per entry; `candidates` are members to look for.

    `beside`: members that must be there too, with a number each; then a list of lists will not do.

    Raises ValueError with what the column must look like.
    """
    if not beside and _is_list(kind) and _is_numbers(kind.value_type):
        return Layout(width)
    held = kind.value_type if _is_list(kind) else kind
    if pa.types.is_struct(held):
        inner = {m.name: m.type for m in held}
        for members in candidates:
            entries = [*_entry_types(kind, inner, members), *_entry_types(kind, inner, beside)]
            fits = [_is_numbers if len(members) == 1 else _is_number] * len(members) + [_is_number] * len(beside)
            if all(entry is not None and fit(entry) for entry, fit in zip(entries, fits, strict=True)):
                return Layout(width, members, beside)
    wanted = " or ".join("/".join((*members, *beside)) for members in candidates)
    plain = "" if beside else f"a list of lists of {width} numbers, "
    raise ValueError(
        f"is {kind}; it must be {plain}a list of structs, or a struct of lists{f' with {wanted}' if wanted else ''}"
    )


def _entry_types(
    kind: pa.DataType, inner: dict[str, pa.DataType], members: tuple[str, ...]
) -> list[pa.DataType | None]:
    """Type of each member for one entry: structs hold it, a struct of lists holds lists of it."""
    types = [inner.get(m) for m in members]
    return types if _is_list(kind) else [t.value_type if t is not None and _is_list(t) else None for t in types]


def read(column: pa.Array, index: int, layout: Layout) -> Coordinates | None:
    """The coordinates of one row as (n, width), and what stands beside them; None for a null cell. Raises BadLabels."""
    cell = column[index]
    if not cell.is_valid:
        return None
    parts = [_numbers(part) for part in _coordinate_parts(cell, layout.members)]
    if len(layout.members) > 1:
        if len({len(part) for part in parts}) > 1:
            raise BadLabels(f"{' and '.join(layout.members)} are not equally long")
        entries: list[Any] = list(zip(*parts, strict=True))
    else:
        entries = parts[0]
    if any(entry is None or len(entry) < layout.width or None in entry[: layout.width] for entry in entries):
        raise BadLabels(f"an entry has not {layout.width} numbers: {entries!r:.80}")
    if layout.extra is not None and len(layout.members) < 2:
        _refuse_more(entries, layout.width, layout.extra)
    found = np.array([entry[: layout.width] for entry in entries], np.float64).reshape(-1, layout.width)
    if not np.isfinite(found).all():
        raise BadLabels("a coordinate is not finite")
    return np.concatenate([found, _beside(cell, layout, len(found))], axis=1) if layout.beside else found


def _refuse_more(entries: list[Any], width: int, extra: int) -> None:
    """Raise BadLabels for boxes of more numbers than the config says: half of them would move."""
    lengths = {len(entry) for entry in entries} - {width + extra}
    if lengths:
        hint = {8: "format: quad reads eight as corners; ", 5: "format: xywhr reads five as a turned box; "}
        raise BadLabels(
            f"a box has {max(lengths)} numbers, not {width + extra}; {hint.get(max(lengths), '')}"
            f"extra: {max(lengths) - width} lets those after {width} follow as they are"
        )


def _beside(cell: pa.Scalar, layout: Layout, count: int) -> Coordinates:
    """The numbers that stand beside the coordinates, a column for each member."""
    parts = [_numbers(part) for part in _coordinate_parts(cell, layout.beside)]
    for name, part in zip(layout.beside, parts, strict=True):
        if len(part) != count or None in part:
            raise BadLabels(f"{name} is not given for each of {count} entries")
    return np.array(parts, np.float64).reshape(len(parts), count).T


def length(column: pa.Array, index: int) -> int | None:
    """How many entries a row has; None for a null cell."""
    cell = column[index]
    if not cell.is_valid:
        return None
    if pa.types.is_struct(column.type):
        lists = [cell[m.name] for m in column.type if _is_list(m.type)]
        return len(lists[0].values) if lists and lists[0].is_valid else 0
    return len(cell.values)


def member_lengths(column: pa.Array, index: int) -> dict[str, int]:
    """How many entries each list of a struct of lists has in a row; none of other columns."""
    cell, kind = column[index], column.type
    if not pa.types.is_struct(kind) or not cell.is_valid:
        return {}
    return {m.name: len(cell[m.name].values) for m in kind if _is_list(m.type) and cell[m.name].is_valid}


def moved(column: pa.Array, index: int, rows: Sequence[int], layout: Layout | None, new: Coordinates) -> pa.Array:
    """An array of one row: the entries `rows` of the cell, coordinates replaced by `new`; followers have no layout."""
    kind = column.type
    if not column[index].is_valid:
        return column.slice(index, 1)
    if pa.types.is_struct(kind):
        return _moved_struct(column[index], kind, rows, layout, new)
    entries = column[index].values.take(pa.array(rows, pa.int64()))
    if layout is None:
        return list_of(entries, kind)
    if not layout.members:
        return list_of(_written(entries, layout.width, new), kind)
    parts = [
        _member(entries.field(m.name), m, layout, new) if m.name in layout.moving() else entries.field(m.name)
        for m in kind.value_type
    ]
    return list_of(pa.StructArray.from_arrays(parts, fields=list(kind.value_type)), kind)


def joined(parts: Sequence[pa.Array], counts: Sequence[int]) -> pa.Array:
    """Arrays of one row each as one row: the entries of all, `counts` of them each; null cells count as nulls."""
    kind = parts[0].type
    if not any(part[0].is_valid for part in parts):
        return parts[0]
    if not pa.types.is_struct(kind):
        return list_of(_entries(parts, counts, kind.value_type), kind)
    valid = next(part[0] for part in parts if part[0].is_valid)
    members = []
    for member in kind:
        if _is_list(member.type):
            members.append(
                joined([part.field(member.name) if part[0].is_valid else _null(member.type) for part in parts], counts)
            )
        else:
            members.append(pa.array([valid[member.name].as_py()], member.type))
    return pa.StructArray.from_arrays(members, fields=list(kind))


def _null(kind: pa.DataType) -> pa.Array:
    return pa.nulls(1, kind)


def _entries(parts: Sequence[pa.Array], counts: Sequence[int], kind: pa.DataType) -> pa.Array:
    held = [p[0].values if p[0].is_valid else pa.nulls(n, kind) for p, n in zip(parts, counts, strict=True)]
    return pa.concat_arrays(held)


def _moved_struct(
    cell: pa.StructScalar, kind: pa.DataType, rows: Sequence[int], layout: Layout | None, new: Coordinates
) -> pa.Array:
    """A struct of lists: every list follows; members that are no lists stay."""
    parts = []
    for member in kind:
        inner = cell[member.name]
        if not _is_list(member.type) or not inner.is_valid:
            parts.append(pa.array([inner.as_py()], member.type))
            continue
        entries = inner.values.take(pa.array(rows, pa.int64()))
        if layout is not None and member.name in layout.moving():
            entries = _member(entries, member, layout, new)
        parts.append(list_of(entries, member.type))
    return pa.StructArray.from_arrays(parts, fields=list(kind))


def _member(entries: pa.Array, member: pa.Field, layout: Layout, new: Coordinates) -> pa.Array:
    """New coordinates, or what stands beside them, for one member of a struct."""
    if member.name in layout.beside:
        return pa.array(typed(new[:, layout.width + layout.beside.index(member.name)], entries.type), entries.type)
    if len(layout.members) == 1:
        return _written(entries, layout.width, new)
    return pa.array(typed(new[:, layout.members.index(member.name)], entries.type), entries.type)


def _written(entries: pa.Array, width: int, new: Coordinates) -> pa.Array:
    """Lists of numbers with the first `width` replaced; numbers after them (a visibility, a score) follow."""
    kind = entries.type
    columns = [typed(new[:, n], kind.value_type) for n in range(width)]
    rest = [entry[width:] for entry in entries.to_pylist()]
    return pa.array([[*head, *tail] for head, tail in zip(zip(*columns, strict=True), rest, strict=True)], kind)


def typed(values: Coordinates, kind: pa.DataType) -> list[Any]:
    """Numbers as the column holds them: integers are rounded. Raises BadLabels for what it cannot hold."""
    if not pa.types.is_integer(kind):
        numbers: list[Any] = values.tolist()
        return numbers
    whole = np.rint(values)
    held = np.iinfo(kind.to_pandas_dtype())
    wrong = (whole < held.min) | (whole > held.max)
    if wrong.any():
        raise BadLabels(f"a coordinate of {whole[wrong][0]:g} does not fit into {kind}: give the column a wider type")
    return [int(n) for n in whole]


def list_of(entries: pa.Array, kind: pa.DataType) -> pa.Array:
    """One row of a list type that has these entries."""
    offsets = [0, len(entries)]
    if pa.types.is_large_list(kind):
        return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), entries, type=kind)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), entries, type=kind)


def _coordinate_parts(cell: pa.Scalar, members: tuple[str, ...]) -> list[pa.Scalar | pa.Array]:
    if not members:
        return [cell.values]
    if pa.types.is_struct(cell.type):
        return [cell[m].values if cell[m].is_valid else pa.array([]) for m in members]
    return [cell.values.field(m) for m in members]


def _numbers(part: pa.Array) -> list[Any]:
    values: list[Any] = part.to_pylist()
    return values


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_numbers(kind: pa.DataType) -> bool:
    return bool((_is_list(kind) or pa.types.is_fixed_size_list(kind)) and _is_number(kind.value_type))
