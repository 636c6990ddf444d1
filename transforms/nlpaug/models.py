"""The steps of nlpaug's classes that run a language model: masked, causal, sequence to sequence.

A model is loaded once per process and shared by all steps that name it; nlpaug would silently keep the first model of
each kind. Models run on the CPU, in one thread, under one lock: `torch`'s own generator, which they draw from, is one
for the process (`torch_random`).
"""

import copy
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from types import TracebackType
from typing import Any

from transforms.adapter_checks import concise
from transforms.interface import Transform
from transforms.isolation import global_random, torch_random
from transforms.labels import spans
from transforms.nlpaug import classes
from transforms.nlpaug.contextual import InContext
from transforms.nlpaug.files import model_folder, model_version
from transforms.nlpaug.seq2seq import Summariser, Translator, sequence_model
from transforms.nlpaug.text import WordStep
from transforms.nlpaug.tracking import tracked
from transforms.values import TextValue, Value

_MOST_LOADED = 4
_MASKED = {"bert": "Bert", "roberta": "Roberta"}
_CAUSAL = {"gpt2": "Gpt2", "xlnet": "XlNet"}


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step. Raises ValueError, with what to do, where a model is missing or cannot be loaded."""
    step = construct(name, params)
    return WordStep(name, step, TorchSeeded) if name == "ContextualWordEmbsAug" else RewritingStep(name, step)


def construct(name: str, params: Mapping[str, Any]) -> Any:
    """Make nlpaug's augmenter on a model of this process."""
    cls = classes.load(name)
    quiet_transformers()
    own = type(cls.__name__, (cls,), {"get_model": lambda self, **given: _MODELS[name](given)})
    if name == "ContextualWordEmbsAug":
        own = tracked(own, InContext)
    broken = import_module("safetensors").SafetensorError
    try:
        return own(**params)
    except (OSError, RuntimeError, broken) as error:
        raise ValueError(f"the model cannot be loaded: {concise(error)}") from error


class RewritingStep:
    """One nlpaug augmenter whose model writes a text anew, or goes on with it. Recorded is whether it is another."""

    __slots__ = ("_name", "_step")

    def __init__(self, name: str, step: Any) -> None:
        self._name, self._step = name, step

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to a `TextValue`. Raises LabelLost."""
        if not isinstance(value, TextValue):
            raise TypeError(f"nlpaug.{self._name} works on text, not on {type(value).__name__}")
        drawn = {"action": self._step.action, "changed": 0}
        if not value.text.strip():
            return value, drawn
        with TorchSeeded(seed):
            text = str(self._step.augment(value.text)[0])
        if text == value.text:
            return value, drawn
        if text.startswith(value.text):  # it goes on
            whole = spans.Piece(0, len(value.text), 0, len(value.text), same=True)
            return spans.changed(value, text, [whole]), {**drawn, "changed": 1}
        return spans.rewritten(value, text), {**drawn, "changed": 1}


class TorchSeeded:
    """Draw from `seed` in torch as in Python and numpy; one thread at a time."""

    __slots__ = ("_globals", "_torch")

    def __init__(self, seed: bytes) -> None:
        self._torch = torch_random.seeded(seed)
        self._globals = global_random.seeded(seed)

    def __enter__(self) -> None:
        """Wait for the lock, seed."""
        self._torch.__enter__()
        self._globals.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Put everything back."""
        self._globals.__exit__(kind, error, at)
        self._torch.__exit__(kind, error, at)


def quiet_transformers() -> None:
    """Show no progress bars and no advice, and compute in one thread, so that sums have one order."""
    import torch

    transformers = import_module("transformers")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)


def _context_words(given: Mapping[str, Any]) -> Any:
    """A masked language model, for ContextualWordEmbsAug."""
    kind, top_k = str(given["model_type"]), given["top_k"]
    if not given["use_custom_api"]:
        model = copy.copy(_pipeline(_identity(given["model_path"]), "FmTransformers", kind))
        known = int(model.get_model().config.vocab_size)
        model.model = _Pipeline(model.model.pipeline, top_k=min(top_k or 5, known))
        return model
    if kind not in _MASKED:
        raise ValueError(f"model_type: write one of {', '.join(_MASKED)}; for bart also use_custom_api: false")
    return _with(_language_model(_identity(given["model_path"]), _MASKED[kind]), top_k=top_k)


def _context_sentences(given: Mapping[str, Any]) -> Any:
    """A causal language model, for ContextualWordEmbsForSentenceAug."""
    kind = str(given["model_type"])
    settings = {key: given[key] for key in ("temperature", "top_k")}
    if not given["use_custom_api"]:
        lengths = {key: given[key] for key in ("min_length", "max_length", "top_p")}
        return _with(_pipeline(_identity(given["model_path"]), "TextGenTransformers", ""), **settings, **lengths)
    if kind not in _CAUSAL:
        raise ValueError(f"model_type: write one of {', '.join(_CAUSAL)}, or use_custom_api: false")
    return _with(_language_model(_identity(given["model_path"]), _CAUSAL[kind]), **settings)


