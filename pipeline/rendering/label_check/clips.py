"""Whether a clip's labels moved as its pictures did: paint one of them on black frames, as `agreement` does."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs.memory import refuse_want
from pipeline.rendering.label_check.painted_probes import on_empty_ground
from transforms.recipe import Recipe
from transforms.values import VideoValue

_TOLERATED = 0.25
"""Share of what was painted that may lie outside of the label."""
_PAINT, _FAINT = 255, 0.5
_MARGIN_PIXELS, _MARGIN_SHARE = 3.0, 0.02
_MARGIN_FRAMES = 2

Area = NDArray[np.bool_]


def disagrees(recipe: Recipe, before: VideoValue, after: VideoValue, seed: bytes) -> bool:
    """Whether a box or a segment of `after`, one of each chosen by the seed, is not where the recipe moved it to."""
    recipe = on_empty_ground(recipe)
    return _box_strays(recipe, before, after, seed) or _segment_strays(recipe, before, after, seed)


def _box_strays(recipe: Recipe, before: VideoValue, after: VideoValue, seed: bytes) -> bool:
    held, left = before.boxes, after.boxes
    if held is None or left is None or held.frames is None or left.frames is None or not len(held.rows):
        return False
    chosen = _chosen(len(held.rows), seed)
    x1, y1, x2, y2 = np.rint(held.corners[chosen]).astype(int).tolist()
    area = np.zeros(before.frames.shape[:3], bool)
    area[held.frames[chosen], max(y1, 0) : y2, max(x1, 0) : x2] = True
    found = np.flatnonzero(left.rows == held.rows[chosen])
    shown = _shown(recipe, before, area, seed)
    if shown is None or not len(found):
        return False
    inside = np.zeros_like(shown)
    margin = _MARGIN_PIXELS + _MARGIN_SHARE * max(shown.shape[1:])
    for n in found:
        low = np.maximum(np.floor(left.corners[n, :2] - margin), 0).astype(int)
        high = np.ceil(left.corners[n, 2:] + margin).astype(int)
        inside[left.frames[n], low[1] : high[1], low[0] : high[0]] = True
    return _outside(shown, inside)


def _segment_strays(recipe: Recipe, before: VideoValue, after: VideoValue, seed: bytes) -> bool:
    held, left = before.segments, after.segments
    if held is None or left is None or not len(held.rows):
        return False
    chosen = _chosen(len(held.rows), seed)
    begin, end = np.rint(held.bounds[chosen] * float(before.rate)).astype(int).tolist()
    area = np.zeros(before.frames.shape[:3], bool)
    area[begin:end] = True
    found = np.flatnonzero(left.rows == held.rows[chosen])
    shown = _shown(recipe, before, area, seed)
    if shown is None or not len(found):
        return False
    inside = np.zeros_like(shown)
    for n in found:
        opens, closes = np.rint(left.bounds[n] * float(after.rate)).astype(int).tolist()
        inside[max(0, opens - _MARGIN_FRAMES) : closes + _MARGIN_FRAMES] = True
    return _outside(shown, inside)


def _shown(recipe: Recipe, before: VideoValue, area: Area, seed: bytes) -> Area | None:
    """Where the painted area is in the result; None if the steps cannot tell."""
    if not area.any():
        return None
    blank = np.zeros_like(before.frames)
    painted = blank.copy()
    painted[area] = _PAINT
    plain, marked = (_applied(recipe, replace(before, frames=frames), seed) for frames in (blank, painted))
    if plain is None or marked is None or plain.frames.shape != marked.frames.shape:
        return None
    difference = np.abs(plain.frames.astype(np.int16) - marked.frames).max(axis=3)
    return np.asarray(difference > _FAINT * max(int(difference.max()), 16))


def _applied(recipe: Recipe, value: VideoValue, seed: bytes) -> VideoValue | None:
    """The painting after the recipe; None where a step cannot take it."""
    try:
        result = recipe.apply(value, seed)[0]
    except Exception as error:  # noqa: BLE001  (it says nothing of the sample, which went through)
        refuse_want(error)
        return None
    return result if isinstance(result, VideoValue) else None


def _outside(shown: Area, inside: Area) -> bool:
    """Whether too much of what is shown lies outside."""
    return bool(shown.any() and (shown & ~inside).sum() > _TOLERATED * shown.sum())


def _chosen(count: int, seed: bytes) -> int:
    return int.from_bytes(seed[:8], "little") % count
