"""Masks of volumes in columns: files of class numbers, one or a list of them; and back, in the form they came in."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.volume.codec import read_volume, write_volume
from pipeline.modalities.codecs.volume.nifti_affine import Matrix
from pipeline.modalities.codecs.volume.voxels import Stored, Voxels
from pipeline.modalities.labels.cells import BadLabels


def read_volume_masks(cell: Any, shape: tuple[int, ...]) -> Voxels | None:
    """One cell as (n, depth, height, width) uint8 or uint16; None for null. Raises BadLabels."""
    if cell is None:
        return None
    entries = cell if isinstance(cell, list) else [cell]
    masks = [_class_numbers(_read(entry)[0], shape) for entry in entries]
    if not masks:
        return np.zeros((0, *shape), np.uint8)
    return np.stack(masks)


def written_volume_masks(cell: Any, masks: Voxels, rows: Sequence[int], origin: Matrix | None) -> Any:
    """What to write for a cell: the masks `rows`, each in the form in which it came; `origin` as in `VolumeValue`."""
    if not isinstance(cell, list):
        return _write(cell, masks[0], origin)
    return [_write(cell[row], masks[row], origin) for row in rows]


def _read(entry: Any) -> tuple[Voxels, Stored]:
    data = entry.get("bytes") if isinstance(entry, dict) else entry
    if not isinstance(data, bytes):
        raise BadLabels(f"a mask is not bytes: {type(data).__name__}")
    try:
        return read_volume(data)
    except CodecError as error:
        raise BadLabels(f"a mask cannot be decoded: {error}") from error


def _class_numbers(voxels: Voxels, shape: tuple[int, ...]) -> Voxels:
    if voxels.shape[3] != 1:
        raise BadLabels("a mask has several channels: it must hold one class number per voxel")
    if voxels.shape[:3] != shape:
        sides = [" x ".join(map(str, s)) for s in (voxels.shape[:3], shape)]
        raise BadLabels(f"a mask of {sides[0]} on a volume of {sides[1]}")
    mask = voxels[..., 0]
    if mask.dtype in (np.uint8, np.uint16):
        return mask
    if mask.min() < 0 or mask.max() > np.iinfo(np.uint16).max or (mask != np.rint(mask)).any():
        raise BadLabels("a mask holds numbers that are no class numbers: whole, from 0 to 65535")
    return mask.astype(np.uint16)


def _write(entry: Any, mask: Voxels, origin: Matrix | None) -> Any:
    data = write_volume(np.ascontiguousarray(mask[..., np.newaxis]), _read(entry)[1], origin)
    return {**entry, "bytes": data} if isinstance(entry, dict) else data
