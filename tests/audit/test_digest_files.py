"""Marks on disk, part by part, show what they show in memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.audit import digest_files
from pipeline.audit.digest_files import facts_of
from pipeline.audit.digest_matching import Found, shared
from pipeline.audit.row_digests import MARK, Looked, Marks, Portion
from pipeline.audit.sides import Field
from pipeline.records import Split
from pipeline.storage import scratch

LOOKED = Looked((Field("image", "image"),), ())
ROWS = 300


def side(split: Split, files: int, low: int, high: int) -> list[Marks]:
    """Random sources, some of which the other side has, and ids, some of which stand twice."""
    draw, made = np.random.Generator(np.random.Philox(low)), []
    for index in range(files):
        values = np.zeros(2 * ROWS, MARK)
        values["high"][:ROWS] = draw.integers(low, high, ROWS)
        values["high"][ROWS:] = draw.integers(2**40, 2**40 + 400_000, ROWS)
        values["low"] = values["high"] * np.uint64(0x9E3779B97F4A7C15)
        values["role"][:ROWS], values["role"][ROWS:] = 1, 0
        values["row"] = np.tile(np.arange(ROWS), 2)
        made.append(Marks(split, index, ROWS, values))
    return made


def summed(found: list[Found]) -> tuple[list[object], dict[object, list[object]]]:
    rows: dict[object, list[object]] = {}
    for part in found:
        for file, pairs in part.rows.items():
            rows.setdefault(file, []).extend(pairs)
    return sorted(link for part in found for link in part.links), {file: sorted(p) for file, p in sorted(rows.items())}


def test_parts_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    held, train = side("test", 4, 0, 9_000), side("train", 12, 8_000, 60_000)
    portions = [Portion(m.split, m.index, "", ROWS, LOOKED) for m in [*held, *train]]

    def marks(of_train: bool) -> Iterator[Marks]:
        yield from train if of_train else held

    in_memory = list(facts_of(portions, marks))
    monkeypatch.setattr(digest_files, "_MARKS_PER_PART", 500)
    monkeypatch.setattr(digest_files, "_AT_ONCE", 900)
    monkeypatch.setattr(scratch, "TemporaryDirectory", lambda **_: _Kept(tmp_path))
    parted = list(facts_of(portions, marks))
    assert (len(in_memory), len(parted)) == (1, 32)
    assert len(list(tmp_path.glob("train-*"))) == 32
    assert summed(parted) == summed(in_memory) == summed([shared(held, train, LOOKED)])
    assert {link.kind for link in in_memory[0].links} == {0, 1}


class _Kept:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> str:
        return str(self._folder)

    def __exit__(self, *_: object) -> None:
        pass


def test_nothing_to_look_at() -> None:
    assert list(facts_of([], lambda _: ())) == []
