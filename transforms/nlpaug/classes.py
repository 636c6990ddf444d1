"""The classes of nlpaug that a recipe may name: where each is, and what it takes."""

import inspect
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from transforms.isolation import global_random, library_warnings
from transforms.nlpaug.refused import refused_parameters


@dataclass(frozen=True, slots=True)
class Place:
    """A class: its module, its name there, and the room (a module of this package) that makes its steps."""

    module: str
    attribute: str
    room: str


def _places(module: str, room: str, *names: str) -> dict[str, Place]:
    return {name: Place(f"nlpaug.{module}", name, room) for name in names}


CLASSES = {
    **_places("augmenter.char", "text", "KeyboardAug", "OcrAug", "RandomCharAug"),
    **_places("augmenter.word", "text", "AntonymAug", "RandomWordAug", "ReservedAug", "SpellingAug", "SplitAug"),
    **_places("augmenter.word", "text", "SynonymAug", "TfIdfAug", "WordEmbsAug"),
    **_places("augmenter.word", "models", "BackTranslationAug", "ContextualWordEmbsAug"),
    **_places("augmenter.sentence", "text", "RandomSentAug"),
    **_places("augmenter.sentence", "models", "AbstSummAug", "ContextualWordEmbsForSentenceAug"),
    **_places("augmenter.audio", "audio", "CropAug", "LoudnessAug", "MaskAug", "NoiseAug", "NormalizeAug"),
    **_places("augmenter.audio", "audio", "PitchAug", "PolarityInverseAug", "ShiftAug", "SpeedAug", "VtlpAug"),
    **_places("augmenter.spectrogram", "spectrograms", "FrequencyMaskingAug", "TimeMaskingAug"),
    "InversionAug": Place("nlpaug.augmenter.audio", "PolarityInverseAug", "audio"),
    "LoudnessSpecAug": Place("nlpaug.augmenter.spectrogram", "LoudnessAug", "spectrograms"),
    **_places("flow", "flows", "Sequential", "Sometimes"),
}
"""nlpaug has two classes LoudnessAug, one on sounds and one on spectrograms, and calls its inversion
PolarityInverseAug; both are known by a name of their own too."""
_AUDIO = frozenset({"audio", "spectrograms"})


def room(name: str) -> str:
    """Give the room of a class."""
    return CLASSES[name].room


def modality(name: str) -> str:
    """Give `audio` for the classes on sounds and spectrograms, `text` for all others."""
    place = CLASSES.get(name)
    return "audio" if place is not None and place.room in _AUDIO else "text"


@cache
def load(name: str) -> Any:
    """Import a class; from then on nlpaug draws from the seed of the step, and its warnings are kept apart."""
    place = CLASSES[name]
    found = getattr(import_module(place.module), place.attribute)
    if modality(name) == "audio":
        import_module("librosa.core.spectrum")  # the rest of librosa loads when it is needed
        library_warnings.capture("librosa")
    global_random.capture("nlpaug")
    library_warnings.capture("nlpaug")
    return found


@cache
def parameters(name: str) -> dict[str, inspect.Parameter]:
    """Give the parameters that a config may use."""
    known = inspect.signature(load(name)).parameters
    return {key: p for key, p in known.items() if key not in refused_parameters(name)}


@cache
def kinds(name: str) -> dict[str, str]:
    """Give the parameters' types as the docstring names them: nlpaug has no annotations."""
    found = re.findall(r":param (\w+(?:/\w+)*) (\w+) ?:", load(name).__doc__ or "")
    return {key: kind.lower() for kind, key in found}


def given(name: str, params: Any, key: str) -> Any:
    """Give a parameter as a step will have it: from the config, else nlpaug's default."""
    return params[key] if key in params else parameters(name)[key].default
