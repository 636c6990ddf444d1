"""What some albumentations classes get beside the picture: other pictures, texts with places, a box to crop at.

The library takes these as arguments of each call (`fda_metadata`, `mosaic_metadata`, ...). Here `reference` and
`metadata` say where they come from, next to the library's own parameters.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms import assets, reference_images
from transforms.adapter_checks import nearest
from transforms.interface import StepProblem
from transforms.reference_images import Pictures, with_channels
from transforms.values import ImageValue

_GIVEN = "is filled in here: say with reference or metadata where it comes from"
HIDDEN = MappingProxyType(
    {"cropping_bbox_key": _GIVEN, "metadata_key": _GIVEN, "read_fn": _GIVEN, "reference_images": _GIVEN}
)
"""Parameters that a config cannot use, with reasons."""
_PICTURE_KEYS = {
    "FDA": "fda_metadata",
    "HistogramMatching": "hm_metadata",
    "PixelDistributionAdaptation": "pda_metadata",
}
_OWN = {
    **dict.fromkeys((*_PICTURE_KEYS, "Mosaic"), ("reference",)),
    "OverlayElements": ("reference", "metadata"),
    "RandomCropNearBBox": (),
    "TextImage": ("metadata",),
}
STILL = frozenset({"OverlayElements"})
"""Classes that move nothing and are no `ImageOnlyTransform`: labels stay where they are."""
SINGLE = frozenset({"Mosaic"})
"""Classes that put other pictures beside the picture, whose labels are not known here: no label can follow."""
_SOLID = 128
_METADATA_KEYS = {"OverlayElements": ("bbox",), "TextImage": ("bbox", "text")}
_SHOWN = ("bbox", "bbox_coords", "bbox_index", "offset", "text")


@dataclass(frozen=True, slots=True)
class Extra:
    """Arguments beside picture and labels, None if there is nothing to work with; and what is recorded of them."""

    arguments: Mapping[str, Any] | None
    recorded: Mapping[str, Any]


def wants_more(name: str) -> bool:
    """Whether the class works on more than one picture alone."""
    return name in _OWN


def known_parameters(name: str, cls: Any) -> dict[str, Parameter]:
    """The class's parameters as a config may give them: `reference` and `metadata` instead of keys and functions."""
    hidden = {*HIDDEN, "strict"} if name in _OWN else {"strict"}
    found = {key: p for key, p in signature(cls).parameters.items() if key not in hidden}
    defaults = {"metadata": None} if name == "OverlayElements" else {}
    own = {
        key: Parameter(key, Parameter.KEYWORD_ONLY, default=defaults.get(key, Parameter.empty), annotation="dict")
        for key in _OWN.get(name, ())
    }
    return {**found, **own}


def hidden(name: str) -> Mapping[str, str]:
    """Parameters of the class that a config cannot use."""
    return HIDDEN if name in _OWN else {}


