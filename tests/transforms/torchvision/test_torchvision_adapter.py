import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from transforms.isolation.philox import chance
from transforms.isolation.torch_random import torch_seed
from transforms.recipe import build_recipe, check_steps
from transforms.torchvision import adapter
from transforms.torchvision.classes import COLOURS, DRAWN_WHILE_APPLIED, INTERLEAVED, NEEDS, PLACE_KEEPERS, POLICIES
from transforms.values import LABEL_KINDS, ImageValue, TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")
SEEDS = [bytes([n, 7 * n + 1]) * 8 for n in range(6)]
PIXELS = np.random.Generator(np.random.Philox(key=3)).integers(0, 256, (60, 90, 3), dtype=np.uint8)
Written = dict[str, Any]
# ruff: noqa: E501
# As a config writes it, and what a program would write where that differs.
DIRECT: list[tuple[str, Written, Written]] = [
    ("RandomHorizontalFlip", {}, {}),
    ("RandomVerticalFlip", {}, {}),
    ("Resize", {"size": [40, 50]}, {"size": (40, 50)}),
    ("Resize", {"size": 33, "interpolation": "bicubic"}, {"interpolation": v2.InterpolationMode.BICUBIC}),
    ("Resize", {"size": [70, 99], "interpolation": "nearest-exact"}, {}),
    ("Resize", {"size": None, "max_size": 45}, {}),
    ("CenterCrop", {"size": [33, 44]}, {}),
    ("CenterCrop", {"size": 75}, {}),
    ("Pad", {"padding": [3, 5], "fill": [10, 20, 30]}, {"padding": (3, 5), "fill": (10, 20, 30)}),
    ("Pad", {"padding": 9, "padding_mode": "symmetric"}, {}),
    ("RandomCrop", {"size": [40, 50], "padding": 4, "padding_mode": "reflect"}, {"size": (40, 50)}),
    ("RandomCrop", {"size": 100, "pad_if_needed": True, "fill": 7}, {}),
    ("RandomResizedCrop", {"size": [40, 50], "scale": [0.2, 0.9]}, {"scale": (0.2, 0.9)}),
    ("RandomResizedCrop", {"size": 40, "interpolation": "nearest"}, {}),
    ("RandomRotation", {"degrees": 40, "expand": True}, {}),
    ("RandomRotation", {"degrees": [-10, 50], "interpolation": "bilinear", "center": [5, 5], "fill": 99}, {}),
    (
        "RandomAffine",
        {"degrees": 20, "translate": [0.1, 0.2], "scale": [0.8, 1.2], "shear": [-5, 5, -9, 9], "fill": [1, 2, 3]},
        {"translate": (0.1, 0.2), "scale": (0.8, 1.2), "shear": (-5, 5, -9, 9), "fill": (1, 2, 3)},
    ),
    ("RandomPerspective", {"distortion_scale": 0.6, "fill": 8}, {}),
    ("ElasticTransform", {"alpha": [80, 60], "sigma": 4}, {}),
    ("RandomZoomOut", {"side_range": [1, 2], "fill": [9, 8, 7]}, {}),
    ("RandomShortestSize", {"min_size": [30, 40, 50], "max_size": 66}, {}),
    ("RandomResize", {"min_size": 20, "max_size": 80}, {}),
    ("ScaleJitter", {"target_size": [50, 60]}, {"target_size": (50, 60)}),
    ("ColorJitter", {"brightness": 0.4, "contrast": [0.5, 1.5], "saturation": 0.3, "hue": 0.1}, {}),
    ("RandomPhotometricDistort", {}, {}),
    ("Grayscale", {}, {}),
    ("Grayscale", {"num_output_channels": 3}, {}),
    ("RandomGrayscale", {}, {}),
    ("RandomChannelPermutation", {}, {}),
    ("RandomInvert", {}, {}),
    ("RandomPosterize", {"bits": 3}, {}),
    ("RandomSolarize", {"threshold": 99}, {}),
    ("RandomEqualize", {}, {}),
    ("RandomAutocontrast", {}, {}),
    ("RandomAdjustSharpness", {"sharpness_factor": 2.5}, {}),
    ("RGB", {}, {}),
    ("Identity", {}, {}),
    ("GaussianBlur", {"kernel_size": [3, 5]}, {}),
    ("GaussianNoise", {"sigma": 0.2, "mean": 0.1}, {}),
    ("JPEG", {"quality": [10, 40]}, {"quality": (10, 40)}),
    ("RandomErasing", {}, {}),
    ("RandomErasing", {"value": [5, 6, 7], "scale": [0.1, 0.2]}, {}),
    ("AutoAugment", {"policy": "imagenet"}, {"policy": v2.AutoAugmentPolicy.IMAGENET}),
    ("AutoAugment", {"policy": "svhn", "fill": 128}, {"policy": v2.AutoAugmentPolicy.SVHN}),
    ("RandAugment", {"num_ops": 3, "fill": [1, 2, 3], "interpolation": "bilinear"}, {}),
    ("TrivialAugmentWide", {}, {}),
    ("AugMix", {"severity": 5, "fill": [90, 80, 70]}, {}),
]


