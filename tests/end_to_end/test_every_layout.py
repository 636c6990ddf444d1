"""Every command works on every layout that a run takes."""

import io
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import material
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from layouts import COUNT, LAYOUTS, Layout

from pipeline.storage import Folder

Ask = Callable[..., tuple[int, dict[str, Any]]]
QUICK = {"sub folders without ids", "a list of folders without ids", "csv of links", "pictures"}
IN_MEMORY = ("one file", "sub folders without ids", "a list of folders", "pictures", "csv of links", "jsonl in a list")
QUICK_IN_MEMORY = {"sub folders without ids"}
MOVED = ("a list of folders without ids", "sub folders without ids", "csv of links", "texts")


def some(names: Iterable[str], quick: set[str]) -> list[Any]:
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in names]


@pytest.fixture
def memory() -> Iterator[str]:
    MemoryFileSystem.store.clear()
    yield "memory://bucket/top"
    MemoryFileSystem.store.clear()


def rows_of(version: Folder) -> list[dict[str, Any]]:
    names = [f.path for f in version.walk() if f.path.endswith(".parquet") and not f.path.startswith("_")]
    return [row for name in names for row in pq.read_table(io.BytesIO(version.read(name))).to_pylist()]


def every_command(layout: Layout, top: str, home: Path, ask: Ask) -> list[dict[str, Any]]:
    """Each command once; the rows of the dataset."""
    layout.write(Folder.at(f"{top}/in"))
    config = material.write_config(home / "c.yaml", layout.tree(top))
    code, checked = ask("check", config)
    assert code == 0, checked
    code, planned = ask("plan", config, "--workers", "1")
    assert code == 0, planned
    code, drawn = ask("preview", config, "-o", home / "sheet.png", "--records", "2")
    assert code == 0, drawn
    code, made = ask("run", config, "--workers", "1")
    assert (code, made["records"], made["dropped"]) == (0, COUNT, {"failed": {}, "rejected": {}}), made
    assert made["version"] == planned["version"]
    code, again = ask("run", config, "--workers", "1")
    assert (code, again["already_there"]) == (0, True)
    rows = rows_of(Folder(made["path"]))
    code, verified = ask("verify", f"{top}/out", "--samples", "100")
    assert (code, verified["differences"], verified["rendered"]) == (0, [], len(rows))
    for copy in (0, 1):
        name = next(row["sample_id"] for row in rows if row["sample_id"].endswith(f"/{copy}"))
        code, replayed = ask("replay", f"{top}/out", name, "-o", home / "again")
        assert (code, replayed["same"]) == (0, True), replayed
    code, audited = ask("audit", f"{top}/out")
    assert code == 0, audited
    return rows


@pytest.mark.parametrize("name", some(LAYOUTS, QUICK))
def test_every_command_works_on_every_layout(name: str, tmp_path: Path, ask: Ask) -> None:
    rows = every_command(LAYOUTS[name], str(tmp_path), tmp_path, ask)
    originals = [row for row in rows if row["sample_id"].endswith("/0")]
    payloads = {bytes(r["image"]) if "image" in r else r["text"] for r in originals}
    wanted = {material.picture(n) if "image" in originals[0] else material.sentence(n) for n in range(COUNT)}
    assert payloads == wanted


@pytest.mark.parametrize("name", some(IN_MEMORY, QUICK_IN_MEMORY))
def test_every_command_works_on_every_layout_in_a_store(name: str, memory: str, tmp_path: Path, ask: Ask) -> None:
    every_command(LAYOUTS[name], memory, tmp_path, ask)


@pytest.mark.parametrize("name", some(MOVED, {MOVED[0]}))
def test_an_input_that_moved_is_found_with_input(name: str, tmp_path: Path, ask: Ask) -> None:
    every_command(LAYOUTS[name], str(tmp_path / "here"), tmp_path, ask)
    (tmp_path / "there").mkdir()
    shutil.move(tmp_path / "here" / "in", tmp_path / "there" / "moved")
    out = tmp_path / "here" / "out"
    code, verified = ask("verify", out, "--samples", "3")
    assert code == 1
    assert verified["differences"]
    code, verified = ask("verify", out, "--samples", "3", "--input", tmp_path / "there" / "moved")
    assert (code, verified["differences"], verified["rendered"]) == (0, [], 3)
