"""Parts of made rows: how many are looked at at once makes no difference, nor what lies on disk."""

from typing import Any

import numpy as np
import pytest
from small_columns import small_columns

from pipeline.config.split import SplitConfig
from pipeline.splitting.assignment.partition import parts_of
from pipeline.splitting.components import Pairs
from pipeline.splitting.facts import Digests, Facts
from pipeline.splitting.history.inheritance import Inheritance, Known, Relations

ODD = np.uint64(0x9E3779B97F4A7C15)
HELD = {"validation": 0.2, "test": 0.1}
WAYS = [
    {"by": "hash"},
    {"by": "stratified"},
    {"by": "time", "column": "t"},
    {"by": {"kfold": {"k": 4, "fold": 1}}, "validation": 0.0},
]
_Made = tuple[Facts, Relations, Pairs]


def digests(values: Any) -> Digests:
    return (np.asarray(values).astype(np.uint64) + np.uint64(1)) * ODD


def made_rows(rng: np.random.Generator, rows: int, by: object) -> _Made:
    """Groups of some four rows, a few contents twice, some rows without a group, records of several classes."""
    keys = rng.integers(1, 2**63, rows).astype(np.uint64)
    groups = digests(rng.integers(0, rows // 4 + 1, rows))
    groups[rng.random(rows) < 0.3] = 0
    contents = digests(np.where(rng.random(rows) < 0.05, rng.integers(0, rows, rows), np.arange(rows) + rows))
    sets = [("a",), ("b",), ("c",), ("a", "b")]
    timed = by == "time"
    facts = Facts(
        keys,
        rng.random(rows) < 0.8,
        (np.where(groups > 0, groups, keys) * ODD >> np.uint64(11)) / 2.0**53,
        {"g": groups},
        sets,
        rng.integers(0, len(sets), rows).astype(np.int32),
        rng.integers(0, 50, rows) if timed else None,
        rng.random(rows) < 0.05 if timed else np.zeros(rows, np.bool_),
    )
    pairs = np.sort(rng.choice(rows, (3, 2), replace=False), axis=1)
    return facts, {"group:g": groups, "exact:c": contents}, pairs


def known_of(rng: np.random.Generator, facts: Facts, relations: Relations) -> Known:
    """A third of the rows, in the part of their group, but for some."""
    rows = rng.choice(len(facts), len(facts) // 3, replace=False)
    parts = (np.where(facts.groups["g"][rows] > 0, facts.groups["g"][rows], facts.keys[rows]) % np.uint64(3)).astype(
        np.uint8
    )
    ids = np.where(facts.identified[rows], facts.keys[rows], np.uint64(0))
    return Known(parts, {"id": ids} | {name: found[rows] for name, found in relations.items()})


def decided(split: SplitConfig, made: _Made, known: Known) -> tuple[list[int], tuple[int, ...], list[bool]]:
    inheritance = Inheritance.of(known, *made)
    found = parts_of(split, *made, inheritance.parts() if len(known) else None)
    return found.parts.tolist(), found.related, inheritance.placed().tolist()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way["by"])[:9])
@pytest.mark.parametrize("rows", [60, 400])
@pytest.mark.parametrize("inherits", [False, True])
def test_rows_on_disk_are_divided_as_rows_in_memory(way: dict[str, object], rows: int, inherits: bool) -> None:
    rng = np.random.default_rng(rows)
    split = SplitConfig.model_validate(HELD | way)
    made = made_rows(rng, rows, way["by"])
    known = known_of(rng, *made[:2]) if inherits else Known()
    expected = decided(split, made, known)
    with small_columns():
        assert decided(split, made, known) == expected
    assert len(set(expected[0])) > 1


def test_rows_with_a_known_id_or_known_relations_only_are_placed() -> None:
    rng = np.random.default_rng(5)
    facts, relations, pairs = made_rows(rng, 200, "hash")
    known = known_of(rng, facts, relations)
    ids, groups, contents = (set(known.relations[name].tolist()) for name in ("id", "group:g", "exact:c"))
    expected = [
        key in ids if own else bool(group or content) and (not group or group in groups) and content in contents
        for key, own, group, content in zip(
            facts.keys.tolist(),
            facts.identified.tolist(),
            relations["group:g"].tolist(),
            relations["exact:c"].tolist(),
            strict=True,
        )
    ]
    assert Inheritance.of(known, facts, relations, pairs).placed().tolist() == expected
    assert any(expected)