def direct(name: str, params: Written, seed: bytes, pixels: np.ndarray[Any, Any] = PIXELS) -> np.ndarray[Any, Any]:
    """What the library gives without this project."""
    cls = vars(v2)[name]
    step = cls(**params, p=1.0) if "p" in cls.__init__.__annotations__ else cls(**params)
    picture = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    torch.manual_seed(torch_seed(seed))
    result: np.ndarray[Any, Any] = step(picture).permute(1, 2, 0).numpy()
    return result


@pytest.mark.parametrize(("name", "written", "python"), DIRECT)
def test_the_result_is_that_of_the_library_called_directly(name: str, written: Written, python: Written) -> None:
    assert adapter.problems(name, written) == []
    step = adapter.build(name, {**written, "p": 1})
    for seed in SEEDS:
        result, drawn = step(ImageValue(PIXELS), seed)
        assert isinstance(result, ImageValue)
        assert drawn is not None
        expected = direct(name, {**written, **python}, seed)
        assert np.array_equal(result.pixels, expected)
        assert result.pixels.flags.c_contiguous


def test_every_class_is_compared_or_needs_labels() -> None:
    assert {name for name, _, _ in DIRECT} | set(NEEDS) == set(adapter.names())


def test_every_class_of_the_library_is_offered_or_refused_with_a_reason() -> None:
    public = {n for n, c in vars(v2).items() if isinstance(c, type) and issubclass(c, v2.Transform)}
    assert public == set(adapter.names()) | set(adapter.REFUSED)
    assert not set(adapter.names()) & set(adapter.REFUSED)
    for listed in (COLOURS, PLACE_KEEPERS, POLICIES, DRAWN_WHILE_APPLIED, INTERLEAVED, set(NEEDS)):
        assert set(listed) <= set(adapter.names())


def test_the_classes_that_move_are_those_of_the_library() -> None:
    elsewhere = {n for n in adapter.names() if vars(v2)[n].__module__.endswith(("_geometry", "_auto_augment"))}
    assert set(adapter.names()) - PLACE_KEEPERS - set(NEEDS) == elsewhere - set(NEEDS)


@pytest.mark.parametrize(("name", "written", "python"), DIRECT)
def test_how_pixels_lie_in_memory_makes_no_difference(name: str, written: Written, python: Written) -> None:
    step = adapter.build(name, {**written, "p": 1})
    expected, _ = step(ImageValue(PIXELS), SEEDS[0])
    fixed = PIXELS.copy()
    fixed.flags.writeable = False
    backwards = np.ascontiguousarray(PIXELS[::-1, ::-1])[::-1, ::-1]
    for pixels in (fixed, backwards, np.asfortranarray(PIXELS)):
        result, _ = step(ImageValue(pixels), SEEDS[0])
        assert isinstance(result, ImageValue)
        assert isinstance(expected, ImageValue)
        assert np.array_equal(result.pixels, expected.pixels)


