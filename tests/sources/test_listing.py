from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from small_inputs import config_of, jpeg, parquet, put, rows_of, text_columns

from pipeline.errors import InputError
from pipeline.planning.keys import key_block
from pipeline.sources.interface import Listing, batch_rows
from pipeline.sources.listing import gather, kind_of, list_input
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found


def listed(path: Any, **changes: Any) -> Listing:
    return list_input(config_of(path, "out", **changes))


def names(path: Any, **changes: Any) -> list[str]:
    return [f.path for f in listed(path, **changes).files]


def some(home: Path, *paths: str) -> Path:
    for number, path in enumerate(paths):
        parquet(home / path, text_columns(number + 1))
    return home


def test_a_file_a_glob_a_folder_and_a_list(tmp_path: Path) -> None:
    some(tmp_path, "a.parquet", "b.parquet", "deep/c d/ü.parquet")
    assert names(tmp_path / "a.parquet") == ["a.parquet"]
    assert names(tmp_path / "*.parquet") == ["a.parquet", "b.parquet"]
    assert names(tmp_path) == ["a.parquet", "b.parquet", "deep/c d/ü.parquet"]
    assert names(tmp_path / "**/*.parquet") == ["a.parquet", "b.parquet", "deep/c d/ü.parquet"]
    assert names([str(tmp_path / "b.parquet"), str(tmp_path / "deep")]) == ["b.parquet", "deep/c d/ü.parquet"]


def test_each_file_counts_once_in_one_order(tmp_path: Path) -> None:
    some(tmp_path, "b.parquet", "a.parquet")
    twice = [str(tmp_path / "b.parquet"), str(tmp_path), str(tmp_path / "*.parquet"), str(tmp_path / "a.parquet")]
    assert names(twice) == ["a.parquet", "b.parquet"]
    assert listed(twice).units == listed(list(reversed(twice))).units


def keys(path: Any, **changes: Any) -> dict[bytes, str]:
    """Key -> what stands in the column `x` of the record."""
    config = config_of(path, "out", input__id=..., input__label=..., fields={"x": {"type": "text"}}, **changes)
    listing = list_input(config)
    found = {}
    for unit in listing.units:
        (batch,) = listing.reader.read(unit, None, 0, unit.rows)
        block = key_block(config, listing.reader, unit, batch, 0)
        found.update(zip(block.keys.to_pylist(), batch.column("x").to_pylist(), strict=True))
    return found


def weeks(home: Path) -> list[str]:
    for number, name in enumerate(("x/one/a", "x/two/a", "x/two/deep/b", "y/two/a", "z/one/a")):
        parquet(home / f"{name}.parquet", {"x": [f"{name} {n}" for n in range(number + 1)]})
    return [str(home / "x/one"), str(home / "x/two"), str(home / "y/two"), str(home / "z")]


def test_names_of_a_path_do_not_depend_on_paths_after_it(tmp_path: Path) -> None:
    paths = weeks(tmp_path)
    before: dict[bytes, str] = {}
    for count in range(1, 5):
        now = keys(paths[:count])
        assert before.items() <= now.items()
        assert len(now) == (1, 6, 10, 15)[count - 1]
        before = now
    assert {key.decode().rpartition("#")[0] for key in before} == {
        "a.parquet", "two/a.parquet", "two/deep/b.parquet", "y/two/a.parquet", "z/one/a.parquet"
    }  # fmt: skip
    assert keys(paths[0]) == keys(paths[:1]) == keys(f"{paths[0]}/*.parquet") == keys([f"{paths[0]}/a.parquet"])


def test_names_that_count_from_a_root_do_not_depend_on_other_paths(tmp_path: Path) -> None:
    paths = weeks(tmp_path)
    every = keys(str(tmp_path))
    assert keys(paths, input__root=str(tmp_path)) == every
    for order in (paths[1:], paths[::-1], paths[2]):
        assert keys(order, input__root=str(tmp_path)).items() <= every.items()
    with pytest.raises(InputError, match="lies elsewhere"):
        keys(paths, input__root=str(tmp_path / "x"))


