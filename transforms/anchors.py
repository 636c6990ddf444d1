"""Points that go through all steps of a recipe though they leave the picture: corners, probes, those of outlines.

Adapters know keypoints; anchors travel among them, with `visible` set, so that none is dropped and their order stays.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from transforms.outlines import outlined, points_of
from transforms.values import ImageValue, Keypoints

_FAR = -1e6
"""Stands for a place that a step lost: libraries look places up, and cannot look up what is not a number."""


def joined(value: ImageValue) -> ImageValue:
    """The value with its anchors, its outlines, and its own keypoints, as keypoints that no step drops."""
    (own, visible), others = _own(value), _others(value)
    places = np.nan_to_num(np.concatenate([own, others]), nan=_FAR)
    visible = np.concatenate([visible, np.ones(len(others), np.bool_)])
    held = Keypoints(places, np.arange(len(places)), visible)
    return replace(value, keypoints=held, anchors=None, polygons=None)


def parted(before: ImageValue, after: ImageValue) -> ImageValue:
    """What a step made of `joined`, all apart again. Raises ValueError if it lost points, LabelLost as `outlined`."""
    held, (given, _), others = after.keypoints, _own(before), _others(before)
    own, anchors, polygons = len(given), before.anchors, before.polygons
    if held is None or held.visible is None or len(held.points) != own + len(others):
        raise ValueError("corners and points that must all be kept cannot follow this step")
    points = held.points.copy()
    points[np.isnan(np.concatenate([given, others])).any(axis=1)] = np.nan
    last = own + (0 if anchors is None else len(anchors.points))
    if anchors is not None:
        anchors = replace(anchors, points=points[own:last])
    if polygons is not None:
        sizes = (value.pixels.shape for value in (before, after))
        (height, width, *_), (new_height, new_width, *_) = sizes
        polygons = outlined(polygons, points[last:], (height, width), (new_height, new_width))
    keypoints = _parted(before.keypoints, points[:own], held.visible[:own])
    return replace(after, keypoints=keypoints, anchors=anchors, polygons=polygons)


def _others(value: ImageValue) -> NDArray[np.float64]:
    """Anchors, then what moves of outlines."""
    anchors = np.zeros((0, 2)) if value.anchors is None else value.anchors.points
    return anchors if value.polygons is None else np.concatenate([anchors, points_of(value.polygons)])


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
