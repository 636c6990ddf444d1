import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from painted_labels import assert_labels_follow, painted

from transforms import registry
from transforms.isolation.philox import chance
from transforms.recipe import build_recipe, check_steps
from transforms.tensorflow import adapter
from transforms.tensorflow.runtime import tensorflow
from transforms.values import LABEL_KINDS, ImageValue, TextValue

SEEDS = [bytes([n, 7 * n + 1]) * 8 for n in range(6)]
PIXELS = np.random.Generator(np.random.Philox(key=3)).integers(0, 256, (40, 56, 3), dtype=np.uint8)
BOX = {"offset_height": 3, "offset_width": 7, "target_height": 30, "target_width": 41}
DIRECT: list[tuple[str, dict[str, Any]]] = [
    ("adjust_brightness", {"delta": 0.2}),
    ("adjust_contrast", {"contrast_factor": 1.5}),
    ("adjust_gamma", {"gamma": 1.5, "gain": 0.9}),
    ("adjust_hue", {"delta": 0.2}),
    ("adjust_jpeg_quality", {"jpeg_quality": 30}),
    ("adjust_saturation", {"saturation_factor": 0.5}),
    ("central_crop", {"central_fraction": 0.7}),
    ("crop_to_bounding_box", BOX),
    ("flip_left_right", {}),
    ("flip_up_down", {}),
    ("pad_to_bounding_box", {**BOX, "target_height": 90, "target_width": 99}),
    ("resize", {"size": [33, 77], "method": "bicubic", "antialias": True}),
    ("resize_with_crop_or_pad", {"target_height": 21, "target_width": 90}),
    ("resize_with_pad", {"target_height": 51, "target_width": 33}),
    ("rot90", {"k": 3}),
    ("stateless_random_brightness", {"max_delta": 0.3}),
    ("stateless_random_contrast", {"lower": 0.5, "upper": 1.5}),
    ("stateless_random_crop", {"size": [20, 30, 3]}),
    ("stateless_random_flip_left_right", {}),
    ("stateless_random_flip_up_down", {}),
    ("stateless_random_hue", {"max_delta": 0.3}),
    ("stateless_random_jpeg_quality", {"min_jpeg_quality": 5, "max_jpeg_quality": 80}),
    ("stateless_random_saturation", {"lower": 0.3, "upper": 1.8}),
    ("transpose", {}),
]
MOVING: list[tuple[str, dict[str, Any]]] = [
    ("central_crop", {"central_fraction": 0.7}),
    ("central_crop", {"central_fraction": 0.55}),
    ("crop_to_bounding_box", {**BOX, "offset_height": 10}),
    ("flip_left_right", {}),
    ("flip_up_down", {}),
    ("pad_to_bounding_box", {**BOX, "target_height": 90, "target_width": 120}),
    ("resize", {"size": [45, 120]}),
    ("resize", {"size": [45, 120], "preserve_aspect_ratio": True}),
    ("resize_with_crop_or_pad", {"target_height": 31, "target_width": 101}),
    ("resize_with_crop_or_pad", {"target_height": 77, "target_width": 40}),
    ("resize_with_pad", {"target_height": 51, "target_width": 33}),
    ("resize_with_pad", {"target_height": 99, "target_width": 200}),
    *[("rot90", {"k": k}) for k in range(-1, 5)],
    ("stateless_random_crop", {"size": [40, 60]}),
    ("stateless_random_flip_left_right", {}),
    ("stateless_random_flip_up_down", {}),
    ("transpose", {}),
]


