"""Requests to an object store, reckoned from what the code asks for, and what they cost at given prices."""

from dataclasses import dataclass

from scripts.scaling.made_keys import FILE_ROWS, GROUP_ROWS
from scripts.scaling.measure import COPIES

PRICES = (0.005, 0.0004)
"""Dollars for 1,000 requests that write or list, and that read: S3 Standard (us-east-1), Cloud Storage (one region)."""
_PAGE = 1_000
_PART = 8 * 2**20
_READ = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests write or list, and how many read."""

    writes: int
    reads: int

    def dollars(self, prices: tuple[float, float] = PRICES) -> float:
        """At these prices."""
        write, read = prices
        return (self.writes * write + self.reads * read) / 1_000


def planning(records: int) -> Requests:
    """Names of the input a thousand at a time, a footer a file, the key columns of a row group in one range."""
    files, groups = -(-records // FILE_ROWS), -(-records // GROUP_ROWS)
    return Requests(1 + files // _PAGE, files + groups)


def rendering(counts: dict[str, int], payload: int, shard_size: int) -> Requests:
    """Of each shard the parts of its upload, its receipt, and its payload in ranges of 4 MiB.

    Rows of a shard are spread over a row group, see `planning.shard_mixing`: all of it is read besides what the
    shard needs.
    """
    shards = counts["shards"]
    parts = 1 if shard_size <= 2 * _PART else 2 + -(-shard_size // _PART)
    own = sum(
        counts.get(f"shards_{split}", 0) * shard_size // (samples if samples == COPIES + 1 else 1)
        for split, samples in (("train", COPIES + 1), ("validation", 1), ("test", 1))
    )
    skipped = shards * GROUP_ROWS * payload
    return Requests(shards * (parts + 1) + counts["task_files"], (own + skipped) // _READ + 2 * shards)


def committing(counts: dict[str, int]) -> Requests:
    """Card, metadata, manifest, LATEST; receipts of this run come through the graph."""
    return Requests(4, 2)


def resuming(counts: dict[str, int]) -> Requests:
    """All names of the version a thousand at a time, twice, and every receipt."""
    return Requests(2 + 3 * counts["shards"] // _PAGE, counts["shards"])
