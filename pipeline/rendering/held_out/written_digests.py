"""What will stand in validation and test, digested row by row before training copies are made."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from pipeline.planning.job import Job, Task
from pipeline.records import Refusal, Shard, Watch
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.duplicates.chunks import Piece
from pipeline.splitting.duplicates.exact import Contents, compared_fields, encoded, together
from pipeline.splitting.facts import digests_of

_SKIPPED = Refusal("failed", "", "read", "worker_crashed")


@dataclass(frozen=True, slots=True)
class WrittenTask:
    """Render the originals of a piece's held-out rows, and digest what would be written of them.

    The piece's block says of each row whether it is held out; `skipped`: those (counted from 0) that end a worker.
    """

    piece: Piece
    skipped: tuple[int, ...] = ()

    def without(self, record: int) -> Self:
        """The same but for a record that its worker does not survive: it will not be written."""
        return replace(self, skipped=(*self.skipped, record))

    def run(self, job: Job, watch: Watch) -> Contents:
        """The digests of those that are kept, in order. Raises InputError and RunFailed as every reading does."""
        from pipeline.rendering.stages import families

        quarantine = tuple((number, _SKIPPED) for number in self.skipped)
        task = Task(Shard("validation", 0, (self.piece.block,)), quarantine)
        kept = [one.rendered for gated in families(job, task, watch) for one in gated.samples]
        found = {
            name: together([digests_of([encoded(rendered[field].payload) for rendered in kept]) for field in fields])
            for name, fields in compared_fields(job.config).items()
        }
        return Contents(self.piece.first, (), found)


def part_by_part(found: Iterable[Contents]) -> dict[str, list[Digests]]:
    """By content, those of all pieces."""
    parts: dict[str, list[Digests]] = {}
    for contents in found:
        for name, digests in contents.digests.items():
            parts.setdefault(name, []).append(digests)
    return parts
