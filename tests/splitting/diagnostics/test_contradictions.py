"""The same content under two labels, and classes that look alike: told by `plan`, and written on the card."""

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import config_of, parquet, put, words

from pipeline.driver.api import plan as plan_of
from pipeline.driver.api import run
from pipeline.planning.spelling import class_notes
from pipeline.sources.key_columns import Labels
from pipeline.splitting.diagnostics.contradictions import contradictions, label_digests


def notes(home: Path, data: dict[str, Any], **changes: Any) -> list[str]:
    path = parquet(home / "in" / "a.parquet", data)
    return list(plan_of(config_of(path, home / "out", **changes)).plan.notes)


def data(labels: list[Any], texts: list[str]) -> dict[str, Any]:
    return {"id": [f"r{n}" for n in range(len(labels))], "label": labels, "text": texts}


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["", "a", "b", "c"])), max_size=40))
def test_pairs_of_one_content_and_two_labels(rows: list[tuple[int, str]]) -> None:
    """`contents` 0: none. By the definition: a row counts if the first row of its content has another label."""
    contents = np.array([content for content, _ in rows], np.uint64)
    labels = np.array([sum(label.encode()) for _, label in rows], np.uint64)
    first: dict[int, int] = {}
    wanted = []
    for row, (content, label) in enumerate(rows):
        other = rows[first.setdefault(content, row)][1]
        if content and label and other and label != other:
            wanted.append((first[content], row))
    found = contradictions(labels, [contents])
    assert (found.number, list(found.examples)) == (len(wanted), wanted[:3])


def test_labels_of_a_row_are_a_set() -> None:
    values, rows = pa.array(["a", "b", "b", "a", "a", "a"]), np.array([0, 0, 1, 1, 3, 3])
    found = label_digests(Labels(values, rows, np.zeros(5, np.bool_)), 5)
    assert found[0] == found[1] != found[3]
    assert found[2] == found[4] == 0


@pytest.mark.parametrize("method", ["hash", "stratified"])
def test_one_content_under_two_classes_is_told_with_its_places(tmp_path: Path, method: str) -> None:
    texts = [words(n) for n in range(30)]
    texts[7], texts[21] = texts[2], texts[3]
    labels = ["owl" if n % 2 else "tit" for n in range(30)]  # 2 and 7 differ, 3 and 21 agree
    split = {"validation": 0.2, "by": method}
    (note,) = [n for n in notes(tmp_path, data(labels, texts), split=split) if "same content" in n]
    assert note.startswith("1 records have the same content as another record, under another label")
    assert "'a.parquet' row 7 and 'a.parquet' row 2" in note
    labels[7] = labels[2]
    assert not [n for n in notes(tmp_path, data(labels, texts), split=split) if "same content" in n]


def test_files_under_two_folders_are_named(tmp_path: Path) -> None:
    for place in ("owl/a.txt", "tit/b.txt"):
        put(tmp_path / "in" / place, "the very same words")
    for number in range(20):
        put(tmp_path / "in" / ("owl", "tit")[number % 2] / f"{number}.txt", words(number))
    config = config_of(tmp_path / "in", tmp_path / "out", input__id=..., input__label=..., split={"validation": 0.2})
    (note,) = [n for n in plan_of(config).plan.notes if "same content" in n]
    assert "'tit/b.txt' and 'owl/a.txt'" in note


def test_classes_that_look_alike_are_told_and_stand_on_the_card(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")
    labels = [composed, decomposed, "tea", "Tea "] * 8
    texts = [words(n) for n in range(32)]
    texts[5] = texts[2]
    config = config_of(parquet(tmp_path / "in" / "a.parquet", data(labels, texts)), tmp_path / "out")
    (note,) = [n for n in plan_of(config).plan.notes if "written in several ways" in n]
    assert note.startswith("2 classes are written in several ways")
    assert "\\xe9" in note
    assert "e\\u0301" in note
    card = (Path(run(config).path) / "README.md").read_text(encoding="utf-8")
    assert "2 classes are written in several ways" in card
    assert "1 records have the same content as another record, under another label." in card


def test_classes_that_differ_are_not_told() -> None:
    assert list(class_notes(["a", "b", "1", "10"])) == []
