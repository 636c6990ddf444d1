"""What Keras' layers have drawn: as parameters for the lineage, and as motions that labels follow."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.tensorflow.labels import Motion, affine, crop, resize

Size = tuple[int, int]
_MOST_NUMBERS = 64
_NOT_DRAWN = frozenset({"input_shape", "batch_size", "image_height", "image_width", "start_points", "rotation_matrix"})


def recorded(name: str, layer: Any, drawn: Any) -> dict[str, Any]:
    """What `get_random_transformation` drew, as plain numbers; pictures of noise are left out."""
    if name == "RandAugment":
        return {"layers": [{chosen: _plain(draw)} for chosen, draw in _chosen(layer, drawn)]}
    if name == "RandomCrop":
        return dict(zip(("top", "left"), (int(n) for n in drawn), strict=True))
    if name == "RandomErasing":
        rows, columns = np.nonzero(np.asarray(drawn["batch_masks"])[0, :, :, 0])
        hole = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else []
        return {"apply_erasing": bool(drawn["apply_erasing"][0]), "hole": [int(n) for n in hole]}
    if name == "RandomGrayscale":
        return {"apply": bool(np.asarray(drawn).squeeze())}
    plain = _plain(drawn) if isinstance(drawn, Mapping) else None
    return plain if isinstance(plain, dict) else {}


def motions(name: str, layer: Any, drawn: Any, size: Size) -> list[Motion]:
    """Where the layer took the pixels of a picture of `size` = (height, width) from; empty where they stay."""
    if name == "RandAugment":
        classes = (
            (type(getattr(layer, chosen)).__name__, getattr(layer, chosen), draw)
            for chosen, draw in _chosen(layer, drawn)
        )
        return [found for cls, inner, draw in classes for found in motions(cls, inner, draw, size)]
    if name not in _MOTIONS or drawn is None:
        return []
    found = _MOTIONS[name](layer, drawn, size)
    return [found] if found else []


def _chosen(layer: Any, drawn: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The layers of RandAugment that were applied, in their order, with what they drew."""
    names = list(drawn["transforms"])
    return [(names[int(index)], drawn["transforms"][names[int(index)]]) for index in drawn["layer_idxes"]]


def _plain(drawn: Any) -> Any:
    if isinstance(drawn, Mapping):
        found = {key: _plain(value) for key, value in drawn.items() if key not in _NOT_DRAWN}
        return {key: value for key, value in found.items() if value is not None}
    if isinstance(drawn, list | tuple):
        return [_plain(value) for value in drawn]
    if isinstance(drawn, str | int | float):
        return drawn
    if not hasattr(drawn, "numpy"):
        return None
    array = drawn.numpy()
    return np.squeeze(array).tolist() if array.size <= _MOST_NUMBERS else None


def _flipped(layer: Any, drawn: Mapping[str, Any], size: Size) -> Motion | None:
    if not bool(np.asarray(drawn["flips"]).squeeze()):
        return None
    across, along = "horizontal" in layer.mode, "vertical" in layer.mode
    x = [-1, 0, size[1] - 1] if across else [1, 0, 0]
    y = [0, -1, size[0] - 1] if along else [0, 1, 0]
    return affine([*x, *y], size)


def _rotated(layer: Any, drawn: Mapping[str, Any], size: Size) -> Motion:
    return affine(_numbers(drawn["rotation_matrix"]), size, layer.fill_mode)


def _translated(layer: Any, drawn: Mapping[str, Any], size: Size) -> Motion:
    right, down = _numbers(drawn["translations"])
    return affine([1, 0, -right, 0, 1, -down], size, layer.fill_mode)


def _sheared(layer: Any, drawn: Mapping[str, Any], size: Size) -> Motion:
    x, y = _numbers(drawn["shear_factor"])
    return affine([1, x, 0, y, 1, 0], size, layer.fill_mode)


def _zoomed(layer: Any, drawn: Mapping[str, Any], size: Size) -> Motion:
    (down,), (across,) = _numbers(drawn["height_zoom"]), _numbers(drawn["width_zoom"])
    left, top = (size[1] - 1) / 2 * (1 - across), (size[0] - 1) / 2 * (1 - down)
    return affine([across, 0, left, 0, down, top], size, layer.fill_mode)


def _tilted(layer: Any, drawn: Mapping[str, Any], size: Size) -> Motion | None:
    import cv2

    if not bool(drawn["apply_perspective"][0]):
        return None
    start, end = (np.asarray(drawn[key], np.float32)[0] for key in ("start_points", "end_points"))
    return Motion(cv2.getPerspectiveTransform(end, start), size)


def _cropped(layer: Any, drawn: Any, size: Size) -> Motion:
    """A part; where the picture is too small for it, what is there is stretched."""
    top, left = (int(n) for n in drawn)
    part = min(layer.height, size[0] - top), min(layer.width, size[1] - left)
    return resize(part, (layer.height, layer.width), left, top)


def _centred(layer: Any, drawn: Any, size: Size) -> Motion:
    target = layer.height, layer.width
    if size[0] >= target[0] and size[1] >= target[1]:
        return crop((size[1] - target[1]) // 2, (size[0] - target[0]) // 2, target)
    return _stretched(size, _cropped_to_shape(size, target), target)


def _resized(layer: Any, drawn: Any, size: Size) -> Motion:
    target = layer.height, layer.width
    if layer.crop_to_aspect_ratio:
        return _stretched(size, _cropped_to_shape(size, target), target)
    if not layer.pad_to_aspect_ratio:
        return resize(size, target)
    borders = [
        max(0, int(part * wanted / other) - own) // 2
        for own, part, wanted, other in (
            (size[0], size[1], target[0], target[1]),
            (size[1], size[0], target[1], target[0]),
        )
    ]
    padded = size[0] + 2 * borders[0], size[1] + 2 * borders[1]
    return resize(padded, target, -borders[1], -borders[0])


def _cropped_to_shape(size: Size, target: Size) -> Size:
    height = max(min(size[0], int(size[1] * target[0] / target[1])), 1)
    width = max(min(size[1], int(size[0] * target[1] / target[0])), 1)
    return height, width


def _stretched(size: Size, part: Size, target: Size) -> Motion:
    """The middle of the picture, stretched to the target."""
    return resize(part, target, (size[1] - part[1]) // 2, (size[0] - part[0]) // 2)


def _numbers(tensor: Any) -> list[float]:
    found: list[float] = np.asarray(tensor, np.float64).reshape(-1).tolist()
    return found


_MOTIONS: Mapping[str, Callable[[Any, Any, Size], Motion | None]] = {
    "CenterCrop": _centred, "RandomCrop": _cropped, "RandomFlip": _flipped, "RandomPerspective": _tilted,
    "RandomRotation": _rotated, "RandomShear": _sheared, "RandomTranslation": _translated, "RandomZoom": _zoomed,
    "Resizing": _resized,
}  # fmt: skip
MOVING = frozenset(_MOTIONS)
"""Layers that move pixels, each by one motion."""
