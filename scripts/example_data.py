"""Write the data that configs/ read: photos, texts, sounds, volumes and captioned photos, all small, into a folder.

python scripts/example_data.py [DIR]     (default: data)
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from numpy.typing import NDArray

from pipeline.demo import photo_crops, photo_table

RATE = 16_000
SECONDS = 1.0
SUBJECTS = {
    "astronaut": "an astronaut in an orange suit",
    "chelsea": "a cat with yellow eyes",
    "coffee": "a cup of coffee on a wooden table",
    "rocket": "a rocket on its launch pad at night",
    "hubble_deep_field": "distant galaxies",
    "immunohistochemistry": "stained tissue under a microscope",
    "china": "a temple in China",
    "flower": "a flower in front of leaves",
}


def write_photos(folder: Path) -> None:
    """photos.parquet: crops of real photos, labeled by photo, grouped by region."""
    pq.write_table(photo_table(photo_crops()), folder / "photos.parquet")


def write_captioned(folder: Path) -> None:
    """captioned.parquet: the same crops with a sentence about each."""
    table = photo_table(photo_crops())
    captions = [f"This part of the picture shows {SUBJECTS[name]}." for name in table.column("photo").to_pylist()]
    pq.write_table(table.append_column("caption", pa.array(captions)), folder / "captioned.parquet")


def write_texts(folder: Path) -> None:
    """texts.jsonl: sentences out of scikit-learn's descriptions of its data sets, labeled by data set."""
    from sklearn import datasets

    names = ("iris", "wine", "breast_cancer", "diabetes", "digits", "linnerud")
    with (folder / "texts.jsonl").open("w", encoding="utf-8") as file:
        for name in names:
            words = re.sub(r"\s+", " ", getattr(datasets, f"load_{name}")().DESCR)
            sentences = [s for s in re.split(r"(?<=[.!?]) ", words) if 30 <= len(s) <= 300]
            for number, sentence in enumerate(sentences):
                row = {"id": f"{name}-{number}", "dataset": name, "text": sentence}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_sounds(folder: Path) -> None:
    """sounds/CLASS/*.wav: one second each of four kinds of tones, made here."""
    time = np.arange(round(RATE * SECONDS)) / RATE
    for kind in ("sine", "square", "saw", "chirp"):
        (folder / "sounds" / kind).mkdir(parents=True, exist_ok=True)
        for number in range(12):
            tone = _tone(kind, 220.0 * 2 ** (number / 12), time) * 0.4
            fade = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.02)
            soundfile.write(folder / "sounds" / kind / f"{number:02d}.wav", tone * fade, RATE, subtype="PCM_16")


def write_volumes(folder: Path) -> None:
    """volumes/CLASS/*.tif: stacks of 24 slices of 16 bit, one solid each, with noise, made here."""
    import tifffile

    z, y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in (24, 48, 48)), indexing="ij")
    solids = {
        "ball": x**2 + y**2 + z**2 < 0.4,
        "cone": np.hypot(x, y) < 0.4 * (1 - z),
        "cube": np.maximum(np.maximum(abs(x), abs(y)), abs(z)) < 0.55,
        "ring": (np.hypot(x, y) - 0.6) ** 2 + z**2 < 0.05,
    }
    rng = np.random.default_rng(5)
    for name, inside in solids.items():
        (folder / "volumes" / name).mkdir(parents=True, exist_ok=True)
        for number in range(8):
            moved = np.roll(inside, rng.integers(-3, 4, 3), axis=(0, 1, 2))
            voxels = (400 + 1500 * moved + rng.normal(0, 120, moved.shape)).clip(0, 4095).astype(np.uint16)
            path = folder / "volumes" / name / f"{number:02d}.tif"
            tifffile.imwrite(path, voxels, photometric="minisblack", metadata=None, software=False)


def _tone(kind: str, hertz: float, time: NDArray[np.float64]) -> NDArray[np.float64]:
    phase = hertz * time * (1.0 + time if kind == "chirp" else 1.0)
    if kind == "square":
        return np.sign(np.sin(2 * np.pi * phase))
    return 2.0 * (phase % 1.0) - 1.0 if kind == "saw" else np.sin(2 * np.pi * phase)


def main(folder: str) -> None:
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for write in (write_photos, write_captioned, write_texts, write_sounds, write_volumes):
        write(place)
    print(f"wrote photos, captioned photos, texts, sounds and volumes into {place}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "data")
