"""Groups, ids and classes in several spellings: they differ only by case, blanks, or a `.0` behind a whole number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.escaping.url_credentials import masked

MOST_VALUES = 1_000_000
"""Different values of a column that are looked at."""
GROUPS_APART = "they count as different, so their records may lie in several splits"
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

    def merge(self, others: "Spellings") -> None:
        """Those of another part of the column."""
        if len(self.known) < MOST_VALUES:
            self.known |= others.known

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


def spelling_note(number: int, what: str, several: Sequence[Sequence[str]], so: str) -> str:
    """One line on so many values that are written in several ways; `several`: some of them, `so`: what comes of it."""
    listed = "; ".join(" = ".join(map(_shown, values[:_LISTED])) for values in several[:_LISTED])
    return f"{number} {what} are written in several ways ({listed}): {so}. Write them alike in the input"


def spelling_notes(columns: Mapping[str, Spellings]) -> Iterator[str]:
    """One line for each column of groups that has any."""
    for name, spellings in columns.items():
        several = spellings.several()
        if several:
            yield spelling_note(len(several), f"values of {name}", several, GROUPS_APART)


def class_notes(classes: Iterable[str]) -> Iterator[str]:
    """One line, if classes differ only by case, blanks, a `.0` or their Unicode form."""
    several = Spellings(set(classes)).several()
    if several:
        yield spelling_note(len(several), "classes", several, "they count as different classes")


def _shown(name: str) -> str:
    """A name as people would tell it from others: characters that look like others as escapes."""
    name = masked(name, False)
    return repr(name) if name.isascii() else f"{name!r} ({name!a})"
