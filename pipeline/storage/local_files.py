"""Files of this machine, for `storage` alone: listing, and publishing whole files."""

import errno
import fcntl
import mmap
import os
import stat as modes
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa

from pipeline.errors import InputError, Problem

TEMPORARY = ".fanbeam-"
LINK = "link"
"""The tag of a link to a folder that is not followed."""
MISSING = "missing"
"""The tag of a file that is named and not there."""
_ENDING = ".tmp"
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_NOT_DIRECTLY = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)
_DIRECT = getattr(os, "O_DIRECT", 0)  # of Linux
_LARGE = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was listed: path relative to its folder, size in bytes, tag that changes with its content."""

    path: str
    size: int
    tag: str


def walk(root: str, enters: Callable[[str], bool]) -> Iterator[Found]:
    """Every file below `root`, however deep, names relative to it; names that begin with a dot are left out.

    Links are followed, but not into a folder that is already being walked, nor to folders that `enters` does not let
    in: such a link is found itself, with the tag LINK; one that leads nowhere is a file that is MISSING. Raises
    InputError for a folder that may not be listed.
    """
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
    while waiting:
        inside, above = waiting.pop()
        folder = os.path.join(root, inside)
        info = os.stat(folder)
        here = (info.st_dev, info.st_ino)
        if here in above:
            continue
        with _scanned(folder) as entries:
            for entry in entries:
                name = f"{inside}/{entry.name}" if inside else entry.name
                if entry.name.startswith("."):
                    continue
                dead = entry.is_symlink() and not os.path.exists(entry.path)  # `is_dir` raises for a loop of links
                if not dead and entry.is_dir() and (not entry.is_symlink() or enters(os.path.realpath(entry.path))):
                    waiting.append((name, above | {here}))
                else:
                    yield from _found(entry, name)


def _found(entry: os.DirEntry[str], name: str) -> Iterator[Found]:
    """A file, a link that leads nowhere, or one that is not followed; nothing for pipes and devices."""
    if entry.is_symlink() and not os.path.exists(entry.path):
        yield Found(name, 0, MISSING)
    elif entry.is_dir():
        yield Found(name, 0, LINK)
    elif entry.is_file():
        yield stat(entry.path, name)


def unusable(path: str) -> str:
    """Why nothing can lie at a path, though it may not be there yet; empty if something can."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # said where it is written to
        return ""
    except ValueError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _scanned(folder: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
    try:
        return os.scandir(folder)
    except PermissionError as error:
        remedy = "Check owner and mode, or leave the folder out."
        message = f"{folder}: cannot be listed: {error.strerror}"
        raise InputError(message, (Problem(folder, f"cannot be listed: {error.strerror}.", remedy),)) from error


def stat(path: str, name: str) -> Found:
    """Size and modification time of a file, under the name `name`. Raises FileNotFoundError."""
    info = os.stat(path)
    return Found(name, info.st_size, f"mtime:{info.st_mtime_ns}")


class TooLarge(OSError):
    """A file has more bytes than a record may have."""

    def __str__(self) -> str:
        return str(self.args[0])


def too_large(most: int, size: int | None = None) -> TooLarge:
    """The error of a file above `most` bytes; `size` if it is known."""
    return TooLarge(f"{'more' if size is None else f'{size} bytes: more'} than the {most} bytes that a file may have")


def stat_regular(path: str, name: str) -> Found:
    """As `stat`. Raises OSError for what is no file with an end: a pipe, a device, a folder."""
    _refuse_irregular(os.stat(path).st_mode)
    return stat(path, name)


def read_regular(path: str, most: int) -> bytes:
    """The whole content of a file of at most `most` bytes. Raises TooLarge, and OSError as `stat_regular` does.

    The last name of the path may not be a link. A pipe is not waited for.
    """
    _refuse_irregular(os.lstat(path).st_mode)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(handle, "rb", buffering=0) as file:
        info = os.fstat(handle)
        _refuse_irregular(info.st_mode)
        if info.st_size > most:
            raise too_large(most, info.st_size)
        data = file.read(info.st_size + 1)
        while len(data) != info.st_size and (more := file.read(1 << 20)):  # it grows, or reads come short
            data += more
            if len(data) > most:
                raise too_large(most)
        return data


def _refuse_irregular(mode: int) -> None:
    if modes.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not modes.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file")


def publish(path: str, data: bytes | memoryview | pa.Buffer, replace: bool, root: str = "") -> bool:
    """Temporary file of a name never used before, fsync, then rename (or link, which fails if the name exists).

    It lies directly in the folder `root` if that is of the same file system, else beside the target. Its name does not
    end as the target's, so that nobody who reads folders takes it for data.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not replace and target.exists():
        return False
    folder = _of_same_system(target.parent, root)
    temporary = folder / f"{TEMPORARY}{os.getpid()}-{threading.get_native_id()}-{time.monotonic_ns()}{_ENDING}"
    try:
        with _locked(temporary) as file:
            _write(file.fileno(), memoryview(data).cast("B"))
            os.fsync(file.fileno())
            return _reveal(temporary, target, replace)
    finally:
        temporary.unlink(missing_ok=True)


def _of_same_system(folder: Path, root: str) -> Path:
    """`root` if a file there can be renamed into the folder."""
    if not root or folder.stat().st_dev != os.stat(root).st_dev:
        return folder
    return Path(root)


def copy_of(place: str, name: str, data: bytes) -> str:
    """A file of this machine's temporary folder with this content, in a folder that `place` names; made once.

    Raises OSError where another user could have put something else there.
    """
    if ".." in name.split("/") or name.startswith("/"):
        raise OSError(f"{name!r} leads out of the folder that it is copied to")
    path = _own_folder(Path(tempfile.gettempdir()) / f"fanbeam-material-{os.getuid()}") / place / name
    if not path.exists():
        publish(str(path), data, replace=True)
    return str(path)


def _own_folder(folder: Path) -> Path:
    """A folder that nobody but this user can write to. Temporary folders are shared: others may have made it first."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    info = folder.lstat()
    if not modes.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        raise OSError(f"{folder} is not a folder of this user: remove it, or set TMPDIR to a folder of your own")
    if info.st_mode & 0o077:
        folder.chmod(0o700)
        if any(path.lstat().st_uid != os.getuid() for path in folder.rglob("*")):
            raise OSError(f"{folder} holds files of other users: remove it, or set TMPDIR to a folder of your own")
    return folder


def _write(handle: int, data: memoryview) -> None:
    """All of it, large content past the system's cache: it is not read again soon, and copying it costs more."""
    whole = len(data) - len(data) % mmap.PAGESIZE
    if _DIRECT and whole >= _LARGE:
        data = data[_directly_written(handle, data[:whole]) :]
    while data:
        data = data[os.write(handle, data) :]


def _directly_written(handle: int, data: memoryview) -> int:
    """How many bytes went past the cache: all, or those before the file system or the memory's alignment forbade it."""
    flags, written = fcntl.fcntl(handle, fcntl.F_GETFL), 0
    try:
        fcntl.fcntl(handle, fcntl.F_SETFL, flags | _DIRECT)
        while written < len(data):
            written += os.write(handle, data[written:])
    except OSError as error:
        if error.errno not in _NOT_DIRECTLY:
            raise
    finally:
        fcntl.fcntl(handle, fcntl.F_SETFL, flags)
    return written


def _reveal(temporary: Path, target: Path, replace: bool) -> bool:
    if replace:
        temporary.replace(target)
    else:
        try:
            target.hardlink_to(temporary)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            if not _rename_if_absent(temporary, target):
                return False
    _sync_folder(target.parent)
    return True


def _rename_if_absent(temporary: Path, target: Path) -> bool:
    """For file systems without hard links: look and rename under a lock that all writers of the name take."""
    with (target.parent / f"{TEMPORARY}lock-{target.name}{_ENDING}").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return False
        temporary.replace(target)
        return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """A new file, locked while it is written, so that `remove_leftovers` knows it from that of a killed run."""
    while True:
        with path.open("xb", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:  # nobody took it for a leftover before it was locked
                yield file
                return


def remove_unlocked(path: Path) -> bool:
    """Remove a temporary file unless a living process holds its lock; whether it was removed."""
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
        return True
    return False
