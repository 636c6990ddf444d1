"""The steps of nlpaug's text classes: characters and words, by rules, dictionaries and word vectors; sentences.

nlpaug chooses and changes words; which words a text has, and how it is put together again, is `transforms.text`. So
punctuation, spaces and line breaks stay as they are around what is unchanged, and a text in which nothing changed is
the same text.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from transforms.interface import Transform
from transforms.isolation import global_random
from transforms.labels import spans
from transforms.nlpaug import dictionaries, tracking
from transforms.nlpaug.classes import load
from transforms.text.joining import Slot, joined
from transforms.text.sentences import sentences
from transforms.text.tokens import token_list, with_tokens
from transforms.text.words import Place, Split, split
from transforms.values import TextValue, Value

_MIXINS: Mapping[str, tuple[type, ...]] = {
    "KeyboardAug": (tracking.Lettered,),
    "OcrAug": (tracking.Lettered,),
    "RandomCharAug": (tracking.Lettered,),
    "RandomWordAug": (tracking.Swapping,),
    "ReservedAug": (tracking.Reserving,),
    "SplitAug": (tracking.Splitting,),
}
Guard = Callable[[bytes], AbstractContextManager[object]]


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step. Raises LookupError, with what to install, where WordNet or a tagger is missing."""
    step = construct(name, params)
    return SentenceStep(step) if name == "RandomSentAug" else WordStep(name, step)


def construct(name: str, params: Mapping[str, Any]) -> Any:
    """Make nlpaug's augmenter, on a dictionary of `nlpaug_dictionaries` where it uses one."""
    cls = load(name)
    params = dictionaries.local_files(name, params)
    if name == "RandomSentAug":
        return cls(**params, tokenizer=list)
    model = dictionaries.model(name, params)
    step = tracking.tracked(cls if model is None else with_model(cls, model), *_MIXINS.get(name, ()))(**params)
    if isinstance(step, tracking.Reserving):
        step.reserve()
    return step


def with_model(cls: Any, model: Any) -> Any:
    """The class, with a model that is not the library's own: that one would keep the first it ever read."""
    return type(cls.__name__, (cls,), {"get_model": lambda self, *args, **kwargs: model})


class Result(Protocol):
    """What became of the words of a text."""

    def slots(self) -> list[Slot]:
        """Every place with what stands there now."""
        ...

    def changes(self) -> list[tuple[str, str]]:
        """Words that changed, before and after."""
        ...


class WordStep:
    """One nlpaug augmenter on words or letters; `guard` seeds what it draws from, see `isolation.global_random`.

    Recorded are the action, how many words are no longer the same, and those words before and after, in the order of
    the text. A text without a word that can change is recorded with `changed: 0`.
    """

    __slots__ = ("_guard", "_name", "_step")

    def __init__(self, name: str, step: Any, guard: Guard = global_random.seeded) -> None:
        self._name, self._step, self._guard = name, step, guard
        step.tokenizer = self._given
        step.reverse_tokenizer = _nothing
        step.include_detail = False

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to a `TextValue`. Raises LabelLost."""
        if not isinstance(value, TextValue):
            raise TypeError(f"nlpaug.{self._name} works on text, not on {type(value).__name__}")
        units = self._step.units(value.text) if self._name == "ReservedAug" else ()
        words = words_of(value, units)
        doc = self._changed(words, seed) if words.words else None
        changes = [] if doc is None else doc.changes()
        drawn = {"action": self._step.action, "changed": len(changes)}
        if doc is None or not changes:
            return value, drawn
        return put_together(value, words, doc.slots()), {**drawn, "words": changes}

    def _changed(self, words: Split, seed: bytes) -> Result | None:
        """The words after the augmenter; None where it left them alone."""
        taken = tracking.Taken(words)
        self._step.taken = taken
        try:
            with self._guard(seed):
                self._step.augment(words.text)
        except ValueError as error:
            if self._step.action == "crop" and "larger than population" in str(error):  # too few words to crop
                return None
            raise
        return taken.doc

    def _given(self, text: str) -> Sequence[str]:
        taken: tracking.Taken = self._step.taken
        return taken


class SentenceStep:
    """RandomSentAug: whole sentences change places, what parts them stays. Recorded is how many are elsewhere."""

    __slots__ = ("_step",)

    def __init__(self, step: Any) -> None:
        self._step = step

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to a `TextValue`. Raises LabelLost."""
        if not isinstance(value, TextValue):
            raise TypeError(f"nlpaug.RandomSentAug works on text, not on {type(value).__name__}")
        places = sentences(value.text, spans.kept(value))
        if len(places) < 2:
            return value, {"action": self._step.action, "changed": 0}
        numbers = [str(number) for number in range(len(places))]
        self._step.model.tokenizer = lambda text: numbers
        with global_random.seeded(seed):
            self._step.augment(value.text)  # changes places in this very list
        found = Split(value.text, tuple(places))
        strings = found.strings()
        order = [int(number) for number in numbers]
        moved = [(strings[n], strings[now]) for n, now in enumerate(order) if strings[n] != strings[now]]
        drawn = {"action": self._step.action, "changed": len(moved)}
        if not moved:
            return value, drawn
        result = joined(found, [Slot(number, strings[number]) for number in order])
        return spans.changed(value, result.text, result.pieces), {**drawn, "sentences": order}


def words_of(value: TextValue, units: Sequence[Place] = ()) -> Split:
    """The words of a text that a step may change."""
    if value.tokens is not None:
        return token_list(value, spans.kept(value))
    return split(value.text, spans.kept(value), units)


def put_together(value: TextValue, words: Split, slots: Sequence[Slot]) -> TextValue:
    """The text with its words in their new places, and its labels. Raises LabelLost."""
    if value.tokens is not None:
        return with_tokens(value, words, slots)
    result = joined(words, slots)
    return spans.changed(value, result.text, result.pieces)


def _nothing(tokens: Any) -> str:
    """Put nothing together: nlpaug's own way is not used."""
    return ""
