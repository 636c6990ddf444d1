import io
import os
import stat
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.sources import assets as pipeline_material
from pipeline.storage.local_files import copy_of
from transforms import assets


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
    assert assets.files(str(folder)) == tuple(str(folder / n) for n in ("a.wav", "b.wav", "more/c.wav"))
    assert assets.files(str(folder / "*.wav")) == tuple(str(folder / n) for n in ("a.wav", "b.wav"))
    assert assets.read(assets.files(str(folder / "a.wav"))[0]) == b"a.wav"
    assert assets.local(str(folder)) == str(folder)


def test_what_is_not_there(tmp_path: Path) -> None:
    for call in (assets.files, assets.local, assets.digest):
        with pytest.raises(FileNotFoundError, match="no such path"):
            call(str(tmp_path / "nowhere"))


def test_the_digest_is_of_names_and_contents_wherever_they_lie(tmp_path: Path) -> None:
    first, second = noises(tmp_path / "one"), noises(tmp_path / "two")
    assert assets.digest(str(first)) == assets.digest(str(second))
    (second / "d.wav").write_bytes(b"d")
    assert assets.digest(str(first)) != assets.digest(str(second))
    before = assets.digest(str(second))
    (second / "d.wav").write_bytes(b"changed")
    assert assets.digest(str(second)) != before


def test_what_is_remote_is_copied_once_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    memory = fsspec.filesystem("memory")
    memory.pipe({"/far/a.txt": b"a", "/far/in/b.txt": b"b"})
    folder = Path(assets.local("memory://far"))
    assert [(folder / n).read_bytes() for n in ("a.txt", "in/b.txt")] == [b"a", b"b"]
    assert Path(assets.local("memory://far/a.txt")).read_bytes() == b"a"
    assert assets.local("memory://far") == str(folder)


def test_pictures_are_decoded_as_those_of_fields(tmp_path: Path) -> None:
    sink = io.BytesIO()
    Image.new("RGBA", (3, 2), (10, 20, 30, 128)).save(sink, "PNG")
    assert assets.picture(sink.getvalue(), "rgba")[0, 0].tolist() == [10, 20, 30, 128]
    assert assets.picture(sink.getvalue(), "rgb").shape == (2, 3, 3)
    with pytest.raises(ValueError, match="first bytes"):
        assets.picture(b"no picture", "rgb")


def test_cells_of_a_column_are_chosen_by_their_names_alone(tmp_path: Path) -> None:
    for name, rows in (("a.parquet", 40), ("in/b.parquet", 25)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cells = [None if row == 3 else f"{name}#{row}".encode() for row in range(rows)]
        pq.write_table(pa.table({"data": cells}), tmp_path / name, row_group_size=7)
    few, more = assets.column(str(tmp_path), "data", 5), assets.column(str(tmp_path), "data", 30)
    assert few.items() <= more.items()
    assert all(data.decode() == name for name, data in more.items())
    assert len(more) in (28, 29, 30)
    assert len(assets.column(str(tmp_path), "data", 100)) == 63


def test_links_in_a_place_may_not_lead_out_of_it(tmp_path: Path) -> None:
    folder, outside = tmp_path / "noises", tmp_path / "outside"
    for path in (folder / "a.wav", outside / "b.wav"):
        path.parent.mkdir()
        path.write_bytes(path.name.encode())
    (folder / "own.wav").symlink_to(folder / "a.wav")
    pipeline_material.connect()
    assert [Path(path).name for path in assets.files(str(folder))] == ["a.wav", "own.wav"]
    for link, target in (("b.wav", outside / "b.wav"), ("more", outside)):
        (folder / link).symlink_to(target)
        for call in (assets.files, assets.local, assets.digest):
            with pytest.raises(OSError, match=f"{link} is a link that leads out of it"):
                call(str(folder))
        (folder / link).unlink()
    (tmp_path / "place").symlink_to(folder)
    assert [Path(path).name for path in assets.files(str(tmp_path / "place"))] == ["a.wav", "own.wav"]


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder that other users write to as well; where copies of remote places lie in it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with fsspec.open("memory://far/noise.wav", "wb") as file:
        file.write(b"noise")
    return tmp_path / f"fanbeam-material-{os.getuid()}"


def test_copies_lie_where_only_their_user_writes(shared: Path) -> None:
    copy = Path(assets.local("memory://far/noise.wav"))
    assert copy.read_bytes() == b"noise"
    assert shared in copy.parents
    assert stat.S_IMODE(shared.stat().st_mode) == 0o700
    shared.chmod(0o777)  # of an earlier version
    assert Path(assets.local("memory://far/noise.wav")) == copy
    assert stat.S_IMODE(shared.stat().st_mode) == 0o700


def test_a_folder_that_somebody_else_made_is_not_used(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shared.parent / "elsewhere").mkdir()
    shared.symlink_to(shared.parent / "elsewhere")
    with pytest.raises(OSError, match="set TMPDIR"):
        assets.local("memory://far/noise.wav")
    shared.unlink()
    shared.write_bytes(b"")
    with pytest.raises(OSError, match="set TMPDIR"):
        assets.local("memory://far/noise.wav")
    shared.unlink()
    shared.mkdir(mode=0o700)
    owner = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: owner + 1)  # the folder is then that of another user
    shared.rename(shared.parent / f"fanbeam-material-{owner + 1}")
    with pytest.raises(OSError, match="not a folder of this user"):
        assets.local("memory://far/noise.wav")


def test_names_of_objects_lead_nowhere_else(shared: Path) -> None:
    for name in ("../../x", "a/../../x", "/x"):
        with pytest.raises(OSError, match="leads out"):
            copy_of("place", name, b"planted")
    assert not (shared.parent / "x").exists()
