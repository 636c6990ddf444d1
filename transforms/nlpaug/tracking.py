"""nlpaug's augmenters on our own words: what they did to each word is read from their own log of changes.

nlpaug's `Doc` looks words up in the text again, and forgets which word went where; `TrackedDoc` keeps that.
"""

import re
from collections.abc import Sequence
from types import FunctionType
from typing import Any

import nlpaug.util.doc as library
from nlpaug.util import Action

from transforms.text.joining import Slot
from transforms.text.words import UNSPACED, Place, Split, clusters

_ACTIONS = ("insert", "substitute", "swap", "delete", "crop", "split")
_MANY = 16
_IN_WORD = f"[^\\W{UNSPACED}]"


class Taken(list[str]):
    """The words of a text as nlpaug sees them, and, afterwards, the document that it made of them.

    `forms` are numbers of words whose letters must stay. `blank` says of each separator, the one before the first word
    and after the last included, whether the words beside it may change places.
    """

    def __init__(self, split: Split) -> None:
        super().__init__(split.strings())
        self.split = split
        self.forms = split.forms
        self.blank = _blanks(split)
        self.doc: TrackedDoc | None = None

    def sides(self, number: int) -> list[int]:
        """-1 and 1, for the neighbours that nothing but a space parts from a word."""
        return [side for side in (-1, 1) if self.blank[number + (side > 0)]]


class TrackedDoc(library.Doc):  # type: ignore[misc]
    """nlpaug's document, without its search for positions; it knows which old word is at which place."""

    def __init__(self, doc: str = "", tokens: Sequence[str] | None = None) -> None:
        self.doc = doc
        self.tokens = [library.ChangeLog(library.Token(token=token, start_pos=0)) for token in tokens or ()]
        self.changed_cnt = 0
        self._origins: list[int | None] = list(range(len(self.tokens)))
        self._swapping: tuple[int, int] | None = None
        self._taken = tokens if isinstance(tokens, Taken) else None
        if self._taken is not None:
            self._taken.doc = self

    def add_token(self, idx: int, token: str, action: str, change_seq: int) -> None:
        """Insert a new word."""
        super().add_token(idx, token, action, change_seq)
        self._origins.insert(idx, None)

    def add_change_log(self, idx: int, new_token: str, action: str, change_seq: int) -> None:
        """Change a word; two changes of one swap exchange their words."""
        if self._lowers_a_name(idx, action):
            return
        super().add_change_log(idx, new_token, action, change_seq)
        if action != Action.SWAP:
            return
        if self._swapping is not None and self._swapping[0] == change_seq:
            other = self._swapping[1]
            self._origins[idx], self._origins[other] = self._origins[other], self._origins[idx]
            self._swapping = None
        else:
            self._swapping = (change_seq, idx)

    def _lowers_a_name(self, idx: int, action: str) -> bool:
        """TfIdfAug lowers the second word after every insertion, also where none came before the first."""
        return action == Action.INSERT and idx == 1 and None in self._origins and self._origins[0] is not None

    def slots(self) -> list[Slot]:
        """Every place with what stands there now."""
        return [Slot(origin, text) for origin, text in zip(self._origins, self._texts(), strict=True)]

    def changes(self) -> list[tuple[str, str]]:
        """The words that changed, before and after, by their places; empty before: a new one; after: it is gone."""
        places = zip(self._origins, self.tokens, self._texts(), strict=True)
        pairs = [("" if origin is None else str(log.orig_token.token), now) for origin, log, now in places]
        return [(old, new) for old, new in pairs if old != new]

    def _texts(self) -> list[str]:
        """What stands at every place; nlpaug's capitals for the first word are not for each word."""
        old = self._taken
        found = []
        for origin, log in zip(self._origins, self.tokens, strict=True):
            text = str(log.get_latest_token().token)
            if old is not None and origin is not None and text != old[origin] and text.lower() == old[origin].lower():
                text = old[origin] if origin in old.forms or len(text) != len(old[origin]) else text
            found.append(text)
        return found


class Chosen(list[Any]):
    """Numbers of words; asking whether one is among many takes no search."""

    _known: frozenset[Any] | None = None

    def __contains__(self, number: object) -> bool:
        if len(self) < _MANY:
            return super().__contains__(number)
        if self._known is None:
            self._known = frozenset(self)
        return number in self._known


def tracked(cls: Any, *mixins: type) -> Any:
    """The class, with `TrackedDoc` in place of nlpaug's own in what it does; nlpaug itself is left as it is."""
    own: dict[str, Any] = {}
    for action in _ACTIONS:
        function = getattr(cls, action, None)
        if any(hasattr(mixin, action) for mixin in mixins):
            continue
        if isinstance(function, FunctionType) and "Doc" in function.__globals__:
            names = {**function.__globals__, "Doc": TrackedDoc}
            own[action] = FunctionType(function.__code__, names, action, function.__defaults__, function.__closure__)
    return type(cls.__name__, (*mixins, _Whole, cls), own)


