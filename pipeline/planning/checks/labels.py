"""What is wrong with the columns that a config binds as labels, found before anything runs."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from pipeline.config.labels import (
    AnswerBinding,
    BoxBinding,
    Kind,
    MaskBinding,
    PolygonBinding,
    SizeBinding,
    TokenBinding,
    VolumeMaskBinding,
)
from pipeline.config.schema import JobConfig
from pipeline.modalities.labels.binding import Binding, Coordinated, columns_of, layout_for
from pipeline.modalities.labels.formats.oriented_boxes import WIDTHS
from pipeline.modalities.labels.formats.polygons import member_of
from pipeline.modalities.labels.mask_files import content_type
from transforms.values import ALL_POINTS

Place = tuple[str, ...]


def label_problems(config: JobConfig, schema: pa.Schema) -> Iterator[tuple[Place, str]]:
    """Every problem with its place in the config. Columns that do not exist come with the nearest one elsewhere."""
    owners: dict[str, str] = dict.fromkeys(config.key_columns(), "the input's keys")
    owners |= {name: f"fields.{name}" for name in config.fields}
    for name, field in config.fields.items():
        for kind, binding in field.bound().items():
            place = ("fields", name, kind)
            yield from ((place, message) for message in _type_problems(kind, binding, schema))
            for column in columns_of({kind: binding}):
                if column in owners and not _in_same_structs(kind, binding, column, field.bound().get("boxes")):
                    yield place, f"column {column!r} is already used by {owners[column]}."
                elif column in schema.names:
                    owners[column] = f"{'.'.join(place)}"


def _in_same_structs(kind: Kind, binding: Binding, column: str, boxes: Binding | None) -> bool:
    """Whether outlines stand beside the boxes of their objects, in other members of the same structs."""
    if kind != "polygons" or not isinstance(boxes, BoxBinding) or not isinstance(binding, PolygonBinding):
        return False
    beside = boxes.column == column == binding.column and boxes.member != binding.member
    return beside or (boxes.column == binding.column and column in boxes.followers())


def asked_of_steps(given: Mapping[str, Any]) -> list[str]:
    """What steps must move along, by the config as it is written: oriented boxes are points that must all be kept."""
    bound = {kind: written for kind, written in given.items() if written is not None}
    asked = list(bound)
    if _says(bound, "boxes", "format") in tuple(WIDTHS):
        asked = [*(kind for kind in asked if kind not in ("boxes", "keypoints")), "keypoints", ALL_POINTS]
    elif "polygons" in asked:
        asked = [*(kind for kind in asked if kind != "keypoints"), "keypoints", ALL_POINTS]
    elif _says(bound, "keypoints", "keep_all") or _says(bound, "keypoints", "swap"):
        asked.append(ALL_POINTS)
    return asked


def _says(bound: Mapping[str, Any], kind: str, key: str) -> Any:
    """What the config says of a kind of labels; None where it says nothing, or nonsense."""
    written = bound.get(kind)
    return written.get(key) if isinstance(written, Mapping) else None


def missing_columns(config: JobConfig, names: list[str]) -> Iterator[tuple[Place, str]]:
    """Bound columns that the input does not have, with their place; members of structs are no columns."""
    for name, field in config.fields.items():
        for kind, binding in field.bound().items():
            if binding.column not in names:
                yield ("fields", name, kind, "column"), binding.column


def _type_problems(kind: Kind, binding: Binding, schema: pa.Schema) -> Iterator[str]:
    if binding.column not in schema.names:
        return
    held = schema.field(binding.column).type
    if isinstance(binding, SizeBinding):
        yield from _size_problems(binding, schema)
        return
    if isinstance(binding, MaskBinding | VolumeMaskBinding):
        yield from _mask_problems(binding, schema, held)
        return
    if isinstance(binding, AnswerBinding):
        yield from _answer_problems(binding, held)
        return
    try:
        member_of(binding, held) if isinstance(binding, PolygonBinding) else layout_for(binding, held)
    except ValueError as error:
        yield f"column {binding.column!r} {error}."
    yield from _follower_problems(kind, binding, schema, held)


def _mask_problems(binding: MaskBinding | VolumeMaskBinding, schema: pa.Schema, held: pa.DataType) -> Iterator[str]:
    of_text = _is_text(_plain(held.value_type if _is_list(held) else held))
    if binding.uri and not of_text:
        yield f"column {binding.column!r} is {held}; uri: true needs a column of text, or of lists of it."
        return
    held = content_type(held) if binding.uri else held
    hint = "; if it holds paths or URLs, add: uri: true" if of_text else ""
    if isinstance(binding, VolumeMaskBinding):
        if not _may_hold_masks(held, runs=False):
            wanted = "bytes, {bytes, path}, or a list of these"
            yield f"column {binding.column!r} is {held}; masks of volumes are {wanted}{hint}."
    elif not _may_hold_masks(held):
        wanted = "PNG bytes, {bytes, path}, {counts, size}, or a list of these"
        yield f"column {binding.column!r} is {held}; masks are {wanted}{hint}."
    elif binding.followers() and not _is_list(held):
        yield f"column {binding.column!r} holds one mask a row; labels and columns follow lists of masks."
    else:
        yield from _follower_problems("masks", binding, schema, held)


def _size_problems(binding: SizeBinding, schema: pa.Schema) -> Iterator[str]:
    for column in (binding.width, binding.height):
        kind = schema.field(column).type if column in schema.names else None
        if kind is None:
            yield f"the input has no column {column!r}."
        elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            yield f"column {column!r} is {kind}; a size in pixels is a number."


def _answer_problems(binding: AnswerBinding, held: pa.DataType) -> Iterator[str]:
    """Whether a column holds texts and whole numbers, as lists in a struct or structs in a list."""
    outer = _is_list(held)
    members = {m.name: m.type for m in _struct(held)}
    for name, fits, wanted in ((binding.text, _is_text, "text"), (binding.start, pa.types.is_integer, "whole numbers")):
        kind = members.get(name)
        value = kind if outer or kind is None else kind.value_type if _is_list(kind) else None
        if value is None or not fits(value):
            wanted = f"hold {name!r} with {wanted}, as answers{{text, answer_start}}"
            yield f"column {binding.column!r} is {held}; it must {wanted}."


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _follower_problems(
    kind: Kind, binding: Coordinated | MaskBinding | PolygonBinding | TokenBinding, schema: pa.Schema, held: pa.DataType
) -> Iterator[str]:
    members = {m.name for m in _struct(held)}
    for follower in binding.followers():
        if follower in schema.names:
            kind_ = schema.field(follower).type
            if not (_is_list(kind_)):
                yield f"column {follower!r} is {kind_}; it must be a list with one entry for each of the {kind}."
        elif follower not in members:
            yield f"the input has no column {follower!r}, and {binding.column!r} no such member."


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _struct(kind: pa.DataType) -> list[pa.Field]:
    held = kind.value_type if _is_list(kind) else kind
    return list(held) if pa.types.is_struct(held) else []


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _may_hold_masks(kind: pa.DataType, runs: bool = True) -> bool:
    held = kind.value_type if _is_list(kind) else kind
    if pa.types.is_struct(held):
        names = {m.name for m in held}
        return "bytes" in names or (runs and {"counts", "size"} <= names)
    return bool(pa.types.is_binary(held) or pa.types.is_large_binary(held))
