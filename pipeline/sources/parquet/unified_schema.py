"""Parquet files that differ: one type for each column that holds what every file has, exactly; or what is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import Problem

_INDEX = re.compile(r"__index_level_\d+__")
_UNITS = ("s", "ms", "us", "ns")
_DIGITS = (38, 76)
Types = Mapping[str, pa.DataType]


@dataclass(frozen=True, slots=True)
class FileSchema:
    """Columns of one file. `nulls` looks which of them hold nothing but nulls."""

    path: str
    schema: pa.Schema
    rows: int
    nulls: Callable[[], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Unified:
    """The schema of all files, and what people should know of it. `casts`: whether a file has other types."""

    schema: pa.Schema
    casts: bool = False
    notes: tuple[str, ...] = ()


def unified(files: Sequence[FileSchema], types: Types, union: bool) -> "Unified | list[Problem]":
    """One schema. Files without rows do not count; `types` are those that the config gives; `union`: columns may lack.

    The order of columns is that of the first file, then of the others; which types come out does not depend on order.
    """
    filled = [f for f in files if f.rows] or list(files[:1])
    first = filled[0]
    names = dict.fromkeys(name for f in filled for name in f.schema.names)
    stray = [n for n in names if _INDEX.fullmatch(n) and any(n not in f.schema.names for f in filled)]
    names = dict.fromkeys(n for n in names if n not in stray)
    problems = [] if union else [p for f in filled[1:] for p in _lacking(first, f, stray)]
    kinds = {name: _kind(name, filled, types) for name in names}
    problems += [problem for found in kinds.values() if isinstance(found, list) for problem in found]
    if problems:
        return sorted(problems, key=lambda problem: problem.where)
    fields = [_field(name, kind, filled) for name, kind in kinds.items() if not isinstance(kind, list)]
    schema = pa.schema(fields, first.schema.metadata)
    casts = any(not _has(f.schema, schema) for f in filled)
    notes = tuple(f"column {name!r} is the index of some files only; it is left out" for name in stray)
    return Unified(schema, casts, notes)


def _has(own: pa.Schema, wanted: pa.Schema) -> bool:
    return all(own.get_field_index(f.name) >= 0 and own.field(f.name).type == f.type for f in wanted)


def _field(name: str, kind: pa.DataType, files: Sequence[FileSchema]) -> pa.Field:
    """A column may hold nulls if it may in any file."""
    own = [f.schema.field(name) if name in f.schema.names else None for f in files]
    known = next(field for field in own if field is not None)
    return known.with_type(kind).with_nullable(any(field is None or field.nullable for field in own))


def _kind(name: str, files: Sequence[FileSchema], types: Types) -> "pa.DataType | list[Problem]":
    """The type that all files can have of a column, or the files that cannot."""
    holders = [f for f in files if name in f.schema.names]
    if name in types:
        return types[name]
    kinds = [without_views(f.schema.field(name).type) for f in holders]
    if all(kind == kinds[0] for kind in kinds):
        return kinds[0]
    stated = [(f, kind) for f, kind in zip(holders, kinds, strict=True) if not pa.types.is_null(kind)]
    telling = [(f, kind) for f, kind in stated if name not in f.nulls()]
    kind, first, problems = pa.null(), holders[0], []
    for holder, other in telling or stated:
        both = common_type(kind, other)
        if both is None and not telling:
            return pa.null()  # nulls of any type
        if both is None:
            remedy = f"Write both with one schema, or say what it is: `input.columns: {{{name}: string}}`."
            problems.append(Problem(holder.path, f"column {name!r} is {other}, in {first.path} it is {kind}.", remedy))
        else:
            kind, first = both, holder if pa.types.is_null(kind) else first
    return problems or kind


def _lacking(first: FileSchema, other: FileSchema, stray: Sequence[str]) -> Iterator[Problem]:
    """Columns that only one of two files has."""
    remedy = "Say `input.schema: union` if columns may be missing: they are null there."
    for name in first.schema.names:
        if name not in other.schema.names and name not in stray:
            yield Problem(other.path, f"has no column {name!r}, which {first.path} has.", remedy)
    for name in other.schema.names:
        if name not in first.schema.names and name not in stray:
            yield Problem(other.path, f"has a column {name!r}, which {first.path} has not.", remedy)


def common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The smallest type that holds all values of both exactly; None where they mean different things."""
    if one == other:
        return one
    if pa.types.is_null(one) or pa.types.is_null(other):
        return other if pa.types.is_null(one) else one
    if pa.types.is_dictionary(one) or pa.types.is_dictionary(other):
        return common_type(*(k.value_type if pa.types.is_dictionary(k) else k for k in (one, other)))
    for same in (_texts, _binaries, _integers, _floats, _decimals, _times, _lists, _structs):
        found = same(one, other)
        if found is not None:
            return found
    return None


