"""Columns that hold paths or URLs of files: where they lead, whether they may, and what lies there.

A table may come from elsewhere, so it names only what lies below its own folder (links resolved) or in its own bucket;
the config names other places. A folder of files is a table of paths: its files lie in folders that the config names.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.config.schema import AnyField
from pipeline.config.types import Allowed
from pipeline.modalities.labels.mask_files import NamedFiles
from pipeline.records import Unit
from pipeline.sources.folder import FolderReader
from pipeline.sources.interface import Reader
from pipeline.sources.references.file_names import spellings
from pipeline.sources.strings import values_of
from pipeline.storage.folder import Folder, is_url, read_named, stat_named
from pipeline.storage.local_files import Found
from pipeline.storage.stores.locations import (
    OutsideAllowed,
    covers,
    is_there,
    is_web,
    odd_url,
    of_the_system,
    real_path,
    same_store,
    within,
)


def resolve(reference: str, root: Folder, file: str) -> str:
    """Absolute path or URL of a reference; a relative one counts from the folder of the table that names it."""
    if is_url(reference):
        return reference
    reference = reference.removeprefix("file://")
    scheme, mark, base = posixpath.dirname(root.full(file)).rpartition("://")
    path = posixpath.normpath(posixpath.join(base, reference))
    return path if reference.startswith("/") else f"{scheme}{mark}{path}"


@dataclass(frozen=True, slots=True)
class References:
    """The references of one column. `own`: the folders that its files lie in; empty: that of the table itself.

    `most`: bytes that a file may have.
    """

    root: Folder
    own: tuple[str, ...]
    allowed: tuple[str, ...]
    most: int

    @classmethod
    def of(cls, reader: Reader, field: AnyField | NamedFiles) -> "References":
        """Those of a field, or of a column of its labels."""
        own = (reader.named or (reader.root.url,)) if isinstance(reader, FolderReader) else ()
        allowed = field.uri.prefixes if isinstance(field.uri, Allowed) else ()
        return cls(reader.root, own, allowed, field.max_bytes)

    def place(self, reference: str, file: str) -> str:
        """The real path or URL that a reference in a file leads to. Raises OutsideAllowed."""
        where = resolve(reference, self.root, file)
        own = self.own or (posixpath.dirname(self.root.full(file)) or "/",)
        if is_url(where):
            if odd := odd_url(where):
                raise OutsideAllowed(f"the URL {odd}")
            if self.permitted(where) or any(_own_store(folder, where) for folder in own):
                return where
            raise OutsideAllowed("it lies in another store than the table that names it")
        real = real_path(where)
        if not is_there(real):
            others = (real_path(resolve(other, self.root, file)) for other in spellings(reference))
            real = next((other for other in others if is_there(other)), real)
        if of_the_system(real):
            raise OutsideAllowed("it shows processes or devices, not files of data")
        if not within(real, (*own, *self.allowed)):
            raise OutsideAllowed("it lies outside of the folder of the input")
        return real

    def permitted(self, url: str) -> bool:
        """Whether the config names a URL, or something above it."""
        return not odd_url(url) and within(url, self.allowed)

    def read(self, reference: str, file: str) -> bytes:
        """The content. Raises OutsideAllowed, FileNotFoundError, TooLarge, other OSErrors, ValueError."""
        return read_named(self.place(reference, file), self.most, self.permitted)

    def stat(self, reference: str, file: str) -> Found:
        """Size and tag; see `read`."""
        return stat_named(self.place(reference, file), self.permitted)

    def content_tag(self, reference: str, file: str) -> str:
        """The tag by content of a local file, empty for any other; see `read`."""
        folder, name = posixpath.split(self.place(reference, file))
        return "" if is_url(folder) else Folder(folder).content_tag(name)


def referenced(reader: Reader, unit: Unit, columns: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    """Every reference of a unit: the column, what is written there, and where that leads."""
    names = list(columns)
    for batch in reader.read(unit, names, 0, unit.rows):
        for name, column in zip(names, batch.columns, strict=True):
            for cell in values_of(column):
                for reference in cell if isinstance(cell, list) else [cell]:
                    if isinstance(reference, str):
                        yield name, reference, resolve(reference, reader.root, unit.file)


def _own_store(folder: str, where: str) -> bool:
    """Whether a URL lies where the table lies: in its bucket, or below its folder on the web."""
    return covers(folder, where) if is_web(folder) else same_store(folder, where)
