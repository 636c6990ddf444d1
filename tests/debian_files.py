"""Files out of Debian packages for the tests: downloaded and unpacked once into the cache, nothing installed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def unpacked(name: str, *packages: str) -> Path:
    """The folder `name` of the cache, with the packages unpacked; fail, with the reason, where they cannot be had."""
    cache = Path(os.environ.get("FANBEAM_CACHE", Path.home() / ".cache" / "fanbeam")) / name
    if not cache.is_dir():
        _unpack_into(cache, packages)
    return cache


def _unpack_into(cache: Path, packages: tuple[str, ...]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{cache.name}-", dir=cache.parent))
    try:
        if _run(folder, "apt-get", "download", *packages).returncode != 0:
            _run(folder, "apt-get", "update")
            done = _run(folder, "apt-get", "download", *packages)
            if done.returncode != 0:
                pytest.fail(f"the tests need files of {', '.join(packages)}; apt-get said: {done.stderr.strip()}")
        for package in folder.glob("*.deb"):
            assert _run(folder, "dpkg", "-x", str(package), str(folder)).returncode == 0
            package.unlink()
        try:
            folder.rename(cache)
        except OSError:
            assert cache.is_dir()  # another test process was faster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
