"""Jobs in the memory of this process, where no other process could read or write."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from small_inputs import parquet, text_columns, values

from pipeline.cli.program import main
from pipeline.storage.folder import Folder


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    MemoryFileSystem.store.clear()
    yield
    MemoryFileSystem.store.clear()


def test_a_run_makes_what_it_makes_on_the_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = parquet(tmp_path / "in" / "texts.parquet", text_columns(20))
    Folder("memory://b/in").put("texts.parquet", source.read_bytes())
    shards = []
    for top in (str(tmp_path), "memory://b"):
        Folder.at(top).put("c.yaml", json.dumps(values(f"{top}/in/texts.parquet", f"{top}/out")).encode())
        assert main(["run", f"{top}/c.yaml", "--json", "--workers", "1"]) == 0
        found = Folder.at(json.loads(capsys.readouterr().out)["path"])
        shards.append(json.loads(found.read("manifest.json"))["shards"])
    assert shards[0] == shards[1]


def test_outputs_of_commands_may_be_urls(tmp_path: Path) -> None:
    source = parquet(tmp_path / "in" / "texts.parquet", text_columns(20))
    assert main(["init", str(source), "-o", "memory://b/c.yaml"]) == 0
    assert b"texts.parquet" in Folder("memory://b").read("c.yaml")
    assert main(["preview", "memory://b/c.yaml", "-o", "memory://b/sheet.png"]) == 0
    assert Folder("memory://b").read("sheet.png").startswith(b"\x89PNG")
