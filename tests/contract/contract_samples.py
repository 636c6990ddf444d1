"""What the contract suite runs: a value of each modality, parameters where defaults are not enough, digests."""

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pipeline.sources import assets
from transforms import registry
from transforms.recipe import Recipe, build_recipe
from transforms.steps import Step
from transforms.values import (
    LABEL_KINDS,
    AudioValue,
    Boxes,
    Donors,
    ImageValue,
    Keypoints,
    Peers,
    Segments,
    TextValue,
    Value,
    VideoValue,
    VolumeValue,
)

FILES_FOLDER = "FANBEAM_CONTRACT_FILES"
_MODALITIES: dict[type, str] = {ImageValue: "image", AudioValue: "audio", TextValue: "text"}
_WITH_PEERS = (ImageValue, AudioValue, TextValue)
SEEDS = tuple(bytes([number]) * 16 for number in range(1, 9))


def _samples(library: str) -> Any:
    return import_module(f"samples_{library}")


COUNTS = {library: _samples(library).COUNT for library in registry.LIBRARIES}
EXAMPLES: dict[str, dict[str, Any] | Callable[[Path], dict[str, Any]]] = {
    f"{library}.{cls}": params for library in registry.LIBRARIES for cls, params in _samples(library).EXAMPLES.items()
}
SEEDLESS = {f"{library}.{cls}" for library in registry.LIBRARIES for cls in _samples(library).SEEDLESS}


@cache
def value_of(modality: str) -> Value:
    rng = np.random.Generator(np.random.Philox(key=5))
    if modality == "image":
        coarse = rng.integers(0, 256, (8, 10, 3), dtype=np.uint8)
        noise = rng.integers(-20, 21, (64, 80, 3))
        pixels = np.kron(coarse, np.ones((8, 8, 1), np.uint8)) + noise
        return ImageValue(np.clip(pixels, 0, 255).astype(np.uint8))
    if modality == "audio":
        envelope = np.concatenate([np.zeros(500), np.linspace(0, 0.9, 7000), np.zeros(500)])
        return AudioValue((rng.standard_normal(8000) * 0.3 * envelope)[np.newaxis].astype(np.float32), 16_000)
    if modality == "volume":
        return VolumeValue(rng.integers(0, 256, (8, 16, 20, 1), dtype=np.uint8))
    if modality == "video":
        return clip_of(12, 40, 48)
    return TextValue("The quick brown fox jumps over the lazy dog because it was hungry. It was a good day. Was it?")


