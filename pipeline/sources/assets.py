"""Files that parameters of steps name, read through the one door to files; see `transforms.assets`."""

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.storage.folder import Folder, absolute, expand, fixed_part, is_url, read_file
from pipeline.storage.local_files import LINK, Found, copy_of
from pipeline.storage.stores.locations import OutsideAllowed, real_path, within
from transforms import assets
from transforms.reference_images import smallest
from transforms.values import ImageValue

_BATCH_ROWS = 64


class StoredMaterial:
    """`transforms.assets.Store` on local files and object stores."""

    def files(self, location: str) -> tuple[str, ...]:
        """Every file of a location, sorted."""
        return tuple(sorted(file.path for file in _found(location)))

    def read(self, path: str) -> bytes:
        """The whole content."""
        return read_file(path)

    def local(self, location: str) -> str:
        """The place itself, or a copy of what is remote, in a folder that the content names."""
        if not is_url(location):
            self.files(location)
            return absolute(location)
        names = self.files(location)
        place, root = self.digest(location), _common(names)
        copies = [copy_of(place, posixpath.relpath(name, root), read_file(name)) for name in names]
        return copies[0] if names == (absolute(location),) else posixpath.join(copies[0].split(place)[0], place)

    def digest(self, location: str) -> str:
        """Digest of the files' names within the location, and of their contents."""
        return _digest(tuple(sorted(_found(location), key=lambda file: file.path)))

    def column(self, location: str, name: str, most: int) -> dict[str, bytes]:
        """Payload of a column of Parquet files, at most `most` cells of it."""
        return dict(_column(tuple(sorted(_found(location), key=lambda file: file.path)), name, most))

    def picture(self, data: bytes, mode: str) -> NDArray[np.uint8]:
        """Pixels, decoded as the pictures of a field are."""
        from pipeline.modalities.codecs.image.codec import ImageCodec

        return cast(ImageValue, ImageCodec(mode).decode(data).value).pixels


def _found(location: str) -> list[Found]:
    """The files of a location, with sizes and tags."""
    try:
        root, found = expand(location)
    except InputError as error:
        raise FileNotFoundError(error.message) from error
    named = fixed_part(absolute(location))
    for file in found if root.local else ():
        if file.tag == LINK or not within(real_path(root.full(file.path)), (named,)):
            raise OutsideAllowed(f"{location}: {file.path} is a link that leads out of it; name the place itself")
    return [replace(file, path=root.full(file.path)) for file in found]


@lru_cache(maxsize=64)
def _digest(files: tuple[Found, ...]) -> str:
    names = tuple(file.path for file in files)
    root = _common(names)
    whole = blake2b(digest_size=16)
    for name in names:
        content = blake2b(read_file(name), digest_size=16).hexdigest()
        whole.update(f"{posixpath.relpath(name, root)}\0{content}\n".encode("utf-8", "surrogatepass"))
    return whole.hexdigest()


@lru_cache(maxsize=8)
def _column(files: tuple[Found, ...], name: str, most: int) -> tuple[tuple[str, bytes], ...]:
    """The names of all cells are known from the footers; then only row groups with a chosen cell are read."""
    short = assets.relative_names([file.path for file in files])
    counts = {file.path: _row_count(file.path, name) for file in files}
    chosen = smallest((f"{short[path]}#{row}" for path, count in counts.items() for row in range(count)), most)
    rows: dict[str, list[int]] = {}
    for file, _, row in (cell.rpartition("#") for cell in chosen):
        rows.setdefault(file, []).append(int(row))
    wanted = {path: sorted(rows.get(short[path], ())) for path in counts}
    cells = {f"{short[path]}#{row}": data for path in counts for row, data in _cells(path, name, wanted[path])}
    return tuple(sorted(cells.items()))


def _row_count(path: str, name: str) -> int:
    """Rows of a Parquet file that has the column. Raises ValueError."""
    folder, file = posixpath.split(path)
    try:
        with Folder(folder).open(file) as source:
            parquet = pq.ParquetFile(source)
            if name not in parquet.schema_arrow.names:
                raise ValueError(f"{path} has no column {name!r}; it has {', '.join(parquet.schema_arrow.names)}")
            return int(parquet.metadata.num_rows)
    except pa.ArrowException as error:
        raise ValueError(f"{path} is not a readable Parquet file: {str(error).splitlines()[0]}") from error


def _cells(path: str, name: str, rows: list[int]) -> Iterator[tuple[int, bytes]]:
    """Row number and payload of some rows that are not null."""
    folder, file = posixpath.split(path)
    with Folder(folder).open(file) as source:
        parquet = pq.ParquetFile(source)
        first = 0
        for group in range(parquet.metadata.num_row_groups):
            count = parquet.metadata.row_group(group).num_rows
            if any(first <= row < first + count for row in rows):
                for batch in parquet.iter_batches(_BATCH_ROWS, row_groups=[group], columns=[name], use_threads=False):
                    for row in (row for row in rows if first <= row < first + batch.num_rows):
                        value = batch.column(0)[row - first].as_py()
                        data = value.get("bytes") if isinstance(value, dict) else value
                        if data is not None and not isinstance(data, bytes):
                            raise ValueError(f"{path}: column {name!r} holds neither bytes nor struct<bytes, path>")
                        yield from [] if data is None else [(row, data)]
                    first += batch.num_rows
            else:
                first += count


def _common(names: tuple[str, ...]) -> str:
    """The folder that holds all files."""
    return posixpath.commonprefix([f"{posixpath.dirname(name)}/" for name in names]).rpartition("/")[0]


def connect() -> None:
    """From now on steps in this process read files through `pipeline.storage.folder`."""
    assets.use(StoredMaterial())
