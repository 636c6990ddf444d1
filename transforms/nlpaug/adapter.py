"""nlpaug: its classes on texts, on sounds, on the spectrograms of sounds, and its flows.

https://nlpaug.readthedocs.io lists the classes, docs/libraries/nlpaug.md what each needs. nlpaug has no `p` for a whole
step: write `sometimes` around one. This module is the adapter; the steps are made in one module per kind of class.
"""

import inspect
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import Any

from transforms.adapter_checks import construction_problems, parameter_problems, trial_problems
from transforms.interface import Description, MissingLibrary, Parameter, Resource, StepProblem, Transform
from transforms.nlpaug import classes, dictionaries, files, wordnet
from transforms.nlpaug.refused import REFUSED as REFUSED
from transforms.nlpaug.refused import refused_parameters
from transforms.nlpaug.values import value_problems
from transforms.values import LABEL_KINDS

PRELOAD = ("nlpaug.augmenter.char", "nlpaug.augmenter.word")
DISTRIBUTIONS = ("icu4py", "nlpaug", "nltk", "numpy", "textblob")
_SOUND_DISTRIBUTIONS = ("librosa", "numba", "scipy", "soxr")


def names() -> tuple[str, ...]:
    """Every class that a recipe may name, sorted; those that need an extra too, installed or not."""
    return tuple(sorted(classes.CLASSES))


def modality(name: str) -> str:
    """Give `audio` for the classes on sounds and spectrograms, `text` for all others, the flows too."""
    return classes.modality(name)


def carries(name: str) -> frozenset[str]:
    """Give all kinds for texts: labels stay on their words, or the copy is rejected; `segments` for sounds.

    Models that write a text anew do not keep its list of words.
    """
    if modality(name) == "audio":
        return frozenset({"segments"})
    anew = classes.room(name) == "models" and name != "ContextualWordEmbsAug"
    return frozenset(LABEL_KINDS["text"]) - (frozenset({"tokens"}) if anew else frozenset())


def inserts(name: str, params: Mapping[str, Any]) -> bool:
    """Whether a step writes new words between those of a text."""
    return params.get("action") == "insert" and name in ("ContextualWordEmbsAug", "TfIdfAug", "WordEmbsAug")


def describe(name: str) -> Description:
    """Give parameters and docstring of a class; kinds are those of its docstring, nlpaug has no annotations."""
    kinds = classes.kinds(name)
    parameters = tuple(
        Parameter(p.name, "" if p.default is p.empty else repr(p.default), kinds.get(p.name, ""))
        for p in classes.parameters(name).values()
    )
    return Description(f"nlpaug.{name}", modality(name), parameters, inspect.getdoc(classes.load(name)) or "")


def resources(name: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Versions of what decides the bytes beside nlpaug: WordNet, a tagger, files, models, other packages."""
    if classes.room(name) == "flows":
        return dict(_room(name).versions(params))
    found = files.file_versions(name, params)
    if dictionaries.uses_wordnet(name, params):
        found |= wordnet.versions()
    elif dictionaries.uses_tagger(name):
        found |= wordnet.tagger_versions()
    if modality(name) == "audio":
        found |= {package: metadata.version(package) for package in _SOUND_DISTRIBUTIONS}
    return found


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check what the library does not: names, files, types by its docstrings, ranges; then construct, then call."""
    missing = files.missing_packages(name)
    if missing:
        return [StepProblem((), missing)]
    absent = _absent_data(name, params)
    if absent:
        return [StepProblem((), f"nlpaug.{name}: {message}") for message in absent]
    found = parameter_problems(
        f"nlpaug.{name}",
        params,
        classes.parameters(name),
        lambda valid: _values_problems(name, valid),
        refused_parameters(name),
    )
    return found or trial_problems(lambda: build(name, params), modality(name))


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; not shared between threads.

    Raises MissingLibrary for a class whose packages are not installed; LookupError, FileNotFoundError or ValueError
    where data or a model is missing, each with what to do.
    """
    missing = files.missing_packages(name)
    if missing:
        raise MissingLibrary(missing)
    step: Transform = _room(name).build(name, params)
    return step


def resource_table() -> tuple[Resource, ...]:
    """Say what data and packages the classes need, and where they were found."""
    from transforms.nlpaug.resources import rows

    return rows()


def _room(name: str) -> Any:
    return import_module(f"transforms.nlpaug.{classes.room(name)}")


def _absent_data(name: str, params: Mapping[str, Any]) -> list[str]:
    if dictionaries.uses_wordnet(name, params):
        return wordnet.problems()
    return wordnet.tagger_problems() if dictionaries.uses_tagger(name) else []


def _values_problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    if classes.room(name) == "flows":
        return list(_room(name).flow_problems(params))
    found = value_problems(name, params)
    wrong = {problem.path for problem in found}
    found += [problem for problem in files.file_problems(name, params) if problem.path not in wrong]
    return found or construction_problems(lambda: _construct(name, params))


def _construct(name: str, params: Mapping[str, Any]) -> None:
    try:
        _room(name).construct(name, params)
    except OSError as error:
        raise ValueError(str(error)) from error
