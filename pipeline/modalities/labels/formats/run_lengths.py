"""Masks as run lengths, the way COCO writes them: column by column, runs of background and object in turn.

Counts are lists of numbers, or packed in text. Both are read here, and every run is checked before any room is made for
pixels: a library that trusts them hands out memory that is not its own. Written are packed ones by pycocotools (BSD).
https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c describes the packing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.labels.cells import BadLabels

Mask = NDArray[np.generic]
Runs = NDArray[np.int64]
_FIRST, _LAST = 48, 48 + 63
"""Characters of packed counts: five bits of a number, and one that says whether more follow."""
_MORE, _SIGN, _BITS = 0x20, 0x10, 5
_GREATEST = 2**34
_MOST_PIECES = 7
"""Characters of one number: 35 bits hold the greatest difference of two runs of any picture."""


def from_runs(entry: Mapping[str, Any], height: int, width: int) -> Mask:
    """One mask (height, width) uint8 of 0 and 1. Raises BadLabels."""
    size = entry.get("size")
    if not isinstance(size, list) or len(size) != 2 or not all(type(n) is int and n > 0 for n in size):
        raise BadLabels(f"run lengths without a size [height, width]: {size!r:.40}")
    if size != [height, width]:
        raise other_size((size[0], size[1]), (height, width))
    runs = _runs(entry["counts"], height * width)
    values = np.repeat(np.arange(len(runs), dtype=np.uint8) % 2, runs)
    return values.reshape(width, height).T.copy()


def other_size(mask: tuple[int, int], picture: tuple[int, int]) -> BadLabels:
    """The complaint about a mask whose (height, width) is not its picture's."""
    message = f"a mask of {mask[1]}x{mask[0]} on a picture of {picture[1]}x{picture[0]}"
    if mask == picture[::-1]:
        message += (
            ": the picture's EXIF orientation, or its sides, were exchanged; turn the masks as the picture is shown"
        )
    return BadLabels(message)


def to_runs(entry: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    """Size and counts of a mask, packed as those of `entry` are."""
    from pycocotools import mask as coco

    size = list(mask.shape)
    if isinstance(entry["counts"], list):
        flat = (mask != 0).T.reshape(-1)
        edges = np.flatnonzero(np.diff(flat)) + 1
        runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
        return {"size": size, "counts": [0, *runs] if flat.size and flat[0] else runs}
    packed: bytes = coco.encode(np.asfortranarray((mask != 0).astype(np.uint8)))["counts"]
    return {"size": size, "counts": packed.decode() if isinstance(entry["counts"], str) else packed}


def _runs(counts: Any, pixels: int) -> Runs:
    """The runs of a mask of so many pixels, checked."""
    most = 2 * pixels + 2  # as many empty runs again: more are no mask but an attack
    if isinstance(counts, list):
        runs = _listed(counts, most)
    elif isinstance(counts, str | bytes):
        runs = _unpacked(counts, most)
    else:
        raise BadLabels(f"run lengths are {type(counts).__name__}: a list of numbers or COCO's packed text is read")
    if (runs < 0).any() or (runs > pixels).any():
        raise BadLabels(f"a run length is negative or longer than the {pixels} pixels of its mask")
    if int(runs.sum()) != pixels:
        raise BadLabels(f"run lengths do not sum to the size of their mask: {int(runs.sum())} of {pixels} pixels")
    return runs


def _listed(counts: list[Any], most: int) -> Runs:
    if len(counts) > most:
        raise _too_many(len(counts))
    try:
        numbers = np.array(counts)
    except ValueError as error:
        raise BadLabels("a run length is not a number") from error
    whole = numbers.dtype.kind == "i" or (numbers.dtype.kind == "f" and bool((numbers == np.rint(numbers)).all()))
    if numbers.ndim != 1 or not whole or (np.abs(numbers) > _GREATEST).any():
        raise BadLabels("a run length is null, no whole number, or greater than any picture")
    return numbers.astype(np.int64)


def _unpacked(counts: str | bytes, most: int) -> Runs:
    """Packed counts as numbers: from the third run on each is written as its difference to the last but one."""
    if len(counts) > _MOST_PIECES * most:
        raise _too_many(len(counts) // _MOST_PIECES)
    try:
        raw = counts.encode("ascii") if isinstance(counts, str) else counts
    except UnicodeEncodeError as error:
        raise BadLabels("packed run lengths hold characters that are not COCO's") from error
    pieces = np.frombuffer(raw, np.uint8).astype(np.int64)
    if not len(pieces) or pieces.min() < _FIRST or pieces.max() > _LAST:
        raise BadLabels("packed run lengths are empty, or hold characters that are not COCO's")
    runs = _differences(pieces - _FIRST)
    if len(runs) > most:
        raise _too_many(len(runs))
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs


def _differences(pieces: Runs) -> Runs:
    """Numbers of five bits a piece, lowest first; the last piece of each has no sixth bit, its fifth is the sign."""
    lasts = np.flatnonzero((pieces & _MORE) == 0)
    if not len(lasts) or lasts[-1] != len(pieces) - 1:
        raise BadLabels("packed run lengths end in the middle of a number")
    starts = np.concatenate([[0], lasts[:-1] + 1])
    lengths = lasts - starts + 1
    if lengths.max() > _MOST_PIECES:
        raise BadLabels("a packed run length is greater than any picture")
    places = np.arange(len(pieces)) - np.repeat(starts, lengths)
    numbers: Runs = np.add.reduceat((pieces & (_MORE - 1)) << (_BITS * places), starts)
    negative = (pieces[lasts] & _SIGN) != 0
    return np.where(negative, numbers - (np.int64(1) << (_BITS * lengths)), numbers)


def _too_many(count: int) -> BadLabels:
    return BadLabels(f"{count} run lengths are more than the mask can have")
