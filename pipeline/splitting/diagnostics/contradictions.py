"""Labels that contradict each other: one content under two classes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.planning.keys import digests
from pipeline.sources.key_columns import Labels
from pipeline.splitting.assignment.hash_ranges import Digests, same

_LISTED = 3


@dataclass(frozen=True, slots=True)
class Contradictions:
    """Records whose content another record has under another label, and a few of them: first rows and later rows."""

    number: int = 0
    examples: tuple[tuple[int, int], ...] = ()


def label_digests(labels: Labels, rows: int) -> Digests:
    """A number for the set of labels of each row; 0 where it has none."""
    found = np.zeros(rows, np.uint64)
    if not len(labels.values):
        return found
    coded = labels.values.dictionary_encode()
    numbers = digests(name.encode("utf-8", "surrogatepass") for name in coded.dictionary.to_pylist()) | np.uint64(1)
    pairs = np.unique(np.stack([labels.rows, coded.indices.to_numpy().astype(np.int64)]), axis=1)
    np.add.at(found, pairs[0], numbers[pairs[1]])  # of a set, the order does not matter
    return found


def contradictions(labels: Digests, contents: Iterable[Digests]) -> Contradictions:
    """Rows that share a content with an earlier row, and no label set; of several fields those of any."""
    rows: list[NDArray[np.int64]] = []
    firsts: list[NDArray[np.int64]] = []
    for found in contents:
        for first, later in same(found):
            odd = (labels[first] != labels[later]) & (labels[first] != 0) & (labels[later] != 0)
            firsts.append(first[odd].astype(np.int64))
            rows.append(later[odd].astype(np.int64))
    if not rows:
        return Contradictions()
    found_rows, places = np.unique(np.concatenate(rows), return_index=True)
    found_firsts = np.concatenate(firsts)[places]
    examples = zip(found_firsts[:_LISTED].tolist(), found_rows[:_LISTED].tolist(), strict=True)
    return Contradictions(len(found_rows), tuple(examples))


def contradiction_note(found: Contradictions, named: Mapping[int, str]) -> Iterator[str]:
    """One line, if there are any. `named`: what the rows of the examples are called."""
    if found.number:
        listed = "; ".join(f"{named[later]} and {named[first]}" for first, later in found.examples)
        yield (
            f"{found.number} records have the same content as another record, under another label ({listed}): "
            "a model cannot learn both. Correct the label, or remove one of them"
        )
