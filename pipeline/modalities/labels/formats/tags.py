"""Tags of words, in the notation B-, I-, O (and E-, S-, L-, U-): whether a run of them still makes sense."""

from collections.abc import Sequence

import pyarrow as pa

from pipeline.config.labels import TokenBinding
from transforms.values import TextValue

_GOES_ON = frozenset("IEL")
_BEGINS = frozenset("BI")


def torn(binding: TokenBinding, row: pa.RecordBatch, index: int, value: TextValue) -> bool:
    """Whether an entity lost its first words, or words of others came into it, by the tags of some column.

    Tags are texts, or in the first column numbers of the binding's `names`; of others nothing is known. A row whose own
    tags make no sense says nothing.
    """
    if value.tokens is None:
        return False
    numbers = value.tokens.rows.tolist()
    for name in binding.columns:
        names = binding.names if name == binding.column else ()
        tags = _texts(row.column(name)[index].as_py(), names)
        if tags is None or _strays(tags) or any(number >= len(tags) for number in numbers):
            continue
        if _strays([tags[number] for number in numbers]):
            return True
    return False


def _texts(tags: Sequence[str | int | None] | None, names: Sequence[str]) -> list[str] | None:
    found = []
    for tag in tags or ():
        known = tag if isinstance(tag, str) else names[tag] if tag is not None and 0 <= tag < len(names) else None
        if known is None:
            return None
        found.append(known)
    return found


def _strays(tags: Sequence[str]) -> bool:
    """Whether a tag goes on with an entity that does not stand before it."""
    before = ""
    for tag in tags:
        sign, _, kind = tag.partition("-")
        if sign in _GOES_ON and kind and not (before[:1] in _BEGINS and before[2:] == kind):
            return True
        before = tag
    return False
