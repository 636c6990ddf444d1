"""Crops of real photos out of packages, with boxes, class labels and masks of the ellipses in the boxes."""

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")


@cache
def photos() -> dict[str, NDArray[np.uint8]]:
    """Six photos by name."""
    from skimage import data
    from sklearn.datasets import load_sample_images

    found = {name: np.asarray(getattr(data, name)()) for name in PHOTOS}
    samples = load_sample_images()
    return found | {Path(n).stem: np.asarray(p) for n, p in zip(samples.filenames, samples.images, strict=True)}


def photo_rows(each: int) -> list[dict[str, Any]]:
    """`each` crops of every photo, always the same; of one to three boxes the masks are ellipses."""
    rows = []
    for place, (name, pixels) in enumerate(sorted(photos().items())):
        rng = np.random.default_rng(place)
        for number in range(each):
            width, height = rng.integers(120, 200, 2).tolist()
            top, left = (
                int(rng.integers(0, size - used)) for size, used in zip(pixels.shape, (height, width), strict=False)
            )
            crop = np.ascontiguousarray(pixels[top : top + height, left : left + width])
            boxes = [_box(rng, width, height) for _ in range(int(rng.integers(1, 4)))]
            rows.append(
                {
                    "id": f"{name}-{number}",
                    "label": name,
                    "image": _encoded(crop, "JPEG"),
                    "boxes": boxes,
                    "names": [f"{name} {n}" for n in range(len(boxes))],
                    "masks": [_encoded(_ellipse(box, width, height), "PNG") for box in boxes],
                }
            )
    return rows


def _box(rng: np.random.Generator, width: int, height: int) -> list[float]:
    wide, high = rng.integers(30, 60, 2).tolist()
    return [float(rng.integers(0, width - wide)), float(rng.integers(0, height - high)), float(wide), float(high)]


def _ellipse(box: list[float], width: int, height: int) -> NDArray[np.uint8]:
    left, top, wide, high = box
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    inside = ((columns - left) / wide * 2 - 1) ** 2 + ((rows - top) / high * 2 - 1) ** 2 <= 1
    return inside.astype(np.uint8)


def _encoded(pixels: NDArray[np.uint8], kind: str) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, kind, **({"quality": 92} if kind == "JPEG" else {}))
    return sink.getvalue()
