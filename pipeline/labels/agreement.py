"""Whether labels moved as the content did: paint one, send the painting through the same draws, and look where it is.

Two plain values go through the recipe with the copy's own seed, one with the label painted on it and one without. Where
the results differ is where the label must be, whatever the steps did to colours, noise or loudness.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.labels import clip_agreement
from transforms.recipe import Recipe
from transforms.values import AudioValue, ImageValue, Value, VideoValue

_TOLERATED = 0.25
"""Share of what was painted that may lie outside of the label: interpolation, blur, boxes around rotated boxes."""
_PAINT, _POINT_RADIUS = 255, 3
_MARGIN_PIXELS, _MARGIN_SHARE = 3.0, 0.1
_MARGIN_SECONDS = 0.06
_LOUDNESS = 0.25
_PITCHES = (0.09, 0.35)
"""Radians per sample, of a tone that is as loud everywhere: levels are no hint."""
_FRAME = 512
_FAINT = 0.5
"""Differences below this share of the greatest one are echoes, ringing and the tails of blurs."""

Mask = NDArray[np.bool_]


def disagrees(recipe: Recipe, before: Value, after: Value, seed: bytes) -> bool:
    """Whether a label of the value `after` is not where the recipe moved the content of `before` to.

    One box, one point and one mask, chosen by the seed, are tried. A painting that does not come out at all (it
    was cut away, or covered) says nothing.
    """
    if isinstance(before, ImageValue) and isinstance(after, ImageValue):
        tests = (_box_strays, _point_strays, _masks_stray)
        return any(strays(recipe, before, after, seed) for strays in tests)
    if isinstance(before, AudioValue) and isinstance(after, AudioValue):
        return _segment_strays(recipe, before, after, seed)
    if isinstance(before, VideoValue) and isinstance(after, VideoValue):
        return clip_agreement.disagrees(recipe, before, after, seed)
    return False


def _box_strays(recipe: Recipe, before: ImageValue, after: ImageValue, seed: bytes) -> bool:
    if before.boxes is None or after.boxes is None or not len(before.boxes.rows):
        return False
    chosen = _chosen(len(before.boxes.rows), seed)
    left, top, right, bottom = np.rint(before.boxes.corners[chosen]).astype(int).tolist()
    area = np.zeros(before.pixels.shape[:2], bool)
    area[max(top, 0) : bottom, max(left, 0) : right] = True
    shown = _shown(recipe, before, area, seed)
    found = np.flatnonzero(after.boxes.rows == before.boxes.rows[chosen])
    if shown is None or not len(found):
        return False
    margin = _margin(after)
    inside = np.zeros_like(shown)
    for n in found:
        low, high = after.boxes.corners[n, :2] - margin, after.boxes.corners[n, 2:] + margin
        x1, y1 = np.maximum(np.floor(low), 0).astype(int)
        x2, y2 = np.ceil(high).astype(int)
        inside[y1:y2, x1:x2] = True
    return _outside(shown, inside)


def _point_strays(recipe: Recipe, before: ImageValue, after: ImageValue, seed: bytes) -> bool:
    if before.keypoints is None or after.keypoints is None or not len(before.keypoints.rows):
        return False
    chosen = _chosen(len(before.keypoints.rows), seed)
    shown = _shown(recipe, before, _disc(before.pixels.shape[:2], before.keypoints.points[chosen]), seed)
    found = np.flatnonzero(after.keypoints.rows == before.keypoints.rows[chosen])
    if shown is None or not len(found):
        return False
    radius = 3 * _POINT_RADIUS + _MARGIN_SHARE * float(max(after.pixels.shape[:2])) * 0.5
    inside = _disc(after.pixels.shape[:2], after.keypoints.points[int(found[0])], radius)
    return _outside(shown, inside)


def _masks_stray(recipe: Recipe, before: ImageValue, after: ImageValue, seed: bytes) -> bool:
    if before.masks is None or after.masks is None or not len(before.masks):
        return False
    chosen, number = _chosen_mask(before.masks, seed)
    place = _same_instance(before, after, chosen)
    if place is None:
        return False
    shown = _shown(recipe, before, before.masks[chosen] == number, seed)
    return shown is not None and _outside(shown, _grown(after.masks[place] == number, _margin(after)))


def _same_instance(before: ImageValue, after: ImageValue, chosen: int) -> int | None:
    """Where an instance stands among those of the result, which other records may have added to."""
    if before.mask_rows is None or after.mask_rows is None:
        same = before.masks is not None and after.masks is not None and len(before.masks) == len(after.masks)
        return chosen if same else None
    found = np.flatnonzero(after.mask_rows == before.mask_rows[chosen])
    return int(found[0]) if len(found) else None


def _chosen_mask(masks: NDArray[np.generic], seed: bytes) -> tuple[int, int]:
    """One instance, and one of the class numbers in it: all at once, one could hide behind another."""
    instance = _chosen(len(masks), seed)
    numbers = np.unique(masks[instance])
    numbers = numbers[numbers != 0]
    return instance, int(numbers[_chosen(len(numbers), seed[8:])]) if len(numbers) else 1


def _segment_strays(recipe: Recipe, before: AudioValue, after: AudioValue, seed: bytes) -> bool:
    if before.segments is None or after.segments is None or not len(before.segments.rows):
        return False
    chosen = _chosen(len(before.segments.rows), seed)
    rate = before.sample_rate
    channels, length = before.samples.shape
    begin, end = (before.segments.bounds[chosen] * rate).astype(int).tolist()
    low, high = (_LOUDNESS * np.sin(np.arange(length) * pitch).astype(np.float32) for pitch in _PITCHES)
    painting = np.concatenate([low[:begin], high[begin:end], low[end:]])
    plain = _applied(recipe, replace(before, samples=np.tile(low, (channels, 1))), seed)
    painted = _applied(recipe, replace(before, samples=np.tile(painting, (channels, 1))), seed)
    if not isinstance(plain, AudioValue) or not isinstance(painted, AudioValue):
        return False
    if plain.samples.shape != painted.samples.shape or painted.samples.shape != after.samples.shape:
        return False
    difference = _spectral_difference(plain.samples, painted.samples)
    shown = np.asarray(difference > _FAINT * max(float(difference.max()), 1e-4))
    inside = np.zeros_like(shown)
    for n in np.flatnonzero(after.segments.rows == before.segments.rows[chosen]):
        opens, closes = after.segments.bounds[n]
        first = max(0, int((opens - _MARGIN_SECONDS) * after.sample_rate))
        inside[first : int((closes + _MARGIN_SECONDS) * after.sample_rate)] = True
    return bool(inside.any()) and _outside(shown, inside)


def _spectral_difference(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much the spectra differ around each sample; phases, which stretching and pitch shifting move, are no hint."""
    length = first.shape[1]
    padded = [np.pad(samples.mean(axis=0), (0, -length % _FRAME)).reshape(-1, _FRAME) for samples in (first, second)]
    spectra = [np.abs(np.fft.rfft(frames * np.hanning(_FRAME), axis=1)) for frames in padded]
    return np.repeat(np.abs(spectra[0] - spectra[1]).sum(axis=1), _FRAME)[:length]


