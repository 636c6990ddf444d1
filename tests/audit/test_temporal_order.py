"""Times of every kind that a table may hold: from when to when, and how many rows have none."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from pipeline.audit.leaks import Leaks, Side, leaks_from
from pipeline.audit.temporal_order import disorder, extent_of

DAYS = [date(2024, 1, 5), None, date(2024, 1, 2)]
MOMENTS = [datetime(2024, 1, 5, 7, tzinfo=UTC), None, datetime(2024, 1, 2, 3, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("column", "first", "last"),
    [
        (pa.array([time(9), None, time(7, 30)], pa.time32("s")), "07:30:00", "09:00:00"),
        (pa.array([time(9), None, time(7, 30)], pa.time32("ms")), "07:30:00", "09:00:00"),
        (pa.array([time(9), None, time(7, 30)], pa.time64("us")), "07:30:00", "09:00:00"),
        (pa.array([2**64 - 1, None, 7], pa.uint64()), "7", str(2**64 - 1)),
        (pa.array([9, None, -7], pa.int16()), "-7", "9"),
        (pa.array([9.5, None, 7.0]), "7.0", "9.5"),
        (pa.array([9.5, float("nan"), 7.0]), "7.0", "9.5"),
        (pa.array([Decimal("9.50"), None, Decimal("7.00")]), "7.00", "9.50"),
        (pa.array(DAYS, pa.date32()), "2024-01-02", "2024-01-05"),
        (pa.array(DAYS, pa.date64()), "2024-01-02", "2024-01-05"),
        (pa.array([d and d.isoformat() for d in DAYS]), "2024-01-02 00:00:00", "2024-01-05 00:00:00"),
        (pa.array(["2024-01-05", "", "2024-01-02"]), "2024-01-02 00:00:00", "2024-01-05 00:00:00"),
        (
            pa.array(["2024-01-05", " \t", " 2024-01-02 "], pa.large_string()),
            "2024-01-02 00:00:00",
            "2024-01-05 00:00:00",
        ),
        (pa.array(["2024-01-05", "", "2024-01-02"], pa.string_view()), "2024-01-02 00:00:00", "2024-01-05 00:00:00"),
        (pa.array(["9.5", "", "7"]), "7.0", "9.5"),
        (pa.array(["9", "", "7"]).dictionary_encode(), "7.0", "9.0"),
        (pa.array(MOMENTS), "2024-01-02 03:00:00+00:00", "2024-01-05 07:00:00+00:00"),
        (pa.array([m and m.isoformat() for m in MOMENTS]), "2024-01-02 03:00:00+00:00", "2024-01-05 07:00:00+00:00"),
        (pa.array([timedelta(days=3), None, timedelta(hours=2)]), "2:00:00", "3 days, 0:00:00"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_extents(column: pa.Array, first: str, last: str) -> None:
    extent, timeless = extent_of(column)
    assert extent is not None
    assert (extent.first_said, extent.last_said, timeless) == (first, last, 1)
    assert extent.first < extent.last


def test_nanoseconds_which_python_has_no_time_for() -> None:
    extent, _ = extent_of(pa.array([1, 1_700_000_000_123_456_789], pa.timestamp("ns")))
    assert extent is not None
    assert extent.last_said.startswith("2023-11-14 22:13:20.123456789")


@pytest.mark.parametrize(
    "column",
    [
        pa.nulls(3),
        pa.array(["", " ", None]),
        pa.array(["yesterday", "2024-01-02", ""]),
        pa.array([None, None, None], pa.time32("s")),
        pa.array([float("nan"), float("inf"), None]),
        pa.array([b"a", b"b", None]),
        pa.array([[1], [2], None]),
    ],
    ids=lambda column: str(column.type),
)
def test_columns_without_times(column: pa.Array) -> None:
    assert extent_of(column) == (None, 3)


def test_rows_without_a_time_are_told() -> None:
    sides = [Side("train", 5), Side("test", 3)]
    leaks = Leaks(sides=sides, timeless=2)
    assert leaks.unchecked == ["2 rows have no time that can be read, so their order was not checked."]
    assert not leaks.clean
    assert leaks_from(leaks.as_json() | {"checked": {}}).timeless == 2
    assert Leaks(sides=sides).clean


def test_order_of_times_beyond_63_bits() -> None:
    extents: dict[Any, Any] = {
        split: extent_of(pa.array(values, pa.uint64()))[0]
        for split, values in (("train", [1, 2**63 + 5]), ("test", [2**63 + 4, 2**63 + 9]))
    }
    assert disorder(extents) == f"train reaches up to {2**63 + 5}, and test begins at {2**63 + 4}"
