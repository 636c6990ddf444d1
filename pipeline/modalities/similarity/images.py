"""How alike two pictures are: small embeddings propose pairs, registration of the two pictures decides.

No single hash does: crops move perceptual hashes by more than unrelated drawings on white differ. So neighbours of
small thumbnails are candidates only, and a pair is alike if one picture, scaled and shifted, is the other in all parts.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs import Codec, Payload
from pipeline.modalities.codecs.image.channels import to_rgb
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.similarity.interface import LENGTH, NO_BANDS, Signature, embedding
from pipeline.modalities.similarity.registration import refined, rough, search

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

SIDE = 64
"""Pixels a side of the thumbnail that is compared; a detail is one, RGB, row by row."""
DETAIL = SIDE * SIDE * 3
_LOOKED_AT = 256
_TINY, _COLOURS, _CELLS, _DIRECTIONS = 16, 8, 8, 4
_OVEREXPOSURE, _NEWS, _CUT_OFF = 1.3, 0.1, 0.01
_BACKGROUND, _MOSTLY, _SPECKS = 24, 0.9, 0.004

_PARTS, _BLUR = 4, 1.6
_SURE, _UNLIKE = 0.05, 0.5
_FLAT, _LEAST_SPREAD, _CONTRASTS = 2.0, 12.0, 6.0
_LEVELS = np.arange(256.0)


@dataclass(frozen=True, slots=True)
class PictureMeasure:
    """`mirrored`: whether a picture and its mirror image are alike. `codec` decodes payloads, in any of its modes."""

    mirrored: bool = False
    codec: Codec = field(default_factory=ImageCodec)
    threshold: ClassVar[float] = 0.3

    def signature(self, payload: Payload) -> Signature:
        """Three views, of 640 numbers each: the whole, without its plain margin, overexposed.

        A view that adds nothing is zeros.
        """
        picture: Any = self.codec.decode(payload).value
        return self.signature_of(picture.pixels)

    def signature_of(self, pixels: Pixels) -> Signature:
        """Of (h, w, 1, 3 or 4) uint8; alpha over white."""
        seen = _reduced(to_rgb(pixels), min(_LOOKED_AT, max(pixels.shape[:2])))
        whole, trimmed = _reduced(seen, SIDE), _trimmed(seen)
        view = self._view(whole)
        inner = self._view(_reduced(trimmed, SIDE)) if trimmed is not seen else np.zeros_like(view)
        brighter = self._view(_overexposed(whole)) if _has_lights(whole) else np.zeros_like(view)
        brighter *= bool(((brighter.astype(int) - view) ** 2).sum() > _NEWS * LENGTH**2)
        return Signature(np.stack([view, inner, brighter]), NO_BANDS, whole.tobytes())

    def _view(self, thumbnail: Pixels) -> NDArray[np.int8]:
        features = _features(thumbnail)
        if self.mirrored:
            features = _either_way(features, _features(np.ascontiguousarray(thumbnail[:, ::-1])))
        return embedding(np.concatenate([part.ravel() for part in features]))

    def distance(self, left: bytes, right: bytes) -> float:
        """The largest difference of a 16th of the picture, root mean square, in standard deviations of the whole."""
        first, second = map(_thumbnail, sorted((left, right)))  # symmetric to the last bit
        found = _distance(first, second)
        if self.mirrored and found > _SURE:
            found = min(found, _distance(first, np.ascontiguousarray(second[:, ::-1])))
        return min(found, 1.0)


def _thumbnail(detail: bytes) -> Pixels:
    return np.frombuffer(detail, np.uint8).reshape(SIDE, SIDE, 3)


def _reduced(pixels: Pixels, side: int) -> Pixels:
    """To (side, side, 3), whatever the shape was: a crop of one side only is then a scale in one direction."""
    reduced: Pixels = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    return reduced


def _trimmed(pixels: Pixels) -> Pixels:
    """Without the margin where the border is of one colour; the very same array where there is none to cut."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).astype(np.int16)
    colour = np.median(edge, 0)
    if (np.abs(edge - colour).max(-1) <= _BACKGROUND).mean() < _MOSTLY:
        return pixels
    drawn = np.abs(pixels - colour).max(-1) > _BACKGROUND
    rows, columns = (np.flatnonzero(drawn.mean(axis) > _SPECKS) for axis in (1, 0))
    if len(rows) < 2 or len(columns) < 2:
        return pixels
    inner = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return pixels if inner.shape == pixels.shape else inner


def _overexposed(pixels: Pixels) -> Pixels:
    """As a brighter copy would be: light greys are white there, and what is left looks like another drawing."""
    brighter: Pixels = np.minimum(pixels.astype(np.float32) * _OVEREXPOSURE, 255).astype(np.uint8)
    return brighter


def _has_lights(pixels: Pixels) -> bool:
    """Whether more than a hundredth would be cut off; else the brighter picture is this one, but for its contrast."""
    return bool((pixels.max(-1) > 255 / _OVEREXPOSURE).mean() > _CUT_OFF)


