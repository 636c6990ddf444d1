"""Whether labels moved as the content did: paint one, send the painting through the same draws, and look where it is.

Two plain values go through the recipe with the copy's own seed, one with the label painted on it and one without. Where
the results differ is where the label must be, whatever the steps did to colours, noise or loudness.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.rendering.label_check import clips
from pipeline.rendering.label_check.boxes import box_strays
from pipeline.rendering.label_check.outlines import outline_strays, quad_strays
from pipeline.rendering.label_check.painted_probes import (
    FAINT,
    MARGIN_SHARE,
    Mask,
    Painter,
    applied,
    chosen_of,
    grown,
    margin_of,
    outside,
)
from transforms.recipe import Recipe
from transforms.values import AudioValue, ImageValue, Keypoints, Value, VideoValue

_POINT_RADIUS = 3
_MARGIN_SECONDS = 0.06
_LOUDNESS = 0.25
_PITCHES = (0.09, 0.35)
"""Radians per sample, of a tone that is as loud everywhere: levels are no hint."""
_FRAME = 512


def disagrees(recipe: Recipe, before: Value, after: Value, seed: bytes) -> bool:
    """Whether a label of the value `after` is not where the recipe moved the content of `before` to.

    One box, point, mask and outline, chosen by the seed, are tried. A painting that does not come out at all (it was
    cut away, or covered) says nothing.
    """
    if isinstance(before, ImageValue) and isinstance(after, ImageValue):
        painter = Painter(recipe, before, seed)
        kinds = (box_strays, quad_strays, outline_strays, _point_strays, _masks_stray)
        return any(strays(painter, after, seed) for strays in kinds)
    if isinstance(before, AudioValue) and isinstance(after, AudioValue):
        return _segment_strays(recipe, before, after, seed)
    if isinstance(before, VideoValue) and isinstance(after, VideoValue):
        return clips.disagrees(recipe, before, after, seed)
    return False


def _point_strays(painter: Painter, after: ImageValue, seed: bytes) -> bool:
    before = painter.before
    if before.keypoints is None or after.keypoints is None or not len(before.keypoints.rows):
        return False
    chosen = chosen_of(len(before.keypoints.rows), seed)
    shown = painter.shown(_disc(before.pixels.shape[:2], before.keypoints.points[chosen]))
    found = np.flatnonzero(after.keypoints.rows == before.keypoints.rows[chosen])
    if shown is None or not len(found) or not _is_visible(after.keypoints, int(found[0])):
        return False
    radius = 3 * _POINT_RADIUS + MARGIN_SHARE * float(max(after.pixels.shape[:2])) * 0.5
    inside = _disc(after.pixels.shape[:2], after.keypoints.points[int(found[0])], radius)
    return outside(shown, inside)


def _is_visible(points: Keypoints, place: int) -> bool:
    return points.visible is None or bool(points.visible[place])


def _masks_stray(painter: Painter, after: ImageValue, seed: bytes) -> bool:
    before = painter.before
    if before.masks is None or after.masks is None or not len(before.masks):
        return False
    chosen, number = _chosen_mask(before.masks, seed)
    place = _same_instance(before, after, chosen)
    if place is None:
        return False
    shown = painter.shown(before.masks[chosen] == number)
    return shown is not None and outside(shown, grown(after.masks[place] == number, margin_of(after)))


def _same_instance(before: ImageValue, after: ImageValue, chosen: int) -> int | None:
    """Where an instance stands among those of the result, which other records may have added to."""
    if before.mask_rows is None or after.mask_rows is None:
        same = before.masks is not None and after.masks is not None and len(before.masks) == len(after.masks)
        return chosen if same else None
    found = np.flatnonzero(after.mask_rows == before.mask_rows[chosen])
    return int(found[0]) if len(found) else None


def _chosen_mask(masks: NDArray[np.generic], seed: bytes) -> tuple[int, int]:
    """One instance, and one of the class numbers in it: all at once, one could hide behind another."""
    instance = chosen_of(len(masks), seed)
    numbers = np.unique(masks[instance])
    numbers = numbers[numbers != 0]
    return instance, int(numbers[chosen_of(len(numbers), seed[8:])]) if len(numbers) else 1


def _segment_strays(recipe: Recipe, before: AudioValue, after: AudioValue, seed: bytes) -> bool:
    if before.segments is None or after.segments is None or not len(before.segments.rows):
        return False
    chosen = chosen_of(len(before.segments.rows), seed)
    rate = before.sample_rate
    channels, length = before.samples.shape
    begin, end = (before.segments.bounds[chosen] * rate).astype(int).tolist()
    low, high = (_LOUDNESS * np.sin(np.arange(length) * pitch).astype(np.float32) for pitch in _PITCHES)
    painting = np.concatenate([low[:begin], high[begin:end], low[end:]])
    plain = applied(recipe, replace(before, samples=np.tile(low, (channels, 1))), seed)
    painted = applied(recipe, replace(before, samples=np.tile(painting, (channels, 1))), seed)
    if not isinstance(plain, AudioValue) or not isinstance(painted, AudioValue):
        return False
    if plain.samples.shape != painted.samples.shape or painted.samples.shape != after.samples.shape:
        return False
    difference = _spectral_difference(plain.samples, painted.samples)
    shown = np.asarray(difference > FAINT * max(float(difference.max()), 1e-4))
    inside = np.zeros_like(shown)
    for n in np.flatnonzero(after.segments.rows == before.segments.rows[chosen]):
        opens, closes = after.segments.bounds[n]
        first = max(0, int((opens - _MARGIN_SECONDS) * after.sample_rate))
        inside[first : int((closes + _MARGIN_SECONDS) * after.sample_rate)] = True
    return bool(inside.any()) and outside(shown, inside)


def _spectral_difference(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much the spectra differ around each sample; phases, which stretching and pitch shifting move, are no hint."""
    length = first.shape[1]
    padded = [np.pad(samples.mean(axis=0), (0, -length % _FRAME)).reshape(-1, _FRAME) for samples in (first, second)]
    spectra = [np.abs(np.fft.rfft(frames * np.hanning(_FRAME), axis=1)) for frames in padded]
    return np.repeat(np.abs(spectra[0] - spectra[1]).sum(axis=1), _FRAME)[:length]


def _disc(shape: tuple[int, int], centre: NDArray[np.float64], radius: float = _POINT_RADIUS) -> Mask:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= radius**2)
