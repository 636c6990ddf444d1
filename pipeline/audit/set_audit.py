"""Sides -> leaks: the training side is read against each held-out side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from pipeline.audit.leak_counts import first_names
from pipeline.audit.leaks import Leaks, Side
from pipeline.audit.near_duplicates import Likeness
from pipeline.audit.repeated_ids import Ids
from pipeline.audit.shared_ids import Held
from pipeline.audit.sides import Field, Set
from pipeline.audit.signatures import Sign, Wish, sign_here

TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Near:
    """Near duplicates are looked for: up to which distance (None: each measure's own), mirror images too or not."""

    threshold: float | None = None
    mirrored: bool = False

    def over(self, wish: Wish) -> Wish:
        """A field's wish, where nothing else is said."""
        threshold = wish.threshold if self.threshold is None else self.threshold
        return replace(wish, threshold=threshold, mirrored=self.mirrored or wish.mirrored)


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
