"""What the values of nlpaug's parameters may be: the library itself checks few of them."""

from collections.abc import Mapping
from typing import Any

from transforms.adapter_checks import nearest
from transforms.interface import StepProblem
from transforms.nlpaug.classes import kinds, modality

MEL_CHANNELS = 128
"""Rows of the spectrograms that the spectrogram classes see; nlpaug's own loader makes as many."""
_CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("AntonymAug", "lang"): ("eng",),
    ("ContextualWordEmbsAug", "action"): ("insert", "substitute"),
    ("ContextualWordEmbsAug", "model_type"): ("", "bert", "roberta", "bart"),
    ("ContextualWordEmbsForSentenceAug", "model_type"): ("", "gpt2", "xlnet"),
    ("NormalizeAug", "method"): ("minmax", "max", "standard", "random"),
    ("RandomCharAug", "action"): ("insert", "substitute", "swap", "delete"),
    ("RandomCharAug", "swap_mode"): ("adjacent", "middle", "random"),
    ("RandomSentAug", "action"): ("swap",),
    ("RandomSentAug", "mode"): ("neighbor", "left", "right", "random"),
    ("RandomWordAug", "action"): ("substitute", "swap", "delete", "crop"),
    ("ReservedAug", "action"): ("substitute",),
    ("ShiftAug", "direction"): ("left", "right", "random"),
    ("SynonymAug", "aug_src"): ("wordnet", "ppdb"),
    ("SynonymAug", "lang"): ("eng",),
    ("TfIdfAug", "action"): ("insert", "substitute"),
    ("WordEmbsAug", "action"): ("insert", "substitute"),
    ("WordEmbsAug", "model_type"): ("word2vec", "glove", "fasttext"),
    ("NoiseAug", "color"): (
        "white", "pink", "red", "brown", "brownian", "blue", "azure", "violet", "purple", "random",
    ),
}  # fmt: skip
_SHORTEST_WORD = {"RandomCharAug": 2, "SplitAug": 3}
_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "float": (int, float),
    "int": (int,),
    "list": (list, tuple),
    "str": (str,),
    "tuple": (list, tuple),
}
_KIND_OF = {"duration": "float", "noises": "", "use_custom_api": "bool"}
_FACTORS: dict[str, tuple[float, float]] = {
    "FrequencyMaskingAug": (0, MEL_CHANNELS),
    "LoudnessAug": (0, 1e6),
    "LoudnessSpecAug": (0, 1e6),
    "PitchAug": (-120, 120),
    "SpeedAug": (0.01, 100),
    "VtlpAug": (0.1, 10),
}
"""What the two numbers of `factor` may be."""


def value_problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check each value: its choices, its type by the docstring, its range."""
    return [problem for key, value in params.items() for problem in _value_problems(name, key, value)]


def _value_problems(name: str, key: str, value: Any) -> list[StepProblem]:
    choices = _CHOICES.get((name, key))
    if choices is not None:
        message = f"{key}: {value!r} is not one of {', '.join(filter(None, choices))}"
        return [] if value in choices else [StepProblem((key,), message, nearest(str(value), choices))]
    kind = _KIND_OF.get(key, kinds(name).get(key, ""))
    if value is None or kind not in _KINDS:
        return []
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "bool"):
        return [StepProblem((key,), f"{key}: {value!r} is not of type {kind}")]
    message = _pair_message(name, key, value) if kind == "tuple" else _range_message(name, key, value)
    return [StepProblem((key,), f"{key}: {value!r} {message}")] if message else []


def _range_message(name: str, key: str, value: Any) -> str:
    if (key.endswith("_p") or key == "coverage") and not 0 <= value <= 1:
        return "is not a number in 0..1"
    if key in ("duration", "temperature") and not value > 0:
        return "is not more than 0"
    least = _SHORTEST_WORD.get(name, 0) if key == "min_char" else int(key in ("top_k", "batch_size", "max_length"))
    if key.endswith(("_min", "_max", "_char", "_length", "_k", "_size")) and value < least:
        return f"is less than {least}"
    return ""


def _pair_message(name: str, key: str, value: Any) -> str:
    if modality(name) != "audio":
        return ""
    low, high = (0.0, 1.0) if key == "zone" else _FACTORS[name]
    numbers = [number for number in value if isinstance(number, int | float) and not isinstance(number, bool)]
    if len(value) != 2 or len(numbers) != 2 or not low <= numbers[0] <= numbers[1] <= high:
        return f"is not a range [lo, hi] within {low:g}..{high:g}"
    if name == "FrequencyMaskingAug" and key == "factor":
        whole = all(isinstance(number, int) for number in numbers)
        return "" if whole and numbers[0] < numbers[1] else "is not two whole numbers, the first one less"
    return ""
