import errno
import fcntl
import mmap
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from small_inputs import put

from pipeline.errors import InputError, RunFailed, UsageError
from pipeline.storage import folder as storage
from pipeline.storage import local_files
from pipeline.storage.folder import Folder, absolute, expand, is_url, read_file, read_text, stat_file, write_file
from pipeline.storage.local_files import MISSING, TEMPORARY


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """An empty folder of each kind of storage."""
    if request.param == "local":
        return Folder.at(str(tmp_path / "folder ü"))
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    return Folder.at("memory://bucket/folder")


def leftovers(path: Path) -> list[str]:
    return [p.name for p in path.rglob("*") if p.name.startswith(TEMPORARY)]


# What every kind of storage does alike


def test_what_is_put_is_read(folder: Folder) -> None:
    folder.put("a/b.bin", b"12345")
    assert folder.read("a/b.bin") == b"12345"
    assert folder.read_range("a/b.bin", 1, 3) == b"23"
    assert folder.folder("a").read("b.bin") == b"12345"
    with folder.open("a/b.bin") as file:
        file.seek(2)
        assert bytes(file.read()) == b"345"
    assert folder.stat("a/b.bin").size == 5


def test_an_arrow_buffer_and_nothing_can_be_put(folder: Folder) -> None:
    folder.put("a", pa.py_buffer(b"xyz"))
    folder.put("b", b"")
    assert (folder.read("a"), folder.read("b")) == (b"xyz", b"")


def test_put_replaces(folder: Folder) -> None:
    folder.put("a", b"one, longer")
    folder.put("a", b"two")
    assert folder.read("a") == b"two"


def test_put_if_absent_does_not(folder: Folder) -> None:
    assert folder.put_if_absent("a", b"one")
    assert not folder.put_if_absent("a", b"two")
    assert folder.read("a") == b"one"


def test_names_are_of_files_directly_inside(folder: Folder) -> None:
    assert folder.names() == []
    assert folder.names("gone") == []
    for name in ("x/b", "x/a", "x/deep/c", "y"):
        folder.put(name, b"1")
    assert folder.names("x") == ["a", "b"]
    assert folder.folders() == ["x"]
    assert [f.path for f in folder.walk()] == ["x/a", "x/b", "x/deep/c", "y"]


def test_hidden_files_are_not_walked(folder: Folder) -> None:
    for name in ("a", ".a", ".git/b", "x/.DS_Store", "x/b"):
        folder.put(name, b"1")
    assert [f.path for f in folder.walk()] == ["a", "x/b"]


def test_exists_and_remove(folder: Folder) -> None:
    assert not folder.exists("a")
    folder.remove("a")
    folder.put("a", b"1")
    assert folder.exists("a")
    assert folder.exists()
    folder.remove("a")
    assert not folder.exists("a")


def test_reading_what_is_not_there(folder: Folder) -> None:
    for call in (folder.read, folder.stat):
        with pytest.raises(FileNotFoundError):
            call("gone")


def test_content_tags_tell_contents_apart(folder: Folder) -> None:
    folder.put("a", b"1" * 3_000_000)
    folder.put("b", b"1" * 3_000_000)
    folder.put("c", b"2" * 3_000_000)
    assert folder.content_tag("a") == folder.content_tag("b") != folder.content_tag("c")


def test_tags_change_with_the_file(folder: Folder) -> None:
    folder.put("a", b"1")
    before = folder.stat("a")
    assert folder.stat("a") == before
    folder.put("a", b"2")
    assert folder.stat("a").tag != before.tag


def test_a_glob_finds_what_it_names(folder: Folder) -> None:
    for name in ("x/a.parquet", "x/b.csv", "x/deep/c.parquet", "y/d.parquet", "x/._a.parquet", ".h/e.parquet"):
        folder.put(name, b"1")

    def found(pattern: str) -> list[str]:
        root, files = expand(folder.full(pattern))
        return sorted(root.full(f.path).removeprefix(folder.url + "/") for f in files)

    assert found("x/*.parquet") == ["x/a.parquet"]
    assert found("**/*.parquet") == ["x/a.parquet", "x/deep/c.parquet", "y/d.parquet"]
    assert found("?/*.parquet") == ["x/a.parquet", "y/d.parquet"]
    assert found("[xz]/*.parquet") == ["x/a.parquet"]
    assert found("x/*.none") == []
    assert found("x/.*.parquet") == ["x/._a.parquet"]


def test_folder_and_file_expand(folder: Folder) -> None:
    folder.put("x/a.csv", b"1")
    assert [f.path for f in expand(folder.full("x"))[1]] == ["a.csv"]
    root, (file,) = expand(folder.full("x/a.csv"))
    assert (root, file.path, file.size) == (folder.folder("x"), "a.csv", 1)


