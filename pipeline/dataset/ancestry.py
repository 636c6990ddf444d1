"""Whether the parents that a dataset names can be: shares that sum to 1, of records that belong to train."""

from collections.abc import Iterator, Mapping, Sequence
from math import isclose
from typing import Any

from pipeline.planning.donors.selection import kept
from pipeline.storage.folder import Folder

_NAMED = 3


def parent_problems(lineage: Mapping[str, Any], labels: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    """What is wrong with the parents and the label weights (None: there are none) of one row."""
    parents = lineage["parents"] or ()
    if parents and lineage["split"] != "train":
        yield f"has parents in {lineage['split']}; only training records are blended"
    if parents and lineage["source_id"] not in {p["source_id"] for p in parents}:
        yield "is not among its own parents"
    total = sum(p["weight"] for p in parents)
    if parents and not isclose(total, 1.0, abs_tol=1e-9):
        yield f"has parents whose weights sum to {total:g}, not to 1"
    wrong = [entry["label"] for entry in labels or () if not 0.0 <= entry["weight"] <= 1.0 + 1e-9]
    if wrong:
        yield f"has a label weight of {wrong[0]!r} that is not within 0..1"


def foreign_parents(dataset: Folder, parents: set[str], others: Mapping[str, set[str]]) -> Iterator[str]:
    """Parents that are no donors, and those that are sources of another split; `others`: split -> such parents."""
    for split, crossing in sorted(others.items()):
        if crossing:
            yield f"{split} has parents of training samples: {_some(crossing)}"
    found = kept(dataset)
    strangers = parents - {donor.key for donor in found.donors} if found is not None else parents
    if strangers:
        yield f"there are parents that are not on the donor shelf: {_some(strangers)}"


def _some(names: set[str]) -> str:
    listed = ", ".join(map(repr, sorted(names)[:_NAMED]))
    return f"{listed} and {len(names) - _NAMED} more" if len(names) > _NAMED else listed
