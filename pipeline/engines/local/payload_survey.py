"""Look at the payloads of the whole input with the processes of this machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.local.pool import Pool
from pipeline.planning.job import Job
from pipeline.records import Unit
from pipeline.rendering.held_out.written_digests import WrittenTask, part_by_part
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.duplicates.chunks import Piece, content_pieces
from pipeline.splitting.duplicates.exact import ContentTask, all_contents
from pipeline.splitting.duplicates.near import near_pairs


@dataclass(frozen=True, slots=True)
class InPool:
    """The local pool."""

    pool: Pool

    def contents(self, job: Job, units: Sequence[Unit]) -> dict[str, Digests]:
        """See `Seeker`."""
        tasks = (ContentTask(piece) for piece in content_pieces(job, units))
        return all_contents(job, sum(unit.rows for unit in units), self.pool.run("survey", tasks))

    def written(self, job: Job, pieces: Iterable[Piece]) -> dict[str, list[Digests]]:
        """See `Seeker`."""
        return part_by_part(self.pool.run("survey", map(WrittenTask, pieces)))

    def near(self, job: Job, units: Sequence[Unit], field: str, ranks: Digests) -> NDArray[np.int64]:
        """See `Seeker`."""
        return near_pairs(job, units, self.pool, field, ranks)
