"""Columns that look like labels and are bound to no field, beside steps that move what they label."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pyarrow as pa

from pipeline.config.schema import AnyField, JobConfig
from pipeline.modalities.labels.binding import columns_of
from pipeline.sources import Listing
from pipeline.sources.inspection.findings import FieldFound, LabelFound, bound_text
from pipeline.sources.inspection.label_columns.search import find_labels
from pipeline.sources.inspection.moving_steps import moving_steps
from pipeline.sources.inspection.payload_columns import Sampled
from pipeline.sources.references.file_references import References
from pipeline.sources.strings import with_nulls

_ROWS = 200
_LISTED = 4
_KINDS: Mapping[str, str] = {
    "boxes": "boxes", "a box": "boxes", "keypoints": "keypoints", "points": "keypoints", "a point": "keypoints",
    "masks": "masks", "outlines": "polygons", "segments": "segments", "spans": "spans",
}  # fmt: skip


def unbound_warnings(config: JobConfig, listing: Listing) -> list[str]:
    """A line for each such column, with what to write where it can be bound. Looks at a few rows of tables."""
    if listing.kind == "folder":
        return []
    return [line for name, field in config.fields.items() for line in _of_field(config, listing, name, field)]


def _of_field(config: JobConfig, listing: Listing, name: str, field: AnyField) -> Iterator[str]:
    steps = [step for part in (field.prepare, field.augment) for step in part]
    if not steps:
        return
    labels = [label for label in _found(config, listing, name, field) if not _is_bound(label, config)]
    moving = moving_steps(steps, field.type) if labels else []
    if not moving:
        return
    listed = ", ".join(moving[:_LISTED]) + (", …" if len(moving) > _LISTED else "")
    for label in labels:
        remedy = f"Bind it: {bound_text(label)}" if label.kind else f"It cannot be bound as it is: {label.note}"
        yield (
            f"column {label.column!r} looks like {label.what} in {name!r} and does not follow the steps that move it "
            f"({listed}): labels of copies would be wrong. {remedy}"
        )


def _found(config: JobConfig, listing: Listing, name: str, field: AnyField) -> tuple[LabelFound, ...]:
    taken = {*config.key_columns(), *config.fields} - {name}
    columns = [column.name for column in listing.schema if column.name not in taken]
    if len(columns) < 2 or not listing.units:
        return ()
    unit = listing.units[0]
    batches = listing.reader.read(unit, columns, 0, min(unit.rows, _ROWS))
    sampled = Sampled(unit, pa.Table.from_batches([with_nulls(next(iter(batches)))]))
    chosen = replace(listing, schema=pa.schema([listing.schema.field(column) for column in columns]))
    files = References.of(listing.reader, field) if field.uri else None
    return find_labels(FieldFound(name, field.type, bool(field.uri)), (), chosen, [sampled], files)


def _is_bound(label: LabelFound, config: JobConfig) -> bool:
    """Whether some field binds the column as what it looks like, in whatever way."""
    for field in config.fields.values():
        for kind, binding in field.bound().items():
            held = columns_of({kind: binding})
            if label.columns[0] in held and (label.column != binding.column or _KINDS.get(label.what, kind) == kind):
                return True
    return False
