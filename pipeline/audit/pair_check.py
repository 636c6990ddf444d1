"""Candidates -> near duplicates: both rows are read again and compared, the nearest candidate of every row first."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pipeline.audit.contents import payload_columns
from pipeline.audit.digest_matching import Found, Link, Place, lightest
from pipeline.audit.leak_counts import ASKED
from pipeline.audit.leaks import KINDS
from pipeline.audit.shard_reading import rows_at
from pipeline.audit.sides import Payload
from pipeline.audit.signatures import Candidate, NearField
from pipeline.modalities.similarity.interface import Measure
from pipeline.storage.folder import Folder

MOST_COMPARED = 2_000
"""Candidates of one held-out file that are compared in any case. The files of training rows are read for them, a row
group at a time."""
EACH = 16
"""Candidates of every row that are compared, the nearest first, as long as none of them is a near duplicate."""
_NEAR = KINDS.index("near")
_DIGITS = 4

Row = tuple[int, int, int, int]
"""Split and index of a held-out file, the kind that is looked for, and the row."""
Left = Counter[Row]
"""How many candidates of a row are not compared."""
_Content = tuple[Payload, bytes]
"""A payload, and what of it is compared."""


def to_compare(found: Iterable[Candidate]) -> tuple[list[Candidate], Left]:
    """Of one held-out file the candidates to compare, each once, by their turn, and how many more its rows have.

    The first turn has the nearest candidate of every row, the next one the second nearest.
    """
    nearest: dict[tuple[int, Place, Place], Candidate] = {}
    for one in found:  # several buckets may propose a pair
        pair = (one.near.role, one.held, one.train)
        if pair not in nearest or one.apart < nearest[pair].apart:
            nearest[pair] = one
    turns = Counter[tuple[int, Place]]()
    ordered = []
    for one in sorted(nearest.values(), key=lambda c: (c.near.role, c.held, c.apart, c.train)):
        ordered.append((turns[one.near.role, one.held], one))
        turns[one.near.role, one.held] += 1
    ordered.sort(key=lambda turn: turn[0])  # which keeps the order within a turn
    chosen = [one for place, (turn, one) in enumerate(ordered) if turn < EACH or place < MOST_COMPARED]
    return chosen, Counter(_row_of(one) for _, one in ordered[len(chosen) :])


def settle(left: Left, found: Found) -> None:
    """Take off what is left over of rows of which a near duplicate was found."""
    for file, pairs in found.rows.items():
        for pair in pairs:
            left.pop((*file, *pair), None)


def compared_rows(folder: Folder, found: Sequence[Candidate]) -> Found:
    """Near duplicates among candidates of one held-out file, by their turn. The same payload is a kind of its own.

    Beyond MOST_COMPARED only candidates of rows that have shown no near duplicate so far.
    """
    out = Found()
    _compare(folder, found[:MOST_COMPARED], out)
    rows = {(*file, *pair) for file, pairs in out.rows.items() for pair in pairs}
    _compare(folder, [one for one in found[MOST_COMPARED:] if _row_of(one) not in rows], out)
    out.links = lightest(out.links)
    return out


def _compare(folder: Folder, found: Sequence[Candidate], out: Found) -> None:
    for near in sorted({c.near for c in found}, key=lambda n: n.role):
        for candidate, distance in _distances(folder, near, [c for c in found if c.near == near]):
            if distance <= near.threshold:
                out.links.append(Link(_NEAR, round(distance, _DIGITS), candidate.held, candidate.train, near.role))
                out.rows.setdefault(candidate.held[:2], []).append((_code(near), candidate.held.row))


def _row_of(one: Candidate) -> Row:
    return one.held.split, one.held.file, _code(one.near), one.held.row


def _code(near: NearField) -> int:
    return ASKED if near.asked else _NEAR


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
