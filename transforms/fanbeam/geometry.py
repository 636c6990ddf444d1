"""Pictures with their labels, scaled, cut and laid on each other; what is covered is not labeled any more."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from transforms.labels.filters import kept_boxes, kept_keypoints
from transforms.reference_images import with_channels
from transforms.values import Boxes, ImageValue, Keypoints

Region = tuple[int, int, int, int]
"""Left, top, right, bottom, in whole pixels."""
Cover = NDArray[np.bool_]


def scaled(value: ImageValue, width: int, height: int, channels: int) -> ImageValue:
    """The picture in another size and number of channels; masks by nearest pixels."""
    import cv2

    rows, columns = value.pixels.shape[:2]
    pixels = with_channels(value.pixels, channels)
    if (width, height) != (columns, rows):
        way = cv2.INTER_AREA if width * height < columns * rows else cv2.INTER_LINEAR
        pixels = np.asarray(cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=way), np.uint8)
    factor = np.array([width / columns, height / rows])
    boxes, points, masks = value.boxes, value.keypoints, value.masks
    if boxes is not None:
        boxes = replace(boxes, corners=boxes.corners * np.tile(factor, 2))
    if points is not None:
        points = Keypoints((points.points + 0.5) * factor - 0.5, points.rows)
    if masks is not None:
        masks = masks[:, _nearest(rows, height)][:, :, _nearest(columns, width)]
    return ImageValue(pixels.reshape(height, width, channels), boxes, points, masks, mask_rows=value.mask_rows)


def cropped(value: ImageValue, region: Region) -> ImageValue:
    """A part of the picture; boxes are clipped to it and filtered, points outside of it are dropped."""
    left, top, right, bottom = region
    width, height = right - left, bottom - top
    moved = _labels_moved(value, -left, -top)
    masks = None if value.masks is None else value.masks[:, top:bottom, left:right]
    return ImageValue(
        value.pixels[top:bottom, left:right],
        None if moved.boxes is None else kept_boxes(moved.boxes, height, width),
        None if moved.keypoints is None else kept_keypoints(moved.keypoints, height, width),
        masks,
        mask_rows=value.mask_rows,
    )


def covering(value: ImageValue, like: ImageValue, size: tuple[int, int], place: tuple[float, float]) -> ImageValue:
    """The picture scaled until it covers `size` (width, height), and cut to it; `place` in 0..1 says where.

    It gets the number of channels of `like`.
    """
    width, height = size
    rows, columns = value.pixels.shape[:2]
    factor = max(width / columns, height / rows)
    wide, high = max(width, round(columns * factor)), max(height, round(rows * factor))
    left, top = round((wide - width) * place[0]), round((high - height) * place[1])
    return cropped(scaled(value, wide, high, like.pixels.shape[2]), (left, top, left + width, top + height))


def mirrored(value: ImageValue) -> ImageValue:
    """Left to right."""
    width = value.pixels.shape[1]
    boxes, points = value.boxes, value.keypoints
    if boxes is not None:
        corners = boxes.corners[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1]) + np.array([width, 0, width, 0])
        boxes = replace(boxes, corners=corners)
    if points is not None:
        points = Keypoints(points.points * np.array([-1, 1]) + np.array([width - 1, 0]), points.rows)
    masks = None if value.masks is None else value.masks[:, :, ::-1]
    return ImageValue(value.pixels[:, ::-1], boxes, points, masks, mask_rows=value.mask_rows)


def laid(part: ImageValue, at: tuple[int, int], size: tuple[int, int]) -> ImageValue:
    """A part at a place of an empty picture of `size` (width, height): its labels there, and nothing around it."""
    width, height = size
    left, top = at
    moved = _labels_moved(part, left, top)
    around = ((top, height - top - part.pixels.shape[0]), (left, width - left - part.pixels.shape[1]))
    masks = None if part.masks is None else np.pad(part.masks, ((0, 0), *around))
    return ImageValue(
        np.pad(part.pixels, (*around, (0, 0))), moved.boxes, moved.keypoints, masks, mask_rows=part.mask_rows
    )


def beneath(value: ImageValue, cover: Cover) -> ImageValue:
    """The labels of what is seen of a picture beside `cover`: (height, width) of what lies over it.

    A box shrinks to what is seen of its mask, or of its area; with nothing left, or less than the config asks for, it
    is dropped. Covered points are dropped, masks lose what is covered.
    """
    if not cover.any():
        return value
    masks = None if value.masks is None else np.where(cover, np.zeros((), value.masks.dtype), value.masks)
    points = value.keypoints
    if points is not None:
        seen = ~at_points(cover, points)
        points = Keypoints(points.points[seen], points.rows[seen])
    boxes = None if value.boxes is None else _seen_boxes(value.boxes, value, cover)
    return replace(value, boxes=boxes, keypoints=points, masks=masks)


def together(own: ImageValue, parts: Sequence[ImageValue]) -> ImageValue:
    """The value with the labels of the parts beside its own: of kinds that it binds, and instances only of masks."""
    boxes, points, masks, mask_rows = own.boxes, own.keypoints, own.masks, own.mask_rows
    if boxes is not None:
        more = [part.boxes for part in parts if part.boxes is not None]
        corners, rows = ([getattr(b, name) for b in (boxes, *more)] for name in ("corners", "rows"))
        boxes = replace(boxes, corners=np.concatenate(corners), rows=np.concatenate(rows))
    if points is not None:
        others = [points, *(part.keypoints for part in parts if part.keypoints is not None)]
        points = Keypoints(np.concatenate([p.points for p in others]), np.concatenate([p.rows for p in others]))
    if masks is not None and mask_rows is not None:
        held = [p for p in parts if p.masks is not None and p.mask_rows is not None]
        masks = np.concatenate([masks, *(p.masks for p in held if p.masks is not None)])
        mask_rows = np.concatenate([mask_rows, *(p.mask_rows for p in held if p.mask_rows is not None)])
    return replace(own, boxes=boxes, keypoints=points, masks=masks, mask_rows=mask_rows)


def at_points(cover: Cover, points: Keypoints) -> NDArray[np.bool_]:
    """Of each point, whether it lies in `cover`; its whole numbers are pixel centres."""
    height, width = cover.shape
    places = np.rint(points.points).astype(np.int64)
    covered: NDArray[np.bool_] = cover[np.clip(places[:, 1], 0, height - 1), np.clip(places[:, 0], 0, width - 1)]
    return covered


def around(mask: Cover) -> tuple[float, float, float, float] | None:
    """The box around what is true; None if nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _labels_moved(value: ImageValue, right: int, down: int) -> ImageValue:
    boxes, points = value.boxes, value.keypoints
    if boxes is not None:
        boxes = replace(boxes, corners=boxes.corners + np.array([right, down, right, down]))
    if points is not None:
        points = Keypoints(points.points + np.array([right, down]), points.rows)
    return replace(value, boxes=boxes, keypoints=points)