def test_no_such_path(folder: Folder) -> None:
    with pytest.raises(InputError, match="no such path"):
        expand(folder.full("gone"))


# Local files


def test_brackets_in_the_name_of_a_folder_are_no_glob(tmp_path: Path) -> None:
    put(tmp_path / "data [1]" / "a*b.csv", b"1")
    assert [f.path for f in expand(str(tmp_path / "data [1]"))[1]] == ["a*b.csv"]
    assert [f.path for f in expand(str(tmp_path / "data [1]" / "a*b.csv"))[1]] == ["a*b.csv"]


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    """A link to a folder above it was followed until the system refused, with a traceback."""
    put(tmp_path / "in" / "cats" / "a.jpg", b"1")
    put(tmp_path / "elsewhere" / "b.jpg", b"1")
    (tmp_path / "in" / "cats" / "up").symlink_to("..")
    (tmp_path / "in" / "self").symlink_to(".")
    (tmp_path / "in" / "dogs").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in" / "round").symlink_to("round")
    found = Folder(str(tmp_path / "in")).walk()
    assert [f.path for f in found] == ["cats/a.jpg", "dogs/b.jpg", "gone", "round"]
    assert [f.tag == MISSING for f in found] == [False, False, True, True]


def test_a_put_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Folder(str(tmp_path))
    home.put("a", b"before")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(local_files.os, "fsync", full)
    for call in (home.put, home.put_if_absent):
        with pytest.raises(RunFailed, match="disk is full") as caught:
            call("a" if call == home.put else "new", b"after")
        assert "\n" not in caught.value.message
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]
    assert home.read("a") == b"before"


MEGABYTE = 1 << 20


def content_from(first: int, size: int) -> memoryview:
    """Numbered bytes in memory that begins `first` bytes after a page."""
    room = np.zeros(size + 2 * mmap.PAGESIZE, np.uint8)
    begin = -room.ctypes.data % mmap.PAGESIZE + first
    room[begin : begin + size] = np.arange(size) % 251
    return memoryview(room[begin : begin + size])


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("size", [0, 1, MEGABYTE - 1, MEGABYTE, MEGABYTE + mmap.PAGESIZE + 7, 5 * MEGABYTE + 3])
def test_content_of_any_size_from_any_place_in_memory(first: int, size: int, tmp_path: Path) -> None:
    data, home = content_from(first, size), Folder(str(tmp_path))
    home.put("a", data)
    assert home.read("a") == bytes(data)
    assert home.stat("a").size == size
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """Files that are written past the cache at the moment, on file systems that know nothing of that as well."""
    marked: set[int] = set()

    def control(handle: int, command: int, flags: int = 0) -> int:
        if command == fcntl.F_SETFL:
            (marked.add if flags else marked.discard)(handle)
        return 0

    monkeypatch.setattr(local_files, "_DIRECT", 1)
    monkeypatch.setattr(local_files.fcntl, "fcntl", control)
    yield marked
    assert marked == set()


