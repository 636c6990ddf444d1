"""The decoded values that steps work on, one frozen dataclass per modality."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ImageValue:
    """A picture: `pixels` is (height, width, channels) uint8, channels 1 (grey), 3 (RGB) or 4 (RGBA)."""

    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AudioValue:
    """A sound: `samples` is (channels, length) float32, nominally in -1..1; `sample_rate` in Hz."""

    samples: NDArray[np.float32]
    sample_rate: int


@dataclass(frozen=True, slots=True)
class TextValue:
    """A text: any Unicode string."""

    text: str


Value = ImageValue | AudioValue | TextValue