def _features(thumbnail: Pixels) -> list[Floats]:
    """Lightness (16, 16, 1), colour (8, 8, 2), and edges by direction (8, 8, 4); the last as long as the others."""
    lab = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab -= lab.mean((0, 1))
    light = cv2.resize(lab[..., 0], (_TINY, _TINY), interpolation=cv2.INTER_AREA)[..., np.newaxis]
    colour = cv2.resize(lab[..., 1:], (_COLOURS, _COLOURS), interpolation=cv2.INTER_AREA)
    edges = _edges(lab[..., 0])
    length = np.hypot(np.linalg.norm(light), 2 * np.linalg.norm(colour))
    norm = np.linalg.norm(edges)
    return [light, 2 * colour, edges * (length / norm if norm > 0 else 0)]


def _edges(light: Floats) -> Floats:
    smooth = cv2.GaussianBlur(light, (0, 0), 1.0)
    along_x, along_y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(along_x, along_y)
    turns = np.arange(_DIRECTIONS) * (np.pi / _DIRECTIONS)
    by_direction = np.maximum(np.cos(2 * (angle[..., np.newaxis] - turns)), 0) * np.sqrt(strength)[..., np.newaxis]
    cells = cv2.resize(cv2.GaussianBlur(by_direction, (0, 0), 4), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    centred: Floats = cells - cells.mean((0, 1))
    return centred


def _either_way(features: list[Floats], mirrored: list[Floats]) -> list[Floats]:
    """Features that a picture and its mirror image have in common.

    The even half of each is kept, and of the odd half, which changes its sign, the size: no two pictures move apart.
    """
    folded = []
    for seen, other in zip(features, mirrored, strict=True):
        even = np.arange(seen.shape[1]) < seen.shape[1] // 2
        folded.append(np.where(even[:, np.newaxis], seen + other, np.abs(seen - other)))
    return folded


def _distance(left: Pixels, right: Pixels) -> float:
    aligned = _difference(left, right, np.ones(left.shape[:2], np.uint8))
    return aligned if aligned < _SURE else min(aligned, _registered(left, right))


def _registered(left: Pixels, right: Pixels) -> float:
    """The difference where one picture, scaled and shifted, fits the other best; 1 where it fits nowhere."""
    pictures = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (left, right)]
    small = [rough(picture) for picture in pictures]
    found = [(*search(small[whole], small[1 - whole], SIDE), whole) for whole in (0, 1)]
    score, placement, whole = max(found, key=lambda place: place[0])
    if score < _UNLIKE:
        return 1.0
    placement = refined(pictures[whole], pictures[1 - whole], placement)
    cut = placement.cut((left, right)[whole])
    return _difference((left, right)[1 - whole], cut, placement.inside(SIDE))


def _difference(left: Pixels, right: Pixels, inside: Pixels) -> float:
    """Where `inside` (side, side) is 1. What shows next to nothing is compared as it is, without a tone curve."""
    spreads = [float(cv2.meanStdDev(picture, mask=inside)[1].max()) for picture in (left, right)]
    if max(spreads) > _CONTRASTS * max(min(spreads), _FLAT):
        return 1.0
    if min(spreads) < _FLAT:
        return _largest(left.astype(np.float32) - right, inside) / _LEAST_SPREAD
    errors = _toned(left, right, inside), _toned(right, left, inside)
    found = (
        _largest(error, inside) / max(spread, _LEAST_SPREAD) for error, spread in zip(errors, spreads, strict=True)
    )
    return min(found)


def _toned(picture: Pixels, like: Pixels, inside: Pixels) -> Floats:
    """What is left of `picture` without `like`, once this has its levels."""
    shared = inside > 0
    error: Floats = picture.astype(np.float32) - _tones(like[shared].ravel(), picture[shared].ravel())[like]
    return error


def _largest(error: Floats, inside: Pixels) -> float:
    """Root mean square of the part of the picture where it is largest."""
    blurred = cv2.GaussianBlur(error * inside[..., np.newaxis], (0, 0), _BLUR)
    squares: Any = cv2.resize((blurred * blurred).sum(-1), (_PARTS, _PARTS), interpolation=cv2.INTER_AREA)
    weight: Any = cv2.resize(inside.astype(np.float32), (_PARTS, _PARTS), interpolation=cv2.INTER_AREA)
    return float(np.sqrt((squares / np.maximum(weight, 0.25)).max()))


def _tones(levels: Pixels, wanted: Pixels) -> Floats:
    """The rising curve (256,) that gives `levels` the histogram of `wanted`, both of one length.

    One curve for red, green and blue: brightness, contrast, gamma and clipping are such curves. Another
    hue is one only where levels may be merged: flat colours may become grey, black or a shade of their own.
    """
    counts, targets = (np.bincount(values, minlength=256) for values in (levels, wanted))
    ranks, target_ranks = (np.concatenate([[0], np.cumsum(count)]) for count in (counts, targets))
    sums = np.interp(ranks, target_ranks, np.concatenate([[0], np.cumsum(targets * _LEVELS)]))
    return np.where(counts > 0, np.diff(sums) / np.maximum(counts, 1), _LEVELS).astype(np.float32)