@pytest.mark.parametrize("name", ["RandomHorizontalFlip", "RandomGrayscale", "ColorJitter", "RandomRotation"])
def test_p_decides_by_the_seed(name: str) -> None:
    params: Written = {"degrees": 9} if name == "RandomRotation" else {}
    step = adapter.build(name, {**params, "p": 0.4})
    seeds = [bytes([n]) * 16 for n in range(0, 256, 5)]
    assert [step(ImageValue(PIXELS), s)[1] is not None for s in seeds] == [chance(s) < 0.4 for s in seeds]


def test_the_default_p_is_the_librarys_and_else_one() -> None:
    shown = {name: {p.name: p.default for p in adapter.describe(name).parameters} for name in adapter.names()}
    assert shown["RandomHorizontalFlip"]["p"] == "0.5"
    assert shown["RandomGrayscale"]["p"] == "0.1"
    assert shown["RandomRotation"]["p"] == "1.0"
    seeds = [bytes([n]) * 16 for n in range(256)]
    applied = sum(adapter.build("RandomGrayscale", {})(ImageValue(PIXELS), seed)[1] is not None for seed in seeds)
    assert applied == sum(chance(seed) < 0.1 for seed in seeds)


def test_the_p_of_photometric_distortion_is_for_each_part() -> None:
    step = adapter.build("RandomPhotometricDistort", {"p": 0.5})
    drawn = [step(ImageValue(PIXELS), bytes([n]) * 16)[1] or {} for n in range(40)]
    assert all("contrast_before" in one for one in drawn)
    assert {"hue_factor" in one for one in drawn} == {True, False}


def test_what_was_drawn_is_recorded() -> None:
    def drawn(name: str, **params: Any) -> dict[str, Any]:
        _, applied = build_recipe([{f"torchvision.{name}": params}], "image").apply(ImageValue(PIXELS), SEEDS[1])
        return dict(json.loads(applied[0].params))

    angle = drawn("RandomRotation", degrees=[10, 20])["angle"]
    assert 10 <= angle <= 20
    assert sorted(drawn("ColorJitter", brightness=0.4)) == ["brightness_factor", "fn_idx"]
    assert sorted(drawn("ElasticTransform")["displacement"]) == ["blake2b", "dtype", "shape"]
    assert len(drawn("RandAugment", num_ops=3)["operations"]) == 3
    mixed = drawn("AugMix", mixture_width=2, chain_depth=2)
    assert [len(weights) for weights in mixed["weights"]] == [2, 2]
    assert len(mixed["operations"]) == 4
    assert drawn("Resize", size=[9, 9]) == {}


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(("name", "written", "python"), DIRECT)
def test_grey_and_alpha_work_or_fail_with_a_message(
    name: str, written: Written, python: Written, channels: int
) -> None:
    pixels = np.random.Generator(np.random.Philox(key=4)).integers(0, 256, (60, 90, channels), dtype=np.uint8)
    before = pixels.copy()
    try:
        result, _ = adapter.build(name, {**written, "p": 1})(ImageValue(pixels), SEEDS[0])
    except ValueError as error:
        assert f"torchvision.{name}, 60 x 90 x {channels}: " in str(error)
        told = isinstance(written.get("fill") or written.get("value"), list)  # a colour for three channels
        assert told or (name in POLICIES and channels == 4)
    else:
        assert isinstance(result, ImageValue)
        assert result.pixels.shape[2] in (channels, 3)
        assert result.pixels.shape[2] == channels or (name in ("RGB", "Grayscale") and channels == 1)
        if channels == 4 and name in COLOURS:
            assert np.array_equal(result.pixels[:, :, 3], pixels[:, :, 3])
            if name != "RandomErasing":
                expected = direct(name, {**written, **python}, SEEDS[0], np.ascontiguousarray(pixels[:, :, :3]))
                assert np.array_equal(result.pixels[:, :, :3], np.broadcast_to(expected, (60, 90, 3)))
    assert np.array_equal(pixels, before)


