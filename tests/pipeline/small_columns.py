"""Columns of a few rows are handled as those of very many are."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from pipeline import columns
from pipeline.splitting import ranges


@contextmanager
def small_columns(held: int = 5) -> Iterator[None]:
    """Eight rows and more lie on disk, seven are a stretch, `held` are sorted at once."""
    with (
        patch.object(columns, "IN_MEMORY", 8),
        patch.object(columns, "STRETCH", 7),
        patch.object(ranges, "HELD", held),
    ):
        yield
