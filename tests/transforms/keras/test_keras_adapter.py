import os
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from painted_labels import assert_labels_follow, painted

from transforms import registry
from transforms.interface import MissingLibrary
from transforms.isolation.global_random import python_seed
from transforms.isolation.philox import chance
from transforms.keras import adapter
from transforms.tensorflow.labels import Motion, moved
from transforms.values import LABEL_KINDS, ImageValue, TextValue

SEEDS = [bytes([n, 7 * n + 1]) * 8 for n in range(6)]
PIXELS = np.random.Generator(np.random.Philox(key=3)).integers(0, 256, (40, 56, 3), dtype=np.uint8)
DIRECT: list[tuple[str, dict[str, Any]]] = [
    ("AugMix", {}),
    ("AutoContrast", {}),
    ("CenterCrop", {"height": 20, "width": 30}),
    ("ContrastLimitedAdaptiveHistogramEqualization", {}),
    ("Equalization", {}),
    ("RandAugment", {"num_ops": 3, "factor": 0.4}),
    ("RandomBrightness", {"factor": 0.3}),
    ("RandomColorDegeneration", {"factor": 0.5}),
    ("RandomColorJitter", {"brightness_factor": 0.2, "saturation_factor": 0.6, "hue_factor": 0.2}),
    ("RandomContrast", {"factor": [0.2, 0.4]}),
    ("RandomCrop", {"height": 20, "width": 30}),
    ("RandomElasticTransform", {"scale": 0.6}),
    ("RandomErasing", {}),
    ("RandomFlip", {}),
    ("RandomGaussianBlur", {}),
    ("RandomGrayscale", {}),
    ("RandomHue", {"factor": 0.5}),
    ("RandomInvert", {"factor": 0.5}),
    ("RandomPerspective", {"scale": 0.4}),
    ("RandomPosterization", {"factor": 3}),
    ("RandomRotation", {"factor": 0.2, "fill_mode": "constant", "fill_value": 99}),
    ("RandomSaturation", {"factor": [0.3, 0.7]}),
    ("RandomSharpness", {"factor": 0.5}),
    ("RandomShear", {"x_factor": 0.3, "y_factor": 0.2}),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.1}),
    ("RandomZoom", {"height_factor": 0.2}),
    ("Resizing", {"height": 33, "width": 77, "interpolation": "bicubic"}),
    ("Solarization", {"addition_factor": 0.2, "threshold_factor": 0.5}),
]
MOVING: list[tuple[str, dict[str, Any]]] = [
    ("CenterCrop", {"height": 30, "width": 50}),
    ("CenterCrop", {"height": 31, "width": 51}),
    ("CenterCrop", {"height": 80, "width": 50}),
    ("RandAugment", {"num_ops": 4, "factor": 0.2}),
    ("RandomCrop", {"height": 41, "width": 61}),
    ("RandomCrop", {"height": 90, "width": 60}),
    ("RandomFlip", {}),
    ("RandomFlip", {"mode": "horizontal"}),
    ("RandomFlip", {"mode": "vertical"}),
    ("RandomPerspective", {"scale": 0.4}),
    ("RandomRotation", {"factor": 0.2, "fill_mode": "constant"}),
    ("RandomShear", {"x_factor": 0.3, "fill_mode": "constant"}),
    ("RandomShear", {"x_factor": 0.2, "y_factor": 0.3, "fill_mode": "constant"}),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.3, "fill_mode": "constant"}),
    ("RandomZoom", {"height_factor": 0.4, "width_factor": 0.3, "fill_mode": "constant"}),
    ("Resizing", {"height": 120, "width": 45}),
    ("Resizing", {"height": 50, "width": 50, "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 80, "width": 80, "pad_to_aspect_ratio": True}),
    ("Resizing", {"height": 40, "width": 100, "pad_to_aspect_ratio": True}),
]


def direct(name: str, params: dict[str, Any], seed: bytes) -> np.ndarray[Any, Any]:
    """What the library gives without this project."""
    import keras

    cls = getattr(keras.layers, name)
    seeded = {"seed": adapter.keras_seed(seed)} if hasattr(cls(**params), "generator") else {}
    random.seed(python_seed(seed))  # for AugMix, which chooses its operations by Python's generator
    result = np.asarray(cls(**params, **seeded)(PIXELS[np.newaxis].astype(np.float32)))[0]
    return np.clip(np.rint(result), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("name", "params"), DIRECT)
def test_the_result_is_that_of_keras_called_directly(name: str, params: dict[str, Any]) -> None:
    step = adapter.build(name, params)
    for seed in SEEDS[:3]:
        result, _ = step(ImageValue(PIXELS), seed)
        assert isinstance(result, ImageValue)
        assert np.array_equal(result.pixels, direct(name, params, seed))


def test_every_layer_is_compared() -> None:
    assert {name for name, _ in DIRECT} == set(adapter.names())


def test_the_names_are_keras_own() -> None:
    import keras

    layers = [getattr(keras.layers, name) for name in adapter.names()]
    assert all("image_preprocessing" in layer.__module__ for layer in layers)
    missing = [name for name in adapter.REFUSED if not hasattr(keras.layers, name)]
    assert missing == []


@pytest.mark.parametrize(("name", "params"), MOVING)
def test_labels_are_where_the_pixels_went(name: str, params: dict[str, Any]) -> None:
    step = adapter.build(name, params)
    for seed in SEEDS:
        if name == "RandAugment":
            value, told = step(painted(), seed)
            colours = {"random_posterization", "random_brightness", "random_contrast", "solarization"}
            assert told is not None
            if colours & {next(iter(layer)) for layer in told["layers"]} or not isinstance(value, ImageValue):
                continue
            assert value.masks is not None
            white = value.pixels[:, :, 0] > 127
            assert ((value.masks[0] == 700) != white).sum() <= 0.15 * white.sum()
            continue
        assert_labels_follow(step, seed, 1.6, 1.5 if name == "RandomPerspective" else 0.7)


def test_what_only_changes_colours_leaves_labels_untouched() -> None:
    value = painted()
    for name in ("RandomBrightness", "RandomErasing", "Equalization"):
        params = {"factor": 0.3} if name == "RandomBrightness" else {}
        result, _ = adapter.build(name, params)(value, SEEDS[0])
        assert isinstance(result, ImageValue)
        assert result.boxes is value.boxes
        assert result.masks is value.masks


def test_what_bends_or_blends_carries_no_labels() -> None:
    assert {name for name in adapter.names() if adapter.carries(name) != set(LABEL_KINDS["image"])} == {
        "AugMix", "RandomElasticTransform",
    }  # fmt: skip
    problem = registry.name_problem("keras.MixUp", "image")
    assert problem is not None
    assert problem.message == "keras.MixUp blends records; blending comes by steps of its own"


def test_a_box_that_the_horizon_cuts_is_what_can_be_seen_of_it() -> None:
    matrix = np.array([[1.0, 0, 0], [0, 1, 0], [-1 / 45, 0, 1]])  # the new picture's column 45 is infinitely far away
    value = painted()
    result = moved(value, value.pixels, [Motion(np.linalg.inv(matrix), (60, 90))])
    assert result.boxes is not None
    assert result.masks is not None
    for corners in result.boxes.corners:
        ys, xs = np.nonzero(result.masks[0])
        assert corners == pytest.approx([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], abs=1.5)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(("name", "params"), DIRECT)
def test_grey_and_alpha(name: str, params: dict[str, Any], channels: int) -> None:
    pixels = np.random.Generator(np.random.Philox(key=4)).integers(0, 256, (33, 41, channels), dtype=np.uint8)
    before = pixels.copy()
    step = adapter.build(name, params)
    if channels == 4 and name in ("AugMix", "RandAugment"):
        with pytest.raises(ValueError, match=rf"keras\.{name}, 33 x 41 x 4: .*alpha"):
            step(ImageValue(pixels), SEEDS[0])
        return
    result, _ = step(ImageValue(pixels), SEEDS[0])
    assert isinstance(result, ImageValue)
    assert result.pixels.dtype == np.uint8
    assert result.pixels.shape[2] == channels
    assert np.array_equal(pixels, before)
    if channels == 4 and result.pixels.shape == pixels.shape and name.endswith(("Brightness", "Contrast", "Invert")):
        assert np.array_equal(result.pixels[:, :, 3], pixels[:, :, 3])


def test_p_decides_by_the_seed() -> None:
    step = adapter.build("RandomInvert", {"p": 0.4})
    seeds = [bytes([n]) * 16 for n in range(0, 256, 5)]
    assert [step(ImageValue(PIXELS), s)[1] is not None for s in seeds] == [chance(s) < 0.4 for s in seeds]


def test_draws_leave_the_globals_alone() -> None:
    random.seed(4)
    before = random.getstate()
    for name, params in DIRECT:
        adapter.build(name, params)(ImageValue(PIXELS), SEEDS[1])
    assert random.getstate() == before


def test_draws_are_recorded_as_plain_numbers() -> None:
    told = {name: adapter.build(name, params)(ImageValue(PIXELS), SEEDS[2])[1] for name, params in DIRECT}
    assert told["RandomCrop"] is not None
    assert told["RandomCrop"].keys() == {"top", "left", "seed"}
    assert told["RandomErasing"] is not None
    left, top, right, bottom = told["RandomErasing"]["hole"]
    assert 0 <= left < right <= 56
    assert 0 <= top < bottom <= 40
    assert told["RandAugment"] is not None
    assert len(told["RandAugment"]["layers"]) == 3
    assert told["AugMix"] is not None
    assert len(told["AugMix"]["chain_transforms"]) == 3
    assert told["Resizing"] == {}


@pytest.mark.parametrize(
    ("name", "params", "path", "message"),
    [
        ("RandomRotation", {}, (), "keras.RandomRotation needs the parameter 'factor'"),
        ("RandomRotation", {"factr": 1, "factor": 0.1}, ("factr",), "keras.RandomRotation has no parameter 'factr'"),
        ("RandomFlip", {"mode": "horizontl"}, ("mode",), "mode: 'horizontl' is not one of horizontal, vertical"),
        ("RandomFlip", {"seed": 3}, ("seed",), "seed comes from the run's seed"),
        ("RandomFlip", {"dtype": "uint8"}, ("dtype",), "dtype is float32 here"),
        ("RandomBrightness", {"factor": 3}, (), "The `factor` argument should be a number"),
        ("RandomInvert", {"value_range": [0, 1]}, ("value_range",), "value_range: [0, 1] is not [0, 255]"),
        ("Resizing", {"height": 0, "width": 4}, ("height",), "height: 0 is not a whole number of at least 1"),
        ("Resizing", {"height": 9, "width": 4, "interpolation": "x"}, (), "fails on a plain image"),
        ("RandomTranslation", {"height_factor": 0.1, "width_factor": 0.1, "fill_mode": "wrp"}, (), "Unknown `fill_m"),
        ("RandomInvert", {"p": 2}, ("p",), "p: 2 is not a number in 0..1"),
    ],
)
def test_bad_parameters(name: str, params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (problem,) = adapter.problems(name, params)
    assert problem.path == path
    assert problem.message.startswith(message)


def test_the_range_of_values_may_be_written_as_it_is() -> None:
    assert adapter.problems("RandomInvert", {"value_range": [0, 255]}) == []


def test_a_step_for_pictures_refuses_other_values() -> None:
    with pytest.raises(TypeError, match=r"keras\.RandomInvert works on images, not on TextValue"):
        adapter.build("RandomInvert", {})(TextValue("a"), SEEDS[0])


def test_another_backend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    (problem,) = adapter.problems("RandomFlip", {})
    assert problem.message == "Keras runs on jax here: set KERAS_BACKEND=tensorflow before Python starts"
    with pytest.raises(MissingLibrary, match="Keras runs on jax here"):
        adapter.build("RandomFlip", {})


def test_a_backend_that_is_not_even_installed_is_told() -> None:
    code = (
        "from transforms.recipe import build_recipe, check_steps\n"
        "(problem,) = check_steps(['keras.RandomFlip'], 'image'); print(problem.message)\n"
        "from pipeline.cli.catalog import described\n"
        "try: described('keras.RandomFlip')\n"
        "except Exception as error: print(type(error).__name__)"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    told = "Keras runs on jax here: set KERAS_BACKEND=tensorflow before Python starts"
    assert done.stdout.splitlines() == [told, "UsageError"]


def test_other_settings_of_keras_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    monkeypatch.setattr(keras.config, "floatx", lambda: "float16")
    (problem,) = adapter.problems("RandomFlip", {})
    assert "floatx float32" in problem.message


def test_names_cost_no_import_and_the_import_is_silent_and_in_one_thread() -> None:
    code = (
        "import sys; from transforms.keras import adapter as k; from transforms.tensorflow import adapter as t\n"
        "k.names(), t.names(); print([m for m in ('keras', 'tensorflow') if m in sys.modules])\n"
        "k.build('RandomFlip', {}); import tensorflow\n"
        "threads = tensorflow.config.threading\n"
        "print(threads.get_intra_op_parallelism_threads(), threads.get_inter_op_parallelism_threads())"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "KERAS"))}
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**environment, "PYTHONPATH": path},
    )
    assert done.stdout.split() == ["[]", "1", "1"]
    assert done.stderr == ""
