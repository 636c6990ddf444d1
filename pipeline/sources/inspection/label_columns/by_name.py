"""What the types and names of columns alone say, where no payload can be looked at. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from pipeline.sources.inspection.findings import LabelFound, Modality
from pipeline.sources.inspection.label_columns.in_images import BOXES, POINTS
from pipeline.sources.inspection.label_columns.masks import MASKS, is_runs, may_hold_masks
from pipeline.sources.inspection.label_columns.outlines import OUTLINES
from pipeline.sources.inspection.label_columns.parts import (
    Part,
    depth_of_numbers,
    is_list,
    is_number,
    named,
    parts_of,
    plain,
)
from pipeline.sources.inspection.label_columns.scattered import axes_of
from pipeline.sources.inspection.label_columns.segments import ENDS, STARTS
from pipeline.sources.inspection.payload_columns import is_text

_WHY = "no payload could be looked at, so how it is written is not known"
_PLACES: Mapping[Modality, bool] = {"image": True, "video": True, "volume": True, "audio": False, "text": False}


def by_name(columns: Sequence[pa.Field], modality: Modality) -> Iterator[LabelFound]:
    """Columns that are called and built like labels of a modality; none can be bound."""
    for column in columns:
        what = _places(column) if _PLACES[modality] else ""
        what = what or ("" if modality in ("image", "volume") else _stretches(parts_of(column)))
        if what:
            yield LabelFound(column.name, what, _WHY, columns=(column.name,))
    if _PLACES[modality]:
        numeric = [c.name for c in columns if is_number(plain(c.type))]
        across, down = axes_of(numeric)
        if across and down:
            yield LabelFound(across[0], "coordinates", _WHY, columns=(*across, *down))


def _places(column: pa.Field) -> str:
    kind = plain(column.type)
    held = plain(kind.value_type) if is_list(kind) else kind
    if may_hold_masks(kind) and (is_runs(held) or named(column.name, MASKS)):
        return "masks"
    if is_text(kind):
        return "boxes or points" if named(column.name, BOXES | POINTS | OUTLINES) else ""
    telling = any((depth_of_numbers(p.entry) or p.several) and _is_called(p) for p in parts_of(column))
    return "boxes or points" if telling else ""


def _is_called(part: Part) -> bool:
    return depth_of_numbers(part.entry) is not None and named(part.place, BOXES | POINTS | OUTLINES)


def _stretches(parts: Sequence[Part]) -> str:
    members = {p.member for p in parts if p.member and is_number(p.entry)}
    pairs = bool(members & set(STARTS)) and bool(members & set(ENDS))
    return "segments" if pairs or "answer_start" in members else ""
