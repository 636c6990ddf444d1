"""Every config of the cookbook is right, runs, is verified, and changes what it says; the index names all of them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from wordnet_files import provide_wordnet

import pipeline
from pipeline.config.schema import JobConfig
from pipeline.driver.verification.verify import verify
from scripts import example_data

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs" / "cookbook").glob("*.yaml"))
INDEX = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
ROWS = 8
every_config = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)


@pytest.fixture(scope="module", autouse=True)
def wordnet_installed() -> None:
    provide_wordnet()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example data, cut to a few records of each kind."""
    folder = tmp_path_factory.mktemp("cookbook")
    example_data.main(str(folder / "data"))
    for path in (folder / "data").glob("*.parquet"):
        table = pq.read_table(path)
        pq.write_table(table.take(np.linspace(0, table.num_rows - 1, min(ROWS, table.num_rows)).astype(int)), path)
    for path in (folder / "data").glob("*.jsonl"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[:: max(1, len(lines) // ROWS)]), encoding="utf-8")
    for path in sorted((folder / "data" / "sounds").glob("*/*.wav")):
        if int(path.stem) % 6:
            path.unlink()
    for kind in ("clips", "volumes"):
        for path in sorted((folder / "data" / kind).glob("*/*.*")):
            if int(path.stem) % 4:
                path.unlink()
    return folder


def classes_of(config: JobConfig) -> set[str]:
    return {step.name for step in config.steps()}


def test_the_cookbook_is_large() -> None:
    assert len(CONFIGS) > 50


@every_config
def test_it_opens_with_its_command_and_where_it_writes(path: Path) -> None:
    opening = path.read_text(encoding="utf-8").splitlines()
    name = path.relative_to(ROOT).as_posix()
    assert opening[0].startswith("# python scripts/example_data.py ")
    assert opening[1].startswith(f"# fanbeam run {name}  -> out/cookbook/{path.stem}/<version>/")
    assert opening[2] == "#"
    assert opening[3].startswith("# ")
    assert pipeline.load_config(path).output.path == f"out/cookbook/{path.stem}"


@every_config
def test_the_index_has_its_row_with_its_classes(path: Path) -> None:
    (row,) = [line for line in INDEX.splitlines() if f"(../configs/cookbook/{path.name})" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 5
    assert all(cells)
    assert {*re.findall(r"`([\w.]+)`", cells[2])} == classes_of(pipeline.load_config(path))


def test_the_index_names_no_config_that_is_not_there() -> None:
    named = re.findall(r"\.\./configs/cookbook/([\w.]+)", INDEX)
    assert sorted(named) == [path.name for path in CONFIGS]


@pytest.mark.slow
@every_config
def test_it_is_right_runs_and_changes_its_copies(
    path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[..., tuple[int, str, str]]
) -> None:
    monkeypatch.chdir(home)
    code, told, errors = say("check", path)
    assert code == 0, told + errors
    pipeline.run(path)
    dataset = pipeline.open_dataset(str(home / "out" / "cookbook" / path.stem))
    assert verify(dataset, samples=2).ok
    assert not dataset.manifest["dropped"]["failed"]
    assert changed_share(path, dataset.splits["train"].to_table().to_pylist()) > (0 if "text" in path.stem else 0.8)


def changed_share(path: Path, rows: list[dict[str, Any]]) -> float:
    """The share of samples whose payload is not that of their record, by the digests in their lineage."""
    prepared = any(field.prepare for field in pipeline.load_config(path).fields.values())
    lineages = [row["lineage"] for row in rows if prepared or row["lineage"]["copy"]]
    assert lineages
    return sum(one["sha256"] != one["source_sha256"] for one in lineages) / len(lineages)
