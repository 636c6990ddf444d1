"""Every command with config, input and output on a store: what the same commands make on the local disk."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image
from records_in_stores import Call, OnDisk, Version, calling, config, here, upload
from servers import Server

from pipeline.storage.folder import Folder

pytestmark = pytest.mark.slow
HEADER = 150
STORES = ("s3", "gcs", "azure")


@pytest.mark.cluster
@pytest.mark.parametrize("store", STORES, indirect=True)
def test_every_command_on_a_server(
    store: Server, on_disk: OnDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.enter(monkeypatch)
    compare(f"{store.bucket}/whole", calling(store.environment), on_disk, tmp_path)


@pytest.fixture
def _empty() -> Iterator[None]:
    MemoryFileSystem.store.clear()
    yield
    MemoryFileSystem.store.clear()


@pytest.mark.usefixtures("_empty")
def test_every_command_in_the_memory_of_this_process(on_disk: OnDisk, tmp_path: Path) -> None:
    compare("memory://bucket/whole", here, on_disk, tmp_path)


def compare(top: str, call: Call, on_disk: OnDisk, tmp_path: Path) -> None:
    """Upload, and run each command by URL."""
    upload(top)
    there = Folder(top)
    there.put("c.yaml", config(tmp_path / "c.yaml", top).read_bytes())
    made(call, there, on_disk)
    planned = call("plan", f"{top}/c.yaml")
    assert without_places(planned) == without_places(on_disk.planned)
    same = ("--set", f"input.path={top}/in/in.parquet", "--set", f"output.path={top}/out")
    call("preview", on_disk.config, *same, "-o", f"{top}/sheet.png")
    assert pictures(there.read("sheet.png")) == pictures(on_disk.sheet)
    ran = call("run", f"{top}/c.yaml")
    assert ran["version"] == planned["version"]
    assert all("were asked for" in warning for warning in ran["warnings"])  # few records, divided by a hash
    assert Version.at(ran["path"]).same_everywhere == on_disk.version.same_everywhere
    assert call("run", f"{top}/c.yaml")["already_there"]
    assert call("verify", f"{top}/out", "--samples", "3")["differences"] == []
    replayed(call, there)


def made(call: Call, there: Folder, on_disk: OnDisk) -> None:
    """`init` makes the config that it makes on the disk."""
    call("init", there.full("in"), "-o", there.full("made.yaml"))
    assert there.read("made.yaml").decode().replace(there.url, on_disk.top) == on_disk.made


def pictures(sheet: bytes) -> tuple[tuple[int, int], bytes]:
    """What is drawn below the line that names the input's path."""
    image = Image.open(io.BytesIO(sheet))
    return image.size, image.crop((0, HEADER, *image.size)).tobytes()


def without_places(planned: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in planned.items() if name not in ("version", "seconds")}


def replayed(call: Call, there: Folder) -> None:
    """`replay` writes the payloads that the dataset has."""
    answer = call("replay", there.full("out"), "r001/1", "-o", there.full("again.bin"))
    assert answer["same"]
    assert len(answer["written"]) == 4
    assert there.read("again.text.bin").decode()
