"""PNG by OpenCV: the same levels and parameters give the same bytes."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from pipeline.modalities.codecs import CodecError


def encoded(levels: np.ndarray[Any, Any], parameters: Sequence[int]) -> bytes:
    """Of uint8 or uint16, channels in OpenCV's order; `parameters` as `cv2.imwrite` has them.

    Raises `CodecError` cannot_encode.
    """
    try:
        done, buffer = cv2.imencode(".png", levels, parameters)
    except cv2.error as error:
        raise CodecError("cannot_encode", "OpenCV could not write the PNG") from error
    if not done:
        raise CodecError("cannot_encode", "OpenCV could not write the PNG")
    return bytes(buffer)
