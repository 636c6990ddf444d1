from pathlib import Path

import numpy as np
import pytest
from small_inputs import config_of, opened, parquet, text_columns

from pipeline.records import Block, Unit
from pipeline.rendering.spans import Span, spans_of
from pipeline.sources.interface import LARGEST_HELD
from pipeline.sources.parquet import streams

ONE, OTHER = Unit("a", 100, 1_000), Unit("b", 100, 1_000)


class _Reader:
    seekable = False


class _Seekable:
    seekable = True


def runs(reader: object, *blocks: Block) -> list[tuple[str, int, int]]:
    return [(span.unit.file, span.start, span.stop) for span in spans_of(reader, blocks)]  # type: ignore[arg-type]


def test_blocks_of_one_held_unit_are_one_span() -> None:
    blocks = Block(ONE, 3, 9), Block(ONE, 20, 30), Block(OTHER, 5, 8), Block(ONE, 40, 41)
    assert runs(_Reader(), *blocks) == [("a", 3, 30), ("b", 5, 8), ("a", 40, 41)]


def test_rows_that_are_far_apart_are_not_read_where_that_costs() -> None:
    large = Unit("a", 100, LARGEST_HELD + 1)
    assert runs(_Reader(), Block(large, 0, 5), Block(large, 5, 9), Block(large, 50, 60)) == [("a", 0, 9), ("a", 50, 60)]
    assert runs(_Seekable(), Block(ONE, 0, 5), Block(ONE, 5, 9)) == [("a", 0, 5), ("a", 5, 9)]


def test_blocks_that_go_back_begin_a_span_of_their_own() -> None:
    assert runs(_Reader(), Block(ONE, 20, 30), Block(ONE, 3, 9)) == [("a", 20, 30), ("a", 3, 9)]
    decided = Block(ONE, 30, 32, b"\0\1")
    assert runs(_Reader(), Block(ONE, 20, 30), decided) == [("a", 20, 30), ("a", 30, 32)]


def test_which_rows_are_in_a_block_and_what_was_decided_of_them() -> None:
    span = Span(ONE, (Block(ONE, 3, 6, b"\1\2\1"), Block(ONE, 9, 11, b"\2\2")))
    inside, decided = span.of(4, 6)  # rows 4..10
    assert inside.tolist() == [True, True, False, False, False, True]
    assert decided is not None
    assert decided[inside].tolist() == [2, 1, 2]
    assert Span(ONE, (Block(ONE, 3, 6),)).of(0, 4)[1] is None
    assert np.array_equal(Span(ONE, (Block(ONE, 3, 6),)).of(0, 4)[0], [False, False, False, True])


@pytest.mark.parametrize(("parts", "most"), [((0, 1, 2, 3), 12), ((0, 1, 2), 3)])
def test_a_row_group_that_comes_next_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: tuple[int, ...], most: int
) -> None:
    """Shards that read one group more than there is room for do not read every one of them again."""
    path = parquet(tmp_path / "a.parquet", text_columns(60), 10)
    _, listing = opened(config_of(path, tmp_path / "out"))
    room = sum(unit.bytes for unit in listing.units[:3]) + 10
    monkeypatch.setattr(streams, "HELD_BYTES", room)
    opened_units: list[int] = []
    begin = streams._Stream.__init__

    def counted(self: streams._Stream, source: streams.Source) -> None:
        opened_units.append(source.unit.part)
        begin(self, source)

    monkeypatch.setattr(streams._Stream, "__init__", counted)
    for _ in range(6):
        units = [listing.units[part] for part in parts]
        listing.reader.expect(units)
        for unit in units:
            rows = [batch.num_rows for batch in listing.reader.read(unit, None, 2, 8)]
            assert sum(rows) == 6
    assert len(opened_units) <= most  # 24 of four, if what was not used for longest went
