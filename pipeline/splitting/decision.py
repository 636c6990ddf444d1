"""Whether the whole input decides splits, and what it decides: facts, relatives, the ledger, the parts of all rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.config.schema import JobConfig
from pipeline.planning.fingerprint import inherited_version
from pipeline.planning.job import Job
from pipeline.planning.split_table import BRIDGES, SplitTable
from pipeline.planning.split_table import TIMELESS as TIMELESS_BIT
from pipeline.records import Unit
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.assignment.partition import TIMELESS, parts_of, split_codes
from pipeline.splitting.components import PartNumbers, no_pairs
from pipeline.splitting.diagnostics.contradictions import contradiction_note, contradictions
from pipeline.splitting.diagnostics.warnings import notes_of
from pipeline.splitting.duplicates.backends import Seeker
from pipeline.splitting.duplicates.listed_digests import LISTED, listed_contents
from pipeline.splitting.facts import facts_of
from pipeline.splitting.history import ledger
from pipeline.splitting.history.conflicts import BRIDGE
from pipeline.splitting.history.inheritance import ID, Inheritance, Known, Relations, ids_of
from pipeline.splitting.history.ledger import Descent
from pipeline.storage.mapped_columns import column, count, made, some, spans, where


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The bytes of every row, what they come from, and what people should know of them.

    `inherited`: earlier versions made a difference, so that this is another version than the input alone would make.
    `joined`: rows that have relatives, by what relates them. `rows`, `relations`: the parts of the rows that no earlier
    version placed, and their digests. `contradictory`: records of the content of another one, under another label.
    """

    table: SplitTable
    descent: Descent
    inherited: bool = False
    joined: dict[str, int] = field(default_factory=dict)
    bridging: int = 0
    contradictory: int = 0
    notes: tuple[str, ...] = ()
    rows: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    relations: Relations = field(default_factory=dict)
    contents: dict[str, Digests] = field(default_factory=dict)
    """Digests of the payloads of all rows, if they were compared."""

    def settled(self) -> "Decision":
        """The same without what is only written down."""
        return replace(self, rows=np.empty(0, np.uint8), relations={}, contents={})

    def as_json(self) -> dict[str, object]:
        """For the manifest."""
        ancestors = self.descent.ancestors if self.inherited else ()
        odd = {"contradictory": self.contradictory} if self.contradictory else {}
        return {"joined": self.joined, "bridging": self.bridging, "ancestors": list(ancestors), **odd}


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
    relations |= {f"exact:{name}": found for name, found in contents.items()} | listed_contents(job, units)
    pairs_of = {name: seeker.near(job, units, name, facts.keys) for name in job.config.near_duplicates}
    pairs = np.concatenate([no_pairs(), *pairs_of.values()])
    found = parts_of(job.config.split, facts, relations, pairs)
    joined = {name: n for name, n in zip(relations, found.related, strict=True) if name != LISTED}
    joined |= {f"near:{name}": len(np.unique(near)) for name, near in pairs_of.items()}
    ancestors = _ancestors(job, fingerprint)
    known = ledger.known_rows(job.output, ledger.settings_digest(job.config), ancestors) if ancestors else Known()
    parts, placed, inherited = found.parts, column(len(facts), np.bool_), False
    if len(known):
        inheritance = Inheritance.of(known, facts, relations, pairs)
        parts = parts_of(job.config.split, facts, relations, pairs, inheritance.parts()).parts
        inherited = any(not np.array_equal(found.parts[span], parts[span]) for span in spans(len(parts)))
        placed = inheritance.placed()
    odd = contradictions(facts.labels, contents.values() if len(facts.labels) else ())
    told = contradiction_note(odd, {row: _place(job, units, row) for pair in odd.examples for row in pair})
    fresh = where(len(parts), lambda span: (parts[span] >= 0) & ~placed[span])
    return Decision(
        SplitTable.over(units, _codes(job.config, parts)),
        Descent(inherited_version(fingerprint, ancestors) if inherited else fingerprint, ancestors),
        inherited,
        joined,
        count(len(parts), lambda span: parts[span] == BRIDGE),
        odd.number,
        (*told, *notes_of(job.config, facts, parts, bool(len(known)))),
        made(len(fresh), np.uint8, lambda span: parts[fresh[span]]),
        {name: some(digests, fresh) for name, digests in {ID: ids_of(facts), **relations}.items()},
        contents,
    )


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


def _place(job: Job, units: Sequence[Unit], row: int) -> str:
    """What people call a row: its file, and its number where the file has several."""
    for unit in units:
        if row < unit.rows:
            file, number = job.reader.locate(unit, row)
            return repr(file) if unit.members else f"{file!r} row {number}"
        row -= unit.rows
    raise IndexError(row)


def _ancestors(job: Job, fingerprint: str) -> tuple[str, ...]:
    if not job.config.split.sticky:
        return ()
    before = ledger.descent_of(job.output, fingerprint)
    if before is not None:
        return before.ancestors
    return ledger.committed_versions(job.output, ledger.settings_digest(job.config))


def _codes(config: JobConfig, parts: PartNumbers) -> NDArray[np.uint8]:
    codes = np.empty(len(parts), np.uint8)
    for span in spans(len(parts)):
        codes[span] = split_codes(config.split, parts[span])
        codes[span][parts[span] == BRIDGE] |= BRIDGES
        codes[span][parts[span] == TIMELESS] |= TIMELESS_BIT
    return codes
