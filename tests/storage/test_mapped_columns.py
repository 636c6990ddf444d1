import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_columns import small_columns

from pipeline.errors import RunFailed
from pipeline.storage.mapped_columns import IN_MEMORY, Growing, column, joined, made, some, spans, taken, where

VALUES = st.lists(st.integers(-5, 5), max_size=60)


def test_a_long_column_lies_in_a_file_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = mapped_kib()
    found = column(IN_MEMORY + 1, np.uint64)
    assert not list(tmp_path.iterdir())
    assert (len(found), found.dtype, found.any()) == (IN_MEMORY + 1, np.uint64, False)
    found[:] = 7
    assert mapped_kib() - before >= 8 * IN_MEMORY / 1024
    assert int(found.sum()) == 7 * len(found)


def mapped_kib() -> int:
    """Resident pages of files, which the system takes back when it needs memory."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile"))
    return int(line.split()[1])


def test_no_room_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(RunFailed, match=r"has no room for .* MiB that the survey needs.*TMPDIR"):
        column(1 << 50, np.uint64)
    assert not list(tmp_path.iterdir())


@given(VALUES, VALUES)
def test_stretch_by_stretch_is_as_all_at_once(first: list[int], second: list[int]) -> None:
    one, other = np.array(first, np.int64), np.array(second, np.int64)
    with small_columns():
        assert [n for span in spans(len(one)) for n in range(span.start, span.stop)] == list(range(len(one)))
        assert made(len(one), np.int64, lambda span: one[span] * 2).tolist() == (one * 2).tolist()
        assert joined(one, other).tolist() == first + second
        rows = where(len(one), lambda span: one[span] > 0)
        assert rows.tolist() == np.flatnonzero(one > 0).tolist()
        assert some(one, rows).tolist() == taken(one, rows).tolist() == one[one > 0].tolist()
        growing = Growing(np.int64)
        for part in (one, other, one):
            growing.extend(part)
        assert growing.values.tolist() == first + second + first


def test_all_rows_are_no_copy() -> None:
    values = np.arange(5)
    assert some(values, np.arange(5, dtype=np.int32)) is values
