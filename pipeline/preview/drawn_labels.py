"""Boxes, points and masks on a picture of the contact sheet, large enough to be seen on whatever lies below."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.modalities.labels.anchors import CORNERS, anchors_of
from pipeline.preview import drawing
from pipeline.preview.bound_labels import Names
from pipeline.preview.label_colours import PALETTE, VEILS, Colours, colour_of
from transforms.values import Boxes, ImageValue, Polygons

TAG = 11
TAGGED_BOXES = 8
"""Up to so many boxes bear their names; of more the legend tells."""
_TAG_HEIGHT, _TAG_PAD = 15, 3
_MASK_STRENGTH = 0.45
_RADIUS, _NUMBERED = 4, 20


def with_labels(
    ground: Image.Image, value: ImageValue, names: Names, colours: Colours, place: tuple[int, int, float]
) -> Image.Image:
    """The picture with what labels it. `place`: where its left top corner is, and how many pixels one of its own is."""
    left, top, scale = place
    image = ground
    if value.masks is not None:
        image = _with_masks(image, value, names.get("masks", ()), colours, place)
    draw = ImageDraw.Draw(image, "RGBA")
    if value.boxes is not None:
        _draw_boxes(draw, value.boxes, names.get("boxes", ()), colours, place)
    if value.keypoints is not None:
        points = value.keypoints.points[:, :2] * scale + (left, top)
        if value.keypoints.visible is not None:
            points[~value.keypoints.visible] = np.nan
        _draw_points(draw, points, names.get("keypoints", ()), colours)
    _draw_quads(draw, value, names.get("boxes", ()), colours, place)
    if value.polygons is not None:
        _draw_outlines(draw, value.polygons, names.get("polygons", ()), colours, place)
    return image


def told_by_legend(value: object, names: Names) -> list[str]:
    """Names that do not stand beside what they name."""
    boxes = getattr(value, "boxes", None)
    tagged = isinstance(value, ImageValue) and boxes is not None and len(boxes.rows) <= TAGGED_BOXES
    return [name for kind, listed in names.items() for name in listed if not (tagged and kind == "boxes")]


def counted(value: object) -> str:
    """How many labels a value has: ` · 3 boxes · 1 mask`."""
    held = [
        (getattr(value, "boxes", None), "box", "boxes"),
        (getattr(value, "keypoints", None), "point", "points"),
        (getattr(value, "segments", None), "segment", "segments"),
        (getattr(value, "spans", None), "span", "spans"),
    ]
    parts = [_count(len(labels.rows), one, many) for labels, one, many in held if labels is not None]
    outlines = getattr(value, "polygons", None)
    if outlines is not None:
        parts.append(_count(len(np.unique(outlines.rows)), "outline", "outlines"))
    masks = getattr(value, "masks", None)
    if masks is not None:
        alone = getattr(value, "mask_rows", None) is None and len(masks) == 1
        classes = len(np.unique(masks[masks > 0]))
        parts.append(_count(classes, "class", "classes") if alone else _count(len(masks), "mask", "masks"))
    return "".join(f" · {part}" for part in parts)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _with_masks(
    ground: Image.Image, value: ImageValue, names: Sequence[str], colours: Colours, place: tuple[int, int, float]
) -> Image.Image:
    """Masks as veils of colour with an edge: one colour for each instance, or each class number."""
    left, top, scale = place
    height, width = value.pixels.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pixels = np.asarray(ground.convert("RGB")).astype(np.float64)
    area = pixels[top : top + size[1], left : left + size[0]]
    for number, layer in _layers(value):
        shown = np.asarray(Image.fromarray(layer).resize(size, Image.Resampling.NEAREST))
        name = names[number] if value.mask_rows is not None and number < len(names) else ""
        ink = np.array(_rgb(colours.get(name, colour_of(number, VEILS))), np.float64)
        area[shown] = area[shown] * (1 - _MASK_STRENGTH) + ink * _MASK_STRENGTH
        area[_edge(shown)] = ink
    pixels[top : top + size[1], left : left + size[0]] = area
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def _layers(value: ImageValue) -> list[tuple[int, NDArray[np.bool_]]]:
    masks = value.masks if value.masks is not None else np.zeros((0, 1, 1))
    if value.mask_rows is not None or len(masks) != 1:
        return [(number, np.asarray(mask != 0)) for number, mask in enumerate(masks)]
    numbers = [int(n) for n in np.unique(masks[0]) if n]
    return [(number, np.asarray(masks[0] == number)) for number in numbers[: 4 * len(PALETTE)]]


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a mask beside one that is not in it."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(mask & ~inner)


def _draw_boxes(
    draw: ImageDraw.ImageDraw, boxes: Boxes, names: Sequence[str], colours: Colours, place: tuple[int, int, float]
) -> None:
    left, top, scale = place
    corners = np.rint(boxes.corners * scale + (left, top, left, top)).astype(int).tolist()
    inks = [colours.get(names[n] if n < len(names) else "", PALETTE[0]) for n in range(len(corners))]
    for (x1, y1, x2, y2), ink in zip(corners, inks, strict=True):
        right, low = max(x2 - 1, x1), max(y2 - 1, y1)
        draw.rectangle((x1 - 1, y1 - 1, right + 1, low + 1), outline=(255, 255, 255, 170))
        draw.rectangle((x1, y1, right, low), outline=ink, width=2)
    if len(corners) <= TAGGED_BOXES:
        for (x1, y1, _, _), name, ink in zip(corners, names, inks, strict=False):
            _tag(draw, (x1, y1), name, ink)


def _draw_quads(
    draw: ImageDraw.ImageDraw, value: ImageValue, names: Sequence[str], colours: Colours, place: tuple[int, int, float]
) -> None:
    """Oriented boxes, side by side with the upright ones."""
    left, top, scale = place
    for number, quad in enumerate(anchors_of(value, CORNERS).reshape(-1, 4, 2)):
        ink = colours.get(names[number] if number < len(names) else "", PALETTE[0])
        x_y = ((quad + 0.5) * scale + (left, top)).ravel().tolist()
        draw.polygon(x_y, outline=ink, width=2)


def _draw_outlines(
    draw: ImageDraw.ImageDraw, held: Polygons, names: Sequence[str], colours: Colours, place: tuple[int, int, float]
) -> None:
    """Rings with a light line beside, so that they are seen on ground of their own colour."""
    left, top, scale = place
    for row, ring in zip(held.rows.tolist(), held.rings, strict=True):
        name = names[row] if row < len(names) else ""
        x_y = np.rint(ring * scale + (left, top) - 0.5).ravel().tolist()
        draw.polygon(x_y, outline=(255, 255, 255, 170), width=4)
        draw.polygon(x_y, outline=colours.get(name) or colour_of(row), width=2)


def _tag(draw: ImageDraw.ImageDraw, at: tuple[int, int], name: str, ink: str) -> None:
    """A name on its colour, above the corner of a box, or within where there is no room."""
    if not name:
        return
    room = draw.im.size[0]
    text = drawing.shortened(name, TAG, room - 2 * _TAG_PAD)
    width = drawing.width_of(text, TAG) + 2 * _TAG_PAD
    x = min(max(0, at[0]), max(0, room - width))
    y = at[1] - _TAG_HEIGHT if at[1] >= _TAG_HEIGHT else max(0, at[1])
    draw.rectangle((x, y, x + width, y + _TAG_HEIGHT - 1), fill=ink)
    drawing.draw_line(draw, (x + _TAG_PAD, y), text, TAG, "#ffffff")


def _draw_points(
    draw: ImageDraw.ImageDraw, points: NDArray[np.float64], names: Sequence[str], colours: Colours
) -> None:
    """Points in the colours of their order, so that a pair that changes sides can be seen; few ones with numbers."""
    for number, (x, y) in enumerate(points.tolist()):
        if math.isnan(x):  # not to be seen
            continue
        name = names[number] if number < len(names) else ""
        ink = colours.get(name) or colour_of(number)
        draw.ellipse((x - _RADIUS - 1, y - _RADIUS - 1, x + _RADIUS + 1, y + _RADIUS + 1), fill=(255, 255, 255, 230))
        draw.ellipse((x - _RADIUS + 1, y - _RADIUS + 1, x + _RADIUS - 1, y + _RADIUS - 1), fill=ink)
        if len(points) <= _NUMBERED:
            at = (x + _RADIUS + 2, y - 7)
            drawing.draw_line(draw, (at[0] + 1, at[1] + 1), str(number), TAG, "#000000")
            drawing.draw_line(draw, at, str(number), TAG, "#ffffff")


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
