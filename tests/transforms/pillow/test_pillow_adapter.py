from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from transforms.isolation.philox import chance, generators
from transforms.pillow import adapter
from transforms.values import Boxes, ImageValue, Keypoints

SEED = bytes(range(16))
PIXELS = np.random.Generator(np.random.Philox(key=3)).integers(0, 256, (60, 90, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
BICUBIC = Image.Resampling.BICUBIC
# ruff: noqa: E501
DIRECT: list[tuple[str, dict[str, Any], Any]] = [
    ("Resize", {"size": [40, 30]}, PICTURE.resize((40, 30), BICUBIC)),
    ("Resize", {"size": [40, 30], "resample": "box"}, PICTURE.resize((40, 30), Image.Resampling.BOX)),
    ("Fit", {"size": [40, 40]}, ImageOps.fit(PICTURE, (40, 40))),
    ("Fit", {"size": [50, 20], "bleed": 0.1, "centering": [0, 1]}, ImageOps.fit(PICTURE, (50, 20), bleed=0.1, centering=(0, 1))),
    ("Pad", {"size": [64, 64], "color": "red"}, ImageOps.pad(PICTURE, (64, 64), color="red")),
    ("Contain", {"size": [64, 64]}, ImageOps.contain(PICTURE, (64, 64))),
    ("Cover", {"size": [64, 64]}, ImageOps.cover(PICTURE, (64, 64))),
    ("Expand", {"border": 7, "fill": [1, 2, 3]}, ImageOps.expand(PICTURE, 7, (1, 2, 3))),
    ("Crop", {"border": 7}, ImageOps.crop(PICTURE, 7)),
    ("Scale", {"factor": 1.5}, ImageOps.scale(PICTURE, 1.5)),
    ("Mirror", {}, ImageOps.mirror(PICTURE)),
    ("Flip", {}, ImageOps.flip(PICTURE)),
    ("Rotate", {"angle": 20, "expand": True, "resample": "bilinear"}, PICTURE.rotate(20, Image.Resampling.BILINEAR, True)),
    ("Rotate", {"angle": -33.3}, PICTURE.rotate(-33.3)),
    *[("Transpose", {"method": m.name.lower()}, PICTURE.transpose(m)) for m in Image.Transpose],
    ("Invert", {}, ImageOps.invert(PICTURE)),
    ("Posterize", {"bits": 3}, ImageOps.posterize(PICTURE, 3)),
    ("Solarize", {"threshold": 99}, ImageOps.solarize(PICTURE, 99)),
    ("Equalize", {}, ImageOps.equalize(PICTURE)),
    ("Autocontrast", {"cutoff": 5}, ImageOps.autocontrast(PICTURE, 5)),
    ("Grayscale", {}, ImageOps.grayscale(PICTURE).convert("RGB")),
    ("Colorize", {"black": "navy", "white": [255, 250, 240]}, ImageOps.colorize(PICTURE.convert("L"), "navy", (255, 250, 240))),
    ("Brightness", {"factor": 0.6}, ImageEnhance.Brightness(PICTURE).enhance(0.6)),
    ("Color", {"factor": 1.6}, ImageEnhance.Color(PICTURE).enhance(1.6)),
    ("Contrast", {"factor": 0.6}, ImageEnhance.Contrast(PICTURE).enhance(0.6)),
    ("Sharpness", {"factor": 3}, ImageEnhance.Sharpness(PICTURE).enhance(3)),
    ("GaussianBlur", {"radius": 1.5}, PICTURE.filter(ImageFilter.GaussianBlur(1.5))),
    ("BoxBlur", {"radius": 2}, PICTURE.filter(ImageFilter.BoxBlur(2))),
    ("UnsharpMask", {}, PICTURE.filter(ImageFilter.UnsharpMask())),
    ("MedianFilter", {"size": 5}, PICTURE.filter(ImageFilter.MedianFilter(5))),
    ("Emboss", {}, PICTURE.filter(ImageFilter.EMBOSS)),
]  # fmt: skip
MOVING: list[tuple[str, dict[str, Any]]] = [
    ("Resize", {"size": [45, 120]}), ("Thumbnail", {"size": [50, 50]}), ("Contain", {"size": [200, 50]}),
    ("Cover", {"size": [64, 100]}), ("Fit", {"size": [60, 50], "bleed": 0.1, "centering": [0.2, 0.9]}),
    ("Pad", {"size": [200, 60], "centering": [0.25, 0.5]}), ("Expand", {"border": 11}), ("Crop", {"border": 6}),
    ("Scale", {"factor": 0.7}), ("Mirror", {}), ("Flip", {}), ("Rotate", {"angle": 30}),
    ("Rotate", {"angle": -75, "expand": True}),
    *[("Transpose", {"method": m.name.lower()}) for m in Image.Transpose],
]  # fmt: skip


@pytest.mark.parametrize(("name", "params", "expected"), DIRECT)
def test_the_result_is_that_of_pillow_called_directly(name: str, params: dict[str, Any], expected: Any) -> None:
    assert adapter.problems(name, params) == []
    result, drawn = adapter.build(name, params)(ImageValue(PIXELS), SEED)
    assert isinstance(result, ImageValue)
    assert np.array_equal(result.pixels, np.asarray(expected))
    assert drawn == {}


def test_a_range_is_drawn_for_each_copy() -> None:
    step = adapter.build("UnsharpMask", {"percent": [100, 200], "radius": [1, 3]})
    _, drawn = step(ImageValue(PIXELS), SEED)
    _, python = generators(SEED)
    assert drawn == {"percent": python.randint(100, 200), "radius": python.uniform(1, 3)}
    others = {str(step(ImageValue(PIXELS), bytes([n]) * 16)[1]) for n in range(20)}
    assert len(others) == 20


def test_p_decides_by_the_seed() -> None:
    step = adapter.build("Invert", {"p": 0.4})
    seeds = [bytes([n]) * 16 for n in range(0, 256, 5)]
    assert [step(ImageValue(PIXELS), s)[1] is not None for s in seeds] == [chance(s) < 0.4 for s in seeds]


@pytest.mark.parametrize(("name", "params"), MOVING)
def test_labels_are_where_the_pixels_went(name: str, params: dict[str, Any]) -> None:
    mask = np.zeros((1, 60, 90), np.uint16)
    mask[0, 20:40, 30:60] = 700
    pixels = np.repeat((mask[0] > 0)[:, :, np.newaxis] * np.uint8(255), 3, axis=2)
    boxes = Boxes(np.array([[30.0, 20, 60, 40]]), np.array([5]))
    value = ImageValue(pixels, boxes, Keypoints(np.array([[44.5, 29.5]]), np.array([7])), mask)
    result, _ = adapter.build(name, params)(value, SEED)
    assert isinstance(result, ImageValue)
    assert result.boxes is not None
    assert result.keypoints is not None
    assert result.masks is not None
    assert result.masks.dtype == np.uint16
    assert result.masks.shape == (1, *result.pixels.shape[:2])
    ys, xs = np.nonzero(result.pixels[:, :, 0] > 127)
    assert result.boxes.rows.tolist() == [5]
    assert result.boxes.corners[0] == pytest.approx([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], abs=1.2)
    assert result.keypoints.points[0] == pytest.approx([xs.mean(), ys.mean()], abs=0.6)
    differing = (result.masks[0] == 700) != (result.pixels[:, :, 0] > 127)
    assert differing.sum() <= 0.12 * len(xs)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("name", adapter.names())
def test_grey_and_alpha(name: str, channels: int) -> None:
    params = {"Resize": {"size": [9, 9]}, "Colorize": {"black": 0, "white": "white"}}.get(name) or _needed(name)
    pixels = np.random.Generator(np.random.Philox(key=4)).integers(0, 256, (33, 41, channels), dtype=np.uint8)
    before = pixels.copy()
    result, _ = adapter.build(name, params)(ImageValue(pixels), SEED)
    assert isinstance(result, ImageValue)
    assert result.pixels.dtype == np.uint8
    assert result.pixels.shape[2] == (3 if name == "Colorize" and channels == 1 else channels)
    assert np.array_equal(pixels, before)


def _needed(name: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "size": [20, 20], "border": 3, "factor": 1.5, "angle": 10, "radius": 2, "bits": 4, "method": "rotate_90",
        "black": "black", "white": "white",
    }  # fmt: skip
    return {p.name: values[p.name] for p in adapter.describe(name).parameters if p.default == ""}


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 3), (7, 1, 1)])
@pytest.mark.parametrize("name", adapter.names())
def test_tiny_pictures_work_or_fail_with_a_message(name: str, shape: tuple[int, int, int]) -> None:
    try:
        result, _ = adapter.build(name, _needed(name))(ImageValue(np.full(shape, 9, np.uint8)), SEED)
    except ValueError as error:
        assert f"pillow.{name}" in str(error)
    else:
        assert isinstance(result, ImageValue)
        assert result.pixels.size


