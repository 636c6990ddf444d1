"""What a worker needs to render a shard: a small, picklable description, and the work that flows through stages."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.schema import JobConfig
from pipeline.planning.copies.table import CopyTable, table_of
from pipeline.planning.donors.selection import Candidates
from pipeline.planning.split_table import SplitTable
from pipeline.records import Refusal, Shard, Unit
from pipeline.sources.interface import Reader
from pipeline.storage.folder import Folder


@dataclass(frozen=True, slots=True)
class Job:
    """A config that met its input: how to read it, its schema, and the version it makes.

    `external` names the fields whose column holds paths or URLs instead of payload.
    """

    config: JobConfig
    reader: Reader
    schema: pa.Schema
    external: tuple[str, ...]
    version: str
    output: Folder
    candidates: Candidates | None = None
    """Records that steps may look at besides their own; None where no step does, and before the survey."""
    counted: CopyTable | None = None
    """Copies of each record where the survey decided; None where the config says it all."""

    decided: SplitTable | None = None
    """Splits of all rows where the survey decided; stays on the submitting machine: tasks carry their own rows'."""

    earlier: str = ""
    """A version of the same output whose rows are taken where they are the same, see `rendering.reuse`."""

    held_out: Folder | None = None
    """Where the contents of held-out rows stand, which no training copy may equal; see `rendering.held_out`."""

    blocks_per_shard: int = 16
    """About how many blocks a shard is dealt, see `shard_mixing`."""

    @property
    def copies(self) -> CopyTable:
        """How many copies each training record gets."""
        return self.counted or table_of(self.config.copies)

    def decided_rows(self, unit: Unit, start: int, count: int) -> NDArray[np.uint8] | None:
        """What the survey decided of some rows of a unit."""
        return None if self.decided is None else self.decided.of(unit)[start : start + count]

    @property
    def dataset(self) -> Folder:
        """The version's folder."""
        return self.output.folder(self.version)


@dataclass(frozen=True, slots=True)
class Task:
    """A shard to render. Records are counted from 0 in the order in which the shard reads them.

    `quarantine` names records that kill or hang a worker, with the reason; `only` renders just one record.
    """

    shard: Shard
    quarantine: tuple[tuple[int, Refusal], ...] = ()
    only: int | None = None
