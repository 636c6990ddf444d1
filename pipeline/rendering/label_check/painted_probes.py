"""Pictures that are plain but for a painted area, sent through the draws of a copy: where the paint comes out."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs.memory import refuse_want
from transforms.recipe import Recipe
from transforms.values import ImageValue, Value

TOLERATED = 0.25
"""Share of what was painted that may lie outside of the label: interpolation, blur, boxes around rotated boxes."""
FAINT = 0.5
"""Differences below this share of the greatest one are echoes, ringing and the tails of blurs."""
MARGIN_SHARE = 0.1
_PAINT, _MARGIN_PIXELS = 255, 3.0

Mask = NDArray[np.bool_]


class Painter:
    """Paints on a picture's own size and sends it through a recipe with one seed; the unpainted one goes once.

    Paintings are shown once, as labels are: not again where a step fills new ground with the picture.
    """

    def __init__(self, recipe: Recipe, before: ImageValue, seed: bytes) -> None:
        self.recipe, self.before, self.seed = recipe, before, seed
        self._once = on_empty_ground(recipe)
        self._plain: Value | None = None
        self._tried = False

    def shown(self, area: Mask) -> Mask | None:
        """Where the painted area is in the result; None if the steps cannot tell."""
        if not area.any():
            return None
        blank = np.zeros_like(self.before.pixels)
        if not self._tried:
            self._plain, self._tried = applied(self._once, replace(self.before, pixels=blank), self.seed), True
        painted = blank.copy()
        painted[area] = _PAINT
        plain, marked = self._plain, applied(self._once, replace(self.before, pixels=painted), self.seed)
        if not isinstance(plain, ImageValue) or not isinstance(marked, ImageValue):
            return None
        if plain.pixels.shape != marked.pixels.shape:
            return None
        difference = np.abs(plain.pixels.astype(int) - marked.pixels).max(axis=2)
        return np.asarray(difference > FAINT * max(int(difference.max()), 16))


def on_empty_ground(recipe: Recipe) -> Recipe:
    """The recipe that shows a painting only where its label can be."""
    return recipe.on_empty_ground() if isinstance(recipe, Recipe) else recipe


def applied(recipe: Recipe, value: Value, seed: bytes) -> Value | None:
    """The painting after the recipe; None where a step cannot take it."""
    try:
        return recipe.apply(value, seed)[0]
    except Exception as error:  # noqa: BLE001  (it says nothing of the sample, which went through)
        refuse_want(error)
        return None


def outside(shown: Mask, inside: Mask) -> bool:
    """Whether too much of what is shown lies outside."""
    if shown.shape != inside.shape or not shown.any():
        return False
    return bool((shown & ~inside).sum() > TOLERATED * shown.sum())


def grown(mask: Mask, margin: float) -> Mask:
    """A mask wider on every side."""
    import cv2

    width = 2 * int(margin) + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((width, width), np.uint8)) > 0)


def clear_of_edges(shown: Mask) -> bool:
    """Whether what is shown keeps clear of the picture's edges."""
    edges = np.concatenate([shown[:2].ravel(), shown[-2:].ravel(), shown[:, :2].ravel(), shown[:, -2:].ravel()])
    return bool(shown.any() and not edges.any())


def margin_of(value: ImageValue) -> float:
    """How far beyond a label its painting may reach, in pixels: blurs along lines and rays carry it outwards."""
    return _MARGIN_PIXELS + MARGIN_SHARE * float(max(value.pixels.shape[:2])) * 0.2


def chosen_of(count: int, seed: bytes) -> int:
    """One of so many, by the seed."""
    return int.from_bytes(seed[:8], "little") % count
