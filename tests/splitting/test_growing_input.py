"""Another folder beside the first, and files under other names: no record changes its key, its split or its copies."""

from pathlib import Path
from typing import Any

import pytest
from small_inputs import config_of, jpeg, parquet, put, text_columns

from pipeline.config.schema import JobConfig
from pipeline.dataset.reader import Dataset, open_dataset
from pipeline.driver.api import run

PICTURES: dict[str, Any] = {"fields": {"image": {"type": "image", "augment": ["albumentations.GaussNoise"]}}}
WITHOUT_KEYS: dict[str, Any] = {"input__id": ..., "input__label": ..., "copies": 1}


def made(config: JobConfig) -> Dataset:
    return open_dataset(run(config).path)


def samples(dataset: Dataset, column: str) -> dict[str, tuple[Any, ...]]:
    """Sample id -> split, seed and payload."""
    found = {}
    for split, rows in dataset.splits.items():
        for row in rows.to_table().to_pylist():
            found[row["sample_id"]] = (split, row["lineage"]["seed"], row[column])
    return found


def texts(path: Path, first: int) -> None:
    columns = text_columns(20 + first)
    parquet(path, {"text": columns["text"][first:]})


def test_another_folder_moves_no_record_of_a_table_without_ids(tmp_path: Path) -> None:
    for week in range(3):
        texts(tmp_path / f"w{week}" / "part.parquet", 20 * week)
    split = {"validation": 0.3}
    paths = [str(tmp_path / f"w{week}") for week in range(3)]
    before: dict[str, tuple[Any, ...]] = {}
    for count in (1, 2, 3):
        config = config_of(paths[0] if count == 1 else paths[:count], tmp_path / "out", **WITHOUT_KEYS, split=split)
        now = samples(made(config), "text")
        assert before.items() <= now.items()
        assert len(now) > len(before)
        before = now


def pictures(home: Path, first: int, count: int) -> None:
    for n in range(first, first + count):
        put(home / f"{n:03d}.jpg", jpeg(n) + bytes(n))  # of another size each


def test_another_folder_moves_no_picture(tmp_path: Path) -> None:
    pictures(tmp_path / "one", 0, 15)
    pictures(tmp_path / "two", 15, 15)
    paths = [str(tmp_path / "one"), str(tmp_path / "two")]
    changes = {**WITHOUT_KEYS, **PICTURES, "split": {"validation": 0.3}}
    first = samples(made(config_of(paths[0], tmp_path / "out", **changes)), "image")
    both = samples(made(config_of(paths, tmp_path / "out", **changes)), "image")
    assert first.items() <= both.items()


@pytest.mark.parametrize("kind", ["pictures", "table"])
def test_files_under_other_names_stay_in_their_splits(tmp_path: Path, kind: str) -> None:
    home = tmp_path / "in"
    if kind == "pictures":
        pictures(home, 0, 30)
    else:
        texts(home / "a.parquet", 0)
        texts(home / "b.parquet", 20)
    column = "image" if kind == "pictures" else "text"
    changes = {**WITHOUT_KEYS, **(PICTURES if kind == "pictures" else {}), "split": {"validation": 0.4}}
    config = config_of(home, tmp_path / "out", **changes)

    def splits() -> dict[Any, str]:
        found = samples(made(config), column)
        return {row[2]: row[0] for name, row in found.items() if name.endswith("/0")}

    before = splits()
    assert len(set(before.values())) == 2
    for path in sorted(home.iterdir()):
        path.rename(path.with_name(f"renamed-{path.name}"))
    assert splits() == before
