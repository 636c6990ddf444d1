"""Labels of words: answers with their start, tags of tokens; and whatever else counts the words of a text. Pure."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from pipeline.looking.findings import LabelFound
from pipeline.looking.label_columns.parts import Cells, Part, is_list, is_number, named, plain
from pipeline.looking.payload_columns import is_text

TOKENS = frozenset({"token", "word", "wordpiece", "form"})
TAGS = frozenset({"ner", "pos", "tag", "bio", "iob", "chunk", "upos", "xpos", "label", "slot", "srl", "dep", "entity"})
_FEWEST_WORDS = 2


def answers_in(parts: Sequence[Part], cells: Cells, texts: Sequence[str]) -> LabelFound | None:
    """Answers to questions about a text: what it says, and at which character that begins."""
    members = {p.member: p for p in parts}
    text, start = members.get("text"), members.get("answer_start")
    if text is None or start is None or not is_text(text.entry) or not is_number(start.entry):
        return None
    held = [
        context[at : at + len(said)] == said
        for cell, context in zip(cells, texts, strict=True)
        for said, at in zip(text.entries(cell), start.entries(cell), strict=False)
        if said and at is not None
    ]
    if held and sum(held) < len(held) / 2:
        return None  # of another text
    return LabelFound(text.column, "answers", "answers and where they begin cannot be bound", columns=(text.column,))


def tags_in(columns: Mapping[str, pa.DataType], cells: Mapping[str, Cells], texts: Sequence[str]) -> list[LabelFound]:
    """Lists with one entry for each word of the text, or for each of a list of tokens beside it."""
    lists = {name: kind for name, kind in columns.items() if _holds_tags(kind)}
    counts = {name: [None if cell is None else len(cell) for cell in cells[name]] for name in lists}
    tokens = {name for name in lists if is_text(plain(lists[name]).value_type) and named(name, TOKENS)}
    words = [len(text.split()) for text in texts]
    found = [name for name in lists if _as_many(counts[name], words)]
    for token in tokens:
        found += [name for name in lists if name != token and counts[name] == counts[token] and named(name, TAGS)]
        found += [token] if _are_words_of(cells[token], texts) else []
    why = "a list with one entry for each word cannot be bound to a text"
    return [LabelFound(name, "tags of words", why, columns=(name,)) for name in dict.fromkeys(found)]


def _holds_tags(kind: pa.DataType) -> bool:
    held = plain(kind)
    return is_list(held) and (is_text(held.value_type) or bool(pa.types.is_integer(plain(held.value_type))))


def _as_many(counts: Sequence[int | None], words: Sequence[int]) -> bool:
    pairs = [(count, number) for count, number in zip(counts, words, strict=True) if count is not None]
    telling = len({number for _, number in pairs}) > 1 and max(n for _, n in pairs) >= _FEWEST_WORDS
    return bool(pairs) and telling and all(count == number for count, number in pairs)


def _are_words_of(cells: Cells, texts: Sequence[str]) -> bool:
    """Whether tokens are what their text is made of."""
    rows = [(cell, text) for cell, text in zip(cells, texts, strict=True) if cell]
    held = sum("".join(map(str, cell)).replace(" ", "") == "".join(text.split()) for cell, text in rows)
    return bool(rows) and held > len(rows) / 2
