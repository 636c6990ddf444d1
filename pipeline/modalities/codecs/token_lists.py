"""Texts that a column holds as lists of words: one string on the way, each word followed by U+001F (unit separator).

So they are read, digested and compared as any text is, and written as the lists that they were.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

END = "\x1f"


def is_token_list(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists of words."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    value = kind.value_type
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def as_texts(column: pa.Array) -> pa.Array:
    """The column with lists of words as strings; a list with a null is null. Any other column as it is."""
    if not is_token_list(column.type):
        return column
    end = pa.scalar(END, column.type.value_type)
    some = pc.greater(pc.list_value_length(column), 0)
    whole = pc.binary_join(column, end)
    return pc.if_else(some, pc.binary_join_element_wise(whole, end, pa.scalar("", column.type.value_type)), whole)


def text_of(words: Sequence[str | None]) -> str | None:
    """One list as a string; None if a word is null, or holds the separator."""
    if any(word is None or END in word for word in words):
        return None
    return "".join(f"{word}{END}" for word in words)


def words_of(text: str) -> list[str]:
    """The list that such a string was made of."""
    return text.split(END)[:-1]
