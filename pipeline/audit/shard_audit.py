"""The certificate of a written version: all steps of its audit in one process, and what they found in words.

On an engine the same functions are steps of their own (stages.py); the outcome is the same to the byte.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any

import orjson

from pipeline.audit.contents import contents_of
from pipeline.audit.digest_files import facts_of
from pipeline.audit.digest_matching import Found, Link, Place, parts_for
from pipeline.audit.leak_counts import Findings, counted
from pipeline.audit.leaks import KINDS, SPELLED_AS, Leaks, Pair, Side
from pipeline.audit.pair_check import Left, compared_rows, settle, to_compare
from pipeline.audit.row_digests import TRAIN, Looked, Marks, Portion
from pipeline.audit.shard_reading import Seen, look_at, rows_at
from pipeline.audit.sides import texts_of
from pipeline.audit.signatures import Candidate, Signed, buckets_for, by_bucket, candidates, sampled
from pipeline.audit.temporal_order import disorder
from pipeline.escaping.url_credentials import masked
from pipeline.records import SAMPLE_ID, SPLITS
from pipeline.storage.folder import Folder

_WORDS = 120


def portions_of(shards: Iterable[Mapping[str, Any]], looked: Looked, records: int) -> list[Portion]:
    """The files to look at, as a manifest lists them; none where there is only one side. `records`: of all splits."""
    listed = [(s["split"], s["path"], s["rows"]) for s in shards]
    held = sum(rows for split, _, rows in listed if split != TRAIN)
    if not held or all(split != TRAIN for split, _, _ in listed):
        return []
    everything = sum(rows for _, _, rows in listed)
    signed = everything if looked.copies else records
    seen: Counter[str] = Counter()
    portions = []
    for split, path, rows in listed:
        dealt = parts_for(held, everything, looked), buckets_for(signed)
        portions.append(Portion(split, seen[split], path, rows, looked, *dealt))
        seen[split] += 1
    return portions


def seal_of(shards: Iterable[Mapping[str, Any]], looked: Looked) -> str:
    """What was audited, and for what: the same only for the same bytes of the same files, looked at alike."""
    return sha256(orjson.dumps([[[s["path"], s["sha256"]] for s in shards], looked])).hexdigest()


Look = Callable[[list[Portion]], Iterable[Seen]]
Compare = Callable[[list[list[Candidate]]], Iterable[Found]]


def audited_here(folder: Folder, portions: Sequence[Portion]) -> Findings:
    """`audited` in this process."""

    def look(some: list[Portion]) -> Iterator[Seen]:
        return (look_at(folder, portion) for portion in some)

    return audited(portions, look, lambda files: (compared_rows(folder, pairs) for pairs in files))


def audited(portions: Sequence[Portion], look: Look, compare: Compare) -> Findings:
    """All steps one after the other; `look` and `compare` may answer in any order.

    In memory are signatures, and marks while they are few; more of them are on disk.
    """
    findings, signed = Findings(), defaultdict[bool, list[Signed]](list)
    rows, left = defaultdict[int, list[Any]](list), Left()

    def marks(train: bool) -> Iterator[Marks]:
        for seen in look([p for p in portions if (p.split == TRAIN) == train]):
            findings.merge(seen.sums())
            signed[train] += seen.signed
            yield seen.marks

    def compared() -> Iterator[Found]:
        pairs, more = _pairs(signed[False], signed[True])
        left.update(more)
        for found in compare(pairs):
            settle(left, found)
            yield found

    for found in chain(facts_of(portions, marks), compared()):
        findings.merge(Findings(links=found.links))
        for file, leaking in found.by_file():
            rows[file].append(leaking)
    for file, several in rows.items():
        findings.merge(counted(Found.file_of(file), several))
    findings.left = left.total()
    return findings


def _pairs(held: Sequence[Signed], train: Sequence[Signed]) -> tuple[list[list[Candidate]], Left]:
    """What is to be compared, by held-out file, and how many more pairs there are."""
    sample = sampled(held)
    buckets = [defaultdict[int, list[Signed]](list) for _ in range(2)]
    for side, into in zip((held, train), buckets, strict=True):
        for one in side:
            for key, some in by_bucket(one, sample):
                into[key].append(some)
    files = defaultdict[tuple[int, ...], list[Candidate]](list)
    for key, signed in buckets[0].items():
        for candidate in candidates(signed, buckets[1].get(key, ())):
            files[candidate.held[:2]].append(candidate)
    left, chosen = Left(), []
    for found in files.values():
        pairs, more = to_compare(found)
        chosen.append(pairs)
        left.update(more)
    return chosen, left


def leaks_of(folder: Folder, shards: Sequence[Mapping[str, Any]], looked: Looked, findings: Findings) -> Leaks:
    """What was found, with the names of the rows: only those of the links are read."""
    leaks = Leaks(audited=seal_of(shards, looked), unreadable=findings.unreadable)
    leaks.stopping, leaks.left, leaks.unread = findings.stopping, findings.left, findings.unread
    leaks.times = {split: [e.first_said, e.last_said] for split, e in sorted(findings.times.items())}
    leaks.disorder, leaks.timeless = disorder(findings.times), findings.timeless
    rows = Counter[str]()
    for shard in shards:
        rows[shard["split"]] += shard["rows"]
    leaks.sides = [Side(split, rows[split]) for split in SPLITS if rows[split]]
    leaks.checked = _checked(looked)
    for (split, kind), count in findings.leaking.items():
        leaks.leaking.setdefault(SPLITS[split], Counter())[KINDS[kind]] = count
    leaks.pairs = list(_named(folder, _told_once(findings.links), looked, portions_of(shards, looked, 0)))
    return leaks


def _told_once(links: Sequence[Link]) -> list[Link]:
    """Without another spelling of a group or an id where the row leaks by that itself."""
    spelling, itself = KINDS.index("spelling"), {KINDS.index(kind) for kind in SPELLED_AS}
    grouped = {link.held for link in links if link.kind in itself}
    return [link for link in links if link.kind != spelling or link.held not in grouped]


def _checked(looked: Looked) -> dict[str, Any]:
    near = {n.field.name: n.threshold for n in looked.near}
    return {
        "groups": list(looked.groups),
        "fields": {f.name: f.modality for f in looked.fields},
        "near": near or None,
        "near_of": ("all rows" if looked.copies else "one row of each record") if near else "",
        "mirrored": [n.field.name for n in looked.near if n.mirrored],
        "kept_together": [n.field.name for n in looked.near if n.asked],
        "note": looked.note,
    }


def paths_of(portions: Sequence[Portion]) -> dict[tuple[int, int], str]:
    """(split, index), as places have it, -> the path of the file."""
    return {(SPLITS.index(p.split), p.index): p.path for p in portions}


def _named(folder: Folder, links: Sequence[Link], looked: Looked, portions: Sequence[Portion]) -> Iterator[Pair]:
    """Links as pairs, in their order."""
    paths = paths_of(portions)
    places = sorted({place for link in links for place in (link.held, link.train)})
    alike = {looked.roles[link.role][1] for link in links if KINDS[link.kind] in ("exact", "near")}
    contents = contents_of(looked.fields)
    shown = {name: contents.get(name, (name,)) for name in alike}
    texts = [f.name for f in looked.fields if f.modality == "text" and any(f.key in keys for keys in shown.values())]
    known: dict[Place, dict[str, str]] = {}
    for file in sorted({place[:2] for place in places}):
        known |= _rows(folder, paths[file], [p for p in places if p[:2] == file], [SAMPLE_ID, *looked.spelled, *texts])
    for link in links:
        kind, name = looked.roles[link.role]
        what = f"{name}={masked(known[link.held][name], False)}" if kind in ("group", "spelling") else name
        side, (held, train) = SPLITS[link.held.split], (known[place][SAMPLE_ID] for place in (link.held, link.train))
        words = (link.train, link.held) if kind in ("exact", "near") and {*shown[name]} <= {*texts} else ()
        yield Pair(
            KINDS[link.kind], train, held, link.distance, what, side,
            tuple(" | ".join(known[place][key] for key in shown[name])[:_WORDS] for place in words),
            SPLITS[link.train.split],
        )  # fmt: skip


def _rows(folder: Folder, path: str, places: Sequence[Place], columns: list[str]) -> dict[Place, dict[str, str]]:
    """Some columns of some rows of a file, as text."""
    wanted = {place.row: place for place in places}
    return {
        wanted[row]: {name: texts_of(batch.column(name))[0] or "" for name in columns}
        for row, batch in rows_at(folder, path, wanted, columns)
    }
