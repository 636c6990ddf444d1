"""What the contract suite needs to know of nlpaug."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import word_files

from scripts import example_models as language_models

COUNT = 32
"""Classes that a recipe may name."""


def _once(folder: Path, make: Callable[[Path], Path]) -> str:
    """A model in a folder, made unless it is there."""
    return str(folder if (folder / "config.json").exists() else make(folder))


def _summariser(folder: Path) -> dict[str, Any]:
    model = _once(folder / "t5", language_models.sequence)
    lengths = {"min_length": 5, "max_length": 20}
    return {"model_path": model, "tokenizer_path": model, "use_custom_api": False, **lengths}


def _translators(folder: Path) -> dict[str, Any]:
    there = _once(folder / "there", language_models.sequence)
    back = _once(folder / "back", lambda place: language_models.sequence(place, start=6))
    return {"from_model_name": there, "to_model_name": back, "max_length": 20}


EXAMPLES: dict[str, dict[str, Any] | Callable[[Path], dict[str, Any]]] = {
    "AbstSummAug": _summariser,
    "BackTranslationAug": _translators,
    "ContextualWordEmbsAug": lambda folder: {"model_path": _once(folder / "bert", language_models.masked)},
    "ContextualWordEmbsForSentenceAug": lambda folder: {"model_path": _once(folder / "gpt2", language_models.causal)},
    "ReservedAug": {"reserved_tokens": [["quick", "fast", "rapid"], ["good", "nice", "fine"]]},
    "Sequential": {"flow": ["nlpaug.KeyboardAug", {"nlpaug.RandomWordAug": {"action": "swap"}}]},
    "ShiftAug": {"duration": 0.1},
    "Sometimes": {"flow": ["nlpaug.KeyboardAug", "nlpaug.RandomWordAug", "nlpaug.SplitAug"]},
    "TfIdfAug": lambda folder: {"model_path": str(word_files.tfidf(folder))},
    "WordEmbsAug": lambda folder: {"model_type": "glove", "model_path": str(word_files.glove(folder)), "top_k": 5},
}
"""Parameters of classes that need some, or that do nothing by default."""

SEEDLESS = {"AbstSummAug", "BackTranslationAug"}
"""Classes that draw nothing with these parameters."""
