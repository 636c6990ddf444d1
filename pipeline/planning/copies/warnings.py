"""What a balance may do to a training set that nobody asked for: few parents, growing slices, targets out of reach."""

from collections.abc import Iterator

from pipeline.config.copies import Balanced, BalanceSettings, PerClass
from pipeline.planning.copies.counts import Counted

_LISTED = 10


def copy_warnings(settings: int | PerClass | Balanced, counted: Counted | None) -> list[str]:
    """One line each, the worst first of each kind, at most ten of a kind."""
    if counted is None or not isinstance(settings, Balanced):
        return []
    given = settings.balance
    return [
        line
        for found in (_missed(given, counted), _few_parents(given, counted), _growing(given, counted))
        for line in [text for _, text in sorted(found)][:_LISTED]
    ]


def _missed(given: BalanceSettings, counted: Counted) -> Iterator[tuple[float, str]]:
    target = counted.target or 0
    for name, count in counted.classes.items():
        if count.samples < target:
            remedy = f"max_copies {given.max_copies} allows no more" if not given.multi_label else "the best reachable"
            yield count.samples / target, f"class {name!r} reaches {count.samples} of {target} samples: {remedy}"
        elif count.samples > target and given.multi_label:
            yield -count.samples / target, f"class {name!r} has {count.samples} samples, the target is {target}"


def _few_parents(given: BalanceSettings, counted: Counted) -> Iterator[tuple[float, str]]:
    for name, count in counted.classes.items():
        share = count.effective_parents / count.samples if count.samples else 1.0
        if share < given.watch_parents:
            yield (
                share,
                f"class {name!r} is mostly copies: {count.samples} samples of {count.effective_parents:.0f} records "
                f"({share:.2f} parents per sample, watch_parents is {given.watch_parents:g}); "
                "a model may learn these few by heart",
            )


def _growing(given: BalanceSettings, counted: Counted) -> Iterator[tuple[float, str]]:
    """Values whose share of the samples is much larger than their share of the records."""
    totals: dict[str, list[int]] = {}
    for (column, _), (records, samples) in counted.watched.items():
        total = totals.setdefault(column, [0, 0])
        total[0] += records
        total[1] += samples
    for (column, value), (records, samples) in counted.watched.items():
        before, after = records / totals[column][0], samples / max(1, totals[column][1])
        if after > given.watch_growth * before:
            yield (
                before / after,
                f"{column}={value} grows from {before:.1%} of the records to {after:.1%} of the samples "
                f"(watch_growth is {given.watch_growth:g}): what is peculiar to it grows too",
            )
