"""What validation and test rows hold, as digests beside the plan: a training copy that equals one is refused.

Eight bytes for each held-out row and content, sorted, in a file of the version: a worker maps it, or reads it once from
a store, and replay finds what the run knew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np

from pipeline.config.schema import JobConfig
from pipeline.errors import Damaged
from pipeline.planning.job import Job
from pipeline.planning.keys import digests
from pipeline.records import Family, Payload, Refusal, Rendered
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.duplicates.exact import compared_fields, encoded, together
from pipeline.splitting.facts import digests_of
from pipeline.storage.folder import Folder
from pipeline.storage.layout import HELD_OUT
from pipeline.storage.mapped_columns import Growing

REASON: Final = "held_out_twin"
_KIND = "<u8"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Contents of held-out rows; `names`: what training copies are compared in, each with the fields it stands for."""

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: Digests = field(default_factory=lambda: np.empty(0, np.uint64))

    def of(self, family: Family, number: int) -> "Twins | None":
        """For variant `number` of a family; None if it may equal any."""
        return Twins(self, family, number) if self.names and family.variants[number].copy else None

    def twin(self, payloads: Mapping[str, Payload | None], new: Sequence[str]) -> str | None:
        """The last of the `new` fields if it makes the row's content that of a held-out row; else None."""
        for name, fields in self.names.items():
            if set(new).isdisjoint(fields) or not payloads.keys() >= set(fields):
                continue
            whole = together([digests_of([encoded(payloads[one])]) for one in fields])
            if whole[0] and self._has(_marked(name, whole)[0]):
                return [one for one in new if one in fields][-1]
        return None

    def _has(self, mark: np.uint64) -> bool:
        place = int(np.searchsorted(self.known, mark))
        return place < len(self.known) and bool(self.known[place] == mark)


@dataclass(frozen=True, slots=True)
class Twins:
    """Whether one variant of a family, as it is rendered field by field, equals a held-out row."""

    held_out: HeldOut
    family: Family
    number: int

    def refusal(self, made: Mapping[str, Rendered]) -> Refusal | None:
        """Why fields that were rendered just now are refused; None to keep them. Originals are the split's affair."""
        before = {name: results[self.number] for name, results in self.family.rendered.items()}
        payloads = {name: one.payload for name, one in {**before, **made}.items()}
        twin = self.held_out.twin(payloads, list(made))
        return None if twin is None else Refusal("rejected", twin, "gate", REASON)


def held_out_of(job: Job | None) -> HeldOut:
    """What a worker compares copies with: nothing before the survey, and where no row is held out."""
    if job is None or job.held_out is None:
        return HeldOut()
    return HeldOut(names_of(job.config), _known(job.held_out))


def names_of(config: JobConfig) -> dict[str, tuple[str, ...]]:
    """Contents in which a training copy may differ from its original."""
    compared = compared_fields(config).items() if config.most_copies else ()
    return {name: fields for name, fields in compared if any(config.fields[one].augment for one in fields)}


def kept(dataset: Folder) -> Folder | None:
    """The folder of a version, if it knows what is held out."""
    return dataset if dataset.exists(HELD_OUT) else None


def keep(dataset: Folder, found: Mapping[str, Sequence[Digests]]) -> Folder | None:
    """Write the contents of held-out rows down; None if there are none. `found`: in parts, 0 where there is none."""
    marks = Growing(np.uint64)
    for name, parts in found.items():
        for part in parts:
            marks.extend(_marked(name, part[part != 0]))
    marks.values.sort()
    if not len(marks.values):
        return None
    dataset.put_if_absent(HELD_OUT, marks.values.astype(_KIND, copy=False).data.cast("B"))
    return dataset


def _marked(name: str, contents: Digests) -> Digests:
    """Digests that tell contents of one name from those of another."""
    marked: Digests = contents ^ digests([name.encode()])[0]
    return marked


@lru_cache(maxsize=4)
def _known(dataset: Folder) -> Digests:
    content = dataset.mapped(HELD_OUT)
    if not content.size or content.size % 8:
        raise Damaged(
            f"{dataset.full(HELD_OUT)} is damaged. Remove it and run the same command again: it is made anew."
        )
    known: Digests = np.frombuffer(content, _KIND)
    return known
