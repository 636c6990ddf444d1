"""What outgrows memory, on this machine's disk for the time of one survey. TMPDIR says where."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory, TemporaryFile, gettempdir

import pyarrow as pa

from pipeline.errors import RunFailed

_PREFIX = "fanbeam-survey-"
_MORE_ROOM = "Set TMPDIR to a folder with more room"


@contextmanager
def scratch_folder() -> Iterator[str]:
    """A folder that is gone afterwards."""
    with TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder:
        yield folder


def write_table(path: str, table: pa.Table) -> None:
    """Raises RunFailed where there is no room."""
    try:
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    except OSError as error:
        with suppress(OSError):
            _emptied(path)
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
