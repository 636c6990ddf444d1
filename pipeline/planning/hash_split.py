"""Which split a record belongs to: a sticky hash of its group or key, or a column of the input."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.planning.seeds import unit_intervals
from pipeline.records import SPLITS, Split


def splits_of_keys(keys: pa.Array, groups: pa.Array | None, shares: dict[Split, float], seed: int) -> NDArray[np.uint8]:
    """Splits by hash, as places in SPLITS: relatives (one group) share a fate, and no other record decides a fate.

    `keys`: binary, without nulls. `groups`: text, null for a record that is its own group. `shares` are in 0..1 for
    validation and test; train gets the rest. Growing one share moves records only out of train or between neighbours
    on the unit interval: test takes the low end, validation the high end.
    """
    if not any(shares.values()):
        return np.full(len(keys), SPLITS.index("train"), np.uint8)
    return splits_of_numbers(numbers_of(keys, groups, seed), shares)


def splits_of_numbers(numbers: NDArray[np.float64], shares: dict[Split, float]) -> NDArray[np.uint8]:
    """Splits of numbers in 0 <= u < 1, as places in SPLITS."""
    test, validation = shares.get("test", 0.0), shares.get("validation", 0.0)
    found = np.full(len(numbers), SPLITS.index("train"), np.uint8)
    if validation:
        found[numbers >= 1.0 - validation] = SPLITS.index("validation")
    if test:
        found[numbers < test] = SPLITS.index("test")
    return found


def numbers_of(keys: pa.Array, groups: pa.Array | None, seed: int) -> NDArray[np.float64]:
    """For each record a number in 0 <= u < 1, by its group, else by its key."""
    if groups is None:
        return unit_intervals(seed, keys.to_pylist(), "split", b"key:")
    numbers = np.empty(len(keys))
    alone = groups.is_null().to_numpy(zero_copy_only=False)
    coded = groups.drop_null().dictionary_encode()
    drawn = unit_intervals(seed, coded.dictionary.cast(pa.binary()).to_pylist(), "split", b"group:")
    numbers[~alone] = drawn[coded.indices.to_numpy()]
    numbers[alone] = unit_intervals(seed, keys.filter(pa.array(alone)).to_pylist(), "split", b"key:")
    return numbers


def ordered(splits: set[Split]) -> tuple[Split, ...]:
    """Splits in their fixed order: train, validation, test."""
    return tuple(s for s in SPLITS if s in splits)