def test_loading_starts_no_thread_so_that_workers_may_be_forked_afterwards() -> None:
    code = f"import os, {', '.join(adapter.PRELOAD)}; print(len(os.listdir('/proc/self/task')))"
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **one}, capture_output=True, check=True)
    assert done.stdout == b"1\n"


def test_users_generator_is_not_disturbed() -> None:
    torch.manual_seed(8)
    expected = torch.rand(3)
    torch.manual_seed(8)
    for name in ("RandomRotation", "AugMix", "GaussianNoise"):
        adapter.build(name, {"degrees": 9} if name == "RandomRotation" else {})(ImageValue(PIXELS), SEEDS[0])
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("name", "params", "path", "message", "suggestion"),
    [
        ("RandomRotation", {}, (), "torchvision.RandomRotation needs the parameter 'degrees'", ""),
        ("RandomRotation", {"degres": 3, "degrees": 3}, ("degres",), "torchvision.RandomRotation has no", "degrees"),
        ("RandomRotation", {"degrees": -5}, (), "If degrees is a single number, it must be positive.", ""),
        ("RandomRotation", {"degrees": 5, "interpolation": "bilinea"}, ("interpolation",), "interpolation: 'bilinea' is not one of nearest, bilinear", "bilinear"),
        ("RandomRotation", {"degrees": 5, "expand": "no"}, ("expand",), "expand: 'no' is not true or false", ""),
        ("RandomRotation", {"degrees": 5, "p": 2}, ("p",), "p: 2 is not a number in 0..1", ""),
        ("Resize", {"size": 9, "interpolation": "box"}, ("interpolation",), "interpolation: 'box' is not one of", ""),
        ("Resize", {"size": [0, 5]}, (), "fails on a plain image: Input and output sizes should be greater than 0", ""),
        ("RandomCrop", {"size": 9, "padding_mode": "mirror", "padding": 3}, ("padding_mode",), "padding_mode: 'mirror' is not", ""),
        ("RandomAffine", {"degrees": 1, "fill": "red"}, ("fill",), "fill: 'red' is no number in 0..255", ""),
        ("RandomAffine", {"degrees": 1, "fill": {"image": 1}}, ("fill",), "fill: {'image': 1} is no mapping of Image and Mask", ""),
        ("RandomAffine", {"degrees": 1, "fill": [1, 2]}, (), "fails on a plain image: The number of elements in 'fill'", ""),
        ("RandomResizedCrop", {"size": 9, "scale": [1, 0.5]}, (), "Scale and ratio should be of kind (min, max)", ""),
        ("RandomIoUCrop", {"sampler_options": [0.5]}, ("sampler_options",), "sampler_options: needs a 1", ""),
        ("RandomIoUCrop", {"min_scale": 0.9, "max_scale": 0.3}, ("min_scale",), "min_scale: 0.9 is more than max_scale: 0.3", ""),
        ("ScaleJitter", {"target_size": [9, 9], "scale_range": [2, 1]}, ("scale_range",), "scale_range: [2, 1] ends before", ""),
        ("ColorJitter", {"hue": 0.9}, (), "hue values should be between (-0.5, 0.5)", ""),
        ("RandomPhotometricDistort", {"hue": [-2, 2]}, ("hue",), "hue: [-2, 2] is not -0.5 or more, and 0.5 at most", ""),
        ("RandomPosterize", {"bits": 9}, ("bits",), "bits: 9 is not 0 or more, and 8 at most", ""),
        ("RandomPosterize", {"bits": 2.5}, (), "fails on a plain image: bits must be", ""),
        ("GaussianBlur", {"kernel_size": 4}, (), "Kernel size value should be an odd and positive number.", ""),
        ("GaussianNoise", {"sigma": -1}, ("sigma",), "sigma: -1 is not 0 or more", ""),
        ("RandomErasing", {"inplace": True}, ("inplace",), "inplace would write into the source picture", ""),
        ("RandomErasing", {"value": "random"}, ("value",), "value: 'random' is noise around 0 for floating point", ""),
        ("RandomErasing", {"value": [1, 2, 300]}, ("value",), "value: [1, 2, 300] is not 0 or more, and 255 at most", ""),
        ("AutoAugment", {"policy": "imagenot"}, ("policy",), "policy: 'imagenot' is not one of", "imagenet"),
        ("RandAugment", {"magnitude": 31}, ("magnitude",), "magnitude: 31 is not within 0..30", ""),
        ("AugMix", {"alpha": 0}, ("alpha",), "alpha: 0 is not above 0", ""),
        ("Identity", {"pp": 1}, ("pp",), "torchvision.Identity has no parameter 'pp'", "p"),
    ],
)  # fmt: skip
def test_bad_parameters(name: str, params: Written, path: tuple[str, ...], message: str, suggestion: str) -> None:
    (problem,) = adapter.problems(name, params)
    assert problem.path == path
    assert problem.message.startswith(message)
    assert problem.suggestion == suggestion


