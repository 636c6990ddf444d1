"""nlpaug's ContextualWordEmbsAug on our own words: a masked language model fills in for whole words.

nlpaug puts the text together again out of the model's tokens: in small letters, punctuation torn off, what the model
does not know as [UNK]. Here the model only says which word could stand in a place; the text around it stays.
"""

from collections.abc import Iterator
from typing import Any

from transforms.nlpaug.tracking import TrackedDoc

_SPARE = 3
"""Tokens that the model itself adds, and the mask."""


class InContext:
    """The two actions, and which words may be chosen: those that the model can look at."""

    _limit = 0

    def skip_aug(self, token_idxes: list[int], tokens: list[str]) -> list[int]:
        """Leave out the words that the model cannot look at."""
        places = self.taken.split.words  # type: ignore[attr-defined]
        return [number for number in token_idxes if places[number][1] <= self._limit]

    def substitute(self, data: str) -> str:
        """Write other words over some."""
        doc = self._doc(data, 1.0)
        seen = _Seen(data[: self._limit])
        for change, (number, place) in enumerate(self._places(doc), 1):
            old = doc.get_token(number).orig_token.token
            word = self._word(seen.around(*place), old)
            if word:
                new = self.align_capitalization(old, word)  # type: ignore[attr-defined]
                doc.add_change_log(number, new, "substitute", change)
            seen.write(place, word or old)
        return data

    def insert(self, data: str) -> str:
        """Write words before some."""
        doc = self._doc(data, 0.6)  # so that there is room for what is inserted
        seen = _Seen(data[: self._limit])
        for change, (number, (begin, _)) in enumerate(self._places(doc), 1):
            word = self._word(seen.around(begin, begin, " "), None)
            if word:
                doc.add_token(number, word, "insert", change)
                seen.write((begin, begin), f"{word} ")
        return data

    def _doc(self, text: str, share: float) -> TrackedDoc:
        self._limit = self._head(text, share)
        return TrackedDoc(text, self.tokenizer(text))  # type: ignore[attr-defined]

    def _places(self, doc: TrackedDoc) -> Iterator[tuple[int, tuple[int, int]]]:
        """The words that were chosen, last one first."""
        chosen = self._get_aug_idxes(doc.get_original_tokens())  # type: ignore[attr-defined]
        for number in sorted(chosen, reverse=True):
            yield number, self.taken.split.words[number]  # type: ignore[attr-defined]

    def _head(self, text: str, share: float) -> int:
        """How many characters of a text the model can look at."""
        most = int((self.max_num_token - _SPARE) * share)  # type: ignore[attr-defined]
        found = self.model.get_tokenizer()(text, add_special_tokens=False, return_offsets_mapping=True)  # type: ignore[attr-defined]
        offsets = found["offset_mapping"]
        return len(text) if len(offsets) <= most else int(offsets[most][0])

    def _word(self, parts: tuple[str, str], old: str | None) -> str:
        """A word for the place between two parts of a text; empty if the model knows none."""
        tokenizer, mask = self.model.get_tokenizer(), self.model.get_mask_token()  # type: ignore[attr-defined]
        before, after = (part.replace(mask, tokenizer.unk_token) for part in parts)
        found = self.model.predict([before + mask + after], target_words=[old], n=2)[0]  # type: ignore[attr-defined]
        special = set(tokenizer.all_special_tokens)
        words = [self._plain(token, tokenizer) for token in found if token not in special]
        words = [word for word in words if word and word.casefold() != (old or "").casefold()]
        return str(self.sample(words, 1)[0]) if words else ""  # type: ignore[attr-defined]

    def _plain(self, token: str, tokenizer: Any) -> str:
        """A token of the model as it is written in a text."""
        text = tokenizer.convert_tokens_to_string([token]) if self.use_custom_api else token  # type: ignore[attr-defined]
        return str(text).strip()


class _Seen:
    """What the model sees of a text that changes from its end to its beginning."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._begin = len(text)
        self._after = ""

    def around(self, begin: int, end: int, space: str = "") -> tuple[str, str]:
        """What stands before and after a place, which is before all that was written."""
        return self._text[:begin], space + self._text[end : self._begin] + self._after

    def write(self, place: tuple[int, int], text: str) -> None:
        """Write over a place."""
        begin, end = place
        self._after = text + self._text[end : self._begin] + self._after
        self._begin = begin
