"""Columns of a few rows are handled as those of very many are."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from pipeline.splitting.assignment import hash_ranges
from pipeline.storage import mapped_columns


@contextmanager
def small_columns(held: int = 5) -> Iterator[None]:
    """Eight rows and more lie on disk, seven are a stretch, `held` are sorted at once."""
    with (
        patch.object(mapped_columns, "IN_MEMORY", 8),
        patch.object(mapped_columns, "STRETCH", 7),
        patch.object(hash_ranges, "HELD", held),
    ):
        yield
