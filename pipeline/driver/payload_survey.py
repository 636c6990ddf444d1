"""Have an engine look at the payloads of the whole input, where there are too many for the submitting machine."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.publishing import is_committed
from pipeline.driver.submission import carried_out, death_of, end_of
from pipeline.engines.local import pool as workers
from pipeline.engines.local.payload_survey import InPool
from pipeline.engines.options import Settings
from pipeline.engines.progress import Progress
from pipeline.engines.worker_environment import Surroundings
from pipeline.errors import FanbeamError, RunFailed
from pipeline.planning.job import Job
from pipeline.records import Unit
from pipeline.rendering.held_out.written_digests import part_by_part
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.duplicates.backends import Seeker
from pipeline.splitting.duplicates.chunks import Piece, clear, content_pieces, signed_pieces, write_pieces
from pipeline.splitting.duplicates.exact import all_contents
from pipeline.splitting.duplicates.exchange_files import kept_contents, kept_pairs
from pipeline.storage.folder import Folder
from pipeline.storage.layout import WORK

Asked = tuple[str | None, int, bool]
"""What a job is to do: `field`, `rows` and `written` of `build.Search`."""
LARGE_BYTES = 2**30
"""Payload that this machine reads sooner than an engine starts a job."""
LONG_AGO_SECONDS = 7 * 24 * 3600.0
"""Older than any survey that still goes on."""
_REFERRED = 100_000
_NAME = re.compile("fanbeam-([0-9a-f]+)-([0-9a-f]+)-")


def seeker_for(job: Job, units: Sequence[Unit], pool: workers.Pool, on: "OnEngine | None") -> Seeker:
    """The local pool for what is small, or where nobody waits for jobs; else the engine."""
    if on is None or on.settings.detached or _payload(job, units) < LARGE_BYTES:
        return InPool(pool)
    return on


def _payload(job: Job, units: Sequence[Unit]) -> int:
    """Bytes to read; what tables refer to is not known yet."""
    return sum(unit.rows * _REFERRED if job.external and not unit.members else unit.bytes for unit in units)


def remove_surveys(output: Folder, *over: str) -> None:
    """Remove what killed surveys left: those of versions that are `over` or committed, and those of long ago.

    Surveys of other inputs may still go on beside this run.
    """
    committed: dict[str, bool] = {}
    with suppress(FanbeamError, OSError):
        for file in output.names(WORK):
            named = _NAME.match(file)
            if named is None:
                continue
            version, begun = named[1], int(named[2], 16) / 1e9
            if version not in committed:
                committed[version] = version in over or is_committed(output.folder(version))
            if committed[version] or time.time() - begun > LONG_AGO_SECONDS:
                output.remove(f"{WORK}/{file}")


@dataclass(frozen=True, slots=True)
class OnEngine:
    """Jobs of the engine that renders later on; each is tried `attempts` times."""

    settings: Settings
    attempts: int
    progress: Progress
    processes: int | None = None
    """Children of each worker."""

    def contents(self, job: Job, units: Sequence[Unit]) -> dict[str, Digests]:
        """See `Seeker`."""
        with self._done(job, content_pieces(job, units), (None, 0, False)) as name:
            return all_contents(job, sum(unit.rows for unit in units), kept_contents(job.output, name))

    def written(self, job: Job, pieces: Iterable[Piece]) -> dict[str, list[Digests]]:
        """See `Seeker`."""
        with self._done(job, pieces, (None, 0, True)) as name:
            return part_by_part(kept_contents(job.output, name))

    def near(self, job: Job, units: Sequence[Unit], field: str, ranks: Digests) -> NDArray[np.int64]:
        """See `Seeker`."""
        with self._done(job, signed_pieces(units), (field, len(ranks), False)) as name:
            return kept_pairs(job.output, name, field)

    @contextmanager
    def _done(self, job: Job, pieces: Iterable[Piece], asked: Asked) -> Iterator[str]:
        """The name under which the results of a job lie, until the block ends."""
        name = f"fanbeam-{job.version}-{time.time_ns():x}"
        try:
            files = write_pieces(job.output, name, pieces)
            self._tried(job, name, files, asked)
            yield name
        finally:
            with suppress(FanbeamError, OSError):
                clear(job.output, name)

    def _tried(self, job: Job, name: str, files: int, asked: Asked) -> None:
        for attempt in range(1, self.attempts + 1):
            cause = self._attempt(job, name, files, asked)
            if not cause:
                return
            if attempt < self.attempts:
                self.progress.warn(f"the survey died ({cause}); attempt {attempt + 1} of {self.attempts}")
        raise RunFailed(f"the engine gave up the survey: {cause}. Run the same command again")

    def _attempt(self, job: Job, name: str, files: int, asked: Asked) -> str:
        """One job. Returns why it died; empty if it ended. Raises what the user must know of."""
        from pipeline.engines.beam.graph import Search

        work = Search(job, files, Surroundings.here(job.config, name), *asked, self.processes)
        try:
            state = carried_out(self.settings, work, name)
        except Exception as error:  # noqa: BLE001  (what the user must know of is raised again)
            return death_of(job, self.settings, name, error)
        return end_of(self.settings, name, state)
