"""What a worker is asked to do, and what is known of the deaths that it came to."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.planning.job import Task
from pipeline.records import Refusal


@dataclass(slots=True)
class Order:
    """Something for a worker to do: see `worker.main` for the kinds. A trial knows whose record it tries.

    `call`: the call of the pool that waits for the answer; 0: the next one, which renders.
    """

    kind: str
    task: Any
    suspect_of: "Order | None" = None
    call: int = 0
    deaths: int = 0
    at_work: int = 0
    """Deaths in the middle of a record; the others (at start, between records) are nobody's fault."""
    culprits: Counter[int] = field(default_factory=Counter)

    def described(self) -> str:
        """What people know of it."""
        if isinstance(self.task, Task):
            return f"shard {self.task.shard.name}"
        return "the check of the recipes" if self.kind == "check" else "the audit of what is written"

    def without(self, record: int, cause: Refusal) -> "Order":
        """The same shard with one record quarantined; a probe or trial of it alone is simply given up."""
        task = replace(self.task, quarantine=(*self.task.quarantine, (record, cause)))
        return replace(self, task=task, deaths=0)
