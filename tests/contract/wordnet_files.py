"""WordNet for the tests: what is installed, else Debian's package, unpacked once into the cache."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from transforms import wordnet

PACKAGES = ("wordnet-base", "wordnet-sense-index")


def provide_wordnet() -> None:
    """Make WordNet readable by this process and its children; fail, with what to do, where it cannot be had."""
    if wordnet.INSTALL_WORDNET not in wordnet.problems():
        return
    cache = Path(os.environ.get("FANBEAM_CACHE", Path.home() / ".cache" / "fanbeam")) / "wordnet"
    if not cache.is_dir():
        _unpack_into(cache)
    os.environ["WNSEARCHDIR"] = str(cache / "usr" / "share" / "wordnet")
    assert not wordnet.problems()


def _unpack_into(cache: Path) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="wordnet-", dir=cache.parent))
    try:
        if _run(folder, "apt-get", "download", *PACKAGES).returncode != 0:
            _run(folder, "apt-get", "update")
            done = _run(folder, "apt-get", "download", *PACKAGES)
            if done.returncode != 0:
                pytest.fail(f"the tests need WordNet. {wordnet.INSTALL_WORDNET}. apt-get said: {done.stderr.strip()}")
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
