"""The steps of nlpaug's text classes: characters, words and sentences, by rules, dictionaries and word vectors.

nlpaug strips a text, splits it into tokens and joins them with single spaces, so runs of spaces and line breaks are
lost wherever a word may change; blank texts come back as they are.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from difflib import SequenceMatcher
from typing import Any

from transforms import library_random, nlpaug_dictionaries, text_spans
from transforms.interface import Transform
from transforms.nlpaug_classes import load
from transforms.values import TextValue, Value

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
Guard = Callable[[bytes], AbstractContextManager[object]]


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step. Raises LookupError, with what to install, where WordNet or a tagger is missing."""
    return TextStep(name, construct(name, params))


def construct(name: str, params: Mapping[str, Any]) -> Any:
    """Make nlpaug's augmenter, on a dictionary of `nlpaug_dictionaries` where it uses one."""
    cls = load(name)
    params = nlpaug_dictionaries.local_files(name, params)
    if name == "RandomSentAug":
        return cls(**params, tokenizer=sentences)
    model = nlpaug_dictionaries.model(name, params)
    return cls(**params) if model is None else with_model(cls, model)(**params)


def with_model(cls: Any, model: Any) -> Any:
    """The class, with a model that is not the library's own: that one would keep the first it ever read."""
    return type(cls.__name__, (cls,), {"get_model": lambda self, *args, **kwargs: model})


class TextStep:
    """One nlpaug augmenter; `guard` seeds what it draws from, see `library_random`.

    Recorded are the action, how many words (RandomSentAug: sentences) are no longer the same, and those words before
    and after, in the order of the text. A text without a word that can change is recorded with `changed: 0`.
    """

    __slots__ = ("_guard", "_name", "_sentences", "_step")

    def __init__(self, name: str, step: Any, guard: Guard = library_random.seeded) -> None:
        self._name = name
        self._step = step
        self._guard = guard
        self._sentences: list[str] = []
        step.include_detail = True
        if name == "RandomSentAug":
            step.model.tokenizer = self._split

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to a `TextValue`."""
        if not isinstance(value, TextValue):
            raise TypeError(f"nlpaug.{self._name} works on text, not on {type(value).__name__}")
        unchanged = {"action": self._step.action, "changed": 0}
        if not value.text.strip():
            return value, unchanged
        if self._name == "RandomSentAug":
            return self._swap_sentences(value, seed)
        try:
            with self._guard(seed):
                result = self._step.augment(value.text)[0]
        except ValueError as error:
            if self._step.action == "crop" and "larger than population" in str(error):  # too few words to crop
                return value, unchanged
            raise
        text, changes = (result, None) if isinstance(result, str) else result
        words = self._words(changes) if changes and self._step.action != "insert" else _differences(value.text, text)
        return _changed(value, text), {"action": self._step.action, "changed": len(words), "words": words}

    def _words(self, changes: list[dict[str, Any]]) -> list[tuple[str, str]]:
        changes.sort(key=lambda change: change["orig_start_pos"])
        return [(c["orig_token"], c["new_token"]) for c in changes if c["orig_token"] != c["new_token"]]

    def _swap_sentences(self, value: TextValue, seed: bytes) -> tuple[Value, dict[str, Any]]:
        before = sentences(value.text.strip())
        if len(before) < 2:
            return value, {"action": self._step.action, "changed": 0}
        with self._guard(seed):
            text = self._step.augment(value.text)[0]
        changed = sum(old != new for old, new in zip(before, self._sentences, strict=True))
        return _changed(value, text), {"action": self._step.action, "changed": changed}

    def _split(self, text: str) -> list[str]:
        """Split for nlpaug, which swaps the sentences in this very list."""
        self._sentences = sentences(text)
        return self._sentences


def sentences(text: str) -> list[str]:
    """Split after `.`, `!`, `?` or `…` and white space; nlpaug's own way would need a download of NLTK."""
    return _SENTENCE_END.split(text)


def _changed(value: TextValue, text: str) -> TextValue:
    """The new text, with the spans of the old one on the same words. Raises LabelLost."""
    return TextValue(text, None if value.spans is None else text_spans.moved(value.spans, value.text, text))


def _differences(old: str, new: str) -> list[tuple[str, str]]:
    """Runs of words that became others, where nlpaug does not say so itself."""
    left, right = old.split(), new.split()
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return [
        (" ".join(left[a1:a2]), " ".join(right[b1:b2]))
        for kind, a1, a2, b1, b2 in matcher.get_opcodes()
        if kind != "equal"
    ]
