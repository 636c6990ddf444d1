"""Record -> variants: how many copies, and the seed of each."""

from collections.abc import Iterator

from pipeline.config.schema import JobConfig
from pipeline.planning.copies.table import DOWNSAMPLED, DROPPED
from pipeline.planning.job import Job
from pipeline.planning.seeds import variant_seeds
from pipeline.records import Family, Record, Refusal, Split, Variant

ORIGINAL = Variant(0, b"")
_DROPPED = Refusal(
    "rejected", "", "fan_out", DOWNSAMPLED, message="its class has more records than copies.balance.target"
)


def copies_of(keep_original: bool, split: Split, copies: int) -> range:
    """Copy numbers of a record: only training records are multiplied, the others appear once, as they are."""
    if split != "train":
        return range(1)
    return range(0 if keep_original else 1, copies + 1)


def variants_of(config: JobConfig, split: Split, key: str, copies: int) -> tuple[Variant, ...]:
    """The variants of one record; seeds depend on the run's seed, the record's key and the copy number only."""
    numbers = copies_of(config.keep_original, split, copies)
    if not numbers or numbers[-1] == 0:
        return (ORIGINAL,) * len(numbers)
    seeds = variant_seeds(config.seed, key, numbers)
    return tuple([Variant(copy, seed) if copy else ORIGINAL for copy, seed in zip(numbers, seeds, strict=True)])


def fan_out(job: Job, split: Split, records: Iterator[Record]) -> Iterator[Family]:
    """Each record with its variants; one that does not stay is refused whole."""
    table = job.copies
    for record in records:
        copies = table.of(record.classes, record.key) if split == "train" else 0
        if copies == DROPPED and record.refusal is None:
            yield Family(record, (), refusal=_DROPPED)
        else:
            yield Family(record, variants_of(job.config, split, record.key, copies), refusal=record.refusal)
