"""Two of albumentations' functions that are asked for every rotation, replaced by quicker ones with the same bits."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

_ZERO, _ONE = 1e-8, 1e-8 + 1e-5  # the tolerances of numpy.allclose


def quicken(geometry: Any) -> None:
    """Replace them in the library's module `augmentations.geometric.functional`."""
    geometry.is_identity_matrix = _is_identity
    geometry.create_affine_transformation_matrix = _rotations_first(geometry.create_affine_transformation_matrix)


def _is_identity(matrix: np.ndarray[Any, Any]) -> bool:
    """Say the same as the library's own, in 2 us instead of 40: it is asked for every rotation and every shift."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    ones = all(abs(n - 1) <= _ONE for n in (a, e, i))
    return ones and all(abs(n) <= _ZERO for n in (b, c, d, f, g, h))


def _rotations_first(general: Callable[..., np.ndarray[Any, Any]]) -> Callable[..., np.ndarray[Any, Any]]:
    """The library's product of six matrices; where nothing but a rotation is asked for, four of them change no bit.

    Products by 1 and sums with 0 are exact: 3 us instead of 12.
    """

    @wraps(general)
    def affine(translate: Any, shear: Any, scale: Any, rotate: float, shift: Any) -> np.ndarray[Any, Any]:
        plain = translate["x"] == translate["y"] == shear["x"] == shear["y"] == 0 and scale["x"] == scale["y"] == 1
        if not plain:
            return general(translate, shear, scale, rotate, shift)
        angle = np.deg2rad(rotate % 360)
        cosine, sine = np.cos(angle), np.sin(angle)
        right, down = shift
        turned = np.array([[cosine, sine, right], [-sine, cosine, down], [0.0, 0.0, 1.0]])
        matrix: np.ndarray[Any, Any] = turned @ np.array([[1.0, 0.0, -right], [0.0, 1.0, -down], [0.0, 0.0, 1.0]])
        matrix[2] = (0, 0, 1)
        return matrix

    return affine