def test_a_crop_larger_than_the_trial_picture_is_no_mistake_and_fails_cleanly_on_a_small_one() -> None:
    assert adapter.problems("RandomCrop", {"size": 600}) == []
    message = r"torchvision\.RandomCrop, 60 x 90 x 3: Required crop size \(600, 600\) is larger"
    with pytest.raises(ValueError, match=message):
        adapter.build("RandomCrop", {"size": 600})(ImageValue(PIXELS), SEEDS[0])


@pytest.mark.parametrize("name", ["CutMix", "ToTensor", "RandomChoice", "FiveCrop", "Normalize", "ClampBoundingBoxes"])
def test_refused_classes_say_why(name: str) -> None:
    (problem,) = check_steps([f"torchvision.{name}"], "image")
    assert problem.message == f"torchvision.{name} {adapter.REFUSED[name]}"


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_classes_that_the_library_gives_no_labels_are_refused_where_labels_are_bound(name: str) -> None:
    (problem,) = check_steps([f"torchvision.{name}"], "image", ("boxes",))
    assert problem.message == f"torchvision.{name} does not move boxes along"


def test_everything_else_carries_all_labels() -> None:
    assert {n for n in adapter.names() if adapter.carries(n) != set(LABEL_KINDS["image"])} == POLICIES


def test_a_step_for_pictures_refuses_other_values() -> None:
    with pytest.raises(TypeError, match=r"torchvision\.RGB works on images, not on TextValue"):
        adapter.build("RGB", {})(TextValue("a"), SEEDS[0])


def test_a_description_shows_what_a_config_writes() -> None:
    shown = {p.name: (p.default, p.kind) for p in adapter.describe("AutoAugment").parameters}
    assert shown["policy"] == ("'imagenet'", "imagenet | cifar10 | svhn")
    assert shown["interpolation"] == ("'nearest'", "nearest | bilinear")
    assert shown["fill"] == ("None", "number, [r, g, b] or {Image: colour, Mask: class}")
    (sizes,) = (p for p in adapter.describe("RandomZoomOut").parameters if p.name == "side_range")
    assert (sizes.default, sizes.kind) == ("[1.0, 4.0]", "Sequence[float]")
    assert {p.name: p.kind for p in adapter.describe("RandomErasing").parameters}["value"] == "number or [r, g, b]"
    assert "inplace" not in {p.name for p in adapter.describe("RandomErasing").parameters}
    assert "bounding box" in adapter.describe("RandomIoUCrop").doc
