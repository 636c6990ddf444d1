"""How alike two pictures are: small embeddings propose pairs, registration of the two pictures decides.

No single hash does: crops move perceptual hashes by more than unrelated drawings on white differ. So neighbours of
small thumbnails are candidates only, and a pair is alike if one picture, scaled and shifted, is the other in every part.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.image import ImageCodec

Floats = NDArray[np.float32]

EMBEDDED, COMPARED = 16, 64
"""Sides, in pixels, of the thumbnail that is embedded and of the one that is compared."""
_SCALES = (1.0, 0.975, 0.95, 0.925, 0.9)
_PARTS = 4
_INSIDE, _LEAST_SHARED, _UNRELATED = 0.999, 0.6, 2.0
_TURNED, _SHIFTED = 0.08, 4.0
_LEAST_SPREAD = 12.0
_LEVELS = np.linspace(0, 100, 9)
_RISE = np.arange(9) * 1e-3
_FLAT = 2.0
"""Grey levels: a picture whose thumbnail varies by less has nothing to register."""


@dataclass(frozen=True, slots=True)
class PictureSignature:
    """`embedding`: (768,) unit norm, zero mean per channel. `thumbnail`: (64, 64, 3) uint8, CIE Lab."""

    embedding: Floats
    thumbnail: NDArray[np.uint8]

    def mirrored(self) -> "PictureSignature":
        """Of the picture seen in a mirror."""
        thumbnail = np.ascontiguousarray(self.thumbnail[:, ::-1])
        return PictureSignature(_embedding(thumbnail), thumbnail)


def signature(payload: bytes | str, max_pixels: int = ImageCodec.max_pixels) -> PictureSignature:
    """Of an encoded picture; alpha over white, upright by its EXIF tag. Raises CodecError."""
    return signature_of(ImageCodec(max_pixels=max_pixels).decode(payload).value.pixels)


def signature_of(pixels: NDArray[np.uint8]) -> PictureSignature:
    """Of (h, w, 3) uint8 RGB."""
    small = cv2.resize(pixels, (COMPARED, COMPARED), interpolation=cv2.INTER_AREA)
    thumbnail = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    return PictureSignature(_embedding(thumbnail), thumbnail)


def _embedding(thumbnail: NDArray[np.uint8]) -> Floats:
    tiny = cv2.resize(thumbnail, (EMBEDDED, EMBEDDED), interpolation=cv2.INTER_AREA).astype(np.float32)
    flat = (tiny - tiny.mean((0, 1))).ravel()
    norm = float(np.linalg.norm(flat))
    return flat / norm if norm > _FLAT else flat * 0


def distance(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float:
    """Of two thumbnails, registered: 0 alike in every part, 1 and more unrelated. Symmetric.

    The unlike part decides: the pictures are cut into 16 parts, and the largest root mean square difference of a part,
    after fitting a tone curve for brightness, is divided by the standard deviation of the whole.
    """
    first, second = left.astype(np.float32), right.astype(np.float32)
    return min(_registered(first, second), _registered(second, first))


def _registered(whole: Floats, part: Floats) -> float:
    """The difference where `part`, scaled and shifted, fits `whole` best."""
    warp = _refined(whole[..., 0], part[..., 0], _coarse(whole[..., 0], part[..., 0]))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(part, warp, (COMPARED, COMPARED), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones(part.shape[:2], np.float32), warp, (COMPARED, COMPARED), flags=flags) > _INSIDE
    if inside.mean() < _LEAST_SHARED:
        return _UNRELATED
    return min(_difference(whole, moved, inside), _difference(moved, whole, inside))


def _coarse(whole: Floats, part: Floats) -> Floats:
    """The affine map from `whole` to `part` (2, 3) by the best of a few scales and all places."""
    best, found = np.inf, (1.0, (0, 0))
    for scale in _SCALES:
        side = round(COMPARED * scale)
        inner = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA) if side != COMPARED else part
        scores = cv2.matchTemplate(whole, inner, cv2.TM_CCOEFF_NORMED)
        _, score, _, place = cv2.minMaxLoc(scores)
        if -score < best:
            best, found = -score, (COMPARED / side, place)
    scale, (x, y) = found
    return np.array([[scale, 0, (0.5 - x) * scale - 0.5], [0, scale, (0.5 - y) * scale - 0.5]], np.float32)


def _refined(whole: Floats, part: Floats, warp: Floats) -> Floats:
    """To a fraction of a pixel; as it was where the pictures have too little in common for that."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
    try:
        _, better = cv2.findTransformECC(whole, part, warp.copy(), cv2.MOTION_AFFINE, criteria, None, 3)
    except cv2.error:
        return warp
    moved = np.abs(better - warp)
    return better if moved[:, :2].max() < _TURNED and moved[:, 2].max() < _SHIFTED else warp


def _difference(left: Floats, right: Floats, inside: NDArray[np.bool_]) -> float:
    """Largest difference of a part, in standard deviations of the whole."""
    spread = max(float(left[inside].std(0).max()), _LEAST_SPREAD)
    fitted = np.empty_like(left)
    fitted[..., 0] = _toned(right[..., 0], left[..., 0], inside)
    for channel in (1, 2):
        fitted[..., channel] = _scaled(right[..., channel], left[..., channel], inside)
    squares = ((left - fitted) ** 2).sum(-1) * inside
    weight = cv2.resize(inside.astype(np.float32), (_PARTS, _PARTS), interpolation=cv2.INTER_AREA)
    parts: Any = cv2.resize(squares, (_PARTS, _PARTS), interpolation=cv2.INTER_AREA)
    return float(np.sqrt((parts / np.maximum(weight, 0.25)).max())) / spread


def _toned(values: Floats, like: Floats, inside: NDArray[np.bool_]) -> Floats:
    """`values` through the curve, rising and piecewise linear, that brings their levels to those of `like`."""
    levels = np.percentile(values[inside], _LEVELS), np.percentile(like[inside], _LEVELS)
    return np.interp(values, np.maximum.accumulate(levels[0] + _RISE), levels[1]).astype(np.float32)


def _scaled(values: Floats, like: Floats, inside: NDArray[np.bool_]) -> Floats:
    a, b = values[inside], like[inside]
    a0, b0 = a.mean(), b.mean()
    power = float(((a - a0) ** 2).sum())
    gain = float(np.clip(((a - a0) * (b - b0)).sum() / power, 0.5, 2.0)) if power > 1 else 1.0
    return (values - a0) * gain + b0
