"""What people must know of the sizes of splits: nothing to train on, and shares far from what was asked."""

from collections.abc import Iterator, Mapping

from pipeline.config.schema import JobConfig
from pipeline.errors import InputError, Problem
from pipeline.records import Split

Counts = Mapping[Split, int]
_FAR = 0.5
"""Of a share, by which a hash may miss it without a word."""


def refuse_empty_train(config: JobConfig, counts: Counts, joined: Mapping[str, int]) -> None:
    """Raise InputError, with the cause and what to do, if no record is left to train on."""
    if counts["train"]:
        return
    total = sum(counts.values())
    there = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    message = f"train would be empty: all {total} records are held out ({there})"
    raise InputError(message, (Problem("split", f"{message}. {_cause(config, joined, total)}", _cure(config, joined)),))


def _cause(config: JobConfig, joined: Mapping[str, int], total: int) -> str:
    split = config.split
    if split.split_column is not None:
        return f"No row of column {split.split_column!r} says train."
    if split.folds is None and split.validation + split.test >= 1:
        return "The shares of validation and test leave nothing."
    told = _relatives(joined)
    return f"Relatives go one way together: {told}." if told else f"{total} records are few for these shares."


def _cure(config: JobConfig, joined: Mapping[str, int]) -> str:
    split = config.split
    if split.split_column is not None:
        return "Name training rows train in that column, or give another column."
    if split.folds is None and split.validation + split.test >= 1:
        return "Give smaller shares."
    cures = []
    if any(name.startswith("group:") for name, count in joined.items() if count):
        cures.append("a group column that has several values")
    if any(name.startswith("exact:") for name, count in joined.items() if count):
        cures.append("keep_together: {exact: false} if records of the same content need not stay together")
    return f"Give {', '.join([*cures, 'more records, or smaller shares'])}."


def _relatives(joined: Mapping[str, int]) -> str:
    return ", ".join(f"{name} joins {count} records" for name, count in joined.items() if count)


def share_notes(config: JobConfig, counts: Counts, joined: Mapping[str, int]) -> tuple[str, ...]:
    """Shares that a hash leaves empty or far from what was asked for, with what cures that."""
    return tuple(_missed(config, counts, joined)) if config.split.method == "hash" else ()


def _missed(config: JobConfig, counts: Counts, joined: Mapping[str, int]) -> Iterator[str]:
    total = sum(counts.values())
    for name, share in config.split.shares().items():
        got, wanted = counts[name], share * total
        if share and abs(got - wanted) > (max(1.0, _FAR * wanted) if got else 0):
            told = _relatives(joined)
            why = f"; relatives stay together ({told})" if told else ""
            has = f"has {got} of {total} records" if got else f"is empty: none of {total} records"
            yield f"{name} {has}, {share:.1%} were asked for{why}. {_exact_shares(config)}"


def _exact_shares(config: JobConfig) -> str:
    if config.input.label is not None:
        return "split: {by: stratified} meets shares as nearly as can be"
    return "A hash meets shares of many records only; by: {kfold: {k: 10, fold: 0}} makes parts of equal size"
