"""A full disk, an output that cannot be written: one clear line, exit 4, nothing half-written is visible."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import workdata
from conftest import run

ROWS = workdata.image_rows(40)


def config_to(home: Path, output: Path) -> Path:
    data = workdata.write_parquet(home / "in.parquet", ROWS)
    return workdata.write_config(home / "c.yaml", workdata.image_config(data, output))


def refused(config: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The message of a run that must fail."""
    capsys.readouterr()
    assert run(config) == 4
    shown = json.loads(capsys.readouterr().out)["error"]
    assert shown["kind"] == "run"
    assert "\n" not in shown["message"]
    message: str = shown["message"]
    return message


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_to(tmp_path, small_disk / "out")
    for _ in range(2):
        message = refused(config, capsys)
        assert "the disk is full" in message
        assert str(small_disk) in message
        assert workdata.leftovers(small_disk) == []
        assert not list(small_disk.rglob("manifest.json"))
        assert not list(small_disk.rglob("LATEST"))
    subprocess.run(["mount", "-o", "remount,size=10m", str(small_disk)], check=True)
    capsys.readouterr()
    assert run(config) == 0
    assert json.loads(capsys.readouterr().out)["resumed_shards"] > 0
    config = config_to(tmp_path / "unhurt", tmp_path / "unhurt" / "out")
    shutil.copy2(tmp_path / "in.parquet", tmp_path / "unhurt" / "in.parquet")  # the same time: the same version
    assert run(config) == 0
    versions = [workdata.version_folder(small_disk / "out"), workdata.version_folder(tmp_path / "unhurt" / "out")]
    assert workdata.contents(versions[0]) == workdata.contents(versions[1])


@pytest.mark.slow
def test_files_may_not_grow(tmp_path: Path) -> None:
    """The kernel refuses large writes (RLIMIT_FSIZE), as a quota does."""
    config = config_to(tmp_path, tmp_path / "out")
    words = " ".join(f"'{w}'" if " " in w or ";" in w else w for w in workdata.command("run", str(config), "--json"))
    done = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; ulimit -f 8; exec {words}"], capture_output=True, text=True,
        cwd=workdata.ROOT, timeout=100,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert str(tmp_path / "out") in json.loads(done.stdout)["error"]["message"]
    assert "Traceback" not in done.stderr
    assert run(config) == 0
    assert workdata.leftovers(tmp_path / "out") == []


@pytest.mark.parametrize("place", ["out", "above"])
def test_a_file_in_place_of_the_output_folder(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "above").write_text("a file")
    (tmp_path / "out").write_text("a file")
    output = tmp_path / "out" if place == "out" else tmp_path / "above" / "out"
    message = refused(config_to(tmp_path, output), capsys)
    assert str(output) in message
    assert "output.path" in message
    assert (tmp_path / "out").read_text() == "a file"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that not even root may write to."""
    folder = tmp_path / "fixed"
    folder.mkdir()
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("inside", [".", "deep/out"])
def test_a_read_only_output(inside: str, read_only: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(config_to(tmp_path, read_only / inside), capsys)
    assert str(read_only) in message
    assert "output.path" in message


def test_a_finished_version_on_a_read_only_disk_has_nothing_to_do(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["mount", "-o", "remount,size=10m", str(small_disk)], check=True)
    config = config_to(tmp_path, small_disk / "out")
    assert run(config) == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    capsys.readouterr()
    assert run(config) == 0
    assert json.loads(capsys.readouterr().out)["already_there"]
