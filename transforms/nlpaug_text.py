"""nlpaug: every text class that needs no model.

https://nlpaug.readthedocs.io lists the classes. nlpaug strips a text, splits it into tokens and joins them with single
spaces, so runs of spaces and line breaks are lost wherever a word may change; blank texts come back as they are.
It has no `p` for a whole step: write `sometimes` around one.
"""

import inspect
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from transforms import library_random, library_warnings, text_spans, wordnet
from transforms.checks import construction_problems, nearest, parameter_problems, trial_problems
from transforms.interface import Description, Parameter, StepProblem, Transform
from transforms.nlpaug_refused import REFUSED as REFUSED
from transforms.nlpaug_refused import REFUSED_PARAMETERS
from transforms.values import TextValue, Value

PRELOAD = ("nlpaug.augmenter.char", "nlpaug.augmenter.word")
DISTRIBUTIONS = ("nlpaug", "nltk", "numpy", "textblob")
_CLASSES = {
    "AntonymAug": "nlpaug.augmenter.word",
    "KeyboardAug": "nlpaug.augmenter.char",
    "OcrAug": "nlpaug.augmenter.char",
    "RandomCharAug": "nlpaug.augmenter.char",
    "RandomSentAug": "nlpaug.augmenter.sentence",
    "RandomWordAug": "nlpaug.augmenter.word",
    "ReservedAug": "nlpaug.augmenter.word",
    "SpellingAug": "nlpaug.augmenter.word",
    "SplitAug": "nlpaug.augmenter.word",
    "SynonymAug": "nlpaug.augmenter.word",
}
_WORDNET = frozenset({"AntonymAug", "SynonymAug"})
_CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("RandomCharAug", "action"): ("insert", "substitute", "swap", "delete"),
    ("RandomCharAug", "swap_mode"): ("adjacent", "middle", "random"),
    ("RandomSentAug", "action"): ("swap",),
    ("RandomSentAug", "mode"): ("neighbor", "left", "right", "random"),
    ("RandomWordAug", "action"): ("substitute", "swap", "delete", "crop"),
    ("ReservedAug", "action"): ("substitute",),
    ("SynonymAug", "aug_src"): ("wordnet",),
    ("AntonymAug", "lang"): ("eng",),
    ("SynonymAug", "lang"): ("eng",),
}
_SHORTEST_WORD = {"RandomCharAug": 2, "SplitAug": 3}
_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "float": (int, float),
    "int": (int,),
    "list": (list, tuple),
    "str": (str,),
}
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


def names() -> tuple[str, ...]:
    """Every class that a recipe may name, sorted."""
    return tuple(sorted(_CLASSES))


def modality(name: str) -> str:
    """Give `text`, for every class."""
    return "text"


def describe(name: str) -> Description:
    """Give parameters and docstring of a class; kinds are those of its docstring, nlpaug has no annotations."""
    kinds = _kinds(name)
    parameters = tuple(
        Parameter(p.name, "" if p.default is p.empty else repr(p.default), kinds.get(p.name, ""))
        for p in _parameters(name).values()
    )
    return Description(f"nlpaug.{name}", "text", parameters, inspect.getdoc(_class(name)) or "")