def test_large_content_goes_past_the_cache(direct: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, seen = os.write, []

    def write(handle: int, data: memoryview) -> int:
        seen.append((handle in direct, len(data)))
        return real(handle, data)

    monkeypatch.setattr(local_files.os, "write", write)
    home, data = Folder(str(tmp_path)), content_from(0, 2 * MEGABYTE + 5)
    home.put("large", data)
    assert seen == [(True, 2 * MEGABYTE), (False, 5)]
    seen.clear()
    home.put("small", data[: MEGABYTE - 1])
    assert seen == [(False, MEGABYTE - 1)]


@pytest.mark.parametrize("before", [0, MEGABYTE])
def test_file_systems_that_only_write_through_their_cache(
    before: int, direct: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some refuse at once, some in the middle; what is written stays, the rest follows."""
    real = os.write

    def write(handle: int, data: memoryview) -> int:
        if handle not in direct:
            return real(handle, data[: MEGABYTE // 2])
        if os.lseek(handle, 0, os.SEEK_CUR) < before:
            return real(handle, data[:before])
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(local_files.os, "write", write)
    home, data = Folder(str(tmp_path)), content_from(0, 3 * MEGABYTE + 5)
    home.put("a", data)
    assert home.read("a") == bytes(data)


def test_a_disk_that_is_full_in_the_middle_of_large_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def write(handle: int, data: memoryview) -> int:
        if os.lseek(handle, 0, os.SEEK_CUR) < MEGABYTE:
            return real(handle, data[:MEGABYTE])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(local_files.os, "write", write)
    with pytest.raises(RunFailed, match="disk is full"):
        Folder(str(tmp_path)).put("a", content_from(0, 2 * MEGABYTE))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.EACCES, "owner and mode"),
        (errno.EROFS, "output.path"),
        (errno.EIO, "Input/output"),
        (errno.EDQUOT, "full"),
    ],
)
def test_errors_of_writing_are_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(storage, "publish", refuse)
    with pytest.raises(RunFailed, match=said) as caught:
        Folder(str(tmp_path)).put("a", b"1")
    assert str(tmp_path / "a") in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    put(tmp_path / "out", b"a file")
    for call in (Folder(str(tmp_path / "out")).make, lambda: Folder(str(tmp_path / "out")).put("a", b"1")):
        with pytest.raises(RunFailed, match="cannot be written"):
            call()


def test_one_of_many_wins(tmp_path: Path) -> None:
    home, start = Folder(str(tmp_path)), threading.Barrier(8)
    won: list[int] = []

    def race(number: int) -> None:
        start.wait()
        if home.put_if_absent("a", str(number).encode()):
            won.append(number)

    threads = [threading.Thread(target=race, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = won
    assert home.read("a") == str(winner).encode()
    assert leftovers(tmp_path) == []


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    dead = put(tmp_path / "train" / f"{TEMPORARY}1-2-part", b"half")
    living = put(tmp_path / "train" / f"{TEMPORARY}3-4-part", b"half")
    other = put(tmp_path / "train" / "part", b"whole")
    with living.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert Folder(str(tmp_path)).remove_leftovers() == 1
        assert [p.exists() for p in (dead, living, other)] == [False, True, True]
    assert Folder(str(tmp_path)).remove_leftovers() == 1
    assert Folder(str(tmp_path / "gone")).remove_leftovers() == 0


def test_what_is_being_written_is_not_listed(tmp_path: Path) -> None:
    put(tmp_path / f"{TEMPORARY}1-2-part", b"half")
    assert Folder(str(tmp_path)).names() == []
    assert Folder(str(tmp_path)).walk() == []


# Paths


@pytest.mark.parametrize(
    ("path", "remote"),
    [("s3://b/x", True), ("memory://x", True), ("file:///x", False), ("/x", False), ("x", False), ("a:b", False)],
)
def test_is_url(path: str, remote: bool) -> None:
    assert is_url(path) == remote


def test_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert absolute("x/../y") == str(tmp_path / "y")
    assert absolute("~/x") == "/home/me/x"
    assert absolute("file:///x/y") == "/x/y"
    assert absolute("s3://b/x/") == "s3://b/x"


def test_reading_and_writing_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_file("new/ü.txt", "\ufeffgrün".encode())
    assert read_text("new/ü.txt") == "grün"
    assert read_file(str(tmp_path / "new/ü.txt")) == "\ufeffgrün".encode()
    assert stat_file(str(tmp_path / "new/ü.txt")).size == 8
    assert leftovers(tmp_path) == []


def test_unknown_and_missing_kinds_of_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="unknown kind of storage"):
        expand("odd://x/y")

    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("Install it")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    for url, extra in (("s3://lacking/x", "s3"), ("az://lacking/x", "azure"), ("gs://lacking/x", "gcs")):
        with pytest.raises(UsageError, match=rf"pip install 'fanbeam\[{extra}\]'"):
            expand(url)
    with pytest.raises(UsageError, match="Install it"):
        expand("swift://b/x")


def test_put_if_absent_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    home = Folder.at(str(tmp_path))
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda n: home.put_if_absent("a", str(n).encode()), range(8)))
    assert won.count(True) == 1
    assert home.read("a") == str(won.index(True)).encode()
    home.remove_leftovers()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_temporary_files_lie_outside_of_folders_that_others_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever lists Parquet files meets no half of one, whenever a run is killed."""
    seen: list[list[str]] = []
    fsync = os.fsync

    def looks(handle: int) -> None:
        seen.append([p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()])
        fsync(handle)

    monkeypatch.setattr(os, "fsync", looks)
    folder = Folder(str(tmp_path))
    folder.put("train/part-00000.parquet", b"x")
    assert folder.put_if_absent("test/deeper/part-00000.parquet", b"x")
    during = [names for names in seen if any(".fanbeam-" in name for name in names)]
    assert len(during) >= 2
    for name in (name for names in during for name in names if ".fanbeam-" in name):
        assert "/" not in name
        assert name.endswith(".tmp")


def test_a_folder_on_another_file_system_is_written_to(tmp_path: Path) -> None:
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        assert elsewhere.stat().st_dev != tmp_path.stat().st_dev
        (tmp_path / "train").symlink_to(elsewhere)
        Folder(str(tmp_path)).put("train/part", b"x")
        assert [p.name for p in elsewhere.iterdir()] == ["part"]
    finally:
        shutil.rmtree(elsewhere)


def test_a_place_that_cannot_be_read_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError) as caught:
        expand("http://127.0.0.1:1/x.parquet")
    assert ".." not in caught.value.message
    assert "owner and mode" not in caught.value.message
