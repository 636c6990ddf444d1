"""Which steps of a recipe move what is in a payload: found by moving labels of a plain one."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from transforms import registry
from transforms.interface import MissingLibrary
from transforms.steps import Step, leaves, read_steps
from transforms.values import (
    LABEL_KINDS,
    AudioValue,
    Boxes,
    ImageValue,
    Keypoints,
    Segments,
    Value,
    VideoValue,
    VolumeValue,
)

_SEEDS = 6
_SIDE, _DEPTH, _FRAMES = 64, 16, 12
_RATE, _SECONDS, _SILENCE = 16_000, 2.0, 0.3
_MOVED = 0.5
"""Pixels, voxels or hundredths of a second that a label may be off before its content counts as moved."""


def moving_steps(steps: object, modality: str) -> list[str]:
    """Names of the steps that move the content of values of a modality, in the order of the config, each once.

    Steps that carry no labels, or cannot be tried since they need other records or files, count as moving; and every
    step on a text does.
    """
    found = [step for step in leaves(read_steps(steps).nodes) if moves(step, modality)]
    return list(dict.fromkeys(step.name for step in found))


def moves(step: Step, modality: str) -> bool:
    """Whether a step, drawn a few times, moves labels of a plain value."""
    if modality == "text":
        return True
    try:
        if not registry.carries(step.name, modality) >= set(LABEL_KINDS[modality]):
            return True
        adapter, cls = registry.find(step.name)
        call = adapter.build(cls, _always(step))
        value = _plain(modality)
        return any(_moved(value, call(value, bytes([seed]) * 16)[0]) for seed in range(_SEEDS))
    except MissingLibrary:
        raise
    except Exception:  # noqa: BLE001  (libraries raise anything for what they cannot take)
        return True


def _always(step: Step) -> Mapping[str, Any]:
    """A step's parameters, so that it is applied."""
    known = {parameter.name for parameter in registry.describe(step.name).parameters}
    return {**step.params, "p": 1.0} if "p" in known else step.params


def _plain(modality: str) -> Value:
    rows = np.arange(4, dtype=np.int64)
    places = np.array([[13.0, 21.0], [40.0, 17.0], [23.0, 43.0], [45.0, 39.0]])
    corners = np.concatenate([places, places + 9], axis=1)
    bounds = np.array([[0.35, 0.4], [0.5, 0.65], [0.7, 0.8], [0.85, 0.95]])
    noise = np.random.Generator(np.random.PCG64(0))
    if modality == "image":
        pixels = noise.integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)
        return ImageValue(pixels, Boxes(corners, rows), Keypoints(places, rows))
    if modality == "audio":
        samples = 0.2 * noise.standard_normal((1, int(_RATE * _SECONDS))).astype(np.float32)
        samples[:, : int(_RATE * _SILENCE)] = 0  # for steps that cut silence away
        return AudioValue(samples, _RATE, Segments(bounds, rows))
    if modality == "video":
        frames = noise.integers(0, 256, (_FRAMES, _SIDE, _SIDE, 3), dtype=np.uint8)
        boxes = Boxes(corners, rows, frames=np.array([1, 4, 7, 10], np.int64))
        return VideoValue(frames, Fraction(_FRAMES), boxes=boxes, segments=Segments(bounds, rows))
    voxels = noise.integers(0, 256, (_DEPTH, _SIDE, _SIDE, 1), dtype=np.uint8)
    return VolumeValue(voxels, keypoints=Keypoints(np.concatenate([places, rows[:, np.newaxis] + 3.0], axis=1), rows))


def _moved(before: Value, after: Value) -> bool:
    return any(
        _differs(one, other, scale) for (one, scale), (other, _) in zip(_numbers(before), _numbers(after), strict=False)
    )


def _numbers(value: Value) -> Iterator[tuple[Any, float]]:
    """Every number of the labels, and how many of their units are one."""
    if isinstance(value, ImageValue | VolumeValue):
        yield value.keypoints and value.keypoints.points, 1.0
    if isinstance(value, ImageValue):
        yield value.pixels.shape[:2], 1.0
    if isinstance(value, VideoValue):
        yield value.boxes and value.boxes.corners, 1.0
        yield value.boxes and value.boxes.frames, 1.0
        yield value.frames.shape[:3], 1.0
    if isinstance(value, AudioValue | VideoValue):
        yield value.segments and value.segments.bounds, 100.0


def _differs(one: Any, other: Any, scale: float) -> bool:
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    return first.shape != second.shape or bool((np.abs(first - second) * scale > _MOVED).any())
