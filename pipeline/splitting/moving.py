"""Records that the newest version held out and that another way to split would train on."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow.parquet as pq

from pipeline.columns import Growing
from pipeline.dataset import Dataset, open_dataset
from pipeline.errors import FanbeamError
from pipeline.job import Job
from pipeline.keys import digests
from pipeline.records import SPLITS, Unit
from pipeline.schema import LINEAGE
from pipeline.splitting import ledger
from pipeline.splitting.ranges import Digests
from pipeline.survey import key_blocks, side_by_side

_TRAIN = SPLITS.index("train")
_KEY = f"{LINEAGE}.source_id"
_READ_ROWS = 65_536


def moving_notes(job: Job, units: Sequence[Unit]) -> tuple[str, ...]:
    """A line with the numbers, if there are any; nothing where the newest version was split in the same way.

    `job` knows the new splits. Its ids, or the places of records without, are compared with those in the lineage of
    held-out rows, eight bytes each.
    """
    try:
        newest = open_dataset(job.output.url)
        if ledger.settings_digest(newest.config("-", newest.path)) == ledger.settings_digest(job.config):
            return ()
        held = {split: known for split in SPLITS[1:] if len(known := _held(newest, split))}
    except (FanbeamError, ValueError, LookupError, OSError):
        return ()
    moved = dict.fromkeys(held, 0)
    for trained in side_by_side(job, units, lambda unit: list(_trained(job, unit))) if held else ():
        for keys in trained:
            for split, known in held.items():
                places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
                moved[split] += int((known[places] == keys).sum())
    return _told(newest, {split: count for split, count in moved.items() if count})


def _held(newest: Dataset, split: str) -> Digests:
    """Digests of the records of a split, sorted."""
    found = Growing(np.uint64)
    for path in newest.files(split):
        with newest.folder.open(path) as source:
            for batch in pq.ParquetFile(source).iter_batches(_READ_ROWS, columns=[_KEY]):
                found.extend(digests(key.encode("utf-8", "surrogatepass") for key in batch[0].field(0).to_pylist()))
    found.values.sort()
    return found.values


def _trained(job: Job, unit: Unit) -> Iterator[Digests]:
    """Digests of the training records of a unit."""
    for block in key_blocks(job, unit):
        chosen = np.flatnonzero((block.splits == _TRAIN) & ~block.refused)
        yield digests(block.keys.take(chosen).to_pylist())


def _told(newest: Dataset, moved: dict[str, int]) -> tuple[str, ...]:
    if not moved:
        return ()
    counts = " and ".join(f"{count} of {split}" for split, count in moved.items())
    return (
        f"{counts} in version {newest.version} would be trained on now, since the way to split has changed: what was "
        "measured on them says nothing of the new version. The old settings of split keep them held out",
    )
