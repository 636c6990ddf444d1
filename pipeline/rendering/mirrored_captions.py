"""Words of a caption that a mirrored picture makes false: `left` becomes `right` where the picture was turned over."""

import re
from collections.abc import Mapping
from functools import lru_cache

from pipeline.records import Family
from transforms.interface import Applied
from transforms.labels import spans
from transforms.recorded_parameters import to_json
from transforms.text.joining import Slot, joined
from transforms.text.words import Split
from transforms.values import TextValue

MIRROR_WORDS = "fanbeam.MirrorWords"
Pairs = tuple[tuple[str, str], ...]


def mirrored(family: Family, number: int) -> bool:
    """Whether the picture of variant `number` shows on the left what the record's own shows on the right."""
    results = [rendered[number] for rendered in family.rendered.values()]
    return sum(step.mirrored for result in results for step in result.applied) % 2 == 1


def swapped(value: TextValue, pairs: Pairs) -> tuple[TextValue, tuple[Applied, ...]]:
    """The text with each word of a pair in the other's place, in its own case; spans stay on their words.

    Also the lineage entry: every word that was changed, before and after, in the order of the text. None is left out:
    a text without such words comes back as it is, with no entry. Raises LabelLost.
    """
    pattern, others = _pattern(pairs)
    places, found, slots = [], [], []
    for number, match in enumerate(pattern.finditer(value.text)):
        other = _in_case_of(match[0], others[match[0].casefold()])
        places.append(match.span())
        found.append((match[0], other))
        slots.append(Slot(number, other))
    if not found:
        return value, ()
    result = joined(Split(value.text, tuple(places)), slots)
    steps = (Applied(MIRROR_WORDS, to_json({"words": found})),)
    return spans.changed(value, result.text, result.pieces), steps


@lru_cache(maxsize=16)
def _pattern(pairs: Pairs) -> tuple[re.Pattern[str], Mapping[str, str]]:
    others = {one.casefold(): other for pair in pairs for one, other in (pair, pair[::-1])}
    longest_first = sorted(others, key=lambda word: (-len(word), word))
    listed = "|".join(re.escape(word) for word in longest_first)
    return re.compile(rf"(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE), others


def _in_case_of(model: str, word: str) -> str:
    """`Left` -> `Right`, `LEFT` -> `RIGHT`, `left` -> `right` as the config writes it."""
    if len(model) > 1 and model.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if model[:1].isupper() else word