def _texts(*kinds: pa.DataType) -> pa.DataType | None:
    if not all(pa.types.is_string(k) or pa.types.is_large_string(k) or pa.types.is_string_view(k) for k in kinds):
        return None
    return pa.large_string() if any(map(pa.types.is_large_string, kinds)) else pa.string()


def _binaries(*kinds: pa.DataType) -> pa.DataType | None:
    checks = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    if not all(any(check(k) for check in checks) for k in kinds):
        return None
    return pa.large_binary() if any(map(pa.types.is_large_binary, kinds)) else pa.binary()


def _integers(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if not (pa.types.is_integer(one) and pa.types.is_integer(other)):
        return None
    if pa.types.is_signed_integer(one) == pa.types.is_signed_integer(other):
        return max(one, other, key=lambda kind: kind.bit_width)
    signed, unsigned = (one, other) if pa.types.is_signed_integer(one) else (other, one)
    wide = max(signed.bit_width, 2 * unsigned.bit_width)
    return {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}.get(wide)


def _floats(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    both = pa.types.is_floating(one) and pa.types.is_floating(other)
    return max(one, other, key=lambda kind: kind.bit_width) if both else None


def _decimals(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if not (pa.types.is_decimal(one) and pa.types.is_decimal(other)):
        return None
    scale = max(one.scale, other.scale)
    precision = scale + max(one.precision - one.scale, other.precision - other.scale)
    if precision > _DIGITS[1]:
        return None
    wide = precision > _DIGITS[0] or any(map(pa.types.is_decimal256, (one, other)))
    return (pa.decimal256 if wide else pa.decimal128)(precision, scale)


def _times(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The finer of two units; with another time zone a time means something else."""
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(other):
        return pa.timestamp(_finer(one, other), one.tz) if one.tz == other.tz else None
    if pa.types.is_duration(one) and pa.types.is_duration(other):
        return pa.duration(_finer(one, other))
    if pa.types.is_time(one) and pa.types.is_time(other):
        unit = _finer(one, other)
        return pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
    return None


def _finer(one: pa.DataType, other: pa.DataType) -> str:
    return str(max(one.unit, other.unit, key=_UNITS.index))


def _lists(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    if not (_is_list(one) and _is_list(other)):
        return None
    value = common_type(one.value_type, other.value_type)
    if value is None:
        return None
    fixed = [pa.types.is_fixed_size_list(k) for k in (one, other)]
    if all(fixed) and one.list_size == other.list_size:
        return pa.list_(value, one.list_size)
    large = any(pa.types.is_large_list(k) or pa.types.is_large_list_view(k) for k in (one, other))
    return pa.large_list(value) if large else pa.list_(value)


def _is_list(kind: pa.DataType) -> bool:
    plain = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(plain or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind))


def _structs(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The same members, in the order of the first."""
    if not (pa.types.is_struct(one) and pa.types.is_struct(other)):
        return None
    names = [member.name for member in one]
    if sorted(names) != sorted(member.name for member in other):
        return None
    kinds = [common_type(one.field(name).type, other.field(name).type) for name in names]
    if any(kind is None for kind in kinds):
        return None
    nullable = [one.field(name).nullable or other.field(name).nullable for name in names]
    return pa.struct([pa.field(n, k, may) for n, k, may in zip(names, kinds, nullable, strict=True)])


def without_views(kind: pa.DataType) -> pa.DataType:
    """The same values without `string_view`, `binary_view` and `list_view`, for which Arrow lacks many functions."""
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return pa.string() if pa.types.is_string_view(kind) else pa.binary()
    if pa.types.is_list(kind) or pa.types.is_list_view(kind):
        return pa.list_(_value_without_views(kind))
    if pa.types.is_large_list(kind) or pa.types.is_large_list_view(kind):
        return pa.large_list(_value_without_views(kind))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_value_without_views(kind), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([member.with_type(without_views(member.type)) for member in kind])
    return kind


def _value_without_views(kind: pa.DataType) -> pa.Field:
    return kind.value_field.with_type(without_views(kind.value_type))


def without_fixed_sizes(kind: pa.DataType) -> pa.DataType:
    """The type with lists of any length for those of a fixed one: Arrow cannot read nulls among these back."""
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(without_fixed_sizes(kind.value_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        make = pa.large_list if pa.types.is_large_list(kind) else pa.list_
        return make(kind.value_field.with_type(without_fixed_sizes(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([member.with_type(without_fixed_sizes(member.type)) for member in kind])
    return kind


def fitted(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    """The columns of `wanted`, in its types; those that the file does not have are null."""
    columns = [
        pa.nulls(batch.num_rows, field.type)
        if (place := batch.schema.get_field_index(field.name)) < 0
        else batch.column(place)
        if batch.column(place).type == field.type
        else _cast(batch.column(place), field.type)
        for field in wanted
    ]
    return pa.record_batch(columns, schema=wanted.remove_metadata())


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Arrow's own cast of list views is damaged where there are nulls."""
    if "list_view" in str(column.type):
        return pa.array(column.to_pylist(), kind)
    return column.cast(kind)


def all_null(meta: pq.FileMetaData, names: Sequence[str]) -> frozenset[str]:
    """Columns that hold nothing but nulls, as far as the statistics of a file tell."""
    told: dict[str, list[bool]] = {}
    for chunk in _chunks(meta):
        known = chunk.is_stats_set and chunk.statistics.has_null_count
        told.setdefault(_top(chunk), []).append(known and chunk.statistics.null_count == chunk.num_values)
    return frozenset(name for name in names if all(told.get(name, [False])))


def null_lists(meta: pq.FileMetaData, sized: Sequence[pa.Field]) -> bool:
    """Whether nulls stand for some of the lists of a fixed size, as far as a file tells without being read.

    A null list counts as one value. Of lists within other lists or structs any null counts, that of a member, too.
    """
    kinds = {field.name: field.type for field in sized}
    for group in range(meta.num_row_groups):
        of_group = meta.row_group(group)
        for chunk in (of_group.column(number) for number in range(meta.num_columns)):
            kind = kinds.get(_top(chunk))
            if kind is None:
                continue
            if pa.types.is_fixed_size_list(kind) and not pa.types.is_nested(kind.value_type) and kind.list_size > 1:
                if chunk.num_values != of_group.num_rows * kind.list_size:
                    return True
            elif chunk.is_stats_set and chunk.statistics.has_null_count and chunk.statistics.null_count:
                return True
    return False


def _chunks(meta: pq.FileMetaData) -> Iterator[pq.ColumnChunkMetaData]:
    for group in range(meta.num_row_groups):
        of_group = meta.row_group(group)
        yield from (of_group.column(number) for number in range(meta.num_columns))


def _top(chunk: pq.ColumnChunkMetaData) -> str:
    return str(chunk.path_in_schema).split(".", 1)[0]
