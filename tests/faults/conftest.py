import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "end_to_end"))

import trouble_library
import workdata
from trouble_library import Trouble, text_rows

from pipeline.cli.program import main
from transforms import registry

workdata.preload_libraries()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Trouble:
    return Trouble.install(tmp_path_factory.mktemp("third_party"))


@contextmanager
def importable(installed: Trouble) -> Iterator[None]:
    """The library can be imported in this process and in the workers that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(installed.folder), *sys.path])
        registry._entry_points.cache_clear()
        installed.clear_fault()
        yield
        installed.clear_fault()
    registry._entry_points.cache_clear()
    registry.adapter.cache_clear()


@pytest.fixture
def trouble(installed: Trouble) -> Iterator[Trouble]:
    with importable(installed):
        yield installed


def run(config: Path, *arguments: object) -> int:
    """Run in this process."""
    return main(["run", str(config), "--json", "--workers", "2", *map(str, arguments)])


SECONDS = 0.02


def slow_field(**more: Any) -> dict[str, Any]:
    """A text field whose copies take SECONDS each, so that there is time to hurt a run."""
    return trouble_library.slow_field(SECONDS, **more)


class Slow:
    """A run that takes a few seconds, the contents that it must end with, and copies of it to hurt."""

    def __init__(self, trouble: Trouble, home: Path) -> None:
        self.trouble, self._unhurt = trouble, home / "unhurt"
        assert run(self._made(self._unhurt)) == 0
        self.contents = workdata.contents(workdata.version_folder(self._unhurt / "out"))
        self.shards = sum(name.startswith("_receipts/") for name in self.contents)
        assert self.shards > 12

    def config(self, home: Path) -> Path:
        """A config for the same data in another place."""
        config = self._made(home)
        (home / "in.parquet").write_bytes((self._unhurt / "in.parquet").read_bytes())
        return config

    def _made(self, home: Path) -> Path:
        output = {"path": str(home / "out"), "shard_size": "10KiB"}
        rows = text_rows(60, 1000)
        return self.trouble.config(home, rows, fields=slow_field(), split={"test": 0.2}, output=output)

    def start(self, config: Path, *arguments: object) -> Any:
        """Start it in a process of its own."""
        return workdata.start("run", config, "--workers", "2", *arguments, PYTHONPATH=self.trouble.path)

    def is_whole(self, output: Path) -> None:
        """Nothing is missing, different or left over."""
        assert workdata.versions(output) == [workdata.version_folder(output)]
        assert workdata.contents(workdata.version_folder(output)) == self.contents
        assert workdata.leftovers(output) == []


def receipts(output: Path) -> int:
    """How many shards are finished."""
    return len(list(output.glob("*/_receipts/[!.]*")))


@pytest.fixture(scope="module")
def slow(installed: Trouble, tmp_path_factory: pytest.TempPathFactory) -> Slow:
    with importable(installed):
        return Slow(installed, tmp_path_factory.mktemp("slow"))
