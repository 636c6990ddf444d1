"""How a step moved a volume, as a matrix: read off the way that it moves a few points."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BENT_VOXELS = 0.02
_WHOLE = 1e-4
_DECIMALS = 9
"""What linear algebra of another processor may not change."""

Matrix = NDArray[np.float64]


def probes(depth: int, height: int, width: int) -> NDArray[np.float32]:
    """27 points all over a volume as x, y, z, angle, scale and their number, as albumentations takes keypoints."""
    axes = [np.array([0, (side - 1) / 3, max(side - 1, 1)]) for side in (width, height, depth)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    count = len(points)
    rest = np.stack([np.zeros(count), np.ones(count), np.arange(count)], axis=1)
    return np.concatenate([points, rest], axis=1).astype(np.float32)


def straight(after: Matrix, before: Matrix, same_shape: bool) -> Matrix:
    """The (4, 4) matrix from places after a step to those before it, of points (n, 3).

    A step that bends has none: the identity where the volume keeps its shape, else the matrix that fits best.
    """
    known = np.concatenate([after, np.ones((len(after), 1))], axis=1)
    matrix = np.eye(4)
    if np.linalg.matrix_rank(known) < 4:
        return matrix
    fitted: Any = np.linalg.lstsq(known, before, rcond=None)[0]
    bent = np.abs(known @ fitted - before).max() > _BENT_VOXELS
    if bent and same_shape:
        return matrix
    whole = np.rint(fitted)
    matrix[:3] = np.where(np.abs(fitted - whole) < _WHOLE, whole, np.round(fitted, _DECIMALS)).T
    return matrix
