"""Made data for the benchmarks: JPEGs of 256 px cut out of real photos, and the recipe that all contenders apply."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import simplejpeg
from PIL import Image

SIDE, QUALITY, COPIES = 256, 90, 4
ROW_GROUP = 500
PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")


def write_photos(path: Path, records: int) -> None:
    """A Parquet file of `records` JPEGs with id and label."""
    import skimage.data

    photos = [(name, getattr(skimage.data, name)()) for name in PHOTOS]
    draw = np.random.Generator(np.random.Philox(key=7))
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), ("image", pa.binary())])
    with pq.ParquetWriter(path, schema, compression={"id": "zstd", "label": "zstd", "image": "none"}) as writer:
        for first in range(0, records, ROW_GROUP):
            rows = [_row(n, photos, draw) for n in range(first, min(records, first + ROW_GROUP))]
            writer.write_table(pa.Table.from_pylist(rows, schema), ROW_GROUP)


def _row(number: int, photos: list[tuple[str, Any]], draw: np.random.Generator) -> dict[str, Any]:
    name, photo = photos[number % len(photos)]
    top = int(draw.integers(0, photo.shape[0] - SIDE + 1))
    left = int(draw.integers(0, photo.shape[1] - SIDE + 1))
    pixels = np.ascontiguousarray(photo[top : top + SIDE, left : left + SIDE])
    return {"id": f"r{number:07d}", "label": name, "image": simplejpeg.encode_jpeg(pixels, quality=95)}


def transforms() -> list[Any]:
    """HorizontalFlip, Rotate, RandomBrightnessContrast, GaussianBlur(p=.3) with albumentations' own defaults."""
    import os

    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations
    import cv2

    cv2.setNumThreads(0)
    return [
        albumentations.HorizontalFlip(),
        albumentations.Rotate(),
        albumentations.RandomBrightnessContrast(),
        albumentations.GaussianBlur(p=0.3),
    ]


def jpeg_by_pillow(pixels: Any) -> bytes:
    """Encode as most programs do."""
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "JPEG", quality=QUALITY)
    return sink.getvalue()


CONFIG = """\
seed: 1
input: {{path: {data}, id: id, label: label}}
split: {{}}
copies: {copies}
keep_original: false
fields:
  image:
    type: image
    augment:
      - albumentations.HorizontalFlip
      - albumentations.Rotate
      - albumentations.RandomBrightnessContrast
      - albumentations.GaussianBlur: {{p: 0.3}}
    encode: {{format: jpeg, quality: {quality}}}
output: {{path: {output}, shard_size: 64MiB}}
"""


def write_config(path: Path, data: Path, output: Path) -> None:
    """The same work as a fanbeam config."""
    path.write_text(CONFIG.format(data=data, output=output, copies=COPIES, quality=QUALITY))
