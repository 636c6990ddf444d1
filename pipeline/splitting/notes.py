"""What people should know of a split that the whole input decided: shares that cannot be met, groups without a name."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.config import JobConfig
from pipeline.records import SPLITS
from pipeline.splitting.bridges import BRIDGE
from pipeline.splitting.components import PartNumbers
from pipeline.splitting.facts import Facts
from pipeline.splitting.parts import TIMELESS, split_codes

_LISTED = 5


def notes_of(config: JobConfig, facts: Facts, parts: PartNumbers) -> tuple[str, ...]:
    """One line each."""
    return (*_groups(facts), *_single(facts, config), *_missed(config, facts, parts), *_failing(config, parts))


def _groups(facts: Facts) -> Iterator[str]:
    for name, digests in facts.groups.items():
        missing = int((digests == 0).sum())
        if missing:
            yield f"{missing} records have no {name}: each of them is a group of its own"


def _single(facts: Facts, config: JobConfig) -> Iterator[str]:
    if not config.split.stratified:
        return
    sizes = _class_counts(facts, np.zeros(len(facts), np.int16), 1)
    alone = sorted(name for name, counts in sizes.items() if counts[0] == 1)
    if alone:
        more = f" and {len(alone) - _LISTED} more" if len(alone) > _LISTED else ""
        yield f"classes of one record lie in one split only: {', '.join(alone[:_LISTED])}{more}"


def _missed(config: JobConfig, facts: Facts, parts: PartNumbers) -> Iterator[str]:
    """Shares that relatives, which stay together, keep from being met."""
    split = config.split
    if split.method == "hash":
        return
    codes = split_codes(split, parts)
    kept = parts >= 0
    wanted = {"test": split.test, "validation": split.validation}
    if split.folds is not None:
        wanted["validation"] = (1 - split.test) / split.folds.k
    for name, share in wanted.items():
        place = SPLITS.index(name)
        got, total = int((codes[kept] == place).sum()), int(kept.sum())
        if abs(got - share * total) > max(1.0, 0.005 * total):
            yield f"{name} has {got} of {total} records, {share:.1%} were asked for: relatives stay together"
        if share and not got:
            yield f"{name} is empty: there are too few records or groups for a share of {share:.1%}"
    if split.stratified:
        yield from _missed_classes(facts, codes, kept, wanted)


def _missed_classes(
    facts: Facts, codes: NDArray[np.uint8], kept: NDArray[np.bool_], wanted: dict[str, float]
) -> Iterator[str]:
    counts = _class_counts(facts, np.where(kept, codes.astype(np.int16), np.int16(len(SPLITS))), len(SPLITS) + 1)
    lines = []
    for label, numbers in counts.items():
        total = sum(numbers[: len(SPLITS)])
        for name, share in wanted.items():
            got = numbers[SPLITS.index(name)]
            if abs(got - share * total) > 1:
                line = f"class {label!r} has {got} of {total} records in {name}, {share * total:.1f} were asked for"
                lines.append((-abs(got - share * total), f"{line}: the best that its groups allow"))
    yield from (line for _, line in sorted(lines)[:_LISTED])


def _class_counts(facts: Facts, places: NDArray[np.int16], number: int) -> dict[str, list[int]]:
    """Per class, rows at each place."""
    found: dict[str, list[int]] = {}
    table = np.bincount(facts.codes * number + places, minlength=len(facts.classes) * number).reshape(-1, number)
    for classes, counts in zip(facts.classes, table.tolist(), strict=True):
        for name in classes:
            found[name] = [a + b for a, b in zip(found.get(name, [0] * number), counts, strict=True)]
    return dict(sorted(found.items()))


def _failing(config: JobConfig, parts: PartNumbers) -> Iterator[str]:
    bridging, timeless = int((parts == BRIDGE).sum()), int((parts == TIMELESS).sum())
    if bridging:
        yield f"{bridging} new records have relatives in several splits and fail: bridges_splits"
    if timeless:
        yield f"{timeless} records have no {config.split.column} and fail: null_time"