def for_library(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the library knows; a font becomes a file of this machine. Raises ValueError."""
    given = {key: value for key, value in params.items() if key not in _OWN.get(name, ())}
    if name == "TextImage" and isinstance(given.get("font_path"), str):
        try:
            given["font_path"] = assets.local(given["font_path"])
        except OSError as error:
            raise ValueError(f"font_path: {error}") from error
    return given


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """What is wrong with `reference` and `metadata`."""
    own = _OWN.get(name, ())
    found = reference_images.problems(params["reference"]) if "reference" in own and "reference" in params else []
    return found + (_metadata_problems(name, params["metadata"]) if "metadata" in own and "metadata" in params else [])


def resources(name: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Digests of the places that the parameters name."""
    fonts = [params.get("font_path")] if name == "TextImage" else []
    return reference_images.digests([*places(name, params), *fonts])


def places(name: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """The location of the pictures of a reference."""
    found = reference_images.read(params.get("reference")) if "reference" in _OWN.get(name, ()) else None
    return (found.place,) if found is not None and found.kind != "records" else ()


def records(name: str, params: Mapping[str, Any]) -> tuple[str, int] | None:
    """Scope and number of the other records that a step looks at; None for none."""
    found = reference_images.read(params.get("reference")) if "reference" in _OWN.get(name, ()) else None
    return (found.place, found.most) if found is not None and found.kind == "records" else None


def extras(name: str, params: Mapping[str, Any]) -> Callable[[ImageValue, bytes], Extra] | None:
    """What gives a step its arguments for one picture and seed; None for a class that needs none. Raises ValueError."""
    if name not in _OWN:
        return None
    if name == "RandomCropNearBBox":
        return _near_a_box
    if name == "TextImage":
        texts = _listed(params["metadata"])
        return lambda value, seed: Extra({"textimage_metadata": texts}, {})
    reference = reference_images.read(params["reference"])
    if reference is None:
        raise ValueError(reference_images.shape_problems(params["reference"])[0].message)
    pictures = reference_images.pictures_of(reference)
    if name == "Mosaic":
        rows, columns = params.get("grid_yx", (2, 2))
        return lambda value, seed: _mosaic(pictures, value, seed, rows * columns - 1)
    if name == "OverlayElements":
        return lambda value, seed: _overlay(pictures, value, seed, params.get("metadata") or {})
    return lambda value, seed: _one(pictures, value, seed, _PICTURE_KEYS[name])


def summary(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a step drew for its extras, what is worth recording: places and texts, no pixels."""
    found: dict[str, Any] = {}
    if "overlay_data" in drawn:
        found["overlays"] = [{key: entry[key] for key in _SHOWN if key in entry} for entry in drawn["overlay_data"]]
    if "processed_cells" in drawn:
        found["cells"] = [list(cell) for cell in drawn["processed_cells"]]
    return found


def _one(pictures: Pictures, value: ImageValue, seed: bytes, key: str) -> Extra:
    drawn = reference_images.draw(pictures, value, seed, 1)
    if not drawn:
        return Extra(None, _NOBODY)
    name, pixels = drawn[0]
    return Extra({key: [with_channels(pixels, value.pixels.shape[2])]}, {"reference": name})


def _mosaic(pictures: Pictures, value: ImageValue, seed: bytes, count: int) -> Extra:
    drawn = reference_images.draw(pictures, value, seed, count)
    if not drawn and count:
        return Extra(None, _NOBODY)
    items = [{"image": with_channels(pixels, value.pixels.shape[2])} for _, pixels in drawn]
    return Extra({"mosaic_metadata": items}, {"reference": [name for name, _ in drawn]})


def _overlay(pictures: Pictures, value: ImageValue, seed: bytes, place: Mapping[str, Any]) -> Extra:
    """One picture to lay over, where its alpha is at least half; made smaller if it is larger than the picture."""
    drawn = reference_images.draw(pictures, value, seed, 1)
    if not drawn:
        return Extra(None, _NOBODY)
    name, pixels = drawn[0]
    fitted = pixels if place else _fitted(pixels, value.pixels.shape[:2])
    solid = fitted[:, :, 3] >= _SOLID if fitted.shape[2] == 4 else np.ones(fitted.shape[:2], bool)
    colours = np.ascontiguousarray(fitted[:, :, :3]) if fitted.shape[2] == 4 else fitted
    image = with_channels(colours, value.pixels.shape[2])
    return Extra({"overlay_metadata": {"image": image, "mask": solid.astype(np.uint8), **place}}, {"reference": name})


def _fitted(pixels: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    import cv2

    height, width = pixels.shape[:2]
    scale = min(shape[0] / height, shape[1] / width)
    if scale >= 1:
        return pixels
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8).reshape(*size[::-1], -1)


def _near_a_box(value: ImageValue, seed: bytes) -> Extra:
    """One of the bound boxes, chosen by the seed, in whole pixels."""
    if value.boxes is None or not len(value.boxes.rows):
        return Extra(None, {"not_applied": "the picture has no box"})
    ranks = [blake2b(int(row).to_bytes(8, "little"), key=seed).digest() for row in value.boxes.rows]
    chosen = ranks.index(min(ranks))
    left, top, right, bottom = value.boxes.corners[chosen].tolist()
    box = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    return Extra({"cropping_bbox": box}, {"cropping_bbox": list(box)})


_NOBODY = {"reference": None, "not_applied": "no other record to look at"}


def _listed(metadata: Any) -> list[dict[str, Any]]:
    return [dict(entry) for entry in ([metadata] if isinstance(metadata, Mapping) else metadata)]


def _metadata_problems(name: str, given: object) -> list[StepProblem]:
    keys = _METADATA_KEYS[name]
    many = name == "TextImage" and isinstance(given, list) and bool(given)
    entries: list[Any] = list(given) if many and isinstance(given, list) else [given]
    found = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            listed = f"a list of entries with {' and '.join(keys)}" if name == "TextImage" else "a mapping with bbox"
            return [StepProblem(("metadata",), f"metadata: {entry!r} is not {listed}")]
        found += [
            StepProblem(("metadata",), f"metadata has no {key!r}", nearest(str(key), keys))
            for key in entry.keys() - {*keys}
        ]
        found += [StepProblem(("metadata",), f"metadata needs {key!r}") for key in keys if key not in entry]
        if "bbox" in entry and not _is_box(entry["bbox"]):
            message = f"bbox: {entry['bbox']!r} is not x_min, y_min, x_max, y_max as shares of the picture in 0..1"
            found.append(StepProblem(("metadata",), message))
        if not isinstance(entry.get("text", ""), str):
            found.append(StepProblem(("metadata",), f"text: {entry['text']!r} is no text"))
    return found


def _is_box(given: object) -> bool:
    numbers = isinstance(given, list | tuple) and len(given) == 4 and all(type(n) in (int, float) for n in given)
    if not numbers or not isinstance(given, list | tuple):
        return False
    left, top, right, bottom = given
    return bool(0 <= left < right <= 1 and 0 <= top < bottom <= 1)
