"""Candidates -> near duplicates: both rows are read again and compared."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pipeline.audit.contents import payload_columns
from pipeline.audit.counting import ASKED
from pipeline.audit.findings import KINDS
from pipeline.audit.matching import Found, Link, lightest
from pipeline.audit.reading import rows_at
from pipeline.audit.rows import Payload
from pipeline.audit.signing import Candidate, NearField
from pipeline.similarity.interface import Measure
from pipeline.storage import Folder

MOST_COMPARED = 2_000
"""Candidates of one held-out file. The files of training rows are read for them, a row group at a time."""
_NEAR = KINDS.index("near")
_DIGITS = 4

_Content = tuple[Payload, bytes]
"""A payload, and what of it is compared."""


def to_compare(found: Iterable[Candidate]) -> tuple[list[Candidate], int]:
    """Of one held-out file the candidates to compare, each once, and how many more there are."""
    ordered = sorted(set(found), key=lambda c: (c.near.role, c.held, c.train))
    return ordered[:MOST_COMPARED], max(0, len(ordered) - MOST_COMPARED)


def compared_rows(folder: Folder, found: Sequence[Candidate]) -> Found:
    """Near duplicates among candidates of one held-out file. The very same payload is a kind of its own."""
    out = Found()
    for near in sorted({c.near for c in found}, key=lambda n: n.role):
        for candidate, distance in _distances(folder, near, [c for c in found if c.near == near]):
            if distance <= near.threshold:
                out.links.append(Link(_NEAR, round(distance, _DIGITS), candidate.held, candidate.train, near.role))
                code = ASKED if near.asked else _NEAR
                out.rows.setdefault(candidate.held[:2], []).append((code, candidate.held.row))
    out.links = lightest(out.links)
    return out


def _distances(folder: Folder, near: NearField, pairs: Sequence[Candidate]) -> Iterator[tuple[Candidate, float]]:
    measure = near.measure()
    held = dict(_contents(folder, pairs[0].held_path, {c.held.row for c in pairs}, near, measure))
    files: dict[str, dict[int, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for candidate in pairs:
        files[candidate.train_path][candidate.train.row].append(candidate)
    for path, rows in sorted(files.items()):
        for row, (payload, detail) in _contents(folder, path, rows, near, measure):
            for candidate in rows[row]:
                other, wanted = held[candidate.held.row]
                if other != payload:
                    yield candidate, measure.distance(detail, wanted)


def _contents(
    folder: Folder, path: str, rows: Iterable[int], near: NearField, measure: Measure
) -> Iterator[tuple[int, _Content]]:
    for row, batch in rows_at(folder, path, rows, [near.field.name]):
        (payload,) = payload_columns(batch, [near.field])[near.field.key]
        if payload is not None:
            yield row, (payload, measure.signature(payload).detail)
