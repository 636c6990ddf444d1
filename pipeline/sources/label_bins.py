"""Labels that are numbers -> classes: bins between edges, as the config gives them or as the whole input decides."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.input import Quantiles

_NUMBER = r"^\s*-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"
_LARGEST = 2**53


def names_of(edges: Sequence[float]) -> list[str]:
    """One name per bin, one more than there are edges: `(-inf, 10)`, `[10, 20)`, `[20, inf)`."""
    ends = [_written(edge) for edge in edges]
    starts = ["(-inf", *(f"[{end}" for end in ends)]
    return [f"{start}, {end})" for start, end in zip(starts, [*ends, "inf"], strict=True)]


def binned(values: pa.Array, edges: Sequence[float]) -> tuple[pa.Array, NDArray[np.bool_]]:
    """The bin of each text that is a number, null for others; and which those others are, nulls aside."""
    numbers = as_numbers(values)
    known = numbers.is_valid().to_numpy(zero_copy_only=False)
    places = np.searchsorted(np.asarray(edges), numbers.fill_null(0.0).to_numpy(zero_copy_only=False), "right")
    found = pa.array(names_of(edges)).take(pa.array(places, mask=~known))
    return found, ~known & values.is_valid().to_numpy(zero_copy_only=False)


def as_numbers(values: pa.Array) -> pa.Array:
    """Texts as float64, null where one is no finite number."""
    fits = pc.fill_null(pc.match_substring_regex(values, _NUMBER), False)
    numbers = pc.utf8_trim_whitespace(pc.if_else(fits, values, pa.scalar(None, pa.string()))).cast(pa.float64())
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def equal_shares(values: NDArray[np.float64], bins: Quantiles) -> tuple[float, ...]:
    """Edges between which there are about equally many values (sorted, not none): values themselves, fewer for ties."""
    places = [len(values) * n // bins.quantiles for n in range(1, bins.quantiles)]
    edges = dict.fromkeys(float(values[place]) for place in places)
    return tuple(edge for edge in edges if edge > values[0]) or (float(values[0]),)


def are_fractions(classes: Sequence[str]) -> bool:
    """Whether all classes are finite numbers, and one of them no whole number."""
    texts = pa.array(classes, pa.string())
    if not len(texts) or as_numbers(texts).null_count:
        return False
    return any(not float(name).is_integer() for name in classes)


def _written(edge: float) -> str:
    """As people write it: whole numbers without a point."""
    whole = math.isfinite(edge) and edge == int(edge) and abs(edge) < _LARGEST
    return str(int(edge)) if whole else repr(float(edge))
