"""Files that parameters of steps name, read through the one door to files; see `transforms.material`."""

import posixpath
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

from pipeline.errors import InputError
from pipeline.local_files import Found, copy_of
from pipeline.storage import absolute, expand, is_url, read_file
from transforms import material


class StoredMaterial:
    """`transforms.material.Store` on local files and object stores."""

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


def _found(location: str) -> list[Found]:
    """The files of a location, with sizes and tags."""
    try:
        root, found = expand(location)
    except InputError as error:
        raise FileNotFoundError(error.message) from error
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


def _common(names: tuple[str, ...]) -> str:
    """The folder that holds all files."""
    return posixpath.commonprefix([f"{posixpath.dirname(name)}/" for name in names]).rpartition("/")[0]


def connect() -> None:
    """From now on steps in this process read files through `pipeline.storage`."""
    material.use(StoredMaterial())
