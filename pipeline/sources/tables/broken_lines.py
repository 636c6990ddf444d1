"""Lines of tables that cannot be read: each is a record that fails, in its place among the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.errors import InputError, Problem
from pipeline.records import Broken, Unit
from pipeline.sources.tables.text_lines import Lines, input_error, told

_MOST = 10_000
_NAMED = 3


@dataclass(slots=True)
class Found:
    """The broken records of one file as they are met: of the unit that is being cut, and in all."""

    path: str
    of_unit: list[Broken] = field(default_factory=list)
    count: int = 0
    first: tuple[int, str] = (0, "")

    def add(self, row: int, begin: int, lines: Lines, why: str) -> None:
        """The record that was read last; `begin`: where its unit begins. Raises InputError for very many."""
        self.of_unit.append(Broken(row, lines.record - begin, lines.offset - begin, lines.first, why))
        self.first = self.first if self.count else (lines.first, why)
        self.count += 1
        if self.count > _MOST:
            raise self.refusal(f"more than {_MOST:,} lines cannot be read; the first: ")

    def taken(self) -> tuple[Broken, ...]:
        """Those of the unit that is complete."""
        taken, self.of_unit = tuple(self.of_unit), []
        return taken

    def refusal(self, before: str = "") -> InputError:
        """The first of them as an error."""
        line, why = self.first
        message, remedy = told(why)
        return input_error(self.path, line, f"{before}{message}", remedy)


def notes_of(units: Sequence[Unit]) -> tuple[str, ...]:
    """What people should know of broken lines: how many, and the first ones."""
    broken = [(unit.file, b) for unit in units for b in unit.broken]
    if not broken:
        return ()
    named = "; ".join(f"{file}:{b.line}: {b.why}" for file, b in broken[:_NAMED])
    more = f"; and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
    many = "line cannot be read and is a failed record" if len(broken) == 1 else "lines cannot be read and are failed"
    return (f"{len(broken)} {many}{'' if len(broken) == 1 else ' records'} (broken_line): {named}{more}",)


def sound(raw: bytes, unit: Unit) -> bytes:
    """The bytes of a unit without those of broken records."""
    if not unit.broken:
        return raw
    ends = [0, *(b.end for b in unit.broken)]
    begins = [*(b.begin for b in unit.broken), len(raw)]
    return b"".join(raw[end:begin] for end, begin in zip(ends, begins, strict=True))


def with_gaps(table: pa.Table, unit: Unit) -> pa.Table:
    """The sound rows of a unit with rows of nulls where the broken ones are."""
    if not unit.broken:
        return table
    there = ~broken_rows(unit, 0, unit.rows)
    return table.take(pa.array(np.cumsum(there) - 1, pa.int64(), mask=~there))


def broken_rows(unit: Unit, start: int, count: int) -> NDArray[np.bool_]:
    """Which of some rows of a unit are broken."""
    found = np.zeros(count, np.bool_)
    rows = np.array([b.row for b in unit.broken], np.int64) - start
    found[rows[(rows >= 0) & (rows < count)]] = True
    return found


def refused(problems: Sequence[Problem]) -> InputError:
    """All that keeps tables from being read."""
    return InputError("some input files cannot be read", tuple(problems))
