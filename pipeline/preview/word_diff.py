"""What an augmented text changed, word by word, for people to look at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from pipeline.preview.drawing import tokens

Mark = Literal["same", "changed", "removed"]
MAX_CHARACTERS = 4000
_LEAD_WORDS = 6
_PUNCTUATION = (
    r"[!-/:-@\[-`{-~\u00a1-\u00bf\u055a-\u055f\u060c\u061b\u061f\u0964\u2010-\u205e"
    r"\u3001-\u3003\uff01-\uff0f\uff1a-\uff20]"
)
_ENDS = re.compile(rf"^({_PUNCTUATION}*)(.*?)({_PUNCTUATION}*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """A word (or white space, or a character of a script without spaces) and what became of it."""

    text: str
    mark: Mark = "same"
    ink: str = ""
    """The colour of the line below it, where a span marks it."""


def words_of(text: str) -> list[str]:
    """Words, white space, and punctuation at either end of a word by itself: libraries move it apart."""
    out: list[str] = []
    for token in tokens(text):
        match = None if token.isspace() else _ENDS.match(token)
        out += [*match[1], *([match[2]] if match[2] else []), *match[3]] if match else [token]
    return out


def marked_words(original: str, copy: str) -> list[Word]:
    """The copy's words: new or replaced ones `changed`, dropped ones `removed` where they stood.

    White space between two marked words takes their mark; it is never compared, since word libraries normalise it.
    """
    old = [t for t in words_of(original[:MAX_CHARACTERS]) if not t.isspace()]
    new = words_of(copy[:MAX_CHARACTERS])
    spaced = [Word(t) for t in new]
    places = [n for n, t in enumerate(new) if not t.isspace()]
    matcher = SequenceMatcher(None, old, [new[n] for n in places], autojunk=False)
    dropped: dict[int, list[str]] = {}
    for kind, old_begin, old_end, new_begin, new_end in matcher.get_opcodes():
        for number in places[new_begin:new_end] if kind != "equal" else ():
            spaced[number] = Word(new[number], "changed")
        if kind == "delete":
            dropped[places[new_begin] if new_begin < len(places) else len(new)] = old[old_begin:old_end]
    return _joined(_with_dropped(spaced, dropped))


def underlined(words: Sequence[Word], text: str, spans: Sequence[tuple[int, int, str]]) -> list[Word]:
    """The words of a text, cut where spans begin and end, with the colour of the span that they lie in.

    Words that were dropped, and blanks around them, are not in the text and stay as they are.
    """
    edges = sorted({edge for start, end, _ in spans for edge in (start, end)})
    out: list[Word] = []
    place = 0
    for word in words:
        if word.mark == "removed" or not text.startswith(word.text, place):
            out.append(word)
            continue
        end = place + len(word.text)
        cuts = [place, *(edge for edge in edges if place < edge < end), end]
        for low, high in pairwise(cuts):
            ink = next((ink for start, stop, ink in spans if start <= low < stop), "")
            out.append(replace(word, text=text[low:high], ink=ink))
        place = end
    return out


def from_first_change(words: Sequence[Word], shown: int) -> list[Word]:
    """The words from a little before the first change on, if that stands beyond the first `shown` characters."""
    before = 0
    for number, word in enumerate(words):
        if word.mark != "same":
            start = max(0, number - 2 * _LEAD_WORDS)
            return list(words) if before + len(word.text) <= shown or not start else [Word("… "), *words[start:]]
        before += len(word.text)
    return list(words)


def _with_dropped(words: list[Word], dropped: dict[int, list[str]]) -> list[Word]:
    out: list[Word] = []
    for number in range(len(words) + 1):
        for text in dropped.get(number, ()):
            if out and not out[-1].text.isspace():
                out.append(Word(" "))
            out += [Word(text, "removed"), Word(" ")]
        out += words[number : number + 1]
    return out


def _joined(words: list[Word]) -> list[Word]:
    """White space between two words of one mark gets that mark, so that the mark is drawn through."""
    out = list(words)
    for number in range(1, len(words) - 1):
        before, space, after = words[number - 1 : number + 2]
        if space.text.isspace() and before.mark == after.mark != "same":
            out[number] = Word(space.text, before.mark)
    return out


def changes(words: Sequence[Word]) -> int:
    """How many words are changed or removed; punctuation alone does not count."""
    return sum(w.mark != "same" and any(c.isalnum() for c in w.text) for w in words)
