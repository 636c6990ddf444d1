"""Sums over receipts, and keys of whole batches, as tests want them."""

from collections.abc import Iterable

import pyarrow as pa

from pipeline.config.schema import JobConfig
from pipeline.dataset.totals import Tally
from pipeline.planning.keys import Key, key_block, keys_at
from pipeline.records import Receipt, Unit
from pipeline.sources import Reader


def tallied(receipts: Iterable[Receipt]) -> Tally:
    """The sums over some receipts."""
    tally = Tally()
    for receipt in receipts:
        tally.add(receipt)
    return tally


def keys_of(config: JobConfig, reader: Reader, unit: Unit, batch: pa.RecordBatch, start: int) -> list[Key]:
    """One key per row of a batch whose first row is row `start` of the unit. Raises InputError, as `key_block` does."""
    return keys_at(config, reader, key_block(config, reader, unit, batch, start), range(batch.num_rows))
