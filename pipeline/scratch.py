"""Tables that outgrow memory, on this machine's disk for the time of one survey: written whole, then mapped."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory

import pyarrow as pa

from pipeline.errors import RunFailed


@contextmanager
def scratch_folder() -> Iterator[str]:
    """A folder that is gone afterwards; TMPDIR says where."""
    with TemporaryDirectory(prefix="fanbeam-survey-", ignore_cleanup_errors=True) as folder:
        yield folder


def write_table(path: str, table: pa.Table) -> None:
    """Raises RunFailed where there is no room."""
    try:
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    except OSError as error:
        with suppress(OSError):
            _emptied(path)
        raise RunFailed(f"{path} cannot be written: {error}. Set TMPDIR to a folder with more room") from error


def mapped_table(path: str) -> pa.Table:
    """Its columns take no memory before they are looked at."""
    return pa.ipc.open_file(pa.memory_map(path)).read_all()


def _emptied(path: str) -> None:
    with pa.OSFile(path, "wb"):
        pass
