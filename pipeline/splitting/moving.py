"""Records that an earlier version held out and that another way to split would train on."""

import numpy as np

from pipeline.columns import spans
from pipeline.dataset import Dataset, open_dataset
from pipeline.errors import FanbeamError
from pipeline.job import Job
from pipeline.records import SPLITS
from pipeline.splitting import ledger
from pipeline.splitting.components import PartNumbers
from pipeline.splitting.facts import Facts
from pipeline.splitting.inheriting import ID, ids_of
from pipeline.splitting.parts import split_codes

_TRAIN = SPLITS.index("train")


def moving_notes(job: Job, facts: Facts, parts: PartNumbers) -> tuple[str, ...]:
    """A line with the numbers, if there are any; nothing where the newest version was split in the same way."""
    try:
        newest = open_dataset(job.output.url)
        before = newest.config("-", newest.path)
    except (FanbeamError, ValueError, LookupError, OSError):
        return ()
    settings = ledger.settings_digest(before)
    if settings == ledger.settings_digest(job.config):
        return ()
    known = ledger.known_rows(job.output, settings, ledger.committed_versions(job.output, settings))
    if not len(known):
        return ()
    codes = split_codes(before.split, known.parts.astype(np.int16))
    ids, moved = ids_of(facts), {}
    for split in SPLITS[1:]:
        held = np.sort(known.relations[ID][codes == SPLITS.index(split)])
        held = held[held != 0]
        moved[split] = _into_train(job, held, ids, parts) if len(held) else 0
    return _told(newest, {split: count for split, count in moved.items() if count})


def _into_train(job: Job, held: np.ndarray, ids: np.ndarray, parts: PartNumbers) -> int:
    count = 0
    for span in spans(len(parts)):
        places = np.minimum(np.searchsorted(held, ids[span]), len(held) - 1)
        trained = (parts[span] >= 0) & (split_codes(job.config.split, parts[span]) == _TRAIN)
        count += int((trained & (held[places] == ids[span])).sum())
    return count


def _told(newest: Dataset, moved: dict[str, int]) -> tuple[str, ...]:
    if not moved:
        return ()
    counts = " and ".join(f"{count} of {split}" for split, count in moved.items())
    return (
        f"{counts} in version {newest.version} would be trained on now, since the way to split has changed: what was "
        "measured on them says nothing of the new version. The old settings of split keep them held out",
    )
