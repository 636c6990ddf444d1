"""A store as a file system of Arrow, for its datasets. For reading only."""

from typing import Any

import pyarrow as pa
from pyarrow.fs import FileInfo, FileSelector, FileSystemHandler, FileType

from pipeline.storage.stores.interface import Store
from pipeline.storage.stores.remote_file import RemoteFile


def remote_file(store: Store, key: str, size: int | None = None) -> pa.PythonFile:
    """A random access file over an object. `size` in bytes, if it is known, saves a request."""
    length = store.stat(key).size if size is None else size
    return pa.PythonFile(RemoteFile(lambda begin, end: store.view(key, begin, end), length), "r")


class StoreFiles(FileSystemHandler):  # type: ignore[misc]
    """Objects of one store by key."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoreFiles) and other._store is self._store

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def get_type_name(self) -> str:
        """The name of this kind of file system."""
        return "fanbeam"

    def normalize_path(self, path: str) -> str:
        """The path itself."""
        return path

    def get_file_info(self, paths: list[str]) -> list[FileInfo]:
        """What lies at each path."""
        return [self._info(path) for path in paths]

    def _info(self, path: str) -> FileInfo:
        try:
            return FileInfo(path, FileType.File, size=self._store.stat(path).size)
        except FileNotFoundError:
            return FileInfo(path, FileType.NotFound)

    def get_file_info_selector(self, selector: FileSelector) -> list[FileInfo]:
        """Objects below a folder."""
        base = selector.base_dir
        found = self._store.walk(base) if selector.recursive else self._store.files(base)
        return [FileInfo(f"{base}/{f.path}", FileType.File, size=f.size) for f in found]

    def open_input_file(self, path: str) -> pa.PythonFile:
        """A file for random access."""
        return remote_file(self._store, path)

    def open_input_stream(self, path: str) -> pa.PythonFile:
        """A file to be read forwards."""
        return remote_file(self._store, path)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("for reading only")

    create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = delete_file = _refuse
    move = copy_file = open_output_stream = open_append_stream = _refuse
