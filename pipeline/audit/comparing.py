"""Sides -> leaks: the training side is read against each held-out side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from pipeline.audit.any_set import Named, any_side
from pipeline.audit.certificate import leaks_of, portions_of
from pipeline.audit.counting import first_names
from pipeline.audit.findings import Leaks, Side
from pipeline.audit.identities import Held
from pipeline.audit.isolated import Sign, apart, audited_apart, sign_here
from pipeline.audit.likeness import Likeness, missing
from pipeline.audit.marks import Looked
from pipeline.audit.repeats import Ids
from pipeline.audit.rows import Field, Set
from pipeline.audit.signing import Wish, near_fields
from pipeline.dataset import Dataset
from pipeline.errors import InputError

TRAIN = "train"
RECORD_SECONDS = 60.0
"""What a payload may take to be decoded."""


@dataclass(frozen=True, slots=True)
class Near:
    """Near duplicates are looked for: up to which distance (None: each measure's own), mirror images too or not."""

    threshold: float | None = None
    mirrored: bool = False

    def over(self, wish: Wish) -> Wish:
        """A field's wish, where nothing else is said."""
        threshold = wish.threshold if self.threshold is None else self.threshold
        return replace(wish, threshold=threshold, mirrored=self.mirrored or wish.mirrored)


def audit_dataset(dataset: Dataset, near: Near | None = None) -> Leaks:
    """A written version, its training split against each other split, as before its commit: `leaks.json` again.

    `near` without a threshold: that of the version's config, or else the measure's own.
    """
    manifest = dataset.manifest
    note = missing() if near is not None else ""
    looked = replace(Looked.at(manifest["config"], manifest["field_order"]), note=note)
    if near is not None and not note:
        config = dataset.config("-", dataset.path)
        asked = {n: Wish(s.threshold, s.mirrored, True) for n, s in config.near_duplicates.items()}
        wishes = {f.name: asked.get(f.name, Wish()) for f in looked.fields if f in looked.telling or f.name in asked}
        wishes = {name: near.over(wish) for name, wish in wishes.items()}
        looked = replace(looked, near=near_fields(looked, wishes), copies=config.certificate == "full")
    portions = portions_of(manifest["shards"], looked, manifest["input"]["records"])
    return leaks_of(dataset.folder, manifest["shards"], looked, audited_apart(dataset, portions))


def audit_sets(train: str, validation: str, named: Named, near: Near | None = None) -> Leaks:
    """Any two sets. Raises InputError, with what to do, for a set that cannot be read or has nothing to compare."""
    with apart(train, RECORD_SECONDS) as (describe, sign):
        one, other = any_side(TRAIN, train, named, describe), any_side("validation", validation, named, describe)
        fields = aligned(one.fields, other.fields)
        if not any(field.alias for field in fields):
            kinds = [", ".join(f"{f.name} ({f.modality})" for f in side.fields) for side in (one, other)]
            raise InputError(
                f"{train} has {kinds[0]} and {validation} has {kinds[1]}: nothing to compare. Give --field"
            )
        note = missing() if near is not None else ""
        leaks = Leaks(checked={"id": named.id, "groups": [named.group] if named.group else [], "note": note})
        return compared(one, [replace(other, fields=fields)], leaks, None if note else near, sign)


def aligned(ours: Sequence[Field], theirs: Sequence[Field]) -> tuple[Field, ...]:
    """`theirs`, each with the name of its counterpart in `ours`: of that name, or else the only one of its modality."""
    return tuple(replace(field, alias=_counterpart(ours, theirs, field)) for field in theirs)


def _counterpart(ours: Sequence[Field], theirs: Sequence[Field], field: Field) -> str:
    alike = [f.name for f in ours if f.modality == field.modality]
    if field.name in alike:
        return field.name
    return alike[0] if len(alike) == 1 and sum(f.modality == field.modality for f in theirs) == 1 else ""


def compared(train: Set, sides: Sequence[Set], leaks: Leaks, near: Near | None = None, sign: Sign = sign_here) -> Leaks:
    """All comparisons; the held-out sides are in memory as digests and signatures, the training side streams by."""
    keys = [f.key for f in train.fields]
    shared = {f.key for side in sides for f in side.fields if f.key in keys}
    fields = tuple(f for f in train.fields if f.key in shared)
    alike = [] if near is None else [Likeness(f, near.threshold, near.mirrored, sign) for f in fields]
    leaks.checked |= {"fields": {f.key: f.modality for f in fields}, **_near(fields, alike)}
    held = [_held(side, shared, alike, leaks) for side in sides]
    rows, ids = 0, Ids()
    for batch in train.read(fields):
        rows += len(batch.ids)
        ids.take(batch)
        for pair in chain(*(side.shared(batch) for side in held), *(one.near(batch) for one in alike)):
            leaks.add(pair)
    for pair in chain(ids.repeated(train), *(one.rest() for one in alike)):
        leaks.add(pair)
    leaks.settle()
    unread = [name for one in alike for name in one.unread]
    leaks.unreadable, leaks.unread = len(unread), first_names(unread)
    leaks.sides = [Side(train.name, rows), *(Side(side.side, len(side.ids)) for side in held)]
    return leaks


def _held(side: Set, shared: set[str], alike: Sequence[Likeness], leaks: Leaks) -> Held:
    held, ids = Held(side.name), Ids()
    for rows in side.read(tuple(f for f in side.fields if f.key in shared)):
        held.take(rows)
        ids.take(rows)
        for one in alike:
            one.hold(side.name, rows)
    held.close()
    for pair in ids.repeated(side):
        leaks.add(pair)
    return held


def _near(fields: Sequence[Field], alike: Sequence[Likeness]) -> dict[str, Any]:
    return {"near": {f.key: one.threshold for f, one in zip(fields, alike, strict=True)} if alike else None}