def _summary(given: Mapping[str, Any]) -> Any:
    """A summariser, for AbstSummAug."""
    path = str(given["model_path"])
    lengths = {key: given[key] for key in ("min_length", "max_length")}
    if given["use_custom_api"]:
        kind = "T5" if "t5" in path else "Bart" if "bart-large-cnn" in path else ""
        if not kind:
            raise ValueError(
                "model_path: the name holds neither t5 nor bart-large-cnn; write use_custom_api: false too"
            )
        return _with(_language_model(_identity(path), kind), **lengths)
    sampling = {key: given[key] for key in ("temperature", "top_k", "top_p")}
    return Summariser(sequence_model(_identity(path), _identity(given["tokenizer_path"])), {**lengths, **sampling})


def _translation(given: Mapping[str, Any]) -> Any:
    """Two translators, for BackTranslationAug."""
    there, back = (_identity(given[key]) for key in ("from_model_name", "to_model_name"))
    return Translator(sequence_model(there, there), sequence_model(back, back), given["max_length"])


_MODELS = {
    "AbstSummAug": _summary,
    "BackTranslationAug": _translation,
    "ContextualWordEmbsAug": _context_words,
    "ContextualWordEmbsForSentenceAug": _context_sentences,
}


def _identity(place: Any) -> tuple[str, str]:
    """The folder of a model, and what is in it now."""
    return model_folder(str(place)), model_version(str(place))


def _with(model: Any, **settings: Any) -> Any:
    """A step's own view of a shared model: nlpaug would change the settings of every step that shares it."""
    view = copy.copy(model)
    vars(view).update(settings)
    return view


@lru_cache(maxsize=_MOST_LOADED)
def _language_model(identity: tuple[str, str], kind: str) -> Any:
    """One of nlpaug's classes around a model, with the two calls that transformers 5 has under other names."""
    import nlpaug.model.lang_models as library

    cls = getattr(library, kind)
    global_random.capture("nlpaug")
    own: dict[str, Any] = {}
    if "token2id" in vars(cls):
        own["token2id"] = lambda self, token: self.tokenizer.convert_tokens_to_ids(token)
        own["id2token"] = lambda self, number: self.tokenizer.convert_ids_to_tokens(number)
    if kind == "XlNet":
        own["__init__"] = _load_xlnet
    found = type(kind, (cls,), own)(identity[0], device="cpu")
    if kind == "Gpt2":
        found.model = _WithoutMemory(found.model)
    return found


def _load_xlnet(self: Any, folder: str, device: str) -> None:
    """Load as nlpaug does, which hands transformers a dict for a config, and text where it wants a list of tokens."""
    from nlpaug.model.lang_models import LanguageModels
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    LanguageModels.__init__(self, device, model_type="xlnet", top_p=None)
    self.optimize["external_memory"] = 0
    self.tokenizer = AutoTokenizer.from_pretrained(folder)
    self.tokenizer.convert_tokens_to_string = lambda tokens: "".join(tokens).replace("▁", " ").strip()
    self.mask_id = self.token2id(self.get_mask_token())
    self.pad_id = self.token2id(self.get_pad_token())
    self.model = AutoModelForCausalLM.from_pretrained(folder, config=AutoConfig.from_pretrained(folder, mem_len=0))
    self.padding_text_idxes = self.tokenizer.encode(self.PADDING_TEXT)
    self.model.eval()


@lru_cache(maxsize=_MOST_LOADED)
def _pipeline(identity: tuple[str, str], kind: str, model_type: str) -> Any:
    """One of nlpaug's classes around a pipeline of transformers."""
    import nlpaug.model.lang_models as library

    kinds = {"model_type": model_type} if model_type else {}
    model = getattr(library, kind)(identity[0], device="cpu", **kinds)
    global_random.capture("nlpaug")
    model.model = _Pipeline(model.model)
    return model


class _WithoutMemory:
    """A causal model; nlpaug hands it no memory of earlier calls, by a name that transformers gives up."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, input_ids: Any, attention_mask: Any, past_key_values: None) -> Any:
        """Run."""
        return self.model(input_ids=input_ids, attention_mask=attention_mask)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


class _Pipeline:
    """A pipeline that loads its texts in this process: nlpaug would start another one for each."""

    def __init__(self, pipeline: Any, **settings: Any) -> None:
        self.pipeline = pipeline
        self._settings = settings

    def __call__(self, texts: list[str], **settings: Any) -> Any:
        """Run."""
        return self.pipeline(texts, **{**self._settings, **settings, "num_workers": 0})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pipeline, name)
