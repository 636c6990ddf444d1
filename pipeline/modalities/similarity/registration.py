"""How one small picture lies in another: a scale and a shift per axis, found roughly, then to a fraction of a pixel.

Both are grey, float32 and of one square size. A placement maps points of the part to points of the whole.
Refinement is the inverse compositional algorithm (Baker and Matthews, Lucas-Kanade 20 Years On, 2004) with a gain and
an offset of brightness.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_ROUGH = 32
"""Side at which placements are searched for."""
_INNER = (32, 30, 29, 27)
"""Sides, of the 32, that the part may have: crops that leave 85 % or more."""
_MARGIN = 2
_STEPS, _ENOUGH = 6, 0.02
_LARGEST_SCALING, _LARGEST_SHIFT = 0.05, 3.0
_SCALES, _DRIFT = (0.75, 1.15), 6.0
_FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
_FIRST_BLUR = 2.0


@dataclass(frozen=True, slots=True)
class Placement:
    """The point (x, y) of the part lies at (scale_x * x + shift_x, scale_y * y + shift_y) of the whole, in pixels."""

    scale_x: float
    shift_x: float
    scale_y: float
    shift_y: float

    def cut(self, whole: NDArray[Any]) -> NDArray[Any]:
        """What of `whole` (side, side, ...) lies under the part; edges are continued outwards."""
        matrix = np.array([[self.scale_x, 0, self.shift_x], [0, self.scale_y, self.shift_y]], np.float32)
        cut: NDArray[Any] = cv2.warpAffine(
            whole, matrix, whole.shape[1::-1], flags=_FLAGS, borderMode=cv2.BORDER_REPLICATE
        )
        return cut

    def inside(self, side: int) -> NDArray[np.uint8]:
        """(side, side): 1 where the part lies within the whole, else 0."""
        x, y = (
            (scale * np.arange(side) + shift + 0.5) * (1 / side)
            for scale, shift in ((self.scale_x, self.shift_x), (self.scale_y, self.shift_y))
        )
        return np.outer((y >= 0) & (y <= 1), (x >= 0) & (x <= 1)).astype(np.uint8)

    def moved(self, by: NDArray[np.floating]) -> Self:
        """After a step of refinement (4,): scaling and shift in x, then in y."""
        scale_x, scale_y = self.scale_x / (1 + float(by[0])), self.scale_y / (1 + float(by[2]))
        return type(self)(
            scale_x, self.shift_x - scale_x * float(by[1]), scale_y, self.shift_y - scale_y * float(by[3])
        )

    def strayed(self, start: "Placement") -> bool:
        """Whether refinement has lost its way: a scale or a shift that the search would not have missed by so much."""
        scales = self.scale_x, self.scale_y
        shifts = abs(self.shift_x - start.shift_x), abs(self.shift_y - start.shift_y)
        return min(scales) < _SCALES[0] or max(scales) > _SCALES[1] or max(shifts) > _DRIFT


def rough(picture: Floats) -> Floats:
    """A picture as `search` takes it: (32, 32)."""
    small: Floats = cv2.resize(picture, (_ROUGH, _ROUGH), interpolation=cv2.INTER_AREA)
    return small


def search(whole: Floats, part: Floats, side: int) -> tuple[float, Placement]:
    """The best placement, for pictures of `side`, of rough pictures, and its normalised correlation, -1..1."""
    room = cv2.copyMakeBorder(whole, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REPLICATE)
    found = [_best_place(room, part, inner) for inner in _INNER]
    score, inner, x, y = max(found, key=lambda place: place[0])
    scale, zoom = inner / _ROUGH, side / _ROUGH
    centre = 0.5 * scale - 0.5
    return score, Placement(scale, zoom * (x - _MARGIN) + centre, scale, zoom * (y - _MARGIN) + centre)


def _best_place(room: Floats, part: Floats, inner: int) -> tuple[float, int, int, int]:
    small = part if inner == _ROUGH else cv2.resize(part, (inner, inner), interpolation=cv2.INTER_AREA)
    _, score, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(room, small, cv2.TM_CCOEFF_NORMED))
    return float(score), inner, int(x), int(y)


def refined(whole: Floats, part: Floats, start: Placement) -> Placement:
    """A placement to a fraction of a pixel; `start` where the two have too little in common for that."""
    blurred = [cv2.GaussianBlur(picture, (0, 0), _FIRST_BLUR) for picture in (whole, part)]
    placement = _descend(whole, part, _descend(blurred[0], blurred[1], start))
    return start if placement.strayed(start) else placement


def _descend(whole: Floats, part: Floats, placement: Placement) -> Placement:
    solve, side = _solver(part), part.shape[0]
    most = np.tile([_LARGEST_SCALING, _LARGEST_SHIFT], 2)
    for _ in range(_STEPS):
        step = np.clip((solve @ (placement.cut(whole) - part).ravel())[:4], -most, most)
        placement = placement.moved(step)
        if (np.abs(step) * [side, 1, side, 1]).max() < _ENOUGH:
            break
    return placement


def _solver(part: Floats) -> Floats:
    """(6, pixels): from a difference to the least-squares scaling, shift (x, y), gain and offset that explain it."""
    along_x = cv2.Sobel(part, cv2.CV_32F, 1, 0, scale=1 / 8)
    along_y = cv2.Sobel(part, cv2.CV_32F, 0, 1, scale=1 / 8)
    x, y = _grid(part.shape[0])
    changes = np.stack([along_x * x, along_x, along_y * y, along_y, part, np.ones_like(part)]).reshape(6, -1)
    products = changes @ changes.T
    products += np.diag(np.diag(products) * 1e-4 + 1e-3)
    return np.linalg.solve(products, changes)


@lru_cache(maxsize=4)
def _grid(side: int) -> tuple[Floats, Floats]:
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    return x, y
