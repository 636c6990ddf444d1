"""Records that the newest version held out and that another way to split would train on."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.reader import Dataset, open_dataset
from pipeline.errors import FanbeamError
from pipeline.planning.job import Job
from pipeline.planning.keys import digests
from pipeline.planning.survey import key_blocks, side_by_side
from pipeline.records import LINEAGE, SPLITS, InputFile, Unit
from pipeline.sources import Listing
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.history import ledger
from pipeline.storage.mapped_columns import Growing

_TRAIN = SPLITS.index("train")
_COLUMNS = [f"{LINEAGE}.source_id", f"{LINEAGE}.source_file"]
_OTHER_WAY, _OTHER_NAMES = "the way to split has changed", "their files have other names"
_OLD_WAY = "The old settings of split keep them held out"
_KEPT = (
    "Names count from the first path: put new ones behind it, or name the folder from which they counted before as "
    "input.root"
)
_READ_ROWS = 65_536


def moving_notes(job: Job, listing: Listing) -> tuple[str, ...]:
    """Lines with the numbers, if there are any; nothing where the newest version was split and named in the same way.

    `job` knows the new splits. Its ids, or the places of records without, are compared with those in the lineage of
    held-out rows, eight bytes each.
    """
    try:
        newest = open_dataset(job.output.url)
        same = ledger.settings_digest(newest.config("-", newest.path)) == ledger.settings_digest(job.config)
        renamed = {} if _has_ids(job, listing) else renamed_files(newest.manifest["input"]["files"], listing.files)
        asked = SPLITS[1:] if renamed or not same else ()
        held = {split: known for split in asked if len(known := _held(newest, split, renamed))}
    except (FanbeamError, ValueError, LookupError, OSError):
        return ()
    moved = dict.fromkeys(map(str, held), 0)
    units = listing.units
    for trained in side_by_side(job, units, lambda unit: list(_trained(job, unit))) if held else ():
        for keys in trained:
            for split, known in held.items():
                places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
                moved[split] += int((known[places] == keys).sum())
    counts = {split: count for split, count in moved.items() if count}
    return (*_renamed(newest, renamed), *_told(newest, counts, _OTHER_WAY if not same else _OTHER_NAMES))


def renamed_files(before: Sequence[Mapping[str, Any]], now: Sequence[InputFile]) -> dict[str, str]:
    """Files that are called otherwise now: old name -> new one. Known by size and tag, which no two of them share."""
    old = {file["path"]: (file["size"], file["tag"]) for file in before}
    new = {file.path: (file.size, file.tag) for file in now}
    gone = [(state, name) for name, state in old.items() if new.get(name) != state]
    came = [(state, name) for name, state in new.items() if old.get(name) != state]
    twice = {state for side in (gone, came) for state, count in Counter(s for s, _ in side).items() if count > 1}
    there = {state: name for state, name in came if state not in twice}
    return {name: there[state] for state, name in gone if state in there}


def _has_ids(job: Job, listing: Listing) -> bool:
    """Whether records keep their keys whatever their file is called."""
    return job.config.input.id is not None and listing.kind != "folder"


def _held(newest: Dataset, split: str, renamed: Mapping[str, str]) -> Digests:
    """Digests of the records of a split, as they are called now, sorted."""
    found = Growing(np.uint64)
    for path in newest.files(split):
        with newest.folder.open(path) as source:
            for batch in pq.ParquetFile(source).iter_batches(_READ_ROWS, columns=_COLUMNS):
                lineage = pa.Table.from_batches([batch]).flatten()
                keys, files = (lineage.column(name).to_pylist() for name in _COLUMNS)
                named = (_now(key, file, renamed) for key, file in zip(keys, files, strict=True))
                found.extend(digests(name.encode("utf-8", "surrogatepass") for name in named))
    found.values.sort()
    return found.values


def _now(key: str, file: str, renamed: Mapping[str, str]) -> str:
    """A key that is a file's name, or begins with it, with the name that the file has now."""
    own = key == file or key.startswith(f"{file}#")
    return renamed[file] + key[len(file) :] if own and file in renamed else key


def _trained(job: Job, unit: Unit) -> Iterator[Digests]:
    """Digests of the training records of a unit."""
    for block in key_blocks(job, unit):
        chosen = np.flatnonzero((block.splits == _TRAIN) & ~block.refused)
        yield digests(block.keys.take(chosen).to_pylist())


def _renamed(newest: Dataset, renamed: Mapping[str, str]) -> tuple[str, ...]:
    if not renamed:
        return ()
    old, new = min(renamed.items())
    total = len(newest.manifest["input"]["files"])
    return (
        f"{len(renamed)} of {total} files of version {newest.version} are called otherwise now ({old!r} is {new!r}): "
        "their records count as new ones, with other seeds, and keep their split only where their content is known. "
        f"{_KEPT}",
    )


def _told(newest: Dataset, moved: dict[str, int], why: str) -> tuple[str, ...]:
    if not moved:
        return ()
    counts = " and ".join(f"{count} of {split}" for split, count in moved.items())
    return (
        f"{counts} in version {newest.version} would be trained on now, since {why}: what was measured on them says "
        f"nothing of the new version.{'' if why == _OTHER_NAMES else ' ' + _OLD_WAY}",
    )
