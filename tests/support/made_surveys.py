"""Surveys of no input, shared by the tests of what is made of them."""

from typing import Any

from hypothesis import strategies as st

from pipeline.planning.blocks import BlockTable, BlockTally
from pipeline.planning.survey import Survey
from pipeline.records import Block, Split, Unit


@st.composite
def surveys(draw: st.DrawFn) -> Survey:
    """Units cut into blocks, each with some records of some splits."""
    blocks = []
    for number in range(draw(st.integers(1, 6))):
        sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
        unit = Unit(f"f{number}", sum(sizes), sum(sizes) * draw(st.integers(1, 2_000)))
        start = 0
        for size in sizes:
            first = draw(st.integers(0, size))
            second = draw(st.integers(0, size - first))
            counts: dict[Split, int] = {"train": first, "validation": second, "test": size - first - second}
            blocks.append(BlockTally(Block(unit, start, start + size), {s: n for s, n in counts.items() if n}))
            start += size
    return Survey(BlockTable.of(blocks))


def rows(shards: Any) -> list[tuple[str, int]]:
    return [(b.unit.file, n) for shard in shards for b in shard.blocks for n in range(b.start, b.stop)]