def test_files_that_would_have_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("one/two/a", "two/b"):
        parquet(tmp_path / f"{name}.parquet", {"x": ["1"]})
    with pytest.raises(InputError, match=r"would both be called 'two/a\.parquet'") as caught:
        keys([str(tmp_path / "one"), str(tmp_path / "two")])
    assert "input.root" in str(caught.value.problems[0])


def test_a_path_inside_another_one_is_named_as_by_the_other(tmp_path: Path) -> None:
    weeks(tmp_path)
    whole, inside = str(tmp_path / "x"), str(tmp_path / "x" / "two")
    assert keys([whole, inside]) == keys(whole)
    assert keys([inside, whole]).items() >= keys(inside).items()
    assert len(keys([inside, whole])) == len(keys(whole))


def test_several_roots_of_a_store(tmp_path: Path) -> None:
    MemoryFileSystem.store.clear()
    parquet(tmp_path / "a.parquet", {"x": ["1", "2"]})
    for bucket in ("one", "two"):
        Folder(f"memory://{bucket}/in").put("a.parquet", (tmp_path / "a.parquet").read_bytes())
    found = keys(["memory://one/in", "memory://two/in"])
    assert sorted(found) == [b"a.parquet#0", b"a.parquet#1", b"in/a.parquet#0", b"in/a.parquet#1"]


def test_class_folders_may_be_listed_one_by_one(tmp_path: Path) -> None:
    for name in ("in/cats/a.jpg", "in/dogs/a.jpg"):
        put(tmp_path / name, jpeg())
    fields = {"image": {"type": "image"}}
    paths = [str(tmp_path / "in" / name) for name in ("cats", "dogs")]
    listing = list_input(config_of(paths, "out", fields=fields, input__id=..., input__label=...))
    rows = [(row["path"], row["label"]) for row in rows_of(listing.reader, listing.units)]
    assert rows == [("a.jpg", "cats"), ("dogs/a.jpg", "dogs")]
    assert all(Path(row["image"]).is_file() for row in rows_of(listing.reader, listing.units))


def test_moved_input_is_the_same_input(tmp_path: Path) -> None:
    some(tmp_path / "here", "deep/a.parquet")
    (tmp_path / "there").mkdir()
    before = listed(tmp_path / "here").files
    (tmp_path / "here").rename(tmp_path / "there" / "now")
    assert listed(tmp_path / "there" / "now").files == before


def test_relative_paths_start_at_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some(tmp_path, "in/a.parquet")
    monkeypatch.chdir(tmp_path / "in")
    assert names("a.parquet") == names(".") == names("../in/*") == ["a.parquet"]


def test_stores(tmp_path: Path) -> None:
    MemoryFileSystem.store.clear()
    some(tmp_path, "a.parquet")
    for name in ("in/a.parquet", "in/deep/b.parquet", "other/c.parquet"):
        Folder("memory://bucket").put(name, (tmp_path / "a.parquet").read_bytes())
    assert names("memory://bucket/in") == ["a.parquet", "deep/b.parquet"]
    assert names("memory://bucket/*/*.parquet") == ["in/a.parquet", "other/c.parquet"]
    both = listed(["memory://bucket/in/deep", "memory://bucket/other"])
    assert both.reader.root.url == "memory://bucket"
    assert len(list(rows_of(both.reader, both.units))) == 2


def test_two_kinds_of_storage_are_refused(tmp_path: Path) -> None:
    MemoryFileSystem.store.clear()
    Folder("memory://bucket").put("a.parquet", b"1")
    some(tmp_path, "a.parquet")
    with pytest.raises(InputError, match="one kind of storage"):
        gather((str(tmp_path), "memory://bucket"))


def test_all_missing_paths_are_named(tmp_path: Path) -> None:
    some(tmp_path, "a.parquet")
    with pytest.raises(InputError) as caught:
        gather((str(tmp_path / "no"), str(tmp_path), str(tmp_path / "nor")))
    assert [p.message for p in caught.value.problems] == [
        f"no such path: {tmp_path}/no.", f"no such path: {tmp_path}/nor."
    ]  # fmt: skip


def test_an_empty_folder_and_an_empty_glob(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "*.parquet"):
        with pytest.raises(InputError, match="no files in"):
            gather(str(path))