def direct(name: str, params: dict[str, Any], seed: bytes) -> np.ndarray[Any, Any]:
    """What the library gives without this project."""
    seeded = {"seed": adapter.tf_seed(seed)} if name.startswith("stateless") else {}
    result = getattr(tensorflow().image, name)(PIXELS, **params, **seeded).numpy()
    return np.clip(np.rint(result.astype(np.float32)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("name", "params"), DIRECT)
def test_the_result_is_that_of_tensorflow_called_directly(name: str, params: dict[str, Any]) -> None:
    assert adapter.problems(f"image.{name}", params) == []
    step = adapter.build(f"image.{name}", params)
    for seed in SEEDS[:3]:
        result, told = step(ImageValue(PIXELS), seed)
        assert isinstance(result, ImageValue)
        assert np.array_equal(result.pixels, direct(name, params, seed))
        assert told is not None
        assert (told.get("seed") == list(adapter.tf_seed(seed))) == name.startswith("stateless")


def test_grey_stays_in_the_channels_of_a_coloured_picture() -> None:
    result, _ = adapter.build("image.rgb_to_grayscale", {})(ImageValue(PIXELS), SEEDS[0])
    assert isinstance(result, ImageValue)
    assert np.array_equal(result.pixels, np.repeat(direct("rgb_to_grayscale", {}, SEEDS[0]), 3, axis=2))


def test_every_public_function_is_usable_or_refused() -> None:
    public = {f"image.{name}" for name in dir(tensorflow().image) if not name.startswith("_")}
    assert public == {*adapter.names(), *adapter.REFUSED}


def test_a_stateful_function_is_refused_with_its_twin() -> None:
    problem = registry.name_problem("tf.image.random_hue", "image")
    assert problem is not None
    assert problem.message.startswith("tf.image.random_hue draws from TensorFlow's global state")
    assert "tf.image.stateless_random_hue" in problem.message
    twins = {f"image.stateless_{name.removeprefix('image.')}" for name in adapter.REFUSED if ".random_" in name}
    assert twins <= set(adapter.names())


def test_names_of_two_dots_work_everywhere() -> None:
    steps = [{"one_of": [{"tf.image.stateless_random_hue": {"max_delta": 0.2}}, "tf.image.flip_left_right"]}]
    assert check_steps(steps, "image") == []
    recipe = build_recipe(steps, "image")
    assert recipe.names == ("tf.image.flip_left_right", "tf.image.stateless_random_hue")
    assert {recipe.apply(ImageValue(PIXELS), seed)[1][0].name for seed in SEEDS} == set(recipe.names)
    (problem,) = check_steps(["tf.image.stateles_random_hue"], "image")
    assert problem.suggestion == "tf.image.stateless_random_hue"
    assert registry.describe("tf.image.resize").parameters[1].kind.startswith("area | bicubic")


@pytest.mark.parametrize(("name", "params"), MOVING)
def test_labels_are_where_the_pixels_went(name: str, params: dict[str, Any]) -> None:
    step = adapter.build(f"image.{name}", params)
    for seed in SEEDS if "stateless" in name else SEEDS[:1]:
        assert_labels_follow(step, seed)


def test_every_moving_function_is_tested_and_all_carry_labels() -> None:
    value = painted()
    moving = {f"image.{name}" for name, _ in MOVING}
    for name, params in DIRECT:
        result, _ = adapter.build(f"image.{name}", params)(value, SEEDS[0])
        assert isinstance(result, ImageValue)
        assert f"image.{name}" in moving or result.boxes is value.boxes
        assert adapter.carries(f"image.{name}") == set(LABEL_KINDS["image"])


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(("name", "params"), [*DIRECT, ("rgb_to_grayscale", {})])
def test_grey_and_alpha(name: str, params: dict[str, Any], channels: int) -> None:
    params = {**params, "size": params["size"][:2]} if "size" in params else params
    pixels = np.random.Generator(np.random.Philox(key=4)).integers(0, 256, (40, 56, channels), dtype=np.uint8)
    before = pixels.copy()
    result, _ = adapter.build(f"image.{name}", params)(ImageValue(pixels), SEEDS[0])
    assert isinstance(result, ImageValue)
    assert result.pixels.dtype == np.uint8
    assert result.pixels.shape[2] == channels
    assert np.array_equal(pixels, before)
    if channels == 4 and name.startswith(("adjust", "rgb")):
        assert np.array_equal(result.pixels[:, :, 3], pixels[:, :, 3])


def test_p_decides_by_the_seed() -> None:
    step = adapter.build("image.flip_up_down", {"p": 0.4})
    seeds = [bytes([n]) * 16 for n in range(0, 256, 5)]
    assert [step(ImageValue(PIXELS), s)[1] is not None for s in seeds] == [chance(s) < 0.4 for s in seeds]


def test_sizes_that_fit_the_users_pictures_are_no_problem() -> None:
    large = {**BOX, "target_height": 2000, "target_width": 2000}
    assert adapter.problems("image.crop_to_bounding_box", large) == []
    assert adapter.problems("image.stateless_random_crop", {"size": [900, 900]}) == []


def test_a_picture_that_is_too_small_is_told() -> None:
    with pytest.raises(ValueError, match=r"tf\.image\.stateless_random_crop, 40 x 56 x 3: "):
        adapter.build("image.stateless_random_crop", {"size": [50, 30]})(ImageValue(PIXELS), SEEDS[0])


@pytest.mark.parametrize(
    ("name", "params", "path", "message"),
    [
        ("adjust_hue", {}, (), "tf.image.adjust_hue needs the parameter 'delta'"),
        ("adjust_hue", {"delt": 1, "delta": 0.1}, ("delt",), "tf.image.adjust_hue has no parameter 'delt'"),
        ("adjust_hue", {"delta": 3}, ("delta",), "delta: 3 is not within -1..1"),
        ("adjust_hue", {"delta": "x"}, ("delta",), "delta: 'x' is no number"),
        ("rot90", {"k": 1.5}, ("k",), "k: 1.5 is no whole number"),
        ("resize", {"size": [4]}, ("size",), "size: [4] is not [height, width] in pixels"),
        ("resize", {"size": [4, 5], "method": "bilinea"}, ("method",), "method: 'bilinea' is not one of area"),
        ("resize", {"size": [4, 5], "antialias": 1}, ("antialias",), "antialias: 1 is not true or false"),
        ("resize", {"size": [4, 5, 3]}, (), "fails on a plain image"),
        ("stateless_random_contrast", {"lower": 2, "upper": 1}, ("upper",), "upper: 1 is not larger than lower"),
        ("stateless_random_hue", {"max_delta": 0.2, "seed": [1, 2]}, ("seed",), "seed comes from the run's seed"),
        ("transpose", {"p": 2}, ("p",), "p: 2 is not a number in 0..1"),
    ],
)
def test_bad_parameters(name: str, params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (problem,) = adapter.problems(f"image.{name}", params)
    assert problem.path == path
    assert problem.message.startswith(message)


def test_a_step_for_pictures_refuses_other_values() -> None:
    with pytest.raises(TypeError, match=r"tf\.image\.transpose works on images, not on TextValue"):
        adapter.build("image.transpose", {})(TextValue("a"), SEEDS[0])


@pytest.mark.slow
def test_tensorflow_and_torchvision_live_in_one_process() -> None:
    code = "from transforms.tensorflow.runtime import tensorflow as t; t(); import torchvision; print('alive')"
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
