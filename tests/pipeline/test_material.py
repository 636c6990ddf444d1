from pathlib import Path

import fsspec
import pytest

from pipeline import material as pipeline_material
from transforms import material


@pytest.fixture(autouse=True)
def connected() -> None:
    pipeline_material.connect()


def noises(folder: Path) -> Path:
    for name in ("b.wav", "a.wav", "more/c.wav"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def test_files_are_sorted_and_absolute(tmp_path: Path) -> None:
    folder = noises(tmp_path / "noises")
    assert material.files(str(folder)) == tuple(str(folder / n) for n in ("a.wav", "b.wav", "more/c.wav"))
    assert material.files(str(folder / "*.wav")) == tuple(str(folder / n) for n in ("a.wav", "b.wav"))
    assert material.read(material.files(str(folder / "a.wav"))[0]) == b"a.wav"
    assert material.local(str(folder)) == str(folder)


def test_what_is_not_there(tmp_path: Path) -> None:
    for call in (material.files, material.local, material.digest):
        with pytest.raises(FileNotFoundError, match="no such path"):
            call(str(tmp_path / "nowhere"))


def test_the_digest_is_of_names_and_contents_wherever_they_lie(tmp_path: Path) -> None:
    first, second = noises(tmp_path / "one"), noises(tmp_path / "two")
    assert material.digest(str(first)) == material.digest(str(second))
    (second / "d.wav").write_bytes(b"d")
    assert material.digest(str(first)) != material.digest(str(second))
    before = material.digest(str(second))
    (second / "d.wav").write_bytes(b"changed")
    assert material.digest(str(second)) != before


def test_what_is_remote_is_copied_once_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    memory = fsspec.filesystem("memory")
    memory.pipe({"/far/a.txt": b"a", "/far/in/b.txt": b"b"})
    folder = Path(material.local("memory://far"))
    assert [(folder / n).read_bytes() for n in ("a.txt", "in/b.txt")] == [b"a", b"b"]
    assert Path(material.local("memory://far/a.txt")).read_bytes() == b"a"
    assert material.local("memory://far") == str(folder)
