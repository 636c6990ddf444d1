"""`fanbeam audit`: a written version, or any two sets, looked at again by worker processes."""

from dataclasses import replace

from pipeline.audit.external_sets import Named, any_side
from pipeline.audit.leaks import Leaks
from pipeline.audit.near_duplicates import missing
from pipeline.audit.row_digests import Looked
from pipeline.audit.set_audit import TRAIN, Near, aligned, compared
from pipeline.audit.shard_audit import leaks_of, portions_of
from pipeline.audit.signatures import Wish, near_fields
from pipeline.dataset.reader import Dataset
from pipeline.driver.audit_workers import apart, audited_apart
from pipeline.errors import InputError

RECORD_SECONDS = 60.0
"""What a payload may take to be decoded."""


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
