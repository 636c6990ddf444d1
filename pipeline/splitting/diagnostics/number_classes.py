"""Numbers that would be classes: where classes are split or balanced, each value would be one of its own."""

from collections.abc import Collection, Iterator

from pipeline.config.copies import Balanced
from pipeline.config.schema import JobConfig
from pipeline.errors import InputError, Problem
from pipeline.sources.label_bins import are_fractions, names_of

MOST = 50
"""Different numbers that may be classes: marks in steps of a half are, measurements are not."""


def refuse_numbers(config: JobConfig, labels: Collection[str], classes: Collection[str]) -> None:
    """Raise InputError where numbers would be more classes than anybody means."""
    for key, column, names in _asked(config, labels, classes):
        if len(names) > MOST:
            message = f"{column!r} holds {len(names)} different numbers, and {key} would take each for a class."
            raise InputError(message.rstrip("."), (Problem(key, message, _cure(config, column)),))


def number_notes(config: JobConfig, labels: Collection[str], classes: Collection[str]) -> Iterator[str]:
    """One line for each place where a few numbers are classes, and one on the bins, if they are the classes."""
    edges = config.input.label_edges
    if edges is not None:
        yield f"classes are bins of the numbers in {config.input.label}: {', '.join(names_of(edges))}"
    for key, column, names in _asked(config, labels, classes):
        listed = ", ".join(sorted(names, key=float)[:3])
        yield (
            f"{column!r} holds numbers ({listed}, …), and {key} takes each of {len(names)} values for a class. "
            f"{_cure(config, column)}"
        )


def _asked(
    config: JobConfig, labels: Collection[str], classes: Collection[str]
) -> Iterator[tuple[str, str, Collection[str]]]:
    """Where in the config classes matter, the column that they are of, and their names, if these are fractions."""
    label = config.input.label
    balanced = config.class_columns if isinstance(config.copies, Balanced) else ()
    found = [("split.by", label, labels)] if config.split.stratified else []
    found += [("copies.balance", balanced[0], classes)] if len(balanced) == 1 else []
    for key, column, names in found:
        binned = column == label and config.input.label_bins is not None
        if column is not None and not binned and config.input.columns.get(column) != "string":
            yield from [(key, column, names)] if are_fractions(list(names)) else []


def _cure(config: JobConfig, column: str) -> str:
    bins = "Give input.label_bins, [10, 20.5] or {quantiles: 4}"
    given = bins if column == config.input.label else f"Make a column of ranges of {column}"
    return f"{given}; or, if they are names: input.columns: {{{column}: string}}"
