"""Components and what their rows are labeled: records of each label, by component and by part. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from pipeline.splitting.assignment.local_search import Left
from pipeline.splitting.components import Components, PartNumbers
from pipeline.splitting.facts import NO_CLASS, Classes
from pipeline.storage.mapped_columns import Rows, column, made, spans

OPEN = -1
"""Of a component that has no part yet; of one that is no single record of one label."""


@dataclass(frozen=True, slots=True, eq=False)
class Labeled:
    """`codes`: the set of labels of each row; `sets` (sets, labels): ones; `names`: the sets.

    `single`: of components that are one record of one label its label, else OPEN. `kinds`: the place of each set among
    all sets, whatever order they were met in.
    """

    found: Components
    codes: NDArray[np.int32]
    sets: csr_array
    single: NDArray[np.int32]
    kinds: NDArray[np.int64]

    @classmethod
    def of(cls, found: Components, names: Sequence[Classes], codes: NDArray[np.int32]) -> "Labeled":
        """`names`: the sets of labels."""
        sets = _sets(names)
        only = np.where(np.diff(sets.indptr) == 1, sets.indices[sets.indptr[:-1]], OPEN).astype(np.int32)
        single = made(
            len(found),
            np.int32,
            lambda span: np.where(found.sizes[span] == 1, only[codes[found.heads[span]]], OPEN),
        )
        order = sorted(range(len(names)), key=names.__getitem__)
        kinds = np.empty(len(order), np.int64)
        kinds[order] = np.arange(len(order))
        return cls(found, codes, sets, single, kinds)

    def kind_of(self, components: Rows) -> NDArray[np.int64]:
        """The kind of each one's head."""
        return self.kinds[self.codes[self.found.heads[components]]]

    def rarest(self, sizes: NDArray[np.int64]) -> NDArray[np.int32]:
        """Of each component how many records its rarest label has in all."""
        of_sets = np.minimum.reduceat(sizes[self.sets.indices], self.sets.indptr[:-1]).astype(np.int32)
        found = column(len(self.found), np.int32)
        found[:] = np.iinfo(np.int32).max
        for span in spans(len(self.codes)):
            np.minimum.at(found, self.found.of[span], of_sets[self.codes[span]])
        return found

    def in_all(self) -> NDArray[np.int64]:
        """Rows of each set."""
        sums = np.zeros(self.sets.shape[0], np.int64)
        for span in spans(len(self.codes)):
            sums += np.bincount(self.codes[span], minlength=len(sums))
        return sums

    def wholes(self) -> NDArray[np.int64]:
        """Records of each label in components that are no single records."""
        sums = np.zeros(self.sets.shape[0], np.int64)
        for span in spans(len(self.codes)):
            within = self.single[self.found.of[span]] == OPEN
            sums += np.bincount(self.codes[span][within], minlength=len(sums))
        found: NDArray[np.int64] = self.sets.T @ sums
        return found

    def of_parts(self, chosen: PartNumbers, parts: int) -> Left:
        """(labels, parts): records of the components whose part is chosen."""
        number = self.sets.shape[0]
        sums = np.zeros(number * parts, np.int64)
        for span in spans(len(self.codes)):
            part = chosen[self.found.of[span]]
            placed = part != OPEN
            codes = self.codes[span][placed].astype(np.int64)
            sums += np.bincount(codes * parts + part[placed], minlength=number * parts)
        found: Left = self.sets.T @ sums.reshape(number, parts)
        return found

    def counts(self, components: Rows) -> csr_array:
        """(components, labels): records of these components, in this order."""
        place = column(len(self.found), np.int32)
        place[components] = np.arange(1, len(components) + 1)
        sums = csr_array((len(components), self.sets.shape[0]), dtype=np.int64)
        for span in spans(len(self.codes)):
            at = place[self.found.of[span]]
            there = at > 0
            where = (at[there] - 1, self.codes[span][there])
            sums += coo_array((np.ones(len(where[0]), np.int64), where), shape=sums.shape).tocsr()
        return sums @ self.sets


def _sets(sets: Sequence[Classes]) -> csr_array:
    """(sets, labels). Without any label, or where some sets have several, all rows are of one more label."""
    names = {name: n for n, name in enumerate(sorted({name for s in sets for name in s}))}
    several = any(len(s) > 1 for s in sets)
    own = [[names[name] for name in s] + ([len(names)] if several or s == NO_CLASS else []) for s in sets]
    ends = np.cumsum([0, *map(len, own)])
    flat = np.array([label for labels in own for label in labels], np.int64)
    width = int(flat.max(initial=-1)) + 1
    return csr_array((np.ones(len(flat), np.int64), flat, ends), shape=(len(own), width))
