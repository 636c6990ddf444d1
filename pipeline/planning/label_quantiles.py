"""Edges of bins that the labels of the whole input decide: its label column is read once, eight bytes a record."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.input import Quantiles
from pipeline.config.schema import JobConfig
from pipeline.errors import InputError
from pipeline.records import Unit
from pipeline.sources import Listing
from pipeline.sources.key_columns import text_of
from pipeline.sources.label_bins import as_numbers, equal_shares
from pipeline.sources.range_reads import THREADS, in_order
from pipeline.sources.snapshot import read_listed
from pipeline.storage.mapped_columns import Growing

_LOCAL_THREADS = 4


def with_edges(config: JobConfig, listing: Listing) -> JobConfig:
    """The config with the edges that the input decides in place of their number. Raises InputError if it has none."""
    bins, label = config.input.label_bins, config.input.label
    if not isinstance(bins, Quantiles) or label is None:
        return config
    threads = _LOCAL_THREADS if listing.reader.root.local else THREADS
    found = Growing(np.float64)
    for numbers in in_order(lambda unit: _numbers(listing, unit, label), listing.units, threads):
        found.extend(numbers)
    if not len(found.values):
        raise InputError(f"the label column {label!r} holds no number, which input.label_bins needs")
    found.values.sort()
    edges = equal_shares(found.values, bins)
    return config.model_copy(update={"input": config.input.model_copy(update={"label_bins": edges})})


def _numbers(listing: Listing, unit: Unit, label: str) -> NDArray[np.float64]:
    parts = [as_numbers(text_of(values)[0]).drop_null() for values in _values(listing, unit, label)]
    return np.concatenate([np.empty(0), *(part.to_numpy(zero_copy_only=False) for part in parts)])


def _values(listing: Listing, unit: Unit, label: str) -> Iterator[pa.Array]:
    for batch in read_listed(listing.reader, unit, (label,), 0, unit.rows):
        values = batch.column(label)
        is_list = pa.types.is_list(values.type) or pa.types.is_large_list(values.type)
        yield pc.list_flatten(values) if is_list else values
