"""Masks of pictures and volumes: columns of other pictures of the same size, and of run lengths."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.image.codec import sniff
from pipeline.modalities.codecs.image.pillow_formats import DECODER_ERRORS, PLUGINS
from pipeline.modalities.labels.cells import BadLabels
from pipeline.modalities.labels.formats.masks import read_masks
from pipeline.modalities.labels.formats.volume_masks import read_volume_masks
from pipeline.sources.inspection.findings import LabelFound
from pipeline.sources.inspection.label_columns.parts import Cells, is_bytes, is_list, named, plain
from pipeline.sources.inspection.payload_samples import modality_of

MASKS = frozenset({
    "mask", "segmentation", "seg", "annotation", "label", "matte", "alpha", "silhouette", "semantic", "instance",
    "panoptic", "parsing", "labelmap", "segmap", "groundtruth", "gt", "trimap", "rle", "target",
})  # fmt: skip
_FEW_NUMBERS = 32


def may_hold_masks(kind: pa.DataType) -> bool:
    """Whether a column is bytes or run lengths, alone or in lists."""
    held = plain(kind)
    held = plain(held.value_type) if is_list(held) else held
    return is_bytes(held) or is_runs(held)


def is_runs(kind: pa.DataType) -> bool:
    """Whether a type is a struct of run lengths and their size, as COCO writes them."""
    return bool(pa.types.is_struct(kind) and {"counts", "size"} <= {m.name for m in kind})


def masks_in(column: pa.Field, cells: Cells, sides: Sequence[tuple[int, ...]]) -> LabelFound | None:
    """What a column of bytes or run lengths is to pictures (or volumes) of these sizes; None for no mask."""
    rows = [(cell if isinstance(cell, list) else [cell], size) for cell, size in zip(cells, sides, strict=True)]
    pairs = [(entry, size) for row, size in rows for entry in row if entry is not None]
    held = plain(column.type)
    if is_runs(plain(held.value_type) if is_list(held) else held):
        return _runs(column.name, pairs)
    if len(sides) and len(sides[0]) == 3:
        return _volumes(column.name, pairs)
    looks = [(_looked(entry, size), size) for entry, size in pairs]
    return _pictures(column.name, looks) if looks else None


def _runs(column: str, pairs: Sequence[tuple[Any, tuple[int, ...]]]) -> LabelFound:
    if not pairs:
        return _unbound(column, "there are none in the rows looked at")
    wrong = sum(list(entry.get("size") or ()) != list(size) for entry, size in pairs)
    if wrong:
        return _unbound(column, f"{wrong} of {len(pairs)} run lengths have another size than their picture")
    return _bound(column, f"{len(pairs)} run lengths looked at have the size of their pictures")


def _pictures(column: str, looks: Sequence[tuple["_Look | None", tuple[int, ...]]]) -> LabelFound | None:
    """Pictures of class numbers are bound; other pictures of the same size may have to follow, too."""
    telling = named(column, MASKS)
    seen = [(look, size) for look, size in looks if look is not None]
    if not seen:
        return _unbound(column, "it cannot be read as pictures") if telling else None
    alike = sum(look.sides == size for look, size in seen)
    if alike < len(seen):
        why = f"{len(seen) - alike} of {len(seen)} looked at have another size than their picture"
        return _unbound(column, why) if telling or alike > len(seen) / 2 else None
    refused = next((look.refused for look, _ in seen if look.refused), "")
    colours = sorted(set().union(*(look.colours for look, _ in seen)))
    if refused and telling and 0 < len(colours) <= _FEW_NUMBERS and all(look.colours for look, _ in seen):
        return _unbound(column, f"{_IN_COLOURS}: masks: {{column: {column}, palette: {[*map(list, colours)]}}}")
    if refused:
        return _unbound(column, refused) if telling else _unbound(column, _SAME_VIEW, "pictures of the same size")
    numbers = max(look.numbers for look, _ in seen)
    if telling or numbers <= _FEW_NUMBERS:
        return _bound(column, f"{len(seen)} pictures of up to {numbers} class numbers, as large as their pictures")
    return _unbound(column, _SAME_VIEW, "pictures of the same size")


_SAME_VIEW = "they may show the same scene; make them a field, and let both draw alike: same_draws"


_IN_COLOURS = "they are masks in colours; if those looked at have all of them, put that of new ground first"


@dataclass(frozen=True, slots=True)
class _Look:
    """A picture in a column of masks: its size, how many class numbers it holds, or why it is no mask; its colours."""

    sides: tuple[int, ...]
    numbers: int = 0
    refused: str = ""
    colours: frozenset[tuple[int, ...]] = frozenset()


def _looked(entry: Any, size: tuple[int, ...]) -> _Look | None:
    data = entry.get("bytes") if isinstance(entry, dict) else entry
    if not isinstance(data, bytes):
        return None
    try:
        with PLUGINS[sniff(data)](io.BytesIO(data)) as picture:
            sides = (picture.height, picture.width)
            colours = _colours(picture) if picture.mode == "RGB" and sides == size else frozenset()
        mask = read_masks(entry, size[0], size[1])
    except BadLabels as error:
        return _Look(sides, refused=str(error), colours=colours)
    except (CodecError, LookupError, *DECODER_ERRORS):
        return None
    return _Look(size, numbers=0 if mask is None else len(np.unique(mask)))


def _colours(picture: Any) -> frozenset[tuple[int, ...]]:
    """The colours of an RGB picture, if they are few."""
    found = picture.getcolors(_FEW_NUMBERS)
    return frozenset(colour for _, colour in found or ())


def _volumes(column: str, pairs: Sequence[tuple[Any, tuple[int, ...]]]) -> LabelFound | None:
    """Volumes of class numbers."""
    payloads = [e.get("bytes") if isinstance(e, dict) else e for e, _ in pairs]
    if modality_of([p for p in payloads if isinstance(p, bytes)]) != "volume":
        return None
    numbers = 0
    for entry, size in pairs:
        try:
            mask = read_volume_masks(entry, size)
        except BadLabels as error:
            return _unbound(column, str(error)) if named(column, MASKS) else None
        numbers = max(numbers, 0 if mask is None else len(np.unique(mask)))
    if named(column, MASKS) or numbers <= _FEW_NUMBERS:
        return _bound(column, f"{len(pairs)} volumes of up to {numbers} class numbers, as large as their volumes")
    return _unbound(column, _SAME_VIEW, "volumes of the same size")


def _bound(column: str, note: str) -> LabelFound:
    return LabelFound(column, "masks", note, "masks", (("column", column),), (column,))


def _unbound(column: str, why: str, what: str = "masks") -> LabelFound:
    return LabelFound(column, what, why, columns=(column,))
