"""The copies of every training record, counted: by block for the planner, by class and by watched value for people.

Only where records do not all get the same. A balance first looks at all training records: per set of classes the
digests of their keys are held, eight bytes a record; then all of them are counted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.copies import Balanced
from pipeline.config.schema import JobConfig
from pipeline.errors import InputError, Problem
from pipeline.planning.blocks import BlockTable
from pipeline.planning.copies.balance import Classes, Rule, allot, effective_parents, target_of
from pipeline.planning.copies.table import DROPPED, CopyTable, balanced_table, table_of
from pipeline.planning.job import Job
from pipeline.planning.keys import KeyBlock, digests
from pipeline.planning.survey import key_blocks, keyed_batches, side_by_side
from pipeline.records import SPLITS, Unit
from pipeline.sources.key_columns import texts

MOST_VALUES = 100_000
"""Of a watched column; with more of them it is not watched."""
_TRAIN = SPLITS.index("train")
_Watched = dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One class of training records: how many there are and stay, their samples, and the squares of each one's."""

    records: int = 0
    staying: int = 0
    samples: int = 0
    squares: int = 0

    @property
    def effective_parents(self) -> float:
        """Of this class; see `balance.effective_parents`."""
        return effective_parents(self.samples, self.squares)


@dataclass(frozen=True, slots=True)
class Counted:
    """`copies`, `staying`: of the training records of each block. `watched`: (column, value) -> records, samples."""

    table: CopyTable
    copies: NDArray[np.int64]
    staying: NDArray[np.int64]
    classes: dict[str, ClassCount]
    labels: dict[str, int] = field(default_factory=dict)
    """Samples per label, which are other classes where a balance looks at other columns."""
    watched: _Watched = field(default_factory=dict)
    target: int | None = None


def count_copies(job: Job, units: Sequence[Unit], blocks: BlockTable) -> Counted:
    """Count. Raises InputError where records have several classes and the config does not say what to do then."""
    settings = job.config.copies
    target = None
    table = table_of(settings)
    if isinstance(settings, Balanced):
        found = _digests_by_classes(job, units, settings.balance.multi_label)
        rule = rule_of(job.config, settings)
        counts = {classes: len(d) for classes, d in found.items()}
        table, target = balanced_table(allot(counts, rule), found), target_of(counts, rule)
    one = replace(job, counted=table)
    copies, staying = np.zeros(len(blocks), np.int64), np.zeros(len(blocks), np.int64)
    classes: dict[str, list[int]] = {}
    labels: Counter[str] = Counter()
    watched: dict[str, Counter[tuple[str, int]]] = {name: Counter() for name in job.config.watched}
    begins = np.searchsorted(blocks.unit, np.arange(len(units) + 1))
    for number, part in enumerate(side_by_side(job, units, lambda unit: list(_rows(one, unit)))):
        starts = blocks.start[begins[number] : begins[number + 1]]
        for rows in part:
            at = begins[number] + np.searchsorted(starts, rows.places, "right") - 1
            np.add.at(copies, at, np.maximum(rows.copies, 0))
            np.add.at(staying, at, rows.copies != DROPPED)
            samples = np.where(rows.copies == DROPPED, 0, rows.copies + job.config.keep_original).tolist()
            _count_classes(classes, rows.classes, samples)
            for names, each in zip(rows.labels, samples, strict=True):
                labels.update(dict.fromkeys(names, each))
            for name, values in rows.watched.items():
                _count_values(watched[name], values, samples)
    counted = {name: ClassCount(*numbers) for name, numbers in sorted(classes.items())}
    return Counted(table, copies, staying, counted, dict(sorted(labels.items())), _slices(watched), target)


def rule_of(config: JobConfig, settings: Balanced) -> Rule:
    """The rule that a config sets."""
    given = settings.balance
    return Rule(given.target, given.min_copies, given.max_copies, given.downsample, config.keep_original)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Training records of a key block: their rows in the unit, copies, classes, and values of watched columns."""

    places: NDArray[np.int64]
    copies: NDArray[np.int64]
    classes: list[Classes]
    labels: list[Classes]
    watched: dict[str, list[str | None]]


def _training(block: KeyBlock) -> tuple[NDArray[np.int64], list[Classes]]:
    """Training records that do not fail for their keys, and the classes of each, sorted."""
    places = np.flatnonzero((block.splits == _TRAIN) & ~block.refused)
    return places, [tuple(sorted(set(found))) for found in block.classes.of(places)]


def _rows(job: Job, unit: Unit) -> Iterator[_Rows]:
    for block, batch in keyed_batches(job, unit):
        places, classes = _training(block)
        copies = job.copies.of_rows(classes, block.keys.take(pa.array(places)))
        taken = pa.array(places)
        watched = {name: texts(batch.column(name).take(taken)) for name in job.config.watched}
        labels = classes if block.labels is block.classes else block.labels.of(places)
        yield _Rows(block.start + places, copies, classes, labels, watched)


def _digests_by_classes(job: Job, units: Sequence[Unit], several: bool) -> dict[Classes, NDArray[np.uint64]]:
    found: dict[Classes, list[NDArray[np.uint64]]] = {}
    for part in side_by_side(job, units, lambda unit: _unit_digests(job, unit, several)):
        for classes, some in part.items():
            found.setdefault(classes, []).extend(some)
    return {classes: np.concatenate(some) for classes, some in sorted(found.items())}


def _unit_digests(job: Job, unit: Unit, several: bool) -> dict[Classes, list[NDArray[np.uint64]]]:
    found: dict[Classes, list[NDArray[np.uint64]]] = {}
    for block in key_blocks(job, unit):
        places, classes = _training(block)
        _refuse_several(job, unit, classes, several)
        values = digests(block.keys.take(pa.array(places)).to_pylist())
        numbers = {name: n for n, name in enumerate(dict.fromkeys(classes))}
        codes = np.array([numbers[name] for name in classes], np.int64)
        for name, number in numbers.items():
            found.setdefault(name, []).append(values[codes == number])
    return found


def _refuse_several(job: Job, unit: Unit, classes: list[Classes], several: bool) -> None:
    odd = None if several else next((found for found in classes if len(found) > 1), None)
    if odd is not None:
        message = f"a record of {unit.file} has several classes ({', '.join(odd)}), and copies.balance takes one"
        remedy = "Set copies.balance.multi_label: true, or name another column in copies.balance.per."
        raise InputError(message, (Problem("copies.balance", f"{message}.", remedy),))


def _count_classes(classes: dict[str, list[int]], found: list[Classes], samples: list[int]) -> None:
    for (names, each), times in Counter(zip(found, samples, strict=True)).items():
        for name in names:
            numbers = classes.setdefault(name, [0, 0, 0, 0])
            for place, number in enumerate((1, each > 0, each, each**2)):
                numbers[place] += times * number


def _count_values(counts: Counter[tuple[str, int]], values: list[str | None], samples: list[int]) -> None:
    if len(counts) <= MOST_VALUES:
        counts.update((value, n) for value, n in zip(values, samples, strict=True) if value is not None)


def _slices(watched: dict[str, Counter[tuple[str, int]]]) -> _Watched:
    found: _Watched = {}
    for column, counts in watched.items():
        if len(counts) > MOST_VALUES:
            continue
        for (value, samples), times in counts.items():
            before, after = found.get((column, value), (0, 0))
            found[column, value] = before + times, after + times * samples
    return dict(sorted(found.items()))
