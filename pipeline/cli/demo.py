"""A small labeled dataset of real photos, carried by the scikit-image and scikit-learn packages."""

from dataclasses import dataclass
from io import BytesIO
from itertools import product
from pathlib import PurePath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UsageError
from pipeline.storage.folder import absolute, write_file

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field", "immunohistochemistry")
SIDE, STRIDE, REGION = 128, 64, 192

_CONFIG = """\
# fanbeam run {config}     ->  {output}/<version>/
# Crops of real photos. Crops of one region of a photo overlap, so `group` keeps them in one split.
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
      - albumentations.RandomResizedCrop: {{size: [128, 128], scale: [0.6, 1.0], p: 0.8}}
      - albumentations.RandomBrightnessContrast
      - one_of:
          - albumentations.GaussNoise: {{std_range: [0.02, 0.1], p: 1}}
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
    write_file(absolute(made.data), _parquet(photo_table(photo_crops())))
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
    names = [PurePath(name).stem for name in bundled.filenames]
    return {**photos, **dict(zip(names, bundled.images, strict=True))}


def photo_crops() -> list[dict[str, Any]]:
    """Crops of real photos: `crop_id`, `photo` (the class), `region` (the group: crops in it overlap), JPEG bytes."""
    rows = []
    for name, photo in _photos().items():
        for top, left in product(
            range(0, photo.shape[0] - REGION + 1, REGION), range(0, photo.shape[1] - REGION + 1, REGION)
        ):
            for down, right in product(range(0, REGION - SIDE + 1, STRIDE), repeat=2):
                y, x = top + down, left + right
                crop = np.ascontiguousarray(photo[y : y + SIDE, x : x + SIDE])
                rows.append(
                    {
                        "crop_id": f"{name}-{y}-{x}",
                        "photo": name,
                        "region": f"{name}-{top}-{left}",
                        "image": _jpeg(crop),
                    }
                )
    return rows


def _jpeg(pixels: Any) -> bytes:
    import simplejpeg

    encoded: bytes = simplejpeg.encode_jpeg(pixels, quality=95)
    return encoded


def photo_table(rows: list[dict[str, Any]]) -> pa.Table:
    """The crops as a table."""
    names = ("crop_id", "photo", "region")
    schema = pa.schema([*((name, pa.string()) for name in names), ("image", pa.binary())])
    return pa.Table.from_pylist(rows, schema)


def _parquet(table: pa.Table) -> bytes:
    sink = BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()
