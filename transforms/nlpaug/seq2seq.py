"""Sequence to sequence models for nlpaug's BackTranslationAug and AbstSummAug.

nlpaug's own classes start a process for each text, or call a pipeline that transformers 5 no longer has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class SequenceModel:
    """A tokenizer and a model of transformers that makes texts of texts."""

    tokenizer: Any
    model: Any

    def texts(self, texts: list[str], **settings: Any) -> list[str]:
        """Run, with settings of `generate`; a text longer than the model takes is cut."""
        import torch

        inputs = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            found = self.model.generate(inputs["input_ids"], attention_mask=inputs["attention_mask"], **settings)
        return [str(text) for text in self.tokenizer.batch_decode(found, skip_special_tokens=True)]


class Translator:
    """What nlpaug expects of its `MtTransformers`."""

    device = "cpu"

    def __init__(self, there: SequenceModel, back: SequenceModel, max_length: int | None) -> None:
        self._models = there, back
        self._settings = {} if max_length is None else {"max_length": max_length}

    def predict(self, text: str) -> list[str]:
        """Translate there and back."""
        texts = [text]
        for model in self._models:
            texts = model.texts(texts, **self._settings)
        return texts


class Summariser:
    """What nlpaug expects of its `XSumTransformers`."""

    device = "cpu"

    def __init__(self, model: SequenceModel, settings: Mapping[str, Any]) -> None:
        self._model = model
        self._settings = dict(settings)

    def predict(self, texts: list[str]) -> list[str]:
        """Summarise, with the model's own way to search."""
        return self._model.texts(texts, **self._settings)


@lru_cache(maxsize=4)
def sequence_model(model: tuple[str, str], tokenizer: tuple[str, str]) -> SequenceModel:
    """Load a model and a tokenizer, each a folder and what is in it now."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    loaded = AutoModelForSeq2SeqLM.from_pretrained(model[0])
    loaded.eval()
    return SequenceModel(AutoTokenizer.from_pretrained(tokenizer[0]), loaded)
