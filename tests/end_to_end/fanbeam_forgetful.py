"""A third-party library that says its labels follow, moves what they mark, and leaves them where they were."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from transforms.interface import Description, StepProblem
from transforms.values import LABEL_KINDS, AudioValue, ImageValue

DISTRIBUTIONS = ("fanbeam-forgetful",)
_MODALITIES = {"Backwards": "audio", "Sideways": "image"}


def names() -> tuple[str, ...]:
    return tuple(_MODALITIES)


def modality(name: str) -> str:
    return _MODALITIES[name]


def carries(name: str) -> frozenset[str]:
    return frozenset(LABEL_KINDS[_MODALITIES[name]])


def describe(name: str) -> Description:
    return Description(f"forgetful.{name}", _MODALITIES[name], (), "Forgets labels.")


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    return [StepProblem((p,), f"unknown parameter {p!r}") for p in params]


def build(name: str, params: Mapping[str, Any]) -> Any:
    return _sideways if name == "Sideways" else _backwards


def _sideways(value: ImageValue, seed: bytes) -> tuple[ImageValue, dict[str, Any]]:
    return replace(value, pixels=np.roll(value.pixels, value.pixels.shape[1] // 2, axis=1)), {}


def _backwards(value: AudioValue, seed: bytes) -> tuple[AudioValue, dict[str, Any]]:
    return replace(value, samples=np.ascontiguousarray(value.samples[:, ::-1])), {}
