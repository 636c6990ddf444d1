import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parents[1] / name) for name in ("end_to_end", "faults", "engines")]

import workdata
from trouble_library import Trouble, slow_field, text_rows

workdata.preload_libraries()
DAYS = ("2026-01-04", "2026-01-11", "2026-01-18")
SCRIPTS = workdata.ROOT / "scripts" / "schedule"


class Weekly:
    """A folder with a config, three weeks of records, and a program `fanbeam` as an installed one."""

    def __init__(self, home: Path, trouble: Trouble) -> None:
        self.home, self.output, self.program = home, home / "out", home / "fanbeam"
        self.input = str(home / "data" / "{{ ds }}" / "*.parquet")
        rows = text_rows(60, 1000)
        for number, day in enumerate(DAYS):
            workdata.write_parquet(home / "data" / day / "in.parquet", rows[20 * number : 20 * number + 20])
        output = {"path": "elsewhere", "shard_size": "10KiB"}
        self.config = trouble.config(home, rows[:1], fields=slow_field(0.03), split={"test": 0.2}, output=output)
        words = shlex.join(workdata.command())
        self.program.write_text(f'#!/bin/sh\nexport PYTHONPATH={trouble.path}\nexec {words} "$@"\n')
        self.program.chmod(0o755)

    def expected(self, day: str) -> tuple[str, dict[str, str]]:
        """Version and contents that a plain run makes of one interval."""
        output = self.home / "expected" / day
        settings = (f"input.path={self.home}/data/{day}/*.parquet", f"output.path={output}")
        command = [self.program, "run", self.config, *(word for s in settings for word in ("--set", s))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        version = workdata.version_folder(output)
        return version.name, workdata.contents(version)

    def receipts(self) -> int:
        """How many shards are finished."""
        return len(list(self.output.glob("*/_receipts/[!.]*")))


def written(folder: Path) -> dict[Path, tuple[int, int]]:
    """Every file below with its number and the time of its last change."""
    return {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="session")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Trouble:
    return Trouble.install(tmp_path_factory.mktemp("third_party"))


@pytest.fixture
def weekly(tmp_path: Path, trouble: Trouble) -> Iterator[Weekly]:
    yield Weekly(tmp_path, trouble)
