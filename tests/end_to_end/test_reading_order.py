"""What a model learns that reads the shards in the order in which they are: real digits, sorted by class beforehand."""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

Ask = Callable[..., tuple[int, dict[str, Any]]]

CONFIG = """
seed: 5
input: {{path: {path}, label: label{id}}}
split: {{test: 0.2}}
copies: 3
fields:
  image:
    type: image
    mode: grey
    augment:
      - albumentations.Affine: {{translate_percent: [-0.05, 0.05], p: 1}}
    encode: {{format: png}}
output: {{path: {output}, shard_size: {size}, order: {order}}}
"""


def digits() -> list[tuple[str, bytes]]:
    """Digits of scikit-learn, class by class."""
    found = load_digits()
    rows = []
    for place in np.argsort(found.target, kind="stable").tolist():
        sink = io.BytesIO()
        Image.fromarray((found.images[place] * 15).astype(np.uint8)).save(sink, "PNG")
        rows.append((str(found.target[place]), sink.getvalue()))
    return rows


def written(home: Path, kind: str) -> tuple[Path, str]:
    """The digits as a folder or as Parquet, and the config's word for ids."""
    if kind == "folder":
        for number, (label, data) in enumerate(digits()):
            path = home / "in" / label / f"{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return home / "in", ""
    labels, images = zip(*digits(), strict=True)
    ids = [f"d{n:04d}" for n in range(len(labels))]
    (home / "in").mkdir()
    table = pa.table({"id": ids, "label": pa.array(labels), "image": pa.array(images, pa.binary())})
    pq.write_table(table, home / "in" / "digits.parquet", row_group_size={"parquet": 2_000, "row groups": 100}[kind])
    return home / "in", ", id: id"


def run(ask: Ask, home: Path, kind: str, order: str = "shuffled", size: str = "400KiB") -> Path:
    path, key = written(home, kind)
    config = home / "digits.yaml"
    config.write_text(CONFIG.format(path=path, id=key, output=home / "out", size=size, order=order))
    code, answer = ask("run", config, "--workers", 2)
    assert code == 0, answer
    return Path(answer["path"])


def read(version: Path, split: str) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    """Class, record and pixels of each row, file after file."""
    for file in sorted((version / split).glob("*.parquet")):
        for row in pq.read_table(file).to_pylist():
            pixels = np.asarray(Image.open(io.BytesIO(row["image"])).convert("L"), np.float64)
            yield row["label"], row["lineage"]["source_id"], pixels.ravel() / 255


def accuracy(version: Path) -> float:
    """Of a linear model that sees each training row once, in reading order, by 32."""
    model = SGDClassifier(random_state=0)
    labels, _, pixels = zip(*read(version, "train"), strict=True)
    for start in range(0, len(labels), 32):
        model.partial_fit(pixels[start : start + 32], labels[start : start + 32], classes=[str(n) for n in range(10)])
    labels, _, pixels = zip(*read(version, "test"), strict=True)
    return float(model.score(pixels, labels))


def test_a_model_learns_from_the_order_in_which_rows_are(tmp_path: Path, ask: Ask) -> None:
    shuffled = accuracy(run(ask, tmp_path / "shuffled", "folder"))
    in_order = accuracy(run(ask, tmp_path / "input", "folder", "input"))
    assert in_order < 0.5 < 0.8 < shuffled


@pytest.mark.parametrize("kind", ["folder", "parquet", "row groups"])
def test_the_first_rows_are_like_all_of_them(tmp_path: Path, ask: Ask, kind: str) -> None:
    version = run(ask, tmp_path, kind)
    assert len(list((version / "train").glob("*.parquet"))) > 2
    rows = [(label, source) for label, source, _ in read(version, "train")]
    share = {label: n / len(rows) for label, n in Counter(label for label, _ in rows).items()}
    first = Counter(label for label, _ in rows[:1_000])
    assert sum(abs(first[label] / 1_000 - share[label]) for label in share) / 2 < 0.25  # total variation
    neighbours = sum(one == two for (_, one), (_, two) in pairwise(rows))
    assert neighbours < 0.02 * len(rows)
    places: dict[str, list[int]] = {}
    for place, (_, source) in enumerate(rows[:1_000]):
        places.setdefault(source, []).append(place)
    gaps = [b - a for at in places.values() for a, b in pairwise(at)]
    assert np.median(gaps) > 50  # copies of one record


def test_small_row_groups_for_many_readers(tmp_path: Path, ask: Ask) -> None:
    version = run(ask, tmp_path, "parquet", size="64MiB")
    groups = [
        file.metadata.row_group(n).num_rows
        for file in map(pq.ParquetFile, (version / "train").glob("*.parquet"))
        for n in range(file.metadata.num_row_groups)
    ]
    assert max(groups) <= 256
    assert len(groups) >= sum(groups) / 256
