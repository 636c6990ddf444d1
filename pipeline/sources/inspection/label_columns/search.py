"""Which columns of a table label places in the payload of a field, and which of them can be bound to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from pipeline.sources import Listing
from pipeline.sources.inspection.findings import FieldFound, LabelFound, Modality
from pipeline.sources.inspection.label_columns import in_clips, in_images, in_texts, scattered, segments
from pipeline.sources.inspection.label_columns.by_name import by_name
from pipeline.sources.inspection.label_columns.companions import with_followers
from pipeline.sources.inspection.label_columns.content import Looked, look_at
from pipeline.sources.inspection.label_columns.masks import MASKS, masks_in, may_hold_masks
from pipeline.sources.inspection.label_columns.parts import Cells, is_bytes, is_list, is_number, named, parts_of, plain
from pipeline.sources.inspection.payload_columns import Sampled, is_text, named_modality
from pipeline.sources.references.file_references import References

_Search = Callable[[list[pa.Field], Looked], Iterator[LabelFound]]


def find_labels(
    found: FieldFound,
    others: Sequence[FieldFound],
    listing: Listing,
    samples: Sequence[Sampled],
    references: References | None = None,
) -> tuple[LabelFound, ...]:
    """Everything in the table that places something in the payload of a field; `others` are fields beside it.

    `references` reads the files that the field names; without it only those below the table's folder are read.
    """
    columns = [c for c in listing.schema if c.name != found.column and _may_label(c)]
    if not columns:
        return ()
    looked = look_at(found, listing, samples, references)
    if not looked.contents:
        return tuple(by_name(columns, found.modality))
    if is_list(plain(listing.schema.field(found.column).type)):
        cells = {column: looked.cells(column) for column in (found.column, *(c.name for c in columns))}
        return tuple(in_texts.tags_of_tokens(found.column, listing.schema, cells))
    labels = list(_SEARCHES[found.modality](columns, looked))
    files = [f for f in others if f.uri and f.modality == found.modality]
    known = {label.column for label in labels}
    labels += [_of_files(f.column, f.modality) for f in files if f.column not in known]
    return tuple(with_followers(_one_of_each(labels), columns, looked))


def _may_label(column: pa.Field) -> bool:
    """Whether a column's type can hold places: anything but a single truth value, time or map."""
    kind = plain(column.type)
    return is_text(kind) or is_number(kind) or is_list(kind) or is_bytes(kind) or bool(pa.types.is_struct(kind))


def _of_files(column: str, modality: Modality) -> LabelFound:
    """Files beside the files of the field: masks perhaps, or other views."""
    why = "it names files, which are no masks; if they show the same scene, make it a field with same_draws"
    return LabelFound(column, f"{modality}s of the same scene", why, columns=(column,))


def _names_masks(column: pa.Field, cells: Cells, modality: Modality) -> bool:
    """Whether a column holds names of pictures (or volumes), or lists of such, and is called like masks."""
    kind = plain(column.type)
    names = [name for cell in cells if cell for name in (cell if isinstance(cell, list) else [cell]) if name]
    of_text = is_text(plain(kind.value_type)) if is_list(kind) else is_text(kind)
    return of_text and named(column.name, MASKS) and named_modality(names) == modality


def _mask_files(column: str, looked: Looked, sides: Sequence[tuple[int, ...]], modality: Modality) -> LabelFound:
    """Masks in files that a column names, where all can be read and are as large as what they lie on."""
    contents = looked.named(column)
    found = None if contents is None else masks_in(pa.field(column, pa.binary()), contents, sides)
    if found is None:
        return _of_files(column, modality)
    return replace(found, binding=(*found.binding, ("uri", True))) if found.kind else found


def _pictures(columns: list[pa.Field], looked: Looked) -> Iterator[LabelFound]:
    sides = [(content.sides[-2], content.sides[-1]) for content in looked.contents]
    for column in columns:
        cells = looked.cells(column.name)
        if may_hold_masks(column.type):
            yield from _if_any(masks_in(column, cells, sides))
        elif _names_masks(column, cells, "image"):
            yield _mask_files(column.name, looked, sides, "image")
        elif is_text(column.type):
            yield from _if_any(scattered.in_words(column.name, column.type, cells))
        else:
            yield from in_images.in_column(parts_of(column), cells, sides)
    yield from scattered.in_numbers(*_typed(columns, looked), sides)
    yield from scattered.sizes_in(*_typed(columns, looked), sides)


def _volumes(columns: list[pa.Field], looked: Looked) -> Iterator[LabelFound]:
    sides = [content.sides for content in looked.contents]
    for column in columns:
        cells = looked.cells(column.name)
        if may_hold_masks(column.type):
            yield from _if_any(masks_in(column, cells, sides))
        elif _names_masks(column, cells, "volume"):
            yield _mask_files(column.name, looked, sides, "volume")
        else:
            yield from in_clips.in_volume(parts_of(column), cells, sides)


def _clips(columns: list[pa.Field], looked: Looked) -> Iterator[LabelFound]:
    for column in columns:
        cells = looked.cells(column.name)
        if is_text(column.type):
            yield from _if_any(scattered.in_words(column.name, column.type, cells))
            continue
        found = in_clips.in_clip(parts_of(column), cells, looked.contents)
        yield from found or _sounds([column], looked)
    yield from scattered.in_numbers(*_typed(columns, looked), [content.sides for content in looked.contents])


def _sounds(columns: list[pa.Field], looked: Looked) -> Iterator[LabelFound]:
    for column in columns:
        found = segments.stretches_of(parts_of(column), looked.cells(column.name))
        if found is not None:
            yield segments.segments(found, looked.contents)
    yield from scattered.in_bounds(*_typed(columns, looked), looked.contents, "audio")


def _texts(columns: list[pa.Field], looked: Looked) -> Iterator[LabelFound]:
    texts = [content.text for content in looked.contents]
    for column in columns:
        parts, cells = parts_of(column), looked.cells(column.name)
        found = segments.stretches_of(parts, cells)
        yield from _if_any(None if found is None else segments.spans(found, looked.contents))
        yield from _if_any(in_texts.answers_in(parts, cells, texts))
    types, cells_of = _typed(columns, looked)
    yield from in_texts.tags_in(types, cells_of, texts)
    yield from scattered.in_bounds(types, cells_of, looked.contents, "text")


_SEARCHES: Mapping[Modality, _Search] = {
    "image": _pictures,
    "audio": _sounds,
    "text": _texts,
    "video": _clips,
    "volume": _volumes,
}


def _typed(columns: list[pa.Field], looked: Looked) -> tuple[dict[str, pa.DataType], dict[str, Cells]]:
    return {c.name: c.type for c in columns}, {c.name: looked.cells(c.name) for c in columns}


def _if_any(found: LabelFound | None) -> list[LabelFound]:
    return [] if found is None else [found]


def _one_of_each(labels: Sequence[LabelFound]) -> list[LabelFound]:
    """A field binds one column of each kind: the first; others stay unbound."""
    taken: dict[str, str] = {}
    kept = []
    for label in labels:
        if label.kind and label.kind in taken:
            why = f"{taken[label.kind]!r} is bound as {label.kind} already"
            label = replace(label, kind="", binding=(), note=why)
        elif label.kind:
            taken[label.kind] = label.column
        kept.append(label)
    return kept
