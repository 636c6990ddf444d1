"""Groups that are written in several ways: they differ only by case, blanks, or a `.0` behind a whole number."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST_VALUES = 1_000_000
"""Different values of a column that are looked at."""
_LISTED = 3


def plain(values: pa.Array) -> pa.Array:
    """Texts without what is easily written otherwise: lower case, no blanks around, one within, no `.0` at the end."""
    found = pc.utf8_trim_whitespace(pc.utf8_lower(pc.utf8_normalize(values, form="NFKC")))
    found = pc.replace_substring_regex(found, r"\s+", " ")
    return pc.replace_substring_regex(found, r"^([+-]?\d+)\.0+$", r"\1")


@dataclass(slots=True)
class Spellings:
    """Different values of one column, as far as they are looked at."""

    known: set[str] = field(default_factory=set)

    def add(self, values: pa.Array) -> None:
        """Some more, each once and none null."""
        if len(self.known) < MOST_VALUES:
            self.known.update(values.to_pylist())

    def several(self) -> list[list[str]]:
        """The values that are one but for how they are written, in their order."""
        listed = pa.array(sorted(self.known), pa.string())
        if not len(listed):
            return []
        coded = plain(listed).dictionary_encode().indices.to_numpy()
        counts = np.bincount(coded)
        found: dict[int, list[str]] = {}
        for place in np.flatnonzero(counts[coded] > 1).tolist():
            found.setdefault(int(coded[place]), []).append(listed[place].as_py())
        return list(found.values())


def spelling_notes(columns: dict[str, Spellings]) -> Iterator[str]:
    """One line for each column that has any."""
    for name, spellings in columns.items():
        several = spellings.several()
        if several:
            listed = "; ".join(" = ".join(map(repr, values[:_LISTED])) for values in several[:_LISTED])
            yield (
                f"{len(several)} values of {name} are written in several ways ({listed}): they count as different, so "
                "their records may lie in several splits. Write them alike in the input"
            )
