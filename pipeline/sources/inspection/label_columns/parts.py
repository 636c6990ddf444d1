"""What stands in a column, entry by entry, whatever lists and structs hold it; and what its name says. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.sources.inspection.column_roles import words_of_name

_LABELS = frozenset({
    "label", "category", "categorie", "class", "clas", "tag", "type", "species", "categoryid", "labelid", "classid",
    "speaker", "entity", "event", "action", "phoneme", "phone",
})  # fmt: skip
_NAMES = frozenset({"name", "object", "word", "text", "value"})

Cells = Sequence[Any]
"""One column of the rows looked at, as Python values."""


@dataclass(frozen=True, slots=True)
class Part:
    """Entries of a column: those of its lists, or of one member of its structs.

    `several`: a cell has a list of them; else it is one entry itself. `structs`: they are members of a list of structs,
    which all go together.
    """

    column: str
    member: str
    entry: pa.DataType
    several: bool
    structs: bool = False

    @property
    def place(self) -> str:
        """`objects.bbox`, or the column's name."""
        return f"{self.column}.{self.member}" if self.member else self.column

    def entries(self, cell: Any) -> list[Any]:
        """The entries of a cell; none of a null."""
        if cell is None:
            return []
        if self.structs:
            return [entry.get(self.member) for entry in cell if entry is not None]
        held = cell.get(self.member) if self.member else cell
        if held is None:
            return []
        return list(held) if self.several else [held]


def parts_of(column: pa.Field) -> list[Part]:
    """Every part of a column."""
    return list(_parts(column))


def _parts(column: pa.Field) -> Iterator[Part]:
    kind, name = plain(column.type), column.name
    if pa.types.is_struct(kind):
        for member in kind:
            inner = plain(member.type)
            several = is_list(inner)
            yield Part(name, member.name, plain(inner.value_type) if several else inner, several)
    elif is_list(kind) and pa.types.is_struct(plain(kind.value_type)):
        for member in plain(kind.value_type):
            yield Part(name, member.name, plain(member.type), True, structs=True)
    elif is_list(kind):
        yield Part(name, "", plain(kind.value_type), True)
    else:
        yield Part(name, "", kind, False)


def plain(kind: pa.DataType) -> pa.DataType:
    """A type without the dictionary or extension around it."""
    while pa.types.is_dictionary(kind) or isinstance(kind, pa.BaseExtensionType):
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind.storage_type
    return kind


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of any of Arrow's kinds."""
    known = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view)
    return any(test(kind) for test in known) or pa.types.is_large_list_view(kind)


def depth_of_numbers(kind: pa.DataType) -> int | None:
    """How many lists lie around numbers: 0 for a number; None for anything else."""
    depth, held = 0, plain(kind)
    while is_list(held):
        depth, held = depth + 1, plain(held.value_type)
    return depth if is_number(held) else None


def is_number(kind: pa.DataType) -> bool:
    """Whether a type is whole or floating numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether a type is bytes, or a struct with a member of bytes."""
    held = plain(kind)
    if pa.types.is_struct(held):
        place = held.get_field_index("bytes")
        return place >= 0 and is_bytes(held.field(place).type)
    return bool(pa.types.is_binary(held) or pa.types.is_large_binary(held) or pa.types.is_binary_view(held))


def named(name: str, known: frozenset[str]) -> bool:
    """Whether a word of a name is known, in the singular or the plural: `bbox` in `gt_bboxes`."""
    words = words_of_name(name)
    return any({word, word.removesuffix("s"), word.removesuffix("es")} & known for word in (*words, "".join(words)))


def label_member(parts: Sequence[Part], taken: Collection[str] = ()) -> str:
    """The member of structs that says what each entry is; empty where none does."""
    return label_member_of([p.member for p in parts if p.member and p.member not in taken and (p.several or p.structs)])


def label_member_of(names: Sequence[str]) -> str:
    """The name that is most likely that of labels; empty where none is."""
    return next((name for known in (_LABELS, _NAMES) for name in names if named(name, known)), "")


def numbers_in(value: Any) -> Iterator[float]:
    """Every number in nested lists."""
    if isinstance(value, list | tuple):
        for entry in value:
            yield from numbers_in(entry)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)
