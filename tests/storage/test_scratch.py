import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import RunFailed
from pipeline.storage import scratch
from pipeline.storage.scratch import claim, mapped_table, release, remove_abandoned, scratch_folder, write_table

ROOT = Path(__file__).parents[2]
TABLE = pa.table({"a": [1, 2, 3]})


def test_a_table_comes_back_and_the_folder_goes() -> None:
    with scratch_folder() as folder:
        write_table(f"{folder}/t.arrow", TABLE)
        assert mapped_table(f"{folder}/t.arrow").equals(TABLE)
    assert not Path(folder).exists()


def test_the_folder_of_a_killed_survey_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from pipeline.storage.scratch import scratch_folder\n"
        "with scratch_folder() as f:\n print(f, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert folder.exists()
    assert remove_abandoned() == 0
    process.kill()
    process.communicate()
    assert remove_abandoned() == 1
    assert not folder.exists()


def test_no_room_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_file", full)
    with pytest.raises(RunFailed, match=r"No space left on device.*TMPDIR"):
        write_table(str(tmp_path / "t.arrow"), TABLE)


def claimed_by_another_process(folder: Path) -> "subprocess.Popen[str]":
    """A process that claims a folder of its own and waits; it says when it has."""
    code = f"from pipeline.storage.scratch import claim; claim({str(folder)!r}); print('claimed', flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "claimed\n"
    return process


def test_folders_of_killed_processes_are_removed_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_claimed", {})  # those of this process stay: its fork server lives in one
    mine, dead, other, somebodys = (tmp_path / f"pymp-{name}" for name in ("mine", "dead", "living", "somebodys"))
    for folder in (mine, dead, other, somebodys):
        folder.mkdir()
        (folder / "listener").write_bytes(b"x")
    claim(str(mine))
    killed, living = claimed_by_another_process(dead), claimed_by_another_process(other)
    try:
        killed.kill()
        killed.communicate()
        assert remove_abandoned() == 1
        assert sorted(p.name for p in tmp_path.iterdir()) == ["pymp-living", "pymp-mine", "pymp-somebodys"]
        release()
        assert not mine.exists()
    finally:
        living.kill()
        living.communicate()