def _seen_boxes(boxes: Boxes, value: ImageValue, cover: Cover) -> Boxes:
    instances: dict[int, int] = {}
    if value.mask_rows is not None:
        instances = {row: number for number, row in enumerate(value.mask_rows.tolist())}
    corners, rows = [], []
    for corner, row in zip(boxes.corners.tolist(), boxes.rows.tolist(), strict=True):
        mask = None if value.masks is None or row not in instances else value.masks[instances[row]] != 0
        found = _seen(corner, cover, mask, boxes)
        if found is not None:
            corners.append(found)
            rows.append(row)
    return replace(boxes, corners=np.array(corners, np.float64).reshape(-1, 4), rows=np.array(rows, np.int64))


def _seen(corner: Iterable[float], cover: Cover, mask: Cover | None, boxes: Boxes) -> tuple[float, ...] | None:
    """What is left of one box; None for nothing, or too little."""
    left, top, right, bottom = corner
    begin, end = max(0, int(np.floor(top))), max(0, int(np.ceil(bottom)))
    first, last = max(0, int(np.floor(left))), max(0, int(np.ceil(right)))
    whole = np.ones_like(cover[begin:end, first:last]) if mask is None else mask[begin:end, first:last]
    seen = whole & ~cover[begin:end, first:last]
    before, after = int(whole.sum()), int(seen.sum())
    if before == after:
        return left, top, right, bottom
    bounds = around(seen)
    if bounds is None or after < boxes.min_area or after < boxes.min_visibility * before:
        return None
    return (
        max(left, bounds[0] + first),
        max(top, bounds[1] + begin),
        min(right, bounds[2] + first),
        min(bottom, bounds[3] + begin),
    )


def _nearest(old: int, new: int) -> NDArray[np.int64]:
    """Of each new pixel the old one below its centre."""
    return np.minimum(((np.arange(new) + 0.5) * (old / new)).astype(np.int64), old - 1)
