"""Masks in columns: pictures of class numbers, run lengths as COCO writes them, or lists of either; and back.

Run lengths are read and written by pycocotools (BSD).
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.labels.cells import BadLabels

Mask = NDArray[np.generic]
_MOST_PIXELS = 89_478_485


def read_masks(cell: Any, height: int, width: int) -> Mask | None:
    """One cell as (n, height, width) uint8 or uint16; None for null. Raises BadLabels."""
    if cell is None:
        return None
    entries = cell if isinstance(cell, list) else [cell]
    masks = [_read(entry) for entry in entries]
    for mask in masks:
        if mask.shape != (height, width):
            raise BadLabels(f"a mask of {mask.shape[1]}x{mask.shape[0]} on a picture of {width}x{height}")
    if not masks:
        return np.zeros((0, height, width), np.uint8)
    return np.stack(masks)


def written_mask(entry: Any, mask: Mask) -> Any:
    """What to write for one mask, in the form in which `entry` came."""
    if isinstance(entry, dict) and "counts" in entry:
        return {**entry, **_to_runs(entry, mask)}
    sink = io.BytesIO()
    Image.fromarray(mask).save(sink, "PNG", compress_level=6)
    return {**entry, "bytes": sink.getvalue()} if isinstance(entry, dict) else sink.getvalue()


def _read(entry: Any) -> Mask:
    if isinstance(entry, dict) and "counts" in entry:
        return _from_runs(entry)
    data = entry.get("bytes") if isinstance(entry, dict) else entry
    if not isinstance(data, bytes):
        raise BadLabels(f"a mask is neither bytes nor run lengths: {type(data).__name__}")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise BadLabels("a mask has too many pixels")
            pixels = np.array(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadLabels(f"a mask cannot be decoded: {type(error).__name__}") from error
    return _class_numbers(pixels)


def _class_numbers(pixels: Mask) -> Mask:
    if pixels.ndim != 2:
        raise BadLabels("a mask has several channels: it must hold one class number per pixel")
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8)
    if pixels.dtype == np.int32 and pixels.size and pixels.min() >= 0 and pixels.max() < 2**16:
        return pixels.astype(np.uint16)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise BadLabels(f"a mask holds {pixels.dtype}, not class numbers of 8 or 16 bits")
    return pixels


def _from_runs(entry: dict[str, Any]) -> Mask:
    from pycocotools import mask as coco

    counts, size = entry["counts"], entry.get("size")
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(n, int) and n > 0 for n in size):
        raise BadLabels(f"run lengths without a size [height, width]: {size!r:.40}")
    if isinstance(counts, list):
        runs = np.array(counts, np.int64)
        if (runs < 0).any() or runs.sum() != size[0] * size[1]:
            raise BadLabels("run lengths do not sum to the size of their mask")
        values = np.repeat(np.arange(len(runs), dtype=np.uint8) % 2, runs)
        return values.reshape(size[1], size[0]).T.copy()
    raw = counts.encode() if isinstance(counts, str) else counts
    try:
        mask: Mask = coco.decode({"size": size, "counts": raw})
    except (TypeError, ValueError, SystemError) as error:
        raise BadLabels("compressed run lengths cannot be read") from error
    return mask


def _to_runs(entry: dict[str, Any], mask: Mask) -> dict[str, Any]:
    from pycocotools import mask as coco

    size = list(mask.shape)
    if isinstance(entry["counts"], list):
        flat = (mask != 0).T.reshape(-1)
        edges = np.flatnonzero(np.diff(flat)) + 1
        runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
        return {"size": size, "counts": [0, *runs] if flat.size and flat[0] else runs}
    packed: bytes = coco.encode(np.asfortranarray((mask != 0).astype(np.uint8)))["counts"]
    return {"size": size, "counts": packed.decode() if isinstance(entry["counts"], str) else packed}