def test_hidden_and_underscored_files_are_not_read(tmp_path: Path) -> None:
    some(tmp_path, "a.parquet", "_metadata.parquet", ".b.parquet", "_failed/c.parquet", "x/_temporary/d.parquet")
    listing = listed(tmp_path)
    assert [f.path for f in listing.files] == ["a.parquet"]
    assert sorted(listing.ignored) == ["_failed/c.parquet", "_metadata.parquet", "x/_temporary/d.parquet"]


def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    some(tmp_path, "_a.parquet", ".b.parquet")
    assert names(tmp_path / "_a.parquet") == ["_a.parquet"]
    assert names(tmp_path / ".b.parquet") == [".b.parquet"]


def test_other_files_are_left_out_and_told(tmp_path: Path) -> None:
    some(tmp_path, "a.parquet", "b.pq", "c.PARQUET")
    put(tmp_path / "README.md", b"x")
    listing = listed(tmp_path)
    assert [f.path for f in listing.files] == ["a.parquet", "b.pq", "c.PARQUET"]
    assert listing.ignored == ("README.md",)


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (["a.parquet"], "parquet"),
        (["a.csv", "b.TSV"], "csv"),
        (["a.jsonl", "b.ndjson", "c.json"], "jsonl"),
        (["a.jpg", "b.png", "c.csv"], "folder"),
        (["a.csv", "b.jpg"], "csv"),
        (["a.txt", "b.md"], "folder"),
    ],
)
def test_kinds(files: list[str], kind: str) -> None:
    assert kind_of([Found(name, 1, "") for name in files], "in") == kind


@pytest.mark.parametrize(
    ("files", "said"),
    [(["a.csv", "b.parquet"], "several kinds of tables"), (["a.xyz", "b"], "set input.format"), (["a.csv.gz"], ".gz")],
)
def test_kinds_that_cannot_be_told(files: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        kind_of([Found(name, 1, "") for name in files], "in")


def test_the_format_can_be_told(tmp_path: Path) -> None:
    put(tmp_path / "data", "id,label,text\n007,x,y\n")
    listing = listed(tmp_path / "data", input__format="csv")
    assert list(rows_of(listing.reader, listing.units)) == [{"id": "007", "label": "x", "text": "y"}]
    some(tmp_path / "both", "a.parquet")
    put(tmp_path / "both" / "b.csv", "id\n1\n")
    assert names(tmp_path / "both", input__format="csv") == ["b.csv"]


def test_keys_labels_groups_splits_and_fields_of_tables_are_text(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", "id,label,text,fold,who,n\n1,2,3,4,5,6\n")
    changes: dict[str, Any] = {"split": {"column": "fold"}, "input__group": "who"}
    listing = listed(tmp_path, **changes)
    (row,) = rows_of(listing.reader, listing.units)
    assert row == {"id": "1", "label": "2", "text": "3", "fold": "4", "who": "5", "n": "6"}


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_tags_of_tables(tmp_path: Path, name: str) -> None:
    put(tmp_path / name, "id,label,text\n1,2,3\n" if name == "a.csv" else '{"id":"a"}')
    assert listed(tmp_path).files[0].tag.startswith("mtime:")
    before = listed(tmp_path, input__fingerprint="content").files
    (tmp_path / name).touch()
    assert listed(tmp_path, input__fingerprint="content").files == before


def test_units_know_the_file_that_they_were_listed_from(tmp_path: Path) -> None:
    listing = listed(some(tmp_path, "a.parquet"))
    (unit,) = listing.units
    assert unit.listed is not None
    assert (unit.listed.path, unit.listed.size) == ("a.parquet", (tmp_path / "a.parquet").stat().st_size)


def test_a_folder_of_pictures_beside_notes(tmp_path: Path) -> None:
    put(tmp_path / "x" / "a.jpg", jpeg())
    put(tmp_path / "x" / "b.jpg", jpeg())
    put(tmp_path / "labels.csv", b"a,b\n")
    assert listed(tmp_path, fields={"image": {"type": "image"}}).ignored == ("labels.csv",)


def test_batches_are_long_for_keys_and_small_for_payload(tmp_path: Path) -> None:
    (unit,) = listed(some(tmp_path, "a.parquet")).units
    assert batch_rows(unit, ["id"]) > batch_rows(unit, None) >= 1
