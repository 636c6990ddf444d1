"""Channels of (height, width, channels) uint8 pictures: what the modes `rgb`, `grey`, `rgba` and `keep` mean.

Alpha is straight, not premultiplied. Grey is BT.601 luma. No function changes its argument.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Window = tuple[float, float]
"""Black and white of levels of more than 8 bits."""

MODES = ("rgb", "grey", "rgba", "keep")

# The engine runs one worker per core: threads inside OpenCV only take cores from one another. At import, for a
# codec reaches its worker pickled and no constructor runs there.
cv2.setNumThreads(1)
cv2.utils.logging.setLogLevel(0)  # what it cannot read is told by the codec, once, and not on standard error


def over_white(pixels: Pixels) -> Pixels:
    """Composite (h, w, 4) over white: c * a / 255 + 255 - a, rounded; (h, w, 3)."""
    page = Image.new("RGB", (pixels.shape[1], pixels.shape[0]), "white")
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    page.paste(picture.convert("RGB"), mask=picture.getchannel("A"))
    return np.array(page)


def to_grey(pixels: Pixels) -> Pixels:
    """BT.601 luma of 1, 3 or 4 channels, alpha over white; (h, w, 1)."""
    if pixels.shape[2] == 1:
        return pixels
    rgb = over_white(pixels) if pixels.shape[2] == 4 else pixels
    grey: Pixels = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return grey[..., np.newaxis]


def to_rgb(pixels: Pixels) -> Pixels:
    """Repeat grey, composite alpha over white; (h, w, 3)."""
    if pixels.shape[2] == 3:
        return pixels
    if pixels.shape[2] == 4:
        return over_white(pixels)
    return np.repeat(pixels, 3, axis=2)


def to_rgba(pixels: Pixels) -> Pixels:
    """Add an opaque alpha channel where there is none; (h, w, 4)."""
    if pixels.shape[2] == 4:
        return pixels
    return np.concatenate([to_rgb(pixels), np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)


def to_mode(pixels: Pixels, mode: str) -> Pixels:
    """Give 1, 3 or 4 channels the channels of `mode` (one of MODES)."""
    if mode == "keep":
        return pixels
    return {"rgb": to_rgb, "grey": to_grey, "rgba": to_rgba}[mode](pixels)


def scale_down(levels: NDArray[np.unsignedinteger], full: int) -> Pixels:
    """Scale levels 0..full (65535: 16 bit, 4095: 12 bit) to 0..255, rounded; nothing is clipped or shifted."""
    return ((levels.astype(np.uint32) * 255 + full // 2) // full).astype(np.uint8)


def windowed(levels: NDArray[np.generic], window: Window) -> Pixels:
    """Levels of any type with the window at 0..255, rounded; what lies outside of it is clipped."""
    low, high = window
    shares = (levels.astype(np.float64) - low) * (255.0 / (high - low))
    return np.rint(np.clip(shares, 0, 255)).astype(np.uint8)
