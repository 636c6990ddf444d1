"""The determinism contract, for every name of the registry."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import contract_samples
import numpy as np
import pytest
from contract_samples import (
    COUNTS,
    SEEDLESS,
    SEEDS,
    bound_for,
    clip_of,
    content,
    digest,
    labeled,
    modality_of,
    params_of,
    recipe_of,
    value_for,
    value_of,
)

from transforms import library_warnings, registry
from transforms.checks import concise
from transforms.recipe import build_recipe, check_steps
from transforms.values import AudioValue, ImageValue, TextValue, Value, VideoValue

NAMES = list(registry.all_names())
every_name = pytest.mark.parametrize("name", NAMES)


def test_the_registry_is_as_large_as_it_was() -> None:
    counts = {
        library: sum(name.startswith(f"{library}.") for name in registry.all_names()) for library in registry.LIBRARIES
    }
    assert counts == COUNTS


@every_name
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    value = value_for(name)
    recipe = recipe_of(name)
    first = digest(recipe, SEEDS[0], value)
    assert digest(recipe, SEEDS[0], value) == first
    assert digest(recipe_of(name), SEEDS[0], value) == first


@every_name
def test_what_ran_before_does_not_matter(name: str) -> None:
    value = value_for(name)
    used = recipe_of(name)
    for seed in SEEDS[1:4]:
        used.apply(other_value(name), seed)
    assert digest(used, SEEDS[0], value) == digest(recipe_of(name), SEEDS[0], value)


@every_name
def test_another_seed_gives_another_result(name: str) -> None:
    value = value_for(name)
    recipe = recipe_of(name)
    results = {content(recipe.apply(value, seed)[0]) for seed in SEEDS}
    assert (len(results) == 1) == (name in SEEDLESS)


@every_name
def test_the_input_is_not_mutated_and_the_output_is_a_value(name: str) -> None:
    for value in (value_for(name), many_channels(name)):
        before = content(value)
        try:
            result, _ = recipe_of(name).apply(value, SEEDS[0])
        except ValueError as error:
            assert value is not value_for(name), str(error)
            assert name in str(error)
            continue
        assert content(value) == before
        check_value(result)


@every_name
def test_the_step_is_recorded_with_json_parameters(name: str) -> None:
    _, applied = recipe_of(name).apply(value_for(name), SEEDS[0])
    assert [step.name for step in applied] == [name]
    assert isinstance(json.loads(applied[0].params), dict)
    assert " at 0x" not in applied[0].params
    assert len(applied[0].params) < 4096


@every_name
def test_a_check_passes_and_an_unknown_parameter_is_refused_with_the_nearest(name: str) -> None:
    params = params_of(name)
    assert check_steps([{name: params}], modality_of(name), bound_for(name)) == []
    known = [p.name for p in registry.describe(name).parameters]
    wrong = known[0][0] + known[0]
    problems = check_steps([{name: {**params, wrong: 1}}], modality_of(name), bound_for(name))
    assert [(p.path, p.suggestion) for p in problems] == [((0, name, wrong), known[0])]


@every_name
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, for covariances of one pixel
def test_tiny_values_work_or_fail_cleanly(name: str) -> None:
    recipe = recipe_of(name)
    for tiny in tiny_values(modality_of(name)):
        value = suited(name, tiny) if isinstance(tiny, ImageValue) else tiny
        try:
            result, _ = recipe.apply(value, SEEDS[0])
        except Exception as error:  # noqa: BLE001 - a failed record, whatever it is; the process lives
            assert concise(error)
        else:
            check_value(result)


@every_name
def test_four_threads_give_what_one_gives(name: str) -> None:
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


def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "ignore", str(Path(contract_samples.__file__)), *NAMES]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == contract_samples.digests(NAMES)


def test_a_whole_recipe_of_each_modality_gives_the_same_in_any_order_of_seeds() -> None:
    for modality in ("image", "audio", "text", "video"):
        names = [name for name in NAMES if modality_of(name) == modality][:6]
        recipe = build_recipe([{"some_of": {"n": [1, 3], "steps": [{n: params_of(n)} for n in names]}}], modality)
        plain = value_of(modality)
        value = labeled(plain) if isinstance(plain, ImageValue) else plain
        forwards = [digest(recipe, seed, value) for seed in SEEDS]
        assert [digest(recipe, seed, value) for seed in reversed(SEEDS)] == forwards[::-1]


def other_value(name: str) -> Value:
    modality = modality_of(name)
    if modality == "image":
        return suited(name, ImageValue(np.ascontiguousarray(pixels_of(value_of("image"))[8:60, ::-1])))
    if modality == "audio":
        return AudioValue(np.ascontiguousarray(value_of("audio").samples[:, 700:6700]), 8_000)
    if modality == "video":
        return clip_of(5, 44, 30)
    return TextValue("Another good text, with other quick words in it. And a second sentence.")


def suited(name: str, value: ImageValue) -> ImageValue:
    return labeled(value) if registry.needs(name) else value


def pixels_of(value: Value) -> np.ndarray[Any, Any]:
    assert isinstance(value, ImageValue)
    return value.pixels


def many_channels(name: str) -> Value:
    modality = modality_of(name)
    if modality == "image":
        pixels = pixels_of(value_of("image"))
        return suited(name, ImageValue(np.ascontiguousarray(np.dstack([pixels, pixels[:, :, :1]]))))
    if modality == "audio":
        samples = value_of("audio").samples
        return AudioValue(np.concatenate([samples, samples * np.float32(0.5)]), 16_000)
    if modality == "video":
        clip = clip_of(7, 33, 35, 16_000)
        return replace(clip, audio=None, rate=clip.rate / 2)
    return TextValue("Zwölf Boxkämpfer jagen\u00a0Viktor\nquer über den großen Sylter Deich. 猫 🐈 good! é")


def tiny_values(modality: str) -> list[Value]:
    if modality == "image":
        shapes = [(1, 1, 3), (1, 9, 3), (9, 1, 3), (1, 1, 1), (2, 2, 4), (16, 16, 1)]
        return [ImageValue(np.full(shape, 100, np.uint8)) for shape in shapes]
    if modality == "audio":
        shapes = [(1, 0), (1, 1), (2, 1), (1, 7), (1, 4000)]
        return [AudioValue(np.zeros(shape, np.float32), 16_000) for shape in shapes]
    if modality == "video":
        shapes = [(1, 1, 1), (1, 9, 5), (2, 1, 9), (2, 16, 16), (3, 24, 1)]
        return [clip for shape in shapes for clip in (clip_of(*shape), replace(clip_of(*shape), audio=None))]
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
    elif isinstance(value, VideoValue):
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
    else:
        assert isinstance(value.text, str)