class _Whole:
    """Texts are not stripped, and chosen words are found fast."""

    @classmethod
    def clean(cls, data: Any) -> Any:
        return data

    def _get_aug_idxes(self, *given: Any) -> Any:
        found = super()._get_aug_idxes(*given)  # type: ignore[misc]
        return Chosen(found) if isinstance(found, list) else found


class Lettered:
    """Classes that change letters: marks stay on their letters, and words that make sense only as written stay."""

    @classmethod
    def token2char(cls, word: str) -> list[str]:
        """Give the letters of a word."""
        return clusters(word)

    def pre_skip_aug(self, tokens: Any, tuple_idx: Any = None) -> list[int]:
        """Leave out words with too few letters too, and those whose letters must stay."""
        found: list[int] = super().pre_skip_aug(tokens, tuple_idx)  # type: ignore[misc]
        forms = self.taken.forms  # type: ignore[attr-defined]
        least = max(self.min_char, 2 if self.action == Action.SWAP else 1)  # type: ignore[attr-defined]
        return [number for number in found if number not in forms and _has_letters(tokens[number], least)]


class Swapping:
    """RandomWordAug: words change places where nothing but a space is between them."""

    def pre_skip_aug(self, tokens: Any, tuple_idx: Any = None) -> list[int]:
        """Leave out words with none beside them too."""
        found: list[int] = super().pre_skip_aug(tokens, tuple_idx)  # type: ignore[misc]
        if self.action != Action.SWAP:  # type: ignore[attr-defined]
            return found
        return [number for number in found if self.taken.sides(number)]  # type: ignore[attr-defined]

    def _get_swap_position(self, pos: int, token_length: int) -> int:
        sides = self.taken.sides(pos)  # type: ignore[attr-defined]
        side = sides[0] if len(sides) == 1 else self.sample([-1, 1], 1)[0]  # type: ignore[attr-defined]
        return pos + int(side)


class Splitting(Lettered):
    """SplitAug: a word is split between two letters, never between a letter and its marks."""

    def split(self, data: str) -> str:
        """Split some words."""
        doc = TrackedDoc(data, self.tokenizer(data))  # type: ignore[attr-defined]
        chosen = self._get_aug_idxes(doc.get_original_tokens())  # type: ignore[attr-defined]
        for change, number in enumerate(sorted(chosen, reverse=True), 1):
            letters = clusters(doc.get_token(number).orig_token.token)
            at = self.sample(len(letters), 1)  # type: ignore[attr-defined]
            halves = f"{''.join(letters[:at])} {''.join(letters[at:])}"
            doc.add_change_log(number, halves, Action.SPLIT, change)
        return data

    def skip_aug(self, token_idxes: list[int], tokens: list[str]) -> list[int]:
        """Leave out none more: letters are counted with their marks."""
        return token_idxes


class Reserving:
    """ReservedAug: words and phrases of the config are found in the text as they are written, each one unit."""

    def reserve(self) -> None:
        """Prepare; phrases are words here."""
        groups: list[list[str]] = self.reserved_tokens  # type: ignore[attr-defined]
        self.reserved_phrase_dict: dict[str, int] = {}
        self.reserved_phrase_concats: list[str] = []
        self.reserved_phrase_regexs: list[Any] = []
        self.reserved_token_dict = {self._form(t): n for n, group in enumerate(groups) for t in group}
        forms = [{self._form(token) for token in group} for group in groups]
        self._with_others = {n for n, group in enumerate(forms) if len(group) > 1}
        listed = "|".join(map(_bounded, sorted(self.reserved_token_dict, key=lambda t: (-len(t), t))))
        self._pattern = re.compile(listed or r"(?!)", 0 if self.case_sensitive else re.IGNORECASE)  # type: ignore[attr-defined]

    def units(self, text: str) -> list[Place]:
        """Where they are."""
        return [match.span() for match in self._pattern.finditer(text)]

    def skip_aug(self, token_idxes: list[int], tokens: list[str]) -> list[int]:
        """Leave out words for which the config has no other."""
        groups = [self.reserved_token_dict.get(self._form(tokens[number])) for number in token_idxes]
        return [number for number, group in zip(token_idxes, groups, strict=True) if group in self._with_others]

    def _form(self, token: str) -> str:
        return token if self.case_sensitive else token.lower()  # type: ignore[attr-defined]


def _blanks(words: Split) -> list[bool]:
    """For each separator: whether it is nothing but space on one line between two words."""
    inner = [words.text[begin:end] for begin, end in words.gaps()[1:-1]]
    return [False, *(not gap.strip() and "\n" not in gap and "\r" not in gap for gap in inner), False]


def _has_letters(word: str, least: int) -> bool:
    """Whether a word has so many letters, each counted with its marks."""
    return len(word) >= least and (word.isascii() or len(clusters(word)) >= least)


def _bounded(token: str) -> str:
    """A pattern for a token that is no part of a longer word, in scripts that part words."""
    before = f"(?<!{_IN_WORD})" if re.match(_IN_WORD, token[:1]) else ""
    after = f"(?!{_IN_WORD})" if re.match(_IN_WORD, token[-1:]) else ""
    return f"{before}{re.escape(token)}{after}"
