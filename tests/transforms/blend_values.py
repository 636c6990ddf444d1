"""Values with donors for the tests of blends."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from transforms.interface import Applied
from transforms.recipe import build_recipe
from transforms.values import AudioValue, Boxes, Donors, ImageValue, Keypoints, Peers, TextValue

V = TypeVar("V", ImageValue, AudioValue, TextValue)
SEEDS = [bytes([n]) * 16 for n in range(1, 41)]
SOURCE = 2**32


def with_donors(value: V, donors: Mapping[str, Any]) -> V:
    """The value with these others in every scope."""
    offered = Donors(lambda scope: tuple(donors), lambda key: donors[key])
    return replace(value, peers=Peers(lambda scope, most: (), lambda key: None, offered))


def blended(value: V, name: str, seed: bytes, **params: Any) -> tuple[V, Applied]:
    """One step applied, and what is recorded of it."""
    modality = {ImageValue: "image", AudioValue: "audio", TextValue: "text"}[type(value)]
    result, applied = build_recipe([{f"fanbeam.{name}": params}], modality).apply(value, seed)
    assert isinstance(result, type(value))
    return result, applied[0]


def picture(colour: int, height: int, width: int) -> ImageValue:
    return ImageValue(np.full((height, width, 3), colour, np.uint8))


def with_boxes(value: ImageValue, *corners: tuple[float, ...], source: int = 0, masks: bool = False) -> ImageValue:
    """Boxes in the middle of which a keypoint is, and masks that fill them."""
    held = np.array(corners, np.float64).reshape(-1, 4)
    rows = np.arange(len(held)) + source * SOURCE
    middles = (held[:, :2] + held[:, 2:]) / 2 - 0.5
    value = replace(value, boxes=Boxes(held, rows), keypoints=Keypoints(middles, rows))
    if not masks:
        return value
    filled = np.zeros((len(held), *value.pixels.shape[:2]), np.uint8)
    for mask, (left, top, right, bottom) in zip(filled, held.astype(int).tolist(), strict=True):
        mask[top:bottom, left:right] = 1
    return replace(value, masks=filled, mask_rows=rows)


def bounds_of(mask: Any) -> list[float]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [float(n) for n in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)]
