"""Copy-Paste: objects of another picture, cut out along their masks and laid over this one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from transforms.fanbeam.geometry import Cover, at_points, cropped, laid, mirrored, scaled
from transforms.fanbeam.images import Blended, pasted
from transforms.fanbeam.operation import PARENTS, Draws, between, nobody
from transforms.values import WITHOUT_BOX, ImageValue, Keypoints

_MOST_TRIED = 8
_NOTHING = "no other record has an object that was in view"


@dataclass(frozen=True, slots=True)
class _Object:
    """What can be cut out: its pixels, and its entry of the record; -1 for one that has none."""

    mask: Cover
    row: int


def copy_paste(value: ImageValue, draws: Draws) -> Blended:
    """Some objects of the partner, at another size and place; shares are those of the area."""
    if value.masks is None:
        return nobody(value, "the record has no masks")
    tried = 0
    for key, found in islice(draws.partners, _MOST_TRIED):
        tried += 1
        other = _strewn(found, value, draws)
        objects = [thing for thing in _objects(other) if thing.mask.any()]
        if objects:
            chosen = _some(objects, draws)
            cover = np.logical_or.reduce([thing.mask for thing in chosen])
            area = int(cover.sum()) / cover.size
            pasted_value = pasted(value, _only(other, chosen, cover), cover)
            return pasted_value, {"objects": len(chosen), "weight": 1.0 - area, PARENTS: {key: area}}
    return nobody(value, _NOTHING) if tried else nobody(value)


def _strewn(other: ImageValue, value: ImageValue, draws: Draws) -> ImageValue:
    """The partner, perhaps mirrored, scaled and moved, on an empty picture of the value's size."""
    height, width = value.pixels.shape[:2]
    rows, columns = other.pixels.shape[:2]
    if draws.rng.random() < draws.given["flip"]:
        other = mirrored(other)
    factor = float(draws.given["scale"]) * min(width / columns, height / rows)
    wide, high = max(1, round(columns * factor)), max(1, round(rows * factor))
    left, top = (between(draws, min(0, room), max(0, room)) for room in (width - wide, height - high))
    seen = (max(0, -left), max(0, -top), min(wide, width - left), min(high, height - top))
    part = cropped(scaled(other, wide, high, value.pixels.shape[2]), seen)
    return laid(part, (max(0, left), max(0, top)), (width, height))


def _objects(other: ImageValue) -> Iterator[_Object]:
    """Instances whose boxes are in view; of class numbers what lies in each box, or without boxes each number."""
    if other.masks is None:
        return
    if other.mask_rows is not None:
        boxed = None if other.boxes is None else set(other.boxes.rows.tolist())
        for mask, row in zip(other.masks, other.mask_rows.tolist(), strict=True):
            if boxed is None or row in boxed or row & WITHOUT_BOX:
                yield _Object(mask != 0, row)
    elif other.boxes is not None:
        for corner, row in zip(other.boxes.corners, other.boxes.rows.tolist(), strict=True):
            yield _Object(_inside(corner, other.masks[0]), row)
    else:
        for number in np.unique(other.masks[0][other.masks[0] != 0]).tolist():
            yield _Object(other.masks[0] == number, -1)


def _inside(corner: NDArray[np.float64], numbers: NDArray[np.generic]) -> Cover:
    left, top, right, bottom = np.rint(corner).astype(np.int64).tolist()
    found = np.zeros(numbers.shape, np.bool_)
    found[top:bottom, left:right] = numbers[top:bottom, left:right] != 0
    return found


def _some(objects: list[_Object], draws: Draws) -> list[_Object]:
    """A drawn number of them, each as likely; at least one."""
    count = between(draws, 1, len(objects))
    return [objects[n] for n in sorted(draws.rng.permutation(len(objects))[:count].tolist())]


def _only(other: ImageValue, chosen: list[_Object], cover: Cover) -> ImageValue:
    """Labels of the chosen objects alone: their boxes and masks, and the points on them."""
    rows = np.array([thing.row for thing in chosen], np.int64)
    boxes, points, masks, mask_rows = other.boxes, other.keypoints, other.masks, other.mask_rows
    if boxes is not None:
        mine = np.isin(boxes.rows, rows)
        boxes = replace(boxes, corners=boxes.corners[mine], rows=boxes.rows[mine])
    if points is not None:
        on = at_points(cover, points)
        points = Keypoints(points.points[on], points.rows[on])
    if masks is not None and mask_rows is not None:
        mine = np.isin(mask_rows, rows)
        masks, mask_rows = masks[mine], mask_rows[mine]
    return replace(other, boxes=boxes, keypoints=points, masks=masks, mask_rows=mask_rows)
