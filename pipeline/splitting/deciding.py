"""Whether the whole input decides splits, and what it decides: facts, relatives, the ledger, the parts of all rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.config import JobConfig
from pipeline.fingerprint import inherited_version
from pipeline.job import Job
from pipeline.records import Unit
from pipeline.split_table import BRIDGES, TIMELESS, SplitTable
from pipeline.splitting import ledger, parts
from pipeline.splitting.bridges import BRIDGE
from pipeline.splitting.components import PartNumbers, in_pairs, no_pairs, shared
from pipeline.splitting.facts import Digests, Facts, facts_of
from pipeline.splitting.ledger import Descent
from pipeline.splitting.notes import notes_of
from pipeline.splitting.parts import ID, Known, Relations
from pipeline.splitting.seeking import Seeker


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The bytes of every row, what they come from, and what people should know of them.

    `inherited`: earlier versions made a difference, so that this is another version than the input alone would make.
    `joined`: rows that have relatives, by what relates them. `rows`, `relations`: the parts of the rows that no earlier
    version placed, and their digests.
    """

    table: SplitTable
    descent: Descent
    inherited: bool = False
    joined: dict[str, int] = field(default_factory=dict)
    bridging: int = 0
    notes: tuple[str, ...] = ()
    rows: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    relations: Relations = field(default_factory=dict)

    def settled(self) -> "Decision":
        """The same without what is only written down."""
        return replace(self, rows=np.empty(0, np.uint8), relations={})

    def as_json(self) -> dict[str, object]:
        """For the manifest."""
        ancestors = self.descent.ancestors if self.inherited else ()
        return {"joined": self.joined, "bridging": self.bridging, "ancestors": list(ancestors)}


def is_decided(config: JobConfig) -> bool:
    """Whether a record alone does not tell its split."""
    split, kept = config.split, config.split.keep_together
    if split.names_splits or (split.method == "hash" and not any(split.shares().values())):
        return False
    return split.method != "hash" or kept.exact or bool(kept.groups) or bool(config.near_duplicates)


def decide(job: Job, units: Sequence[Unit], seeker: Seeker, fingerprint: str) -> Decision | None:
    """Decide the splits of all rows; None where each row tells its own. Writes nothing. Raises InputError, RunFailed.

    An input that was decided before is decided the same again: its descent says what was known then.
    """
    if not is_decided(job.config):
        return None
    facts = facts_of(job, units)
    contents = seeker.contents(job, units) if job.config.split.keep_together.exact else {}
    relations = {f"group:{name}": found for name, found in facts.groups.items()}
    relations |= {f"exact:{name}": found for name, found in contents.items()}
    pairs_of = {name: seeker.near(job, units, name, facts.keys) for name in job.config.near_duplicates}
    pairs = np.concatenate([no_pairs(), *pairs_of.values()])
    related = _related(relations, pairs_of, len(facts))
    alone = ~np.logical_or.reduce([np.zeros(len(facts), np.bool_), *related.values()])
    found = parts.parts_of(job.config.split, facts, relations, pairs, alone, Known())
    ancestors = _ancestors(job, fingerprint)
    known = ledger.known_rows(job.output, ledger.settings_digest(job.config), ancestors) if ancestors else Known()
    inherited = False
    if len(known):
        pure, found = found, parts.parts_of(job.config.split, facts, relations, pairs, alone, known)
        inherited = not np.array_equal(pure, found)
    fresh = (found >= 0) & ~_placed_before(facts, relations, known)
    return Decision(
        SplitTable.over(units, _codes(job.config, found)),
        Descent(inherited_version(fingerprint, ancestors) if inherited else fingerprint, ancestors),
        inherited,
        {name: int(rows.sum()) for name, rows in related.items()},
        int((found == BRIDGE).sum()),
        notes_of(job.config, facts, found),
        found[fresh].astype(np.uint8),
        {n: digests if fresh.all() else digests[fresh] for n, digests in {ID: _ids(facts), **relations}.items()},
    )


def _related(relations: Relations, pairs_of: dict[str, NDArray[np.int64]], count: int) -> dict[str, NDArray[np.bool_]]:
    """Which rows have a relative, by what relates them."""
    near = {f"near:{name}": in_pairs(pairs, count) for name, pairs in pairs_of.items()}
    return {name: shared(digests) for name, digests in relations.items()} | near


def settle(job: Job, decision: Decision, fingerprint: str) -> Decision | None:
    """Write down what was decided, before anything is rendered.

    None: another run of this input knew other versions, so it must be decided again, as that run did.
    """
    if not job.config.split.sticky:
        return decision
    if ledger.keep_descent(job.output, fingerprint, decision.descent) != decision.descent:
        return None
    ledger.keep_rows(job, decision.rows, decision.relations)
    return decision


def _ancestors(job: Job, fingerprint: str) -> tuple[str, ...]:
    if not job.config.split.sticky:
        return ()
    before = ledger.descent_of(job.output, fingerprint)
    if before is not None:
        return before.ancestors
    return ledger.committed_versions(job.output, ledger.settings_digest(job.config))


def _codes(config: JobConfig, found: PartNumbers) -> NDArray[np.uint8]:
    codes = parts.split_codes(config.split, found)
    codes[found == BRIDGE] |= BRIDGES
    codes[found == parts.TIMELESS] |= TIMELESS
    return codes


def _ids(facts: Facts) -> Digests:
    return facts.keys if facts.identified.all() else np.where(facts.identified, facts.keys, np.uint64(0))


def _placed_before(facts: Facts, relations: Relations, known: Known) -> NDArray[np.bool_]:
    """Rows whose id is known; without an id, rows all of whose relations are."""
    placed = np.zeros(len(facts), np.bool_)
    if not len(known):
        return placed
    placed[facts.identified] = np.isin(facts.keys[facts.identified], known.of(ID))
    if not facts.identified.all() and relations:
        seen = np.ones(len(facts), np.bool_)
        any_of = np.zeros(len(facts), np.bool_)
        for name, digests in relations.items():
            seen &= (digests == 0) | np.isin(digests, known.of(name))
            any_of |= digests != 0
        placed |= ~facts.identified & seen & any_of
    return placed
