"""What an augmented text changed, word by word, for people to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from pipeline.drawing import tokens

Mark = Literal["same", "changed", "removed"]
_MAX_CHARACTERS = 4000
_LEAD_WORDS = 6


@dataclass(frozen=True, slots=True)
class Word:
    """A word (or white space, or a character of a script without spaces) and what became of it."""

    text: str
    mark: Mark = "same"


def marked_words(original: str, copy: str) -> list[Word]:
    """The copy's words: new or replaced ones `changed`, dropped ones `removed` where they stood.

    White space between two marked words takes their mark; it is never compared, since word libraries normalise it.
    """
    old = [t for t in tokens(original[:_MAX_CHARACTERS]) if not t.isspace()]
    new = tokens(copy[:_MAX_CHARACTERS])
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
    """How many words are not the same, counting a run of them by its words."""
    return sum(w.mark != "same" and not w.text.isspace() for w in words)
