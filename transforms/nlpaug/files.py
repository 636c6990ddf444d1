"""Files, folders and models that parameters of nlpaug's classes name: where they are, and what identifies them.

A file or folder is a path or a URL (see `assets`). A model is a folder too, or a name on the Hugging Face Hub: then
it is the snapshot in this machine's cache, and its commit is its version. Nothing is ever downloaded from here.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import metadata, util
from typing import Any

from transforms import assets
from transforms.interface import StepProblem
from transforms.nlpaug.classes import given

FILES = {
    "KeyboardAug": ("model_path",),
    "NoiseAug": ("noises",),
    "OcrAug": ("dict_of_path",),
    "SpellingAug": ("dict_path",),
    "SynonymAug": ("model_path",),
    "TfIdfAug": ("model_path",),
    "WordEmbsAug": ("model_path",),
}
"""Parameters that name files or folders."""
MODELS = {
    "AbstSummAug": ("model_path", "tokenizer_path"),
    "BackTranslationAug": ("from_model_name", "to_model_name"),
    "ContextualWordEmbsAug": ("model_path",),
    "ContextualWordEmbsForSentenceAug": ("model_path",),
}
"""Parameters that name language models."""
REQUIRED = frozenset({("TfIdfAug", "model_path"), ("WordEmbsAug", "model_path")})
PACKAGES = ("sentencepiece", "tokenizers", "torch", "transformers")
INSTALL = "needs torch and transformers: pip install 'fanbeam[nlp]'"
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


def missing_packages(name: str) -> str:
    """Say what to install for a class that runs a language model; empty if it is there, or not needed."""
    if name not in MODELS or all(util.find_spec(package) is not None for package in ("torch", "transformers")):
        return ""
    return f"nlpaug.{name} {INSTALL}"


def file_problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Find each file or model that is named and not there, and say what to do."""
    found = []
    for key, location in _locations(name, params):
        try:
            for place in _listed(location):
                model_folder(place) if name in MODELS else assets.files(place)
        except (FileNotFoundError, TypeError) as error:
            found.append(StepProblem((key,) if key in params else (), f"{key}: {error}"))
    if name == "SynonymAug" and params.get("aug_src") == "ppdb" and not params.get("model_path"):
        found.append(
            StepProblem((), "nlpaug.SynonymAug with aug_src ppdb needs the parameter 'model_path': a PPDB file")
        )
    found += [
        StepProblem((), f"nlpaug.{name} needs the parameter {key!r}")
        for key in FILES.get(name, ())
        if (name, key) in REQUIRED and key not in params
    ]
    return found


def file_versions(name: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Give a digest of each file or folder that is named, the commit of each model of the Hub."""
    found = {}
    for _, location in _locations(name, params):
        for place in _listed(location):
            found[f"nlpaug {place}"] = model_version(place) if name in MODELS else assets.digest(place)
    if name in MODELS:
        found |= {package: metadata.version(package) for package in PACKAGES if util.find_spec(package) is not None}
    return found


def model_folder(place: str) -> str:
    """Give the folder of a model on this machine. Raises FileNotFoundError, with what to do."""
    try:
        return assets.local(place)
    except FileNotFoundError as error:
        snapshot = hub_snapshot(place)
        if snapshot:
            return snapshot
        hint = (
            f", and no model of that name in the Hugging Face cache: run 'hf download {place}' once, or name a folder"
        )
        raise FileNotFoundError(f"no folder {place!r}{hint}") from error


def model_version(place: str) -> str:
    """Give a digest of a model's files, or the commit of its snapshot. Raises FileNotFoundError."""
    try:
        return assets.digest(place)
    except FileNotFoundError:
        return model_folder(place).rstrip("/").rpartition("/")[2]


def hub_snapshot(name: str) -> str:
    """Give the folder of the newest snapshot of a model in the Hub's cache; empty if there is none."""
    if not _HUB_NAME.fullmatch(name) or util.find_spec("huggingface_hub") is None:
        return ""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return str(snapshot_download(name, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return ""


def _locations(name: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The parameters that name something, with what they name."""
    for key in FILES.get(name, ()):
        if params.get(key) is not None and not isinstance(params[key], dict):
            yield key, params[key]
    if name == "AbstSummAug" and given(name, params, "use_custom_api"):
        yield "model_path", given(name, params, "model_path")  # its tokenizer is the model's own
        return
    for key in MODELS.get(name, ()):
        yield key, given(name, params, key)


def _listed(location: Any) -> list[str]:
    places = location if isinstance(location, list | tuple) else [location]
    if not places or not all(isinstance(place, str) and place for place in places):
        raise TypeError(f"{location!r} is not a path")
    return list(places)
