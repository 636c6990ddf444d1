"""How the cell of one row changes: which entries are left of it, in which order, and what is said of them now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.labels import AnswerBinding, TokenBinding
from pipeline.modalities.labels import cell_members, cells, entry_numbers
from pipeline.modalities.labels.binding import Row
from pipeline.modalities.labels.cells import Coordinates, Layout
from pipeline.modalities.labels.formats.answers import written_answers
from pipeline.records import Sample
from transforms.values import TextValue


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one row's cell: the entries that are left and their new coordinates, or a new content.

    `more`: entries of other records that come after them.
    """

    rows: tuple[int, ...] = ()
    layout: Layout | None = None
    new: Coordinates | None = None
    content: Any = None
    replaced: bool = False
    stays: tuple[str, tuple[int, ...]] = ("", ())
    """A member of the structs that comes from other entries than the rest, and those."""
    areas: tuple[str, tuple[float, ...]] = ("", ())
    """A member of the structs that holds numbers of all entries, others' included, and those."""
    lists: tuple[str, tuple[Any, ...]] = ("", ())
    """A member of the structs, or ALONE, that holds other entries, and those."""
    more: tuple["Foreign", ...] = ()

    def applied(self, column: pa.Array, index: int) -> pa.Array:
        """An array of one row."""
        if self.replaced:
            return pa.array([self.content], column.type)
        new = np.zeros((0, 0)) if self.new is None else self.new
        own = cells.moved(column, index, self.rows, self.layout, new)
        if self.stays[0]:
            own = cell_members.with_member(own, column, index, *self.stays)
        if self.more:
            others = [part.change.applied(part.column.cast(column.type), part.index) for part in self.more]
            own = cells.joined([own, *others], [len(self.rows), *(len(part.change.rows) for part in self.more)])
        if self.lists[0]:
            own = cell_members.with_entries(own, *self.lists)
        return cell_members.with_numbers(own, self.areas[0], np.array(self.areas[1])) if self.areas[0] else own


@dataclass(frozen=True, slots=True)
class Foreign:
    """Entries of another record: the number of the record (see `entry_numbers`), and its own row of the column."""

    source: int
    column: pa.Array
    index: int
    change: Change


def change_of(
    name: str, rows_of: Sequence[Row], left: tuple[NDArray[np.int64], Coordinates | None], layout: Layout | None
) -> Change:
    """What is left of a column's entries, those of each record taken from its own row."""
    numbers, new = left
    parts = []
    for source, (batch, place) in enumerate(rows_of):
        mine = entry_numbers.of_one(numbers, source)
        if source == 0 or mine.any():
            change = Change(tuple(entry_numbers.entries(numbers[mine])), layout, None if new is None else new[mine])
            parts.append(Foreign(source, batch.column(name), place, change))
    return replace(parts[0].change, more=tuple(parts[1:]))


def of_text(
    binding: AnswerBinding | TokenBinding, rows_of: Sequence[Row], value: TextValue
) -> Iterator[tuple[str, Change]]:
    """How the columns change that hold answers, or an entry for each word."""
    if isinstance(binding, AnswerBinding):
        batch, index = rows_of[0]
        content = written_answers(binding, batch.column(binding.column)[index].as_py(), value)
        rows = () if value.answers is None else tuple(entry_numbers.entries(value.answers.rows))
        yield binding.column, Change(rows, content=content, replaced=True)
    elif value.tokens is not None:
        for name in binding.columns:
            yield name, _entries_in_order(name, rows_of, value.tokens.rows)


def _entries_in_order(name: str, rows_of: Sequence[Row], numbers: NDArray[np.int64]) -> Change:
    """The entries of a column in the order of the words, which may be those of several records."""
    if entry_numbers.of_one(numbers, 0).all():
        return change_of(name, rows_of, (numbers, None), None)
    cells_of = [batch.column(name)[index].as_py() for batch, index in rows_of]
    sources = (numbers >> entry_numbers.BITS).tolist()
    found = zip(sources, entry_numbers.entries(numbers), strict=True)
    content = [(cells_of[source] or {entry: None})[entry] for source, entry in found]
    own = entry_numbers.entries(numbers[entry_numbers.of_one(numbers, 0)])
    return Change(tuple(own), content=content, replaced=True)


def moved_cells(samples: Sequence[Sample], name: str) -> pa.Array:
    """A column of bound labels: as it was, or as the field that it is bound to changed it."""
    cells = []
    for sample in samples:
        column, index = sample.record.batch.column(name), sample.record.index
        change = next((r.changes[name] for r in sample.rendered.values() if name in r.changes), None)
        cells.append(column.slice(index, 1) if change is None else change)
    return pa.concat_arrays(cells)
