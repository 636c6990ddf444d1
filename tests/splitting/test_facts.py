from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from made_splits import config, texts
from small_inputs import opened

from pipeline.errors import InputError
from pipeline.splitting.facts import Facts, digests_of, facts_of

DAYS = [date(2026, 1, day) for day in (3, 1, 2)]


def facts(tmp_path: Path, **split: Any) -> Facts:
    job, listing = opened(config(tmp_path, **split))
    return facts_of(job, listing.units)


@pytest.mark.parametrize(
    "times",
    [
        pa.array(DAYS, pa.date32()),
        pa.array(DAYS, pa.date64()),
        pa.array([datetime(2026, 1, d.day, tzinfo=UTC) for d in DAYS], pa.timestamp("ns", "UTC")),
        pa.array([d.isoformat() for d in DAYS]),
        pa.array([f"{d.isoformat()}T10:00:00Z" for d in DAYS]),
        pa.array([d.isoformat() for d in DAYS]).dictionary_encode(),
        pa.array([d.isoformat() for d in DAYS], pa.string_view()),
        pa.array([3, 1, 2], pa.int16()),
        pa.array([3.5, 1.5, 2.5]),
        pa.array(["3.5", "1", "2"]),
    ],
)
def test_times_of_any_kind_grow(tmp_path: Path, times: pa.Array) -> None:
    texts(tmp_path / "in/a.parquet", 3, t=times)
    found = facts(tmp_path, by="time", column="t", test=0.3)
    assert found.times is not None
    assert np.argsort(found.times).tolist() == [1, 2, 0]
    assert not found.timeless.any()


def test_null_and_nan_are_no_time(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 3, t=pa.array([None, float("nan"), 1.0]))
    assert facts(tmp_path, by="time", column="t", test=0.3).timeless.tolist() == [True, True, False]


def test_what_is_no_time_is_told(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 3, t=["2026-01-01", "soon", "2026-01-02"])
    with pytest.raises(InputError, match="holds 'soon', which is no time") as caught:
        facts(tmp_path, by="time", column="t", test=0.3)
    (problem,) = caught.value.problems
    assert str(problem).count("split.column") == 1


def test_dates_here_and_numbers_there_are_told(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 3, t=["2026-01-01"] * 3)
    texts(tmp_path / "in/b.parquet", 3, 10, t=["1", "2", "3"])
    with pytest.raises(InputError, match="dates in one place and numbers in another"):
        facts(tmp_path, by="time", column="t", test=0.3)


def test_classes_are_sets_of_labels_across_units(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 9, label=[["b", "a"], ["a", "b", "a"], [], *[["c"]] * 6])
    texts(tmp_path / "in/b.parquet", 2, 20, label=[["a", "b"], ["d"]])
    found = facts(tmp_path, by="stratified", validation=0.2)
    assert [found.classes[code] for code in found.codes] == [
        ("a", "b"), ("a", "b"), (), *[("c",)] * 6, ("a", "b"), ("d",)
    ]  # fmt: skip


def test_groups_without_a_name_have_no_digest(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 4, patient=["p", None, "q", "p"])
    found = facts(tmp_path, keep_together={"group": "patient"}).groups["patient"]
    assert found[0] == found[3] != found[2]
    assert found[1] == 0


def test_digests_of_nothing_are_zero() -> None:
    found = digests_of([b"x", None, b"", b"x", b"y"])
    assert found[1] == found[2] == 0
    assert found[0] == found[3] != found[4]