@pytest.mark.parametrize(
    ("name", "params", "path", "message"),
    [
        ("Rotate", {}, (), "pillow.Rotate needs the parameter 'angle'"),
        ("Rotate", {"angel": 3, "angle": 3}, ("angel",), "pillow.Rotate has no parameter 'angel'"),
        ("Rotate", {"angle": "10"}, ("angle",), "angle: '10' is no number, nor a range [lo, hi]"),
        ("Rotate", {"angle": [10, -10]}, ("angle",), "angle: [10, -10] ends before it begins"),
        ("Rotate", {"angle": 1, "resample": "cubic"}, ("resample",), "resample: 'cubic' is not one of"),
        ("Rotate", {"angle": 1, "expand": 1}, ("expand",), "expand: 1 is not true or false"),
        ("Posterize", {"bits": 9}, ("bits",), "bits: 9 is not within 1..8"),
        ("Posterize", {"bits": 2.5}, ("bits",), "bits: 2.5 is no whole number, nor a range"),
        ("Resize", {"size": 40}, ("size",), "size: 40 is not [width, height] in pixels"),
        ("Fit", {"size": [4, 4], "centering": [0, 2]}, ("centering",), "centering: [0, 2] is not within 0..1"),
        ("Expand", {"border": 2, "fill": "rde"}, ("fill",), "fill: 'rde' is no colour that Pillow knows"),
        ("MedianFilter", {"size": 4}, (), "fails on a plain image"),
        ("Invert", {"p": 2}, ("p",), "p: 2 is not a number in 0..1"),
    ],
)
def test_bad_parameters(name: str, params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (problem,) = adapter.problems(name, params)
    assert problem.path == path
    assert problem.message.startswith(message)


def test_a_step_for_pictures_refuses_other_values() -> None:
    from transforms.values import TextValue

    with pytest.raises(TypeError, match=r"pillow\.Invert works on images, not on TextValue"):
        adapter.build("Invert", {})(TextValue("a"), SEED)


def test_a_description_names_what_is_needed() -> None:
    shown = {p.name: (p.default, p.kind) for p in adapter.describe("Posterize").parameters}
    assert shown == {"bits": ("", "whole number or [lo, hi]"), "p": ("1.0", "number 0..1")}
    assert "bits" in adapter.describe("Posterize").doc