def resources(name: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Versions of the data that decides the bytes: WordNet and its tagger, for the classes that use them."""
    return wordnet.versions() if name in _WORDNET else {}


def carries(name: str) -> frozenset[str]:
    """Give `spans`, for every class: a span stays on its words, or the copy is rejected."""
    return frozenset({"spans"})


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check what the library does not: names, types by its docstrings, ranges; then construct, then call once."""
    if name in _WORDNET and (missing := wordnet.problems()):
        return [StepProblem((), f"nlpaug.{name}: {message}") for message in missing]
    found = parameter_problems(
        f"nlpaug.{name}",
        params,
        _parameters(name),
        lambda valid: _values_problems(name, valid),
        REFUSED_PARAMETERS,
    )
    return found or trial_problems(lambda: build(name, params), "text")


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step. Raises LookupError, with what to install, where WordNet or a tagger is missing."""
    return _TextStep(name, _construct(name, params))


class _TextStep:
    """One nlpaug augmenter; seed to randomness: see `library_random`.

    Recorded are the action, how many words (RandomSentAug: sentences) are no longer the same, and those words before
    and after, in the order of the text. A text without a word that can change is recorded with `changed: 0`.
    """

    __slots__ = ("_name", "_sentences", "_step")

    def __init__(self, name: str, step: Any) -> None:
        self._name = name
        self._step = step
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
            with library_random.seeded(seed):
                text, changes = self._step.augment(value.text)[0]
        except ValueError as error:
            if self._step.action == "crop" and "larger than population" in str(error):  # too few words to crop
                return value, unchanged
            raise
        changes.sort(key=lambda change: change["orig_start_pos"])
        words = [(c["orig_token"], c["new_token"]) for c in changes if c["orig_token"] != c["new_token"]]
        return _changed(value, text), {"action": self._step.action, "changed": len(words), "words": words}

    def _swap_sentences(self, value: TextValue, seed: bytes) -> tuple[Value, dict[str, Any]]:
        before = sentences(value.text.strip())
        if len(before) < 2:
            return value, {"action": self._step.action, "changed": 0}
        with library_random.seeded(seed):
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


@cache
def _class(name: str) -> Any:
    found = getattr(import_module(_CLASSES[name]), name)
    library_random.capture("nlpaug")
    library_warnings.capture("nlpaug")
    return found


def _changed(value: TextValue, text: str) -> TextValue:
    """The new text, with the spans of the old one on the same words. Raises LabelLost."""
    return TextValue(text, None if value.spans is None else text_spans.moved(value.spans, value.text, text))


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(_class(name)).parameters
    return {key: p for key, p in parameters.items() if key not in REFUSED_PARAMETERS}


@cache
def _kinds(name: str) -> dict[str, str]:
    found = re.findall(r":param (\w+) (\w+):", _class(name).__doc__ or "")
    return {key: kind.lower() for kind, key in found}


def _values_problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    found = [problem for key, value in params.items() for problem in _value_problems(name, key, value)]
    return found or construction_problems(lambda: _construct(name, params))


def _value_problems(name: str, key: str, value: Any) -> list[StepProblem]:
    choices = _CHOICES.get((name, key))
    if choices is not None:
        message = f"{key}: {value!r} is not one of {', '.join(choices)}"
        return [] if value in choices else [StepProblem((key,), message, nearest(str(value), choices))]
    kind = _kinds(name).get(key, "")
    if value is None or kind not in _KINDS:
        return []
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "bool"):
        return [StepProblem((key,), f"{key}: {value!r} is not of type {kind}")]
    return _range_problems(name, key, value)


def _range_problems(name: str, key: str, value: Any) -> list[StepProblem]:
    if key.endswith("_p") and not 0 <= value <= 1:
        return [StepProblem((key,), f"{key}: {value!r} is not a number in 0..1")]
    least = _SHORTEST_WORD.get(name, 0) if key == "min_char" else 0
    if key.endswith(("_min", "_max", "_char")) and value < least:
        return [StepProblem((key,), f"{key}: {value!r} is less than {least}")]
    return []


def _construct(name: str, params: Mapping[str, Any]) -> Any:
    cls = _class(name)
    if name == "RandomSentAug":
        return cls(**params, tokenizer=sentences)
    if name not in _WORDNET and name != "SpellingAug":
        return cls(**params)
    if name in _WORDNET:
        model: Any = wordnet.WordNet(is_synonym=name == "SynonymAug")
    else:
        model = _spelling(bool(params.get("include_reverse", True)))
    own = type(name, (cls,), {"get_model": lambda self, *args, **kwargs: model})  # not the library's: see each model
    return own(**params)


@cache
def _spelling(include_reverse: bool) -> Any:
    """Read nlpaug's dictionary of misspellings with its words sorted: their order there depends on PYTHONHASHSEED.

    nlpaug keeps the first dictionary it reads, whatever `include_reverse` says later; here there is one of each.
    """
    from nlpaug.model.word_dict import Spelling
    from nlpaug.util import LibraryUtil

    model = Spelling(f"{LibraryUtil.get_res_dir()}/word/spelling/spelling_en.txt", include_reverse)
    model.dict = {word: sorted(others) for word, others in model.dict.items()}
    return model
