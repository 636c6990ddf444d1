"""Marks of rows that nobody wrote: of every fifth a source and a scene, of every one an id and a content."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.row_digests import MARK, TRAIN, Looked, Marks, Portion
from pipeline.audit.shard_reading import Seen
from pipeline.audit.sides import Field
from pipeline.records import SPLITS

LOOKED = Looked((Field("image", "image"),), ("scene",))
SAMPLES = 5
"""Rows of a training record."""
_ODD = np.uint64(0x9E3779B97F4A7C15)


def look(portions: Iterable[Portion]) -> Iterator[Seen]:
    """What reading the files would show; nothing is shared."""
    for portion in portions:
        yield Seen(Marks(portion.split, portion.index, portion.rows, marks_of(portion)))


def marks_of(portion: Portion) -> NDArray[np.void]:
    """Of each kind digests that no other file has; of a training record's rows the first one has them, but for ids."""
    roles: dict[str, int] = {kind: number for number, (kind, _) in enumerate(LOOKED.marked)}
    rows = np.arange(portion.rows)
    first = rows[:: SAMPLES if portion.split == TRAIN else 1]
    chosen = {"id": rows, "source": first, "exact": rows, "group": first[::3]}
    file = np.uint64(portion.index * len(SPLITS) + SPLITS.index(portion.split)) << np.uint64(32)
    found = []
    for kind, some in chosen.items():
        values = np.zeros(len(some), MARK)
        values["high"] = (file + np.uint64(roles[kind] << 24) + some.astype(np.uint64)) * _ODD
        values["low"] = values["high"] * _ODD
        values["role"], values["row"] = roles[kind], some
        found.append(values)
    return np.concatenate(found)
