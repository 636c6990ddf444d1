"""Which split a record belongs to: a sticky hash of its group or key, or a column of the input."""

from pipeline.records import SPLITS, Split
from pipeline.seeds import unit_interval

ALIASES: dict[str, Split] = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip


def split_of_key(key: str, group: str | None, shares: dict[Split, float], seed: int) -> Split:
    """Split by hash: relatives (one `group`) share a fate, and a record's fate never depends on other records.

    `shares` are in 0..1 for validation and test; train gets the rest. Growing one share moves records only out of
    train or between neighbours on the unit interval: test takes the low end, validation the high end.
    """
    number = unit_interval(seed, f"group:{group}" if group is not None else f"key:{key}", "split")
    if number < shares.get("test", 0.0):
        return "test"
    if number >= 1.0 - shares.get("validation", 0.0):
        return "validation"
    return "train"


def split_of_name(name: str | None) -> Split | None:
    """Split by a column's value (train, validation, val, valid, dev, test; any case); None if it names no split."""
    return None if name is None else ALIASES.get(name.strip().lower())


def ordered(splits: set[Split]) -> tuple[Split, ...]:
    """Splits in their fixed order: train, validation, test."""
    return tuple(s for s in SPLITS if s in splits)
