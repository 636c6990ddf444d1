"""Classes and groups as people write them: numbers, names of the metadata, and several spellings."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from made_splits import config as split_config
from made_splits import decided, split_of, texts
from small_inputs import config_of, opened, parquet, put, ran, text_columns, words

from pipeline.audit.sides import loosely
from pipeline.config.loader import read_config
from pipeline.config.schema import JobConfig
from pipeline.dataset.leak_certificate import leak_warnings
from pipeline.driver.run import counted_out
from pipeline.errors import InputError
from pipeline.planning.spelling import Spellings, plain
from pipeline.planning.survey import survey


def counted(home: Path, columns: Any, copies: Any) -> dict[tuple[str, ...], int]:
    parquet(home / "in/a.parquet", columns)
    job, listing = opened(config_of(home / "in", home / "out", copies=copies, split={}))
    job, _ = counted_out(job, listing, survey(job, listing.units))
    return {(name,): job.copies.of((name,), "") for name in ("0", "1", "owl", "tit")}


def test_whole_numbers_name_classes(tmp_path: Path) -> None:
    columns = {**text_columns(12), "label": [n % 2 for n in range(12)]}
    found = counted(tmp_path, columns, {"per_class": {0: 7}, "default": 1})
    assert (found["0",], found["1",]) == (7, 1)


def test_names_of_class_labels_name_numbers(tmp_path: Path) -> None:
    features = {"label": {"names": ["owl", "tit"], "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({**text_columns(12), "label": [n % 2 for n in range(12)]}).replace_schema_metadata(metadata)
    found = counted(tmp_path, table, {"per_class": {"tit": 7}, "default": 1})
    assert (found["0",], found["1",]) == (1, 7)
    with pytest.raises(InputError) as caught:
        counted(tmp_path / "other", table, {"per_class": {"titt": 7}})
    assert caught.value.problems[0].suggestion == "Did you mean 'tit'?"


def test_a_class_that_no_record_has_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        counted(tmp_path, text_columns(12), {"per_class": {"owll": 3, "wren": 2}})
    (problem,) = caught.value.problems
    assert (problem.where, problem.message) == ("copies.per_class", "no record is of class 'owll'.")
    assert problem.suggestion == "Did you mean 'owl'?"


def test_a_label_twice_in_a_list_counts_once_and_nan_is_no_class(tmp_path: Path) -> None:
    lists = [["a", "b", "a"], ["b"], ["b", "b"], []]
    parquet(tmp_path / "in/a.parquet", {**text_columns(4), "label": lists})
    job, listing = opened(config_of(tmp_path / "in", tmp_path / "out", split={}))
    assert survey(job, listing.units).classes == {("train", "a"): 1, ("train", "b"): 3}
    parquet(tmp_path / "nan/a.parquet", {**text_columns(4), "label": [1.5, np.nan, 2.25, 1.5]})
    made = ran(config_of(tmp_path / "nan", tmp_path / "n", split={}, limits__failed=0.5))
    assert set(made.dataset.manifest["splits"]["train"]["classes"]) == {"1.5", "2.25"}
    assert made.dataset.manifest["dropped"]["failed"] == {"null_label": 1}


SAME = ["P1", " p1", "\uff301"], ["12", "12.0", "12.00 "], ["new  york", "New York"]


@pytest.mark.parametrize("spellings", SAME)
def test_one_value_in_several_spellings(spellings: list[str]) -> None:
    found = Spellings()
    found.add(pa.array([*spellings, "p12", "1.2", "1.20", "york"]))
    assert found.several() == [sorted(spellings)]
    assert len({loosely(value) for value in spellings}) == len(set(plain(pa.array(spellings)).to_pylist())) == 1
    assert len({loosely(value) for value in ("1.2", "1.20", "1", "a.0", "")}) == 5


def notes_of(config: JobConfig) -> tuple[str, ...]:
    job, listing = opened(config)
    return survey(job, listing.units).notes


def test_groups_in_several_spellings_are_told_by_the_plan(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 40, patient=[f"{'P' if n % 2 else 'p'}{n // 8}" for n in range(40)])
    (note,) = notes_of(split_config(tmp_path, validation=0.3, keep_together={"group": "patient"}))
    assert note.startswith("5 values of patient are written in several ways ('P0' = 'p0'; ")


@pytest.mark.parametrize("split", [{"column": "part"}, {"validation": 0.3, "keep_together": {"exact": False}}])
def test_they_are_told_however_the_split_is_decided(tmp_path: Path, split: dict[str, Any]) -> None:
    more = {"patient": [f"{n // 8}{'.0' * (n % 2)}" for n in range(40)], "part": ["train"] * 30 + ["test"] * 10}
    parquet(tmp_path / "in/a.parquet", {**text_columns(40), **more})
    (note,) = notes_of(config_of(tmp_path / "in", tmp_path / "out", input__group="patient", split=split))
    assert note.startswith("5 values of patient are written in several ways ('0' = '0.0'; ")


def test_ids_in_several_spellings_are_told_by_the_plan(tmp_path: Path) -> None:
    """Of ids that stand for people two spellings are two people, on two sides."""
    names = ["p1", "P1 ", "1", "1.0", "p2", *(f"q{n}" for n in range(5))]
    parquet(tmp_path / "in/a.parquet", {**text_columns(5), "id": names[:5]})
    parquet(tmp_path / "in/b.parquet", {**text_columns(5), "id": names[5:]})
    (note,) = notes_of(config_of(tmp_path / "in", tmp_path / "out", split={}))
    assert note.startswith("2 ids of id are written in several ways ('1' = '1.0'; 'P1 ' = 'p1'): ")
    parquet(tmp_path / "in/a.parquet", {**text_columns(5), "id": [f"r{n}" for n in range(5)]})
    assert notes_of(config_of(tmp_path / "in", tmp_path / "out", split={})) == ()


def test_names_of_files_are_no_ids_in_several_spellings(tmp_path: Path) -> None:
    for name in ("x/a.txt", "x/A.txt", "y/b.txt"):
        put(tmp_path / "in" / name, words(len(name) + ord(name[2])))
    config = config_of(tmp_path / "in", tmp_path / "out", input__id=..., input__label=..., split={})
    assert notes_of(config) == ()


def test_ids_in_several_spellings_are_found_by_the_certificate(tmp_path: Path) -> None:
    names = [*(f"p{n}" for n in range(8)), "P3", "p4 ", "p9", "p10"]
    data = {**text_columns(12), "part": ["train"] * 8 + ["validation"] * 4, "id": names}
    parquet(tmp_path / "in/a.parquet", data)
    config = config_of(tmp_path / "in", tmp_path / "out", split={"column": "part"}, certificate="facts")
    leaks = ran(config).dataset.manifest["leaks"]
    assert (leaks["clean"], {kind: n for kind, n in leaks["leaking"].items() if n}) == (False, {"spelling": 2})
    (warning,) = leak_warnings(config, leaks)
    assert warning.startswith("2 validation and test rows have an id or are of a group that train has too, but for")


def test_groups_in_several_spellings_are_found_by_the_certificate(tmp_path: Path) -> None:
    part = ["train"] * 8 + ["validation"] * 4
    patient = [str(n) for n in range(8)] + ["3.0", " 4", "9", "10"]
    parquet(tmp_path / "in/a.parquet", {**text_columns(12), "part": part, "patient": patient})
    config = config_of(
        tmp_path / "in", tmp_path / "out", split={"column": "part"}, input__group="patient", certificate="facts"
    )
    leaks = ran(config).dataset.manifest["leaks"]
    assert (leaks["clean"], leaks["leaking"]["spelling"], leaks["leaking"]["group"]) == (False, 2, 0)
    (warning,) = leak_warnings(config, leaks)
    assert warning.startswith("2 validation and test rows have an id or are of a group that train has too, but for")


TIMES = {
    "time32": pa.array([n * 60 for n in range(20)], pa.time32("s")),
    "uint64": pa.array([2**64 - 40 + n for n in range(20)], pa.uint64()),
    "text": pa.array([f"2024-01-{1 + n:02d}" for n in range(20)]),
}


@pytest.mark.parametrize("kind", TIMES)
def test_every_kind_of_time_decides(tmp_path: Path, kind: str) -> None:
    texts(tmp_path / "in/a.parquet", 20, taken=TIMES[kind])
    job, listing, _ = decided(split_config(tmp_path, by="time", column="taken", validation=0.2))
    held = sorted(name for name, split in split_of(job, listing).items() if split == "validation")
    assert held == ["r0016", "r0017", "r0018", "r0019"]


def test_an_empty_time_is_one_record_that_fails_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    values = [f"2024-01-{1 + n:02d}" for n in range(20)]
    texts(tmp_path / "in/a.parquet", 20, taken=[*values[:3], " ", *values[4:]])
    job, listing, found = decided(split_config(tmp_path, by="time", column="taken", validation=0.2))
    assert split_of(job, listing)["r0003"] == "null_time"
    assert "1 records have no taken and fail: null_time" in found.notes
    texts(tmp_path / "in/a.parquet", 20, taken=[*values[:3], "soon", *values[4:]])
    with pytest.raises(InputError, match="holds 'soon', which is no time"):
        decided(split_config(tmp_path, by="time", column="taken", validation=0.2))


@pytest.mark.parametrize(
    ("given", "value"),
    [("b #c", "b #c"), ("#c", "#c"), ("3", 3), ("[1, 2]", [1, 2]), ("'x #y'", "x #y"), ("b#c", "b#c")],
)
def test_a_value_of_the_command_line_keeps_its_number_sign(tmp_path: Path, given: str, value: object) -> None:
    (tmp_path / "c.yaml").write_text("copies: 1\n")
    assert read_config(str(tmp_path / "c.yaml"), [f"a={given}"]).values == {"copies": 1, "a": value}
