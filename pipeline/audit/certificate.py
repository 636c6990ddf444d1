"""The certificate of a written version: all steps of its audit in one process, and what they found in words.

On an engine the same functions are steps of their own (stages.py); the outcome is the same to the byte.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
import pyarrow.parquet as pq

from pipeline.audit.counting import Findings, counted
from pipeline.audit.findings import KINDS, Leaks, Pair, Side
from pipeline.audit.marks import TRAIN, Looked, Marks, Portion, marks_of
from pipeline.audit.matching import Link, Place, by_part, parts_for, shared, sieve_of
from pipeline.audit.rows import texts_of
from pipeline.records import SPLITS
from pipeline.schema import SAMPLE_ID
from pipeline.storage import Folder

LEAKS = "leaks.json"


def portions_of(shards: Iterable[Mapping[str, Any]], looked: Looked) -> list[Portion]:
    """The files to look at, as a manifest lists them; none where there is only one side."""
    listed = [(s["split"], s["path"], s["rows"]) for s in shards]
    held = sum(rows for split, _, rows in listed if split != TRAIN)
    if not held or all(split != TRAIN for split, _, _ in listed):
        return []
    seen: Counter[str] = Counter()
    portions = []
    for split, path, rows in listed:
        portions.append(Portion(split, seen[split], path, rows, parts_for(held, looked)))
        seen[split] += 1
    return portions


def seal_of(shards: Iterable[Mapping[str, Any]], looked: Looked) -> str:
    """What was audited, and for what: the same only for the same bytes of the same files, looked at alike."""
    files = [[s["path"], s["sha256"]] for s in shards]
    what = [[f.name, f.modality] for f in looked.fields], looked.groups
    return sha256(orjson.dumps([files, *what])).hexdigest()


def audited(folder: Folder, portions: Sequence[Portion], looked: Looked) -> Findings:
    """All steps one after the other; the held-out side is in memory as marks, the training side streams by."""
    findings = Findings()

    def read(portion: Portion) -> Marks:
        marks = marks_of(folder, portion, looked)
        findings.read[portion.split] += marks.rows
        return marks

    held = [read(portion) for portion in portions if portion.split != TRAIN]
    sieves = [sieve_of(0, held)] if held else []
    train = [some for portion in portions if portion.split == TRAIN for _, some in by_part(read(portion), 1, sieves)]
    found = shared(held, train, looked)
    for file, rows in found.rows.items():
        findings.merge(counted(file, [rows]))
    return findings.merge(Findings(links=found.links))


def leaks_of(folder: Folder, shards: Sequence[Mapping[str, Any]], looked: Looked, findings: Findings) -> Leaks:
    """What was found, with the names of the rows: only those of the links are read."""
    leaks = Leaks(audited=seal_of(shards, looked), certain=findings.certain)
    rows = Counter[str]()
    for shard in shards:
        rows[shard["split"]] += shard["rows"]
    leaks.sides = [Side(split, rows[split]) for split in SPLITS if rows[split]]
    leaks.checked = {"groups": list(looked.groups), "fields": {f.name: f.modality for f in looked.fields}, "near": None}
    for (split, kind), count in findings.leaking.items():
        leaks.leaking.setdefault(SPLITS[split], Counter())[KINDS[kind]] = count
    leaks.pairs = list(_named(folder, findings.links, looked, portions_of(shards, looked)))
    return leaks


def _named(folder: Folder, links: Sequence[Link], looked: Looked, portions: Sequence[Portion]) -> Iterator[Pair]:
    """Links as pairs, in their order."""
    paths = {(SPLITS.index(p.split), p.index): p.path for p in portions}
    places = sorted({place for link in links for place in (link.held, link.train)})
    known: dict[Place, dict[str, str]] = {}
    for file in sorted({place[:2] for place in places}):
        known |= _rows(folder, paths[file], [p for p in places if p[:2] == file], [SAMPLE_ID, *looked.groups])
    for link in links:
        kind, name = looked.roles[link.role]
        what = f"{name}={known[link.held][name]}" if kind == "group" else name
        side, (held, train) = SPLITS[link.held.split], (known[place][SAMPLE_ID] for place in (link.held, link.train))
        yield Pair(KINDS[link.kind], train, held, link.distance, what, side)


def _rows(folder: Folder, path: str, places: Sequence[Place], columns: list[str]) -> dict[Place, dict[str, str]]:
    """Some columns of some rows of a file, as text; only row groups that hold one of them are read."""
    found: dict[Place, dict[str, str]] = {}
    wanted = {place.row: place for place in places}
    with folder.open(path) as source:
        file, start = pq.ParquetFile(source), 0
        for group in range(file.num_row_groups):
            stop = start + file.metadata.row_group(group).num_rows
            here = [row for row in wanted if start <= row < stop]
            if here:
                table = file.read_row_group(group, columns=columns).combine_chunks().to_batches()[0]
                texts = {name: texts_of(table.column(name)) for name in columns}
                found |= {wanted[r]: {n: values[r - start] or "" for n, values in texts.items()} for r in here}
            start = stop
    return found
