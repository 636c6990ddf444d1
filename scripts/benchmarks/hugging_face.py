"""A peer: the `datasets` library as its documentation shows augmentation, with Pillow, written as Parquet.

An `Image` column, which decodes with Pillow, and `map(batched=True, num_proc=N)`.

python -m scripts.benchmarks.hugging_face DATA OUTPUT PROCESSES
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from scripts.benchmarks import material

_steps: list[Any] = []


def multiply(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Four copies of each row of a batch."""
    if not _steps:
        import albumentations

        _steps.append(albumentations.Compose(material.transforms()))
    out: dict[str, list[Any]] = {"id": [], "label": [], "image": []}
    for key, label, picture in zip(batch["id"], batch["label"], batch["image"], strict=True):
        pixels = np.array(picture.convert("RGB"))
        for copy in range(1, material.COPIES + 1):
            out["id"].append(f"{key}/{copy}")
            out["label"].append(label)
            out["image"].append(material.jpeg_by_pillow(_steps[0](image=pixels)["image"]))
    return out


def main(data: str, output: str, processes: int) -> None:
    import datasets

    datasets.disable_progress_bars()
    Path(output).mkdir(parents=True, exist_ok=True)
    rows = datasets.load_dataset("parquet", data_files=data, split="train", cache_dir=f"{output}/cache")
    rows = rows.cast_column("image", datasets.Image())
    features = datasets.Features({**rows.features, "image": datasets.Value("binary")})
    made = rows.map(
        multiply, batched=True, batch_size=100, num_proc=processes, features=features, load_from_cache_file=False
    )
    made.to_parquet(f"{output}/part-0.parquet")
    print(len(made))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
