"""What outgrows memory, on this machine's disk for the time of one survey or audit. TMPDIR says where."""

import fcntl
import mmap
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile, gettempdir

import pyarrow as pa

from pipeline.errors import RunFailed

_PREFIX = "fanbeam-survey-"
_CLAIMED = (_PREFIX, "pymp-", "beam-pipeline-temp")
_CLAIM = "fanbeam.lock"
_claimed: dict[str, int] = {}
_MORE_ROOM = "Set TMPDIR to a folder with more room"


@contextmanager
def scratch_folder() -> Iterator[str]:
    """A folder that is gone afterwards; if this process is killed, as soon as another run looks."""
    with TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder:
        claim(folder)
        try:
            yield folder
        finally:
            _give_up(folder)


def claim(folder: str) -> None:
    """Mark a temporary folder of this process, so that it is removed if the process is killed."""
    if folder not in _claimed:
        with suppress(OSError):
            handle = os.open(Path(folder, _CLAIM), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _claimed[folder] = handle  # open, and so locked, as long as the process lives


def release() -> None:
    """Remove the folders that this process claimed: it is about to end without anything else that would."""
    for folder in list(_claimed):
        shutil.rmtree(folder, ignore_errors=True)
        _give_up(folder)


def _give_up(folder: str) -> None:
    handle = _claimed.pop(folder, None)
    if handle is not None:
        os.close(handle)


def remove_abandoned() -> int:
    """Remove temporary folders that killed processes of fanbeam had claimed; how many."""
    marks = [mark for prefix in _CLAIMED for mark in Path(gettempdir()).glob(f"{prefix}*/{_CLAIM}")]
    return sum(_removed(mark) for mark in marks)


def _removed(mark: Path) -> bool:
    """Whether the mark's folder belonged to nobody who lives, and is gone. Those of other users stay."""
    try:
        if mark.stat().st_uid != os.getuid():
            return False
        with mark.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(mark.parent, ignore_errors=True)
    except OSError:
        return False
    return not mark.parent.exists()


def write_table(path: str, table: pa.Table) -> None:
    """Raises RunFailed where there is no room."""
    try:
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    except OSError as error:
        with suppress(OSError):
            _emptied(path)
        raise RunFailed(f"{path} cannot be written: {error}. {_MORE_ROOM}") from error


def appended(path: Path, data: bytes) -> None:
    """Add to a file. Raises RunFailed where there is no room."""
    try:
        with path.open("ab") as file:
            file.write(data)
    except OSError as error:
        raise RunFailed(f"{path} cannot be written: {error}. {_MORE_ROOM}") from error


def mapped_table(path: str) -> pa.Table:
    """Its columns take no memory before they are looked at."""
    return pa.ipc.open_file(pa.memory_map(path)).read_all()


def mapped_zeros(size: int) -> mmap.mmap:
    """So many bytes to write and read; their file has no name and goes with the map. Raises RunFailed without room."""
    try:
        with TemporaryFile(prefix=_PREFIX) as file:
            if hasattr(os, "posix_fallocate"):  # on a full disk it fails; a write into a map would end the process
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                os.ftruncate(file.fileno(), size)
            return mmap.mmap(file.fileno(), size)
    except OSError as error:
        message = f"{gettempdir()} has no room for {size / 2**20:,.0f} MiB that the survey needs: {error}"
        raise RunFailed(f"{message}. {_MORE_ROOM}") from error


def _emptied(path: str) -> None:
    with pa.OSFile(path, "wb"):
        pass
