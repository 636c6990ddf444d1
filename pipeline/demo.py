"""A small labeled dataset of real photos, carried by the scikit-image and scikit-learn packages."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UsageError
from pipeline.storage import absolute, write_file

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field", "immunohistochemistry")
SIDE, STRIDE = 160, 96

_CONFIG = """\
# fanbeam run {config}     ->  {output}/<version>/
# Crops of real photos. Crops that overlap share pixels, so all crops of one region of a photo stay in one split.
seed: 17
input:
  path: {data}
  id: crop_id
  label: photo
  group: region
split: {{validation: 0.15, test: 0.1}}
copies: 4                     # per training record, besides the original
fields:
  image:
    type: image
    augment:                  # copies of training records only
      - albumentations.HorizontalFlip
      - albumentations.RandomResizedCrop: {{size: [160, 160], scale: [0.6, 1.0], p: 0.8}}
      - albumentations.RandomBrightnessContrast
      - one_of:
          - albumentations.GaussNoise: {{p: 1}}
          - albumentations.GaussianBlur: {{p: 1}}
          - albumentations.HueSaturationValue: {{p: 1}}
    quality: {{min_std: 2, reject_identical: true}}
    encode: {{format: jpeg, quality: 92}}
output: {{path: {output}, shard_size: 4MiB}}
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Paths of what was made."""

    data: str
    config: str
    output: str
    sheet: str


def make_demo(folder: str) -> Demo:
    """Write the data and a config into a folder. Raises UsageError if the packages with the photos are missing."""
    made = Demo(*(f"{folder.rstrip('/')}/{name}" for name in ("photos.parquet", "config.yaml", "dataset", "sheet.png")))
    write_file(absolute(made.data), _parquet(_crops()))
    write_file(absolute(made.config), _CONFIG.format(data=made.data, config=made.config, output=made.output).encode())
    return made


def _photos() -> dict[str, Any]:
    try:
        import skimage.data
        from sklearn.datasets import load_sample_images
    except ImportError as error:
        raise UsageError(f"the demo's photos come with {error.name}: pip install 'fanbeam[demo]'") from error
    photos = {name: getattr(skimage.data, name)() for name in PHOTOS}
    bundled = load_sample_images()
    names = [name.removesuffix(".jpg") for name in bundled.filenames]
    return {**photos, **dict(zip(names, bundled.images, strict=True))}


def _crops() -> list[dict[str, Any]]:
    rows = []
    for name, photo in _photos().items():
        for top in range(0, photo.shape[0] - SIDE + 1, STRIDE):
            for left in range(0, photo.shape[1] - SIDE + 1, STRIDE):
                region = f"{name}-{top // (2 * SIDE)}-{left // (2 * SIDE)}"
                crop = np.ascontiguousarray(photo[top : top + SIDE, left : left + SIDE])
                rows.append({"crop_id": f"{name}-{top}-{left}", "photo": name, "region": region, "image": _jpeg(crop)})
    return rows


def _jpeg(pixels: Any) -> bytes:
    import simplejpeg

    encoded: bytes = simplejpeg.encode_jpeg(pixels, quality=95)
    return encoded


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    names = ("crop_id", "photo", "region")
    schema = pa.schema([*((name, pa.string()) for name in names), ("image", pa.binary())])
    sink = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink)
    return sink.getvalue()
