"""Blends of whole pictures: MixUp, CutMix and Mosaic, with the labels of all parents in the new picture."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.fanbeam.geometry import Region, beneath, covering, cropped, laid, together
from transforms.fanbeam.operation import PARENTS, Drawn, Draws, between, nobody, share, weight_of
from transforms.values import ImageValue

Blended = tuple[ImageValue, Drawn]
_CENTRE = (0.5, 0.5)
_WHOLE = 2**16


def mix_up(value: ImageValue, draws: Draws) -> Blended:
    """Weighted mean of two pictures; the partner is scaled until it covers the picture, and cut at the centre.

    Class numbers have no mean: of those the picture's own stay.
    """
    partner = next(draws.partners, None)
    if partner is None:
        return nobody(value)
    key, found = partner
    height, width = value.pixels.shape[:2]
    weight = weight_of(draws)
    other = covering(found, value, (width, height), _CENTRE)
    pixels = _mean(value.pixels, other.pixels, weight)
    drawn = {"weight": share(weight), PARENTS: {key: share(_WHOLE - weight)}}
    return replace(together(value, [other]), pixels=pixels), drawn


def cut_mix(value: ImageValue, draws: Draws) -> Blended:
    """A rectangle of the partner laid over the picture, at its own place; shares are those of the area."""
    partner = next(draws.partners, None)
    if partner is None:
        return nobody(value)
    key, found = partner
    height, width = value.pixels.shape[:2]
    side = float(np.sqrt(1.0 - share(weight_of(draws))))
    region = _rectangle(draws, (width, height), side)
    part = cropped(covering(found, value, (width, height), _CENTRE), region)
    result = over(value, part, (region[0], region[1]))
    area = part.pixels.shape[0] * part.pixels.shape[1] / (height * width)
    return result, {"region": list(region), "weight": 1.0 - area, PARENTS: {key: area}}


def mosaic(value: ImageValue, draws: Draws) -> Blended:
    """Four pictures around a drawn point, each scaled until it covers its quarter and cut to it."""
    height, width = value.pixels.shape[:2]
    if min(height, width) < 2:
        raise ValueError(f"four pictures have no room in one of {width} x {height}")
    names: list[Any] = []
    found: dict[str, ImageValue] = {}
    for key, other in draws.partners:
        names.append(key)
        found[key] = other
        if len(names) == 3:
            break
    if not names:
        return nobody(value)
    centre = tuple(min(max(round(size * _within(draws)), 1), size - 1) for size in (width, height))
    order = [names[n % len(names)] for n in range(3)]
    own = between(draws, 0, 3)
    order.insert(own, "")
    regions = _quarters((width, height), centre)
    parts: list[tuple[ImageValue, Region]] = []
    shares: dict[str, float] = {}
    for name, region in zip(order, regions, strict=True):
        size = region[2] - region[0], region[3] - region[1]
        place = float(draws.rng.random()), float(draws.rng.random())
        other = found.pop(name, None) if name else value
        part = covering(draws.again(name) if other is None else other, value, size, place)
        parts.append((part, region))
        shares[name] = shares.get(name, 0.0) + size[0] * size[1] / (width * height)
    result = _tiled(value, parts, own)
    weight = shares.pop("")
    return result, {"center": list(centre), "place": own, "order": order, "weight": weight, PARENTS: shares}


def over(value: ImageValue, part: ImageValue, at: tuple[int, int]) -> ImageValue:
    """A part of another picture laid over this one, labels and all."""
    height, width = value.pixels.shape[:2]
    cover = np.zeros((height, width), np.bool_)
    cover[at[1] : at[1] + part.pixels.shape[0], at[0] : at[0] + part.pixels.shape[1]] = True
    return pasted(value, laid(part, at, (width, height)), cover)


def pasted(value: ImageValue, other: ImageValue, cover: NDArray[np.bool_]) -> ImageValue:
    """Another picture of the same size, laid over this one where `cover` is true; all of its labels come along."""
    left = beneath(value, cover)
    pixels = np.where(cover[:, :, np.newaxis], other.pixels, value.pixels)
    result = replace(together(left, [other]), pixels=pixels)
    if left.mask_rows is None and left.masks is not None and other.masks is not None:
        result = replace(result, masks=np.where(cover, other.masks, left.masks))
    return result


def _mean(one: NDArray[np.uint8], other: NDArray[np.uint8], weight: int) -> NDArray[np.uint8]:
    """Weighted mean in whole numbers, rounded half up."""
    total = one.astype(np.uint32) * np.uint32(weight) + other.astype(np.uint32) * np.uint32(_WHOLE - weight)
    return ((total + np.uint32(_WHOLE // 2)) >> np.uint32(16)).astype(np.uint8)


def _rectangle(draws: Draws, size: tuple[int, int], side: float) -> Region:
    """`side` of the picture's sides long, around a drawn pixel, clipped to the picture; it holds that pixel."""
    bounds = []
    for length in size:
        wide = max(1, round(length * side))
        begin = between(draws, 0, length - 1) - wide // 2
        bounds.append((max(0, begin), min(length, begin + wide)))
    (left, right), (top, bottom) = bounds
    return left, top, right, bottom


def _within(draws: Draws) -> float:
    given = draws.given["center"]
    low, high = given if isinstance(given, tuple) else (given, given)
    return float(draws.rng.uniform(low, high))


def _quarters(size: tuple[int, int], centre: tuple[int, ...]) -> list[Region]:
    (width, height), (x, y) = size, centre
    return [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]


def _tiled(value: ImageValue, parts: list[tuple[ImageValue, Region]], own: int) -> ImageValue:
    """The parts beside each other; the value's own labels come first."""
    height, width = value.pixels.shape[:2]
    placed = [laid(part, region[:2], (width, height)) for part, region in parts]
    first = placed.pop(own)
    pixels = first.pixels.copy()
    masks = first.masks
    for other, (_, (left, top, right, bottom)) in zip(
        placed, [p for n, p in enumerate(parts) if n != own], strict=True
    ):
        pixels[top:bottom, left:right] = other.pixels[top:bottom, left:right]
        if masks is not None and first.mask_rows is None and other.masks is not None:
            masks = np.maximum(masks, other.masks)  # zero outside of their own quarters
    result = together(replace(first, masks=masks), placed)
    return replace(result, pixels=pixels, peers=value.peers)
