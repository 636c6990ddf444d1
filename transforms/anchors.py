"""Points that go through all steps of a recipe though they leave the picture: corners, probes.

Adapters know keypoints; anchors travel among them, with `visible` set, so that none is dropped and their order stays.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from transforms.values import ImageValue, Keypoints

_FAR = -1e6
"""Stands for a place that a step lost: libraries look places up, and cannot look up what is not a number."""


def joined(value: ImageValue) -> ImageValue:
    """The value with its anchors, and its own keypoints, as keypoints that no step drops."""
    points, visible = _own(value)
    anchors = value.anchors
    if anchors is not None:
        points = np.concatenate([points, anchors.points])
        visible = np.concatenate([visible, np.ones(len(anchors.points), np.bool_)])
    places = np.nan_to_num(points, nan=_FAR)
    return replace(value, keypoints=Keypoints(places, np.arange(len(points)), visible), anchors=None)


def parted(before: ImageValue, after: ImageValue) -> ImageValue:
    """What a step made of `joined`, anchors and keypoints apart again. Raises ValueError if it lost points."""
    held, (given, _) = after.keypoints, _own(before)
    count = len(given) + (0 if before.anchors is None else len(before.anchors.points))
    if held is None or held.visible is None or len(held.points) != count:
        raise ValueError("corners and points that must all be kept cannot follow this step")
    points, anchors = held.points.copy(), before.anchors
    lost = np.isnan(np.concatenate([given, anchors.points]) if anchors is not None else given).any(axis=1)
    points[lost] = np.nan
    own = len(given)
    if anchors is not None:
        anchors = replace(anchors, points=points[own:])
    return replace(after, keypoints=_parted(before.keypoints, points[:own], held.visible[:own]), anchors=anchors)


def _own(value: ImageValue) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    held = value.keypoints
    if held is None:
        return np.zeros((0, 2)), np.zeros(0, np.bool_)
    return held.points, np.ones(len(held.points), np.bool_) if held.visible is None else held.visible


def _parted(held: Keypoints | None, points: NDArray[np.float64], visible: NDArray[np.bool_]) -> Keypoints | None:
    if held is None:
        return None
    if held.visible is not None:
        return replace(held, points=points, visible=visible)
    return replace(held, points=points[visible], rows=held.rows[visible])
