"""What every class of every library must do, one plain function each: for the suite and for the page of results.

A property takes `library.Class`, raises AssertionError where it does not hold, and says in a word or two how it does.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import contract_samples
import numpy as np
from contract_samples import (
    SEEDLESS,
    SEEDS,
    bound_for,
    clip_of,
    content,
    digest,
    modality_of,
    params_of,
    recipe_of,
    suited,
    value_for,
    value_of,
)

from transforms import registry
from transforms.adapter_checks import concise
from transforms.isolation import library_warnings
from transforms.recipe import check_steps
from transforms.values import LABEL_KINDS, AudioValue, ImageValue, Keypoints, TextValue, Value, VideoValue, VolumeValue

YES = "yes"


def constructed(name: str) -> str:
    assert recipe_of(name).names == (name,)
    return YES


def same_bytes_twice(name: str) -> str:
    value = value_for(name)
    recipe = recipe_of(name)
    first = digest(recipe, SEEDS[0], value)
    assert digest(recipe, SEEDS[0], value) == first
    assert digest(recipe_of(name), SEEDS[0], value) == first
    return YES


def after_other_steps(name: str) -> str:
    value = value_for(name)
    used = recipe_of(name)
    for seed in SEEDS[1:4]:
        used.apply(other_value(name), seed)
    assert digest(used, SEEDS[0], value) == digest(recipe_of(name), SEEDS[0], value)
    return YES


def four_threads(name: str) -> str:
    value = value_for(name)
    alone = [digest(recipe_of(name), seed, value) for seed in SEEDS[:4]]
    barrier = Barrier(4)

    def run(seed: bytes) -> list[str]:
        recipe = recipe_of(name)
        barrier.wait()
        with library_warnings.quiet():
            return [digest(recipe, seed, value) for _ in range(2)]

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(run, SEEDS[:4]))
    assert together == [[result, result] for result in alone]
    return YES


def other_seeds(name: str) -> str:
    value = value_for(name)
    recipe = recipe_of(name)
    results = {content(recipe.apply(value, seed)[0]) for seed in SEEDS}
    assert (len(results) == 1) == (name in SEEDLESS)
    return "seedless" if name in SEEDLESS else "differ"


def input_kept(name: str) -> str:
    for value, before, _ in _applied(name):
        assert content(value) == before
    return YES


def output_valid(name: str) -> str:
    for _, _, result in _applied(name):
        if result is not None:
            check_value(result)
    return YES


def json_parameters(name: str) -> str:
    _, applied = recipe_of(name).apply(value_for(name), SEEDS[0])
    assert [step.name for step in applied] == [name]
    assert isinstance(json.loads(applied[0].params), dict)
    assert " at 0x" not in applied[0].params
    assert len(applied[0].params) < 4096
    return YES


def unknown_refused(name: str) -> str:
    params = params_of(name)
    assert check_steps([{name: params}], modality_of(name), bound_for(name)) == []
    known = [p.name for p in registry.describe(name).parameters]
    wrong = known[0][0] + known[0]
    problems = check_steps([{name: {**params, wrong: 1}}], modality_of(name), bound_for(name))
    assert [(p.path, p.suggestion) for p in problems] == [((0, name, wrong), known[0])]
    return YES


def tiny_values(name: str) -> str:
    recipe = recipe_of(name)
    worked, tried = 0, tiny_values_of(modality_of(name))
    for tiny in tried:
        value = suited(name, tiny)
        try:
            result, _ = recipe.apply(value, SEEDS[0])
        except Exception as error:  # noqa: BLE001 - a failed record, whatever it is; the process lives
            assert concise(error)
        else:
            check_value(result)
            worked += 1
    return YES if worked == len(tried) else f"{worked} of {len(tried)}"


def labels(name: str) -> str:
    """The kinds of labels that a class carries, those that it cannot work without marked."""
    kinds = LABEL_KINDS.get(modality_of(name), ())
    carried, needed = registry.carries(name), registry.needs(name)
    assert needed <= carried <= {*kinds}
    return ", ".join(f"{kind} (needed)" if kind in needed else kind for kind in kinds if kind in carried) or "none"


def digests_of_another_process(names: Sequence[str]) -> dict[str, str]:
    """What a new process, with another PYTHONHASHSEED, makes of the same values and seeds."""
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "ignore", str(Path(contract_samples.__file__)), *names]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, str] = json.loads(done.stdout)
    return found


PROPERTIES: dict[str, Callable[[str], str]] = {
    "constructed": constructed,
    "same bytes twice": same_bytes_twice,
    "after other steps": after_other_steps,
    "four threads": four_threads,
    "other seeds": other_seeds,
    "input kept": input_kept,
    "output valid": output_valid,
    "JSON parameters": json_parameters,
    "unknown refused": unknown_refused,
    "tiny values": tiny_values,
    "labels": labels,
}
"""Every property that one class can be asked for; beside them stands `digests_of_another_process`."""


def _applied(name: str) -> Iterator[tuple[Value, bytes, Value | None]]:
    """Plain values, their content before a step, and its results: None where it refuses one by its own name."""
    for value in (value_for(name), many_channels(name)):
        before = content(value)
        try:
            result, _ = recipe_of(name).apply(value, SEEDS[0])
        except ValueError as error:
            assert value is not value_for(name), str(error)
            assert name in str(error)
            yield value, before, None
        else:
            yield value, before, result


def other_value(name: str) -> Value:
    modality = modality_of(name)
    if modality == "image":
        return suited(name, ImageValue(np.ascontiguousarray(pixels_of(value_of("image"))[8:60, ::-1])))
    if modality == "audio":
        return suited(name, AudioValue(np.ascontiguousarray(value_of("audio").samples[:, 700:6700]), 8_000))
    if modality == "volume":
        return VolumeValue(np.ascontiguousarray(voxels_of(value_of("volume"))[1:, ::-1, 2:]))
    if modality == "video":
        return clip_of(5, 44, 30)
    return suited(name, TextValue("Another good text, with other quick words in it. And a second sentence."))


def pixels_of(value: Value) -> np.ndarray[Any, Any]:
    assert isinstance(value, ImageValue)
    return value.pixels


def voxels_of(value: Value) -> np.ndarray[Any, Any]:
    assert isinstance(value, VolumeValue)
    return value.voxels


def many_channels(name: str) -> Value:
    modality = modality_of(name)
    if modality == "image":
        pixels = pixels_of(value_of("image"))
        return suited(name, ImageValue(np.ascontiguousarray(np.dstack([pixels, pixels[:, :, :1]]))))
    if modality == "audio":
        samples = value_of("audio").samples
        return suited(name, AudioValue(np.concatenate([samples, samples * np.float32(0.5)]), 16_000))
    if modality == "volume":
        voxels = voxels_of(value_of("volume"))
        masks = np.ascontiguousarray(voxels[np.newaxis, ..., 0] > 128).astype(np.uint8)
        points = Keypoints(np.array([[3.0, 4, 5]]), np.arange(1))
        return VolumeValue(np.concatenate([voxels] * 3, axis=3), keypoints=points, masks=masks)
    if modality == "video":
        clip = clip_of(7, 33, 35, 16_000)
        return replace(clip, audio=None, rate=clip.rate / 2)
    return suited(
        name, TextValue("Zwölf Boxkämpfer jagen\u00a0Viktor\nquer über den großen Sylter Deich. 猫 🐈 good! é")
    )


def tiny_values_of(modality: str) -> list[Value]:
    if modality == "image":
        shapes = [(1, 1, 3), (1, 9, 3), (9, 1, 3), (1, 1, 1), (2, 2, 4), (16, 16, 1)]
        return [ImageValue(np.full(shape, 100, np.uint8)) for shape in shapes]
    if modality == "audio":
        shapes = [(1, 0), (1, 1), (2, 1), (1, 7), (1, 4000)]
        return [AudioValue(np.zeros(shape, np.float32), 16_000) for shape in shapes]
    if modality == "volume":
        deep = [(1, 1, 1, 1), (1, 1, 9, 1), (9, 1, 1, 1), (2, 8, 8, 1), (1, 16, 16, 3)]
        return [VolumeValue(np.full(shape, 100, np.uint8)) for shape in deep]
    if modality == "video":
        clips = [clip_of(*shape) for shape in [(1, 1, 1), (1, 9, 5), (2, 1, 9), (2, 16, 16), (3, 24, 1)]]
        return [tiny for clip in clips for tiny in (clip, replace(clip, audio=None))]
    return [TextValue(text) for text in ("", " ", "a", "word", "two words", ".", "?!", "\n", "good", "quick.")]


def check_value(value: Value) -> None:
    if isinstance(value, ImageValue):
        assert value.pixels.dtype == np.uint8
        assert value.pixels.ndim == 3
        assert value.pixels.shape[2] in (1, 3, 4)
        assert value.pixels.size
    elif isinstance(value, AudioValue):
        assert value.samples.dtype == np.float32
        assert value.samples.ndim == 2
        assert isinstance(value.sample_rate, int)
        assert value.sample_rate > 0
    elif isinstance(value, VolumeValue):
        assert value.voxels.dtype == np.uint8
        assert value.voxels.ndim == 4
        assert value.voxels.size
        assert value.masks is None or value.masks.shape[1:] == value.voxels.shape[:3]
    elif isinstance(value, VideoValue):
        check_clip(value)
    else:
        assert isinstance(value, TextValue)
        assert isinstance(value.text, str)


def check_clip(value: VideoValue) -> None:
    count, height, width, channels = value.frames.shape
    assert value.frames.dtype == np.uint8
    assert min(count, height, width) > 0
    assert channels == 3
    assert value.rate > 0
    if value.audio is not None:
        check_value(value.audio)
        seconds = value.audio.samples.shape[1] / value.audio.sample_rate
        assert abs(seconds - count / value.rate) <= 1 / value.rate
    if value.boxes is not None and value.boxes.frames is not None:
        assert len(value.boxes.rows) == len(value.boxes.frames) == len(value.boxes.corners)
        assert not (value.boxes.frames >= count).any()
    assert value.segments is None or (value.segments.bounds <= count / float(value.rate) + 1e-9).all()
