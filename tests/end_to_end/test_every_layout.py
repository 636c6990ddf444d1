"""Every command works on every layout that a run takes."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import workdata
from fsspec.implementations.memory import MemoryFileSystem
from layouts import COUNT, LAYOUTS, Ask, every_command

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


@pytest.mark.parametrize("name", some(LAYOUTS, QUICK))
def test_every_command_works_on_every_layout(name: str, tmp_path: Path, ask: Ask) -> None:
    rows = every_command(LAYOUTS[name], str(tmp_path), tmp_path, ask)
    originals = [row for row in rows if row["sample_id"].endswith("/0")]
    payloads = {bytes(r["image"]) if "image" in r else r["text"] for r in originals}
    wanted = {workdata.picture(n) if "image" in originals[0] else workdata.sentence(n) for n in range(COUNT)}
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
