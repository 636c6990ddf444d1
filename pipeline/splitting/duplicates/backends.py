"""Who looks at the payloads of the whole input: the processes of this machine, or an engine."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.planning.job import Job
from pipeline.records import Unit
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.duplicates.chunks import Piece


class Seeker(Protocol):
    """Both find the same."""

    def contents(self, job: Job, units: Sequence[Unit]) -> dict[str, Digests]:
        """Per field the digests of the payloads of all rows, as `all_contents` puts them."""
        ...

    def written(self, job: Job, pieces: Iterable[Piece]) -> dict[str, list[Digests]]:
        """Per content the digests of what would be written of held-out rows, piece by piece: `written.WrittenTask`."""
        ...

    def near(self, job: Job, units: Sequence[Unit], field: str, ranks: Digests) -> NDArray[np.int64]:
        """(n, 2) rows that are near duplicates in a field, as `near_pairs` finds them."""
        ...


class TaskRunner(Protocol):
    """Runs tasks in other processes; the local pool is one."""

    def run(self, kind: str, tasks: Iterable[Any]) -> Iterator[Any]:
        """Results of all tasks, in the order in which they finish."""
        ...
