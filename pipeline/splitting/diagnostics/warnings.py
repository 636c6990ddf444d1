"""What people should know of a split that the whole input decided: shares that cannot be met, groups without a name."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.schema import JobConfig
from pipeline.records import SPLITS
from pipeline.splitting.assignment.partition import TIMELESS, split_codes
from pipeline.splitting.components import PartNumbers
from pipeline.splitting.facts import Facts
from pipeline.splitting.history.conflicts import BRIDGE
from pipeline.storage.mapped_columns import count, spans

_LISTED = 5


def notes_of(config: JobConfig, facts: Facts, parts: PartNumbers, growing: bool = False) -> tuple[str, ...]:
    """One line each. `growing`: earlier versions placed some of the rows."""
    table = _table(config, facts, parts)
    bridging, timeless = _count_of(parts, BRIDGE), _count_of(parts, TIMELESS)
    classes = _of_classes(facts, table)
    return (
        *_groups(facts),
        *_single(classes, config),
        *_missed(config, table.sum(0)[: len(SPLITS)].tolist(), classes),
        *_too_new(config, facts, parts, growing),
        *_failing(config, bridging, timeless),
    )


def _too_new(config: JobConfig, facts: Facts, parts: PartNumbers, growing: bool) -> Iterator[str]:
    """Training records that are no older than what is held out, where times were to decide."""
    times, train = facts.times, SPLITS.index("train")
    if config.split.time_column is None or times is None:
        return
    oldest = [times[span][parts[span] > train].min() for span in spans(len(parts)) if (parts[span] > train).any()]
    if not oldest:
        return
    number = count(len(parts), lambda span: (parts[span] == train) & (times[span] >= min(oldest)))
    total = _count_of(parts, train)
    if number and growing:
        yield (
            f"{number} of {total} training records are as new as the oldest held-out record, or newer: earlier "
            "versions placed records, which stay (split.sticky: true). sticky: false holds out the newest anew, and "
            "trains on what was held out before"
        )
    elif number:
        yield (
            f"{number} of {total} training records are as new as the oldest held-out record, or newer: relatives stay "
            "together, and are as new as the newest of them"
        )


def _table(config: JobConfig, facts: Facts, parts: PartNumbers) -> NDArray[np.int64]:
    """(sets of classes, splits and one more place): rows; those that fail stand last."""
    number = len(SPLITS) + 1
    table = np.zeros(len(facts.classes) * number, np.int64)
    for span in spans(len(parts)):
        places = np.where(parts[span] >= 0, split_codes(config.split, parts[span]), len(SPLITS))
        table += np.bincount(facts.codes[span] * np.int64(number) + places, minlength=len(table))
    return table.reshape(-1, number)


def _of_classes(facts: Facts, table: NDArray[np.int64]) -> dict[str, list[int]]:
    """Per class, rows at each place."""
    found: dict[str, list[int]] = {}
    for classes, counts in zip(facts.classes, table.tolist(), strict=True):
        for name in classes:
            found[name] = [a + b for a, b in zip(found.get(name, [0] * len(counts)), counts, strict=True)]
    return dict(sorted(found.items()))


def _count_of(values: NDArray[Any], value: int) -> int:
    return count(len(values), lambda span: values[span] == value)


def _groups(facts: Facts) -> Iterator[str]:
    for name, digests in facts.groups.items():
        missing = _count_of(digests, 0)
        if missing:
            yield f"{missing} records have no {name}: each of them is a group of its own"


def _single(classes: dict[str, list[int]], config: JobConfig) -> Iterator[str]:
    alone = [name for name, counts in classes.items() if sum(counts) == 1]
    if config.split.stratified and alone:
        more = f" and {len(alone) - _LISTED} more" if len(alone) > _LISTED else ""
        yield f"classes of one record lie in one split only: {', '.join(alone[:_LISTED])}{more}"


def _missed(config: JobConfig, rows: list[int], classes: dict[str, list[int]]) -> Iterator[str]:
    """Shares that relatives, which stay together, keep from being met."""
    split = config.split
    if split.method == "hash":
        return
    wanted = {"test": split.test, "validation": split.validation}
    if split.folds is not None:
        wanted["validation"] = (1 - split.test) / split.folds.k
    for name, share in wanted.items():
        got, total = rows[SPLITS.index(name)], sum(rows)
        if abs(got - share * total) > max(1.0, 0.005 * total):
            yield f"{name} has {got} of {total} records, {share:.1%} were asked for: relatives stay together"
        if share and not got:
            yield f"{name} is empty: too few records or groups for a share of {share:.1%}; give more, or a larger share"
    if split.stratified:
        yield from _missed_classes(classes, wanted)


def _missed_classes(classes: dict[str, list[int]], wanted: dict[str, float]) -> Iterator[str]:
    lines = []
    for label, numbers in classes.items():
        total = sum(numbers[: len(SPLITS)])
        for name, share in wanted.items():
            got = numbers[SPLITS.index(name)]
            if abs(got - share * total) > 1:
                line = f"class {label!r} has {got} of {total} records in {name}, {share * total:.1f} were asked for"
                lines.append((-abs(got - share * total), f"{line}: the best that its groups allow"))
    yield from (line for _, line in sorted(lines)[:_LISTED])


def _failing(config: JobConfig, bridging: int, timeless: int) -> Iterator[str]:
    if bridging:
        yield f"{bridging} new records have relatives in several splits and fail: bridges_splits"
    if timeless:
        yield f"{timeless} records have no {config.split.column} and fail: null_time"
