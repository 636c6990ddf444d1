"""Texts that come as lists of words: the list is kept, word for word, through whatever changes the words."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from transforms.interface import LabelLost
from transforms.text.joining import Slot
from transforms.text.words import Place, Split, split
from transforms.values import Spans, TextValue

SPACE = " "


def of_list(words: Sequence[str]) -> TextValue:
    """A text of words with a space between each two, and the places of the words."""
    ends = np.cumsum([len(word) + len(SPACE) for word in words], dtype=np.int64)
    begins = np.concatenate([np.zeros(1, np.int64), ends])[: len(words)]
    bounds = np.stack([begins, ends - len(SPACE)], axis=1) if words else np.zeros((0, 2), np.int64)
    return TextValue(SPACE.join(words), tokens=Spans(bounds, np.arange(len(words), dtype=np.int64)))


def as_list(value: TextValue) -> list[str]:
    """The words of such a text."""
    return [] if value.tokens is None else [value.text[begin:end] for begin, end in value.tokens.bounds.tolist()]


def token_list(value: TextValue, fixed: Sequence[Place] = ()) -> Split:
    """The words of the list that are words: punctuation, special tokens and what is kept are none."""
    places = [] if value.tokens is None else [(begin, end) for begin, end in value.tokens.bounds.tolist()]
    found = [(place, split(value.text[place[0] : place[1]])) for place in places]
    words = [
        (place, bool(inner.forms))
        for place, inner in found
        if inner.words and not any(begin < place[1] and end > place[0] for begin, end in fixed)
    ]
    forms = frozenset(number for number, (_, form) in enumerate(words) if form)
    return Split(value.text, tuple(place for place, _ in words), forms)


def with_tokens(value: TextValue, words: Split, slots: Sequence[Slot]) -> TextValue:
    """The list after words changed, went or changed places: each word that is left keeps its number.

    Raises LabelLost (`token_lost`) where a new word came, which has none.
    """
    if value.tokens is None:
        raise TypeError("the text did not come as a list")
    if any(slot.origin is None for slot in slots):
        raise LabelLost("token_lost", "a word came that has no entry in the other lists")
    place_of = {tuple(place): number for number, place in enumerate(value.tokens.bounds.tolist())}
    slot_of = {place_of[place]: slot for place, slot in zip(words.words, slots, strict=True)}
    strings, rows = as_list(value), []
    left = []
    for number, string in enumerate(strings):
        slot = slot_of.get(number)
        if slot is not None and not slot.text:
            continue
        origin = number if slot is None or slot.origin is None else place_of[words.words[slot.origin]]
        left.append(string if slot is None else slot.text)
        rows.append(int(value.tokens.rows[origin]))
    made = of_list(left)
    tokens = Spans(made.tokens.bounds, np.array(rows, np.int64)) if made.tokens is not None else None
    return replace(value, text=made.text, tokens=tokens)
