"""The parts of the benchmarks that can be tested without measuring."""

import sys

import pytest

from scripts import bench
from scripts.benchmarks import overhead
from transforms import registry


def test_overhead_prints_a_row_for_each_library_that_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(overhead, "BATCHES", 2)
    monkeypatch.setattr(overhead, "CALLS", 3)
    monkeypatch.setattr(sys, "argv", ["bench.py", "--overhead"])
    bench.main()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [case.name for case in overhead.known()]
    assert all(float(cell) >= 0 for row in rows for cell in row.strip("| ").split(" | ")[1:3])


def test_every_case_has_an_aim_and_calls_the_library_that_it_names() -> None:
    assert {case.name.partition(".")[0] for case in overhead.CASES} == overhead.AIMS.keys()
    for case in overhead.known():
        registry.find(case.name)
        assert case.direct()() is not None


def test_the_survey_finds_what_was_made_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.py", "--survey", "--sizes", "500"])
    bench.main()
    rows = [row.strip("| ").split(" | ") for row in capsys.readouterr().out.splitlines()[2:]]
    assert [(row[0], int(row[1])) for row in rows] == [
        (kind, 500) for kind in ("contents", "relatives", "texts", "pictures")
    ]
    assert all(int(row[4]) > int(row[5]) > 0 for row in rows)
    assert abs(int(rows[0][6]) - 50) <= 15  # a tenth is validation: by hash about, class by class all but exactly
    assert abs(int(rows[1][6]) - 50) <= 3
    assert int(rows[2][6]) == int(rows[3][6]) == 5