def clip_of(count: int, height: int, width: int, rate: int = 8_000) -> VideoValue:
    """Coarse noise that wanders to the right, with a sound track, boxes on two frames and a segment."""
    rng = np.random.Generator(np.random.Philox(key=6))
    blocks = rng.integers(0, 256, (-(-height // 8), -(-(width + 2 * count) // 8), 3), dtype=np.uint8)
    ground = np.kron(blocks, np.ones((8, 8, 1), np.uint8))
    frames = np.stack([ground[:height, 2 * n : 2 * n + width] for n in range(count)])
    samples = (rng.standard_normal((1, round(count / 24 * rate))) * 0.2).astype(np.float32)
    corners = np.array([[0.1, 0.1, 0.6, 0.5], [0.4, 0.3, 0.9, 0.8]]) * [width, height, width, height]
    boxes = Boxes(corners, np.arange(2), frames=np.array([0, count - 1]))
    segments = Segments(np.array([[0.0, count / 48]]), np.arange(1))
    return VideoValue(frames, Fraction(24), AudioValue(samples, rate), boxes, segments)


def value_for(name: str) -> Value:
    """A value that the class can work on: with labels where it looks at them, with others where it blends."""
    return suited(name, value_of(modality_of(name)))


def suited(name: str, value: Value) -> Value:
    """Any value of the class's modality, with what it needs beside."""
    if registry.needs(name) and isinstance(value, ImageValue):
        value = labeled(value)
    if registry.partners(Step(name, {}, name, ())) is None or not isinstance(value, _WITH_PEERS):
        return value
    donors = Donors(lambda scope: ("one", "two", "three", "four"), donor_like(value))
    return replace(value, peers=Peers(lambda scope, most: (), lambda key: None, donors))


def donor_like(value: Value) -> Callable[[str], Value]:
    """Other values of one modality, labeled where this one is: of other sizes, each of its own content."""

    def donor(key: str) -> Value:
        plain, number = value_of(_MODALITIES[type(value)]), len(key)
        if isinstance(plain, ImageValue):
            pixels = np.ascontiguousarray(np.roll(plain.pixels, 7 * number, axis=1)[: 40 + number])
            return labeled(ImageValue(pixels))
        if isinstance(plain, AudioValue):
            return AudioValue(np.ascontiguousarray(plain.samples[:, ::-1][:, : 500 * number]), 8_000)
        assert isinstance(plain, TextValue)
        return TextValue(f"{key} is another text. It has {number} letters.")

    return donor


def labeled(value: ImageValue) -> ImageValue:
    height, width = value.pixels.shape[:2]
    corners = np.array([[0.1, 0.1, 0.4, 0.5], [0.5, 0.4, 0.9, 0.9]]) * [width, height, width, height]
    mask = np.zeros((1, height, width), np.uint8)
    mask[0, height // 4 : height // 2, width // 4 : width // 2 + 1] = 1
    mask[0, -height // 4 :, -width // 4 :] = 1
    points = Keypoints(np.array([[width / 2, height / 2]]), np.arange(1))
    return replace(value, boxes=Boxes(corners, np.arange(2)), keypoints=points, masks=mask)


def bound_for(name: str) -> tuple[str, ...]:
    return LABEL_KINDS["image"] if registry.needs(name) else ()


def params_of(name: str) -> dict[str, Any]:
    """Example parameters, with p=1 where the library has it: every step of the suite is applied."""
    has_p = any(parameter.name == "p" for parameter in registry.describe(name).parameters)
    always = {"p": 1.0} if has_p else {}
    return {**_example(name), **always}


@cache
def _example(name: str) -> dict[str, Any]:
    """The example of a class; one that is a function makes files in a folder of its own and names them."""
    example = EXAMPLES.get(name, {})
    if not callable(example):
        return example
    assets.connect()
    folder = files_folder() / name
    folder.mkdir(exist_ok=True)
    return example(folder)


def files_folder() -> Path:
    """The folder for files that examples need: one per test session, the same in processes that it starts."""
    if FILES_FOLDER not in os.environ:
        os.environ[FILES_FOLDER] = tempfile.mkdtemp(prefix="fanbeam-contract-")
    return Path(os.environ[FILES_FOLDER])


def recipe_of(name: str) -> Recipe:
    return build_recipe([{name: params_of(name)}], modality_of(name))


def modality_of(name: str) -> str:
    adapter, cls = registry.find(name)
    return adapter.modality(cls)


def content(value: Value) -> bytes:
    if isinstance(value, ImageValue):
        held = (value.boxes and value.boxes.corners, value.keypoints and value.keypoints.points, value.masks)
        labels = b"".join(b"-" if array is None else np.ascontiguousarray(array).tobytes() for array in held)
        return str(value.pixels.shape).encode() + value.pixels.tobytes() + labels
    if isinstance(value, AudioValue):
        return f"{value.samples.shape} {value.sample_rate}".encode() + value.samples.tobytes()
    if isinstance(value, VolumeValue):
        held = (value.keypoints and value.keypoints.points, value.masks)
        labels = b"".join(b"-" if array is None else np.ascontiguousarray(array).tobytes() for array in held)
        return f"{value.voxels.shape} {value.voxels.dtype}".encode() + value.voxels.tobytes() + labels
    if isinstance(value, VideoValue):
        sound = b"" if value.audio is None else content(value.audio)
        boxes = () if value.boxes is None else (value.boxes.corners, value.boxes.rows, value.boxes.frames)
        held = (*boxes, *(() if value.segments is None else (value.segments.bounds, value.segments.rows)))
        labels = b"".join(np.ascontiguousarray(array).tobytes() for array in held)
        return f"{value.frames.shape} {value.rate}".encode() + value.frames.tobytes() + sound + labels
    return value.text.encode()


def digest(recipe: Recipe, seed: bytes, value: Value) -> str:
    """Digest of the result and of the recorded parameters."""
    result, applied = recipe.apply(value, seed)
    record = "".join(step.name + step.params for step in applied)
    return blake2b(content(result) + record.encode(), digest_size=8).hexdigest()


def digests(names: list[str]) -> dict[str, str]:
    return {name: digest(recipe_of(name), SEEDS[0], value_for(name)) for name in names}


if __name__ == "__main__":  # another process, for test_contract.py
    sys.stdout.buffer.write(orjson.dumps(digests(sys.argv[1:])))
