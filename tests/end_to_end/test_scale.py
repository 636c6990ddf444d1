"""The simulation of large plans runs, and what it extrapolates goes straight on."""

import sys
from pathlib import Path

import pytest

from scripts import scale
from scripts.scaling import requests


def test_it_prints_a_row_for_each_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--records", "1e3,2e3", "--further", "1e6", "--receipts", "5", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["scale.py", *words])
    scale.main()
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith(("| 1,", "| 2,"))]
    assert [row.split("|")[1].strip() for row in rows] == ["1,000", "2,000", "1,000,000 (extrapolated)"] * 3
    assert "5 receipts of" in lines[-1]
    assert [path.name for path in (tmp_path / "keys-2000").iterdir()] == ["part-000000.parquet"]


def test_what_is_extrapolated_goes_straight_on() -> None:
    def found(n: int) -> scale.Measured:
        counts = {"records": n, "shards": n // 10, "receipts": 7, "receipt_bytes": 9, "graph_bytes": 5}
        return {"seconds": {"plan": 1 + n / 1000}, "peak": {"plan": 100 + n / 100}, "counts": counts}

    assert scale.extrapolated([found(1_000), found(2_000)], 100_000) == found(100_000)


def test_requests_grow_with_shards_and_small_shards_are_put_at_once() -> None:
    counts = {"shards": 10, "shards_train": 10, "task_files": 1}
    assert requests.rendering(counts, 0, 16 * 2**20).writes == 10 * 2 + 1
    assert requests.rendering(counts, 0, 64 * 2**20).writes == 10 * (8 + 2 + 1) + 1
    assert requests.planning(1_000_000).reads == 100 + 1_000
    assert requests.Requests(1_000, 10_000).dollars((0.005, 0.0004)) == pytest.approx(0.009)