def _shown(recipe: Recipe, before: ImageValue, area: Mask, seed: bytes) -> Mask | None:
    """Where the painted area is in the result; None if the steps cannot tell."""
    if not area.any():
        return None
    blank = np.zeros_like(before.pixels)
    painted = blank.copy()
    painted[area] = _PAINT
    results = [_applied(recipe, replace(before, pixels=pixels), seed) for pixels in (blank, painted)]
    shapes = {value.pixels.shape for value in results if isinstance(value, ImageValue)}
    if len(shapes) != 1 or not all(isinstance(value, ImageValue) for value in results):
        return None
    first, second = (value.pixels.astype(int) for value in results if isinstance(value, ImageValue))
    difference = np.abs(first - second).max(axis=2)
    return np.asarray(difference > _FAINT * max(int(difference.max()), 16))


def _applied(recipe: Recipe, value: Value, seed: bytes) -> Value | None:
    """The painting after the recipe; None where a step cannot take it."""
    try:
        return recipe.apply(value, seed)[0]
    except Exception:  # noqa: BLE001  (it says nothing of the sample, which went through)
        return None


def _outside(shown: Mask, inside: Mask) -> bool:
    """Whether too much of what is shown lies outside."""
    if shown.shape != inside.shape or not shown.any():
        return False
    return bool((shown & ~inside).sum() > _TOLERATED * shown.sum())


def _disc(shape: tuple[int, int], centre: NDArray[np.float64], radius: float = _POINT_RADIUS) -> Mask:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= radius**2)


def _margin(value: ImageValue) -> float:
    """How far beyond a label its painting may reach, in pixels: blurs along lines and rays carry it outwards."""
    return _MARGIN_PIXELS + _MARGIN_SHARE * float(max(value.pixels.shape[:2])) * 0.2


def _grown(mask: Mask, margin: float) -> Mask:
    """A mask wider on every side."""
    import cv2

    width = 2 * int(margin) + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((width, width), np.uint8)) > 0)


def _chosen(count: int, seed: bytes) -> int:
    return int.from_bytes(seed[:8], "little") % count
