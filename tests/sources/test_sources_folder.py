import pickle
from pathlib import Path
from typing import Any

import pytest
from small_inputs import config_of, jpeg, opened, put, ran, rows_of, wav

from pipeline.errors import InputError
from pipeline.sources import folder as module
from pipeline.sources.folder import EXTENSIONS, ending_of, label_of, list_folder
from pipeline.sources.listing import list_input
from pipeline.sources.payloads import _fetch
from pipeline.storage.folder import Folder

NOTHING: dict[str, Any] = {"input__id": ..., "input__label": ...}


def photos(home: Path) -> Path:
    """Photos sorted by class, and what else lies about in folders."""
    for name in ("cats/a.jpg", "cats/b.JPEG", "dogs/big/c.png", "dogs/ü x.webp", "stray.gif"):
        put(home / name, jpeg(len(name)))
    for name in (".DS_Store", "cats/.hidden.jpg", ".git/d.jpg", "cats/notes.txt", "cats/Thumbs.db", "README"):
        put(home / name, b"junk")
    return home


def listed(home: Path, **changes: Any) -> Any:
    return list_input(config_of(home, "out", fields={"image": {"type": "image"}}, **NOTHING, **changes))


def test_each_file_is_a_record_of_its_parents_class(tmp_path: Path) -> None:
    listing = listed(photos(tmp_path))
    assert listing.kind == "folder"
    assert listing.schema.names == ["path", "label", "image"]
    assert list(rows_of(listing.reader, listing.units)) == [
        {"path": name, "label": label, "image": str(tmp_path / name)}
        for name, label in [
            ("cats/a.jpg", "cats"), ("cats/b.JPEG", "cats"), ("dogs/big/c.png", "big"), ("dogs/ü x.webp", "dogs"),
            ("stray.gif", None),
        ]
    ]  # fmt: skip
    assert sorted(listing.ignored) == ["README", "cats/Thumbs.db", "cats/notes.txt"]


@pytest.mark.parametrize(
    ("path", "label"), [("a.jpg", None), ("cats/a.jpg", "cats"), ("x/y/a.jpg", "y"), ("x/ü 1/a.b.jpg", "ü 1")]
)
def test_labels(path: str, label: str | None) -> None:
    assert label_of(path) == label


def test_several_folders_under_one_root(tmp_path: Path) -> None:
    photos(tmp_path)
    listing = list_input(
        config_of([str(tmp_path / "cats"), str(tmp_path / "dogs")], "out", fields={"image": {"type": "image"}})
    )
    assert [r["label"] for r in rows_of(listing.reader, listing.units)] == ["cats", "cats", "big", "dogs"]


def test_a_glob_of_files(tmp_path: Path) -> None:
    listing = listed(photos(tmp_path) / "*" / "*.j*g")
    assert [f.path for f in listing.files] == ["cats/a.jpg"]


def test_rows_are_located_in_their_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_UNIT_FILES", 2)
    listing = listed(photos(tmp_path))
    assert [(u.rows, u.part) for u in listing.units] == [(2, 0), (2, 1), (1, 2)]
    places = [listing.reader.locate(u, n) for u in listing.units for n in range(u.rows)]
    assert places == [(f.path, 0) for f in listing.files]
    reader: Any = pickle.loads(pickle.dumps(listing.reader))
    (batch,) = reader.read(listing.units[1], ["label"], 1, 2)
    assert batch.to_pylist() == [{"label": "dogs"}]


@pytest.mark.parametrize("kind", EXTENSIONS)
def test_only_files_of_the_modality(tmp_path: Path, kind: str) -> None:
    for endings in EXTENSIONS.values():
        for ending in endings:
            put(tmp_path / f"x{ending}", b"1")
    listing = list_folder(Folder(str(tmp_path)), Folder(str(tmp_path)).walk(), "f", kind)
    assert {ending_of(f.path) for f in listing.files} == EXTENSIONS[kind]


def test_no_files_of_the_modality(tmp_path: Path) -> None:
    put(tmp_path / "a.wav", wav())
    with pytest.raises(InputError, match=r"no image files \(.*\.png.*\)"):
        listed(tmp_path)


@pytest.mark.parametrize("name", ["path", "label"])
def test_the_field_cannot_take_a_name_of_the_source(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=repr(name)):
        list_input(config_of(photos(tmp_path), "out", fields={name: {"type": "image"}}))


def test_two_fields_need_a_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one field"):
        list_input(config_of(photos(tmp_path), "out", fields={"a": {"type": "image"}, "b": {"type": "image"}}))


def test_names_that_are_not_unicode(tmp_path: Path) -> None:
    put(tmp_path / "cats" / "b\udcff.jpg", jpeg())
    with pytest.raises(InputError) as caught:
        listed(tmp_path)
    (problem,) = caught.value.problems
    assert "not valid UTF-8" in problem.message
    str(caught.value.problems[0]).encode()


def test_tags_of_content(tmp_path: Path) -> None:
    photos(tmp_path)
    by_time = listed(tmp_path).files
    by_content = listed(tmp_path, input__fingerprint="content").files
    assert all(f.tag.startswith("mtime:") for f in by_time)
    assert all(f.tag.startswith("content:") for f in by_content)
    for file in by_content:
        (tmp_path / file.path).touch()
    assert listed(tmp_path, input__fingerprint="content").files == by_content
    assert listed(tmp_path).files != by_time


def test_a_folder_becomes_a_dataset(tmp_path: Path) -> None:
    photos(tmp_path / "in")
    config = config_of(
        tmp_path / "in", tmp_path / "out", fields={"image": {"type": "image"}}, split={}, limits__failed=1, **NOTHING
    )
    made = ran(config)
    table = made.table()
    assert table.schema.names == ["path", "label", "image", "sample_id", "lineage"]
    assert table.column("path").to_pylist()[::3] == ["cats/a.jpg", "cats/b.JPEG", "dogs/big/c.png", "dogs/ü x.webp"]
    assert table.column("image")[0].as_py() == (tmp_path / "in/cats/a.jpg").read_bytes()
    assert table.column("sample_id")[1].as_py() == "cats/a.jpg/1"
    lineage = table.column("lineage")[3].as_py()
    assert (lineage["source_file"], lineage["source_row"]) == ("cats/b.JPEG", 0)
    (dropped,) = made.dropped()
    assert (dropped["source_id"], dropped["reason"]) == ("stray.gif", "null_label")


def test_an_unsorted_folder_has_no_classes(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path / "in" / f"{number}.jpg", jpeg(number))
    config = config_of(tmp_path / "in", tmp_path / "out", fields={"image": {"type": "image"}}, split={}, **NOTHING)
    table = ran(config).table()
    assert table.num_rows == 9
    assert table.column("label").null_count == 9


def test_what_cannot_be_read_is_named_without_the_folder_of_the_input(tmp_path: Path) -> None:
    """`_failed` must not depend on where the input lies."""
    put(tmp_path / "in" / "cats" / "a.jpg", jpeg())
    config = config_of(
        tmp_path / "in", tmp_path / "out", fields={"image": {"type": "image"}}, split={}, limits__failed=1, **NOTHING
    )
    job, _ = opened(config)
    refusal: Any = _fetch(job, "image", str(tmp_path / "in/cats/gone.jpg"), "cats/a.jpg")
    assert (refusal.reason, refusal.message) == ("missing_file", "no such file: cats/gone.jpg")
