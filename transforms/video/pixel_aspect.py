"""The shape of the pixels of clips after a move."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_FINEST_ASPECT = 10_000


def aspect_after(aspect: Fraction, back: Matrix) -> Fraction:
    """The width of a pixel by its height after a move; `back` is (2, 2), from steps of pixels now to those before.

    Square pixels stay square: scaling them unevenly is meant as a change of the picture.
    """
    if aspect == 1:
        return aspect
    across, down = (np.hypot(float(aspect) * back[0, axis], back[1, axis]) for axis in (0, 1))
    return Fraction(float(across / down)).limit_denominator(_FINEST_ASPECT) if across > 0 and down > 0 else aspect
