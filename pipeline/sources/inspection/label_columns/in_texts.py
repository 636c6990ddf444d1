"""Labels of words: answers with their start, tags of tokens; and whatever else counts the words of a text. Pure."""

from collections.abc import Mapping, Sequence
from operator import eq

import pyarrow as pa

from pipeline.sources.inspection.class_names import class_names
from pipeline.sources.inspection.findings import LabelFound, Setting
from pipeline.sources.inspection.label_columns.box_format import ROWS_THAT_FIT
from pipeline.sources.inspection.label_columns.parts import Cells, Part, is_list, is_number, named, plain
from pipeline.sources.inspection.payload_columns import is_text

TOKENS = frozenset({"token", "word", "wordpiece", "form"})
TAGS = frozenset({"ner", "pos", "tag", "bio", "iob", "chunk", "upos", "xpos", "label", "slot", "srl", "dep", "entity"})
_ENTITIES = frozenset({"ner", "entity", "entitie", "bio", "iob", "slot", "chunk", "tag"})
_FEWEST_WORDS = 2
_OF_THIS_TEXT = 0.5


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
    fits = sum(held) / len(held) if held else 0.0
    if held and fits < _OF_THIS_TEXT:
        return None
    if fits < ROWS_THAT_FIT:
        why = "some do not stand where they say" if held else "there are none in the rows looked at"
        return LabelFound(text.column, "answers", why, columns=(text.column,))
    note = f"{len(held):,} looked at stand where they say"
    return LabelFound(text.column, "answers", note, "answers", (("column", text.column),), (text.column,), 1 - fits)


def tags_of_tokens(column: str, schema: pa.Schema, cells: Mapping[str, Cells]) -> list[LabelFound]:
    """Lists beside a list of words, with one entry for each of them: they are bound to it."""
    counts = _counts(cells[column])
    lists = [n for n in cells if n != column and is_list(plain(schema.field(n).type))]
    fits = {name: _share_alike(counts, _counts(cells[name])) for name in lists}
    enough = {name: _OF_THIS_TEXT if named(name, TAGS) else ROWS_THAT_FIT for name in lists}
    tags = sorted((n for n in lists if fits[n] >= enough[n]), key=lambda name: not named(name, _ENTITIES))
    if not tags or max(counts, default=0) < _FEWEST_WORDS:
        return []
    names = class_names(schema, tags[0], tags[0])
    keys: list[tuple[str, Setting]] = [("columns", tuple(tags))]
    keys += [("names", names)] if names else []
    alike = round(min(fits[name] for name in tags) * len(counts))
    of = "" if alike == len(counts) else f"{alike:,} of "
    note = f"as many entries as words in {of}{len(counts):,} rows looked at"
    misfits = 1 - min(fits[name] for name in tags)
    found = [LabelFound(tags[0], "tags of words", note, "tokens", tuple(keys), tuple(tags), misfits)]
    if named(tags[0], _ENTITIES) and not names and not is_text(plain(plain(schema.field(tags[0]).type).value_type)):
        why = "which of its numbers begin an entity, and which go on with one, is not known: add names: [O, B-PER, …]"
        found.append(LabelFound(tags[0], "tags of entities", why, columns=(tags[0],)))
    return found


def _counts(cells: Cells) -> list[int]:
    return [len(cell) if isinstance(cell, list) else 0 for cell in cells]


def _share_alike(words: Sequence[int], entries: Sequence[int]) -> float:
    """The share of rows with as many entries as words."""
    return sum(map(eq, words, entries)) / len(words) if words else 0.0


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
