"""EXIF orientation: which way up a camera held the picture.

CIPA DC-008 (Exif 2.32), tag 0x0112 of IFD 0: 1..8, where row 0 and column 0 of the stored picture belong.
Anything unreadable counts as 1, upright, which is what viewers do.
"""

import struct

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs.image.channels import Pixels

_UPRIGHT = 1
_ORIENTATION_TAG = 0x0112
_SHORT, _LONG = 3, 4
_PREFIX = b"Exif\0\0"
_ROWS, _COLUMNS, _BOTH = 0, 1, -1
_FLIPS = {2: _COLUMNS, 3: _BOTH, 4: _ROWS, 6: _COLUMNS, 7: _BOTH, 8: _ROWS}  # after the transposition


def of_exif(exif: bytes) -> int:
    """Read the orientation 1..8 from an Exif block (a TIFF header and IFD 0, with or without the `Exif` prefix)."""
    block = exif.removeprefix(_PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return _UPRIGHT
    try:
        return _find(block, order)
    except struct.error:
        return _UPRIGHT


def _find(block: bytes, order: str) -> int:
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    (entries,) = struct.unpack_from(f"{order}H", block, start)
    for entry in range(start + 2, start + 2 + 12 * entries, 12):
        tag, kind = struct.unpack_from(f"{order}HH", block, entry)
        if tag == _ORIENTATION_TAG and kind in (_SHORT, _LONG):
            (value,) = struct.unpack_from(f"{order}{'H' if kind == _SHORT else 'I'}", block, entry + 8)
            return int(value) if 1 <= value <= 8 else _UPRIGHT
    return _UPRIGHT


def of_jpeg(data: bytes) -> int:
    """Read the orientation of a JPEG from its Exif APP1 segment; looks at the marker segments before the scan only."""
    position, last = 2, len(data) - 10
    while position < last and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA:
            break
        if marker == 0xFF:
            position += 1
            continue
        length = data[position + 2] << 8 | data[position + 3]
        if marker == 0xE1 and data.startswith(_PREFIX, position + 4):
            return of_exif(data[position + 4 : position + 2 + length])
        position += 2 + length
    return _UPRIGHT


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn a (h, w, c) picture stored with `orientation` upright; from 5 up its sides are exchanged."""
    if orientation == _UPRIGHT:
        return pixels
    turned = cv2.transpose(pixels) if orientation >= 5 else pixels
    if orientation in _FLIPS:
        turned = cv2.flip(turned, _FLIPS[orientation])
    return turned.reshape(*turned.shape[:2], pixels.shape[2])


def turned(levels: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Turn a (h, w) or (h, w, c) array of any type upright, by numpy: masks of class numbers."""
    if orientation >= 5:
        levels = levels.swapaxes(0, 1)
    flip = _FLIPS.get(orientation)
    if flip in (_ROWS, _BOTH):
        levels = levels[::-1]
    if flip in (_COLUMNS, _BOTH):
        levels = levels[:, ::-1]
    return np.ascontiguousarray(levels)
