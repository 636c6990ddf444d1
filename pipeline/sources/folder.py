"""A folder of files: each file is a record, its parent folder names the class.

It is read as a table of paths: `path`, `label`, and the field's column, which refers to the file (see
`references.file_references`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

import pyarrow as pa

from pipeline.errors import InputError, Problem
from pipeline.records import InputFile, Unit
from pipeline.sources.interface import Listing, batch_rows
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found

PATH, LABEL = "path", "label"
EXTENSIONS: dict[str, frozenset[str]] = {
    "image": frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"}),
    "audio": frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"}),
    "text": frozenset({".txt", ".text"}),
    "video": frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif"}),
    "volume": frozenset({".tif", ".tiff", ".png", ".npy", ".npz", ".nii", ".nii.gz"}),
}
_UNIT_FILES = 1024
_DOUBLE = (".nii.gz",)


@dataclass(frozen=True, slots=True)
class FolderReader:
    """Rows of `path`, `label` and the column `field`, which holds the file's absolute path or URL."""

    root: Folder
    field: str
    named: tuple[str, ...] = ()
    """The folders and files that the config names, absolute; links within may not lead out of them. Empty: `root`."""
    seekable: ClassVar[bool] = True

    def read(self, unit: Unit, columns: Sequence[str] | None, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Files `start`..`stop` of a unit; see `Reader.read`. No file is opened."""
        wanted = list(self.schema().names if columns is None else columns)
        schema = pa.schema([self.schema().field(name) for name in wanted])
        step = batch_rows(unit, columns)
        for first in range(start, stop, step):
            members = unit.members[first : min(stop, first + step)]
            yield pa.record_batch([self._column(name, members) for name in wanted], schema=schema)

    def expect(self, units: Sequence[Unit]) -> None:
        """Nothing is held."""

    def locate(self, unit: Unit, row: int) -> tuple[str, int]:
        """The file itself; its only row is 0."""
        return unit.members[row].path, 0

    def schema(self) -> pa.Schema:
        """The columns that a folder has, all text."""
        return pa.schema([(name, pa.string()) for name in (PATH, LABEL, self.field)])

    def _column(self, name: str, members: Sequence[InputFile]) -> pa.Array:
        if name == PATH:
            return pa.array([m.path for m in members], pa.string())
        if name == LABEL:
            return pa.array([label_of(self.root.placed(m.path)) for m in members], pa.string())
        return pa.array([self.root.full(m.path) for m in members], pa.string())


def ending_of(path: str) -> str:
    """The ending of a file's name that tells its kind, in small letters: `.tif`, `.nii.gz`; empty if it has none."""
    name = path.rpartition("/")[2].lower()
    double = next((ending for ending in _DOUBLE if name.endswith(ending)), "")
    at = name.rfind(".")
    return double or (name[at:] if 0 < at < len(name) - 1 else "")


def label_of(path: str) -> str | None:
    """The name of the folder that a file lies in; None directly at the root."""
    return PurePosixPath(path).parent.name or None


def list_folder(root: Folder, found: Sequence[Found], field: str, kind: str) -> Listing:
    """A listing of the files with an extension of the modality. Raises InputError for unusable names."""
    wanted = [f for f in found if ending_of(f.path) in EXTENSIONS[kind]]
    problems = [
        Problem(repr(f.path), "the file name is not valid UTF-8.", "Rename the file.")
        for f in wanted
        if not _encodable(f.path)
    ]
    if problems:
        raise InputError("some files cannot be named in a dataset", tuple(problems))
    files = tuple(InputFile(f.path, f.size, f.tag) for f in wanted)
    units = tuple(
        Unit(file=part[0].path, rows=len(part), bytes=sum(m.size for m in part), part=number, members=part)
        for number, part in enumerate(files[n : n + _UNIT_FILES] for n in range(0, len(files), _UNIT_FILES))
    )
    reader = FolderReader(root, field)
    return Listing(reader, files, units, reader.schema(), "folder")


def _encodable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
