"""Record -> variants: how many copies, and the seed of each."""

from collections.abc import Iterator

from pipeline.config import JobConfig
from pipeline.records import Family, Record, Split, Variant
from pipeline.seeds import variant_seed

ORIGINAL = Variant(0, b"")


def copies_of(config: JobConfig, split: Split) -> tuple[int, ...]:
    """Copy numbers of a record: only training records are multiplied, the others appear once, as they are."""
    if split != "train":
        return (0,)
    return tuple(range(0 if config.keep_original else 1, config.copies + 1))


def variants_of(config: JobConfig, split: Split, key: str) -> tuple[Variant, ...]:
    """The variants of one record; seeds depend on the run's seed, the record's key and the copy number only."""
    return tuple(
        ORIGINAL if copy == 0 else Variant(copy, variant_seed(config.seed, key, copy))
        for copy in copies_of(config, split)
    )


def fan_out(config: JobConfig, split: Split, records: Iterator[Record]) -> Iterator[Family]:
    """Each record with its variants."""
    for record in records:
        yield Family(record, variants_of(config, split, record.key), refusal=record.refusal)
