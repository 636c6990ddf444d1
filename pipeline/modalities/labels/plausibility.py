"""Labels that cannot be meant as they are read: outside of their picture or sound, or smaller than a pixel.

A few labels over the edge are usual and are clipped. Where half of a record's labels lie elsewhere, the numbers mean
something else than the config says, and every copy would lose them in silence.
"""

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from pipeline.config.labels import BoxFormat
from pipeline.modalities.labels.cells import BadLabels, Coordinates
from pipeline.modalities.labels.formats.boxes import to_corners

_IN_VIEW = 0.25
"""Share of a box's area that must lie in the picture; what is cut off by the edge of a photo has more left."""
_EPSILON = 1e-9


def refuse_boxes_elsewhere(written: Coordinates, form: BoxFormat, height: int, width: int) -> None:
    """Raise BadLabels if a box ends before it begins, half of them lie mostly outside, or all are specks."""
    corners = to_corners(written, form, height, width)
    if (corners[:, 2:] < corners[:, :2]).any():
        others = _others(written, form, height, width)
        raise BadLabels(f"a box ends before it begins; format: {form} may be wrong{others}")
    sizes = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    solid = sizes > _EPSILON
    elsewhere = int((solid & (_in_view(corners, height, width) < _IN_VIEW * sizes)).sum())
    if elsewhere and 2 * elsewhere >= int(solid.sum()):
        raise BadLabels(
            f"{elsewhere} of {int(solid.sum())} boxes lie mostly outside of the picture of {width}x{height}; "
            f"format: {form} may be wrong{_others(written, form, height, width)}"
        )
    if form in ("coco", "pascal_voc") and _are_shares(written) and min(height, width) > 1:
        raise BadLabels(
            f"the boxes are smaller than a pixel, from 0 to 1; format: {form} is in pixels"
            f"{_others(written, form, height, width)}"
        )


def refuse_points_elsewhere(points: Coordinates, sizes: tuple[int, ...]) -> None:
    """Raise BadLabels if more than half of the points lie outside of a picture or volume of these sizes (x, y, z).

    Points at the origin or below it stand for what nobody marked and are not counted.
    """
    marked = points[(points > 0).any(axis=1)]
    beyond = int(((marked > np.array(sizes)) | (marked < 0)).any(axis=1).sum())
    named = "x".join(map(str, sizes))
    if 2 * beyond > len(marked):
        raise BadLabels(
            f"{beyond} of {len(marked)} keypoints lie outside of {named}; they are read as x, y in pixels (or voxels)"
        )
    if len(marked) > 1 and _are_shares(marked) and min(sizes) > 1:
        raise BadLabels(f"all keypoints lie from 0 to 1 of {named}: they are read in pixels, not in shares")


def refuse_outlines_elsewhere(
    rings: Sequence[Coordinates], whole: Mapping[int, float], seen: Mapping[int, float], size: tuple[int, int]
) -> None:
    """Raise BadLabels if half of the outlines lie mostly outside of a picture (height, width), or all are specks.

    `whole`, `seen`: the area of each entry, and the part of it that lies in the picture.
    """
    solid = {row: area for row, area in whole.items() if area > _EPSILON}
    elsewhere = sum(seen.get(row, 0.0) < _IN_VIEW * area for row, area in solid.items())
    if elsewhere and 2 * elsewhere >= len(solid):
        raise BadLabels(
            f"{elsewhere} of {len(solid)} outlines lie mostly outside of the picture of {size[1]}x{size[0]}; "
            "they are read as x, y, x, y… in pixels"
        )
    if rings and _are_shares(np.concatenate(rings)) and min(size) > 1:
        raise BadLabels("the outlines are smaller than a pixel, from 0 to 1: they are read in pixels, not in shares")


def refuse_segments_elsewhere(bounds: Coordinates, seconds: float, unit: str) -> None:
    """Raise BadLabels if half of the segments begin after the end of a sound of so many seconds."""
    beyond = int((bounds[:, 0] >= seconds).sum())
    if beyond and 2 * beyond >= len(bounds):
        hint = "are they milliseconds? unit: milliseconds reads them so" if unit == "seconds" else "is the unit right?"
        raise BadLabels(
            f"{beyond} of {len(bounds)} segments lie outside of the sound, which ends after {seconds:.3g} s; "
            f"they are read in {unit}: {hint}"
        )


def _in_view(corners: Coordinates, height: int, width: int) -> NDArray[np.float64]:
    clipped = np.clip(corners, 0, [width, height, width, height])
    areas: NDArray[np.float64] = np.prod(clipped[:, 2:] - clipped[:, :2], axis=1)
    return areas


def _are_shares(numbers: Coordinates) -> bool:
    """Whether all numbers are from 0 to 1, and not only 0 and 1."""
    return bool(len(numbers) and (numbers >= 0).all() and (numbers <= 1).all() and (numbers != np.rint(numbers)).any())


def _others(written: Coordinates, form: BoxFormat, height: int, width: int) -> str:
    """Formats by which all boxes would be within the picture, in words."""
    fitting = []
    for other in get_args(BoxFormat):
        corners = to_corners(written, other, height, width)
        whole = (corners[:, 2:] > corners[:, :2]).all() and (corners >= -1).all()
        inside = (corners <= np.array([width, height, width, height]) + 1).all()
        specks = other in ("coco", "pascal_voc") and _are_shares(written)
        if other != form and whole and inside and not specks:
            fitting.append(other)
    return f" (by {' or '.join(fitting)} all of them would lie in it)" if fitting else ""
