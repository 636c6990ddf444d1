"""Columns with one entry for each box, point or stretch of another column: they follow it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from pipeline.looking.findings import LabelFound
from pipeline.looking.label_columns.content import Looked
from pipeline.looking.label_columns.parts import is_list, label_member_of, named, plain

_LISTED = frozenset({"boxes", "keypoints", "segments", "spans"})
_BESIDE = frozenset({
    "label", "category", "categorie", "class", "clas", "name", "id", "area", "iscrowd", "crowd", "score", "confidence",
    "difficult", "occluded", "truncated", "visibility", "attribute", "speaker", "tag", "species", "number", "pose",
})  # fmt: skip


def with_followers(labels: Sequence[LabelFound], columns: Sequence[pa.Field], looked: Looked) -> Iterator[LabelFound]:
    """The labels, bound ones with the columns that follow them."""
    taken = {name for label in labels for name in label.columns}
    for label in labels:
        if label.kind not in _LISTED:
            yield label
            continue
        found = [name for name in _beside(label, columns, looked) if name not in taken]
        taken |= set(found)
        yield _followed(label, found)


def _followed(label: LabelFound, found: Sequence[str]) -> LabelFound:
    keys = dict(label.binding)
    name = "" if "labels" in keys else label_member_of(found)
    more = tuple(column for column in found if column != name)
    keys |= ({"labels": name} if name else {}) | ({"columns": more} if more else {})
    return replace(label, binding=tuple(keys.items()), columns=(*label.columns, *found))


def _beside(label: LabelFound, columns: Sequence[pa.Field], looked: Looked) -> Iterator[str]:
    """Columns of lists that are as long as the label's in every row, if that tells: in length, or by their name."""
    counts = _counts(looked.cells(label.column))
    telling = len({count for count in counts if count is not None}) > 1
    for column in columns:
        if is_list(plain(column.type)) and column.name != label.column and (telling or named(column.name, _BESIDE)):
            pairs = zip(counts, _counts(looked.cells(column.name)), strict=True)
            if all(one == other or other is None for one, other in pairs):
                yield column.name


def _counts(cells: Sequence[object]) -> list[int | None]:
    """How many entries each cell has; a struct of lists has as many as its first list."""
    held = [next((v for v in c.values() if isinstance(v, list)), None) if isinstance(c, dict) else c for c in cells]
    return [len(cell) if isinstance(cell, list) else None for cell in held]
