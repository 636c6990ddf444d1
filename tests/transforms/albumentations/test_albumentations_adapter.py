import inspect
import time
from typing import Any

import albumentations
import cv2
import numpy as np
import pytest

from transforms.albumentations import adapter
from transforms.isolation.philox import chance, generators
from transforms.values import ImageValue

pytestmark = pytest.mark.usefixtures("quiet_process")

SEED = bytes(range(100, 116))
PIXELS = np.random.Generator(np.random.Philox(key=3)).integers(0, 256, (64, 80, 3), dtype=np.uint8)
DIRECT: list[tuple[str, dict[str, Any]]] = [
    ("AdvancedBlur", {}),
    ("Affine", {"rotate": (-30, 30), "scale": (0.8, 1.2)}),
    ("ChannelShuffle", {}),
    ("CoarseDropout", {"fill": "random"}),
    ("ColorJitter", {}),
    ("Defocus", {}),
    ("ElasticTransform", {}),
    ("FancyPCA", {}),
    ("GaussNoise", {}),
    ("GlassBlur", {}),
    ("GridDistortion", {}),
    ("HorizontalFlip", {}),
    ("ISONoise", {}),
    ("ImageCompression", {}),
    ("MedianBlur", {}),
    ("Perspective", {}),
    ("PixelDropout", {}),
    ("PlasmaShadow", {}),
    ("RandomBrightnessContrast", {}),
    ("RandomGridShuffle", {}),
    ("RandomResizedCrop", {"size": (40, 40)}),
    ("RandomRotate90", {}),
    ("SaltAndPepper", {}),
    ("ShotNoise", {}),
    ("Spatter", {}),
]


def direct(name: str, params: dict[str, Any]) -> np.ndarray[Any, Any] | None:
    """What the library gives without this project, seeded as the adapter's docstring says."""
    step = vars(albumentations)[name](**params)
    step.set_random_state(*generators(SEED))
    return step(image=PIXELS.copy())["image"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(("name", "params"), DIRECT)
@pytest.mark.parametrize("p", [1.0, 0.5])
def test_the_result_is_that_of_the_library_called_directly(name: str, params: dict[str, Any], p: float) -> None:
    step = adapter.build(name, {**params, "p": p})
    step(ImageValue(PIXELS), bytes(16))
    result, drawn = step(ImageValue(PIXELS), SEED)
    assert isinstance(result, ImageValue)
    assert chance(SEED) < 0.5
    expected = direct(name, {**params, "p": 1.0})
    assert np.array_equal(result.pixels, expected)
    assert drawn is not None or np.array_equal(expected, PIXELS)


def test_p_decides_by_the_seed() -> None:
    step = adapter.build("InvertImg", {"p": 0.3})
    seeds = [n.to_bytes(16, "little") for n in range(0, 2**128, 2**118)]
    applied = [step(ImageValue(PIXELS), seed)[1] is not None for seed in seeds]
    assert applied == [chance(seed) < 0.3 for seed in seeds]
    assert 0 < sum(applied) < len(seeds)
    assert adapter.build("InvertImg", {"p": 0})(ImageValue(PIXELS), bytes(16))[1] is None


def test_grey_pictures_stay_three_dimensional() -> None:
    grey = ImageValue(np.ascontiguousarray(PIXELS[:, :, :1]))
    for name in ("Blur", "HorizontalFlip", "Rotate", "Resize", "GaussNoise", "CLAHE"):
        params = {"height": 20, "width": 20} if name == "Resize" else {}
        result, _ = adapter.build(name, {**params, "p": 1})(grey, SEED)
        assert isinstance(result, ImageValue)
        assert result.pixels.shape[2:] == (1,)


def test_grey_becomes_rgb() -> None:
    result, _ = adapter.build("ToRGB", {})(ImageValue(np.ascontiguousarray(PIXELS[:, :, :1])), SEED)
    assert isinstance(result, ImageValue)
    assert result.pixels.shape == PIXELS.shape


@pytest.mark.parametrize(
    ("name", "channels", "message"),
    [
        ("HueSaturationValue", 4, "1-channel or 3-channel"),
        ("RGBShift", 4, "64 x 80 x 4"),
        ("PlanckianJitter", 1, "expects 3-channel images"),
        ("ChannelDropout", 1, "64 x 80 x 1: Images has one channel"),
    ],
)
def test_channels_that_a_class_cannot_take_are_said(name: str, channels: int, message: str) -> None:
    pixels = np.ascontiguousarray(np.dstack([PIXELS, PIXELS])[:, :, :channels])
    with pytest.raises(ValueError, match=rf"albumentations\.{name}, 64 x 80 x {channels}.*") as caught:
        adapter.build(name, {"p": 1})(ImageValue(pixels), SEED)
    assert message in str(caught.value)


def test_a_colour_step_that_turns_the_picture_is_an_error() -> None:
    """ToGray of albumentations 2.0.8 swaps the sides of a picture of one row."""
    with pytest.raises(ValueError, match="turned 1 x 9 x 3 into 9 x 1 x 3"):
        adapter.build("ToGray", {"p": 1})(ImageValue(np.ascontiguousarray(PIXELS[:1, :9])), SEED)


@pytest.mark.parametrize(
    ("name", "params", "path", "message"),
    [
        ("Blur", {"blur_limit": 4}, (), "blur_limit: Non-zero kernel sizes must be odd"),
        ("Blur", {"blur_limit": "a"}, ("blur_limit",), "blur_limit: Input should be a valid tuple"),
        ("Resize", {"height": 1}, (), "albumentations.Resize needs the parameter 'width'"),
        ("GaussNoise", {"std_range": [0.5, 0.2]}, ("std_range",), "std_range: First value should be less than"),
        ("Rotate", {"interpolation": 99}, ("interpolation",), "interpolation: Input should be 0, 1, 2, 3 or 4"),
        ("Rotate", {"interpolation": "cv2.INTER_NOPE"}, ("interpolation",), "interpolation: Input should be"),
        ("MedianBlur", {"blur_limit": [1, 2, 3]}, ("blur_limit",), "blur_limit: "),
        ("HorizontalFlip", {"p": None}, ("p",), "p: None is not a number in 0..1"),
        ("HorizontalFlip", {"strict": True}, ("strict",), "albumentations.HorizontalFlip has no parameter 'strict'"),
        (
            "Pad",
            {"padding": 5, "fill": [1, 2, 3, 4, 5]},
            (),
            "fails on a plain image: OpenCV",
        ),
    ],
)
def test_bad_parameters(name: str, params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (problem,) = adapter.problems(name, params)
    assert problem.path == path
    assert problem.message.startswith(message)
    assert "\n" not in problem.message
    assert "pydantic" not in problem.message


def test_a_crop_larger_than_the_trial_picture_is_no_problem() -> None:
    assert adapter.problems("RandomCrop", {"height": 2000, "width": 2000}) == []
    assert adapter.problems("Crop", {"x_max": 3000, "y_max": 3000}) == []


def test_constants_of_opencv_may_be_written_as_text() -> None:
    assert (
        adapter.problems("Rotate", {"interpolation": "cv2.INTER_CUBIC", "border_mode": "cv2.BORDER_REFLECT_101"}) == []
    )
    named = adapter.build("Rotate", {"interpolation": "cv2.INTER_CUBIC", "p": 1})(ImageValue(PIXELS), SEED)[0]
    numbered = adapter.build("Rotate", {"interpolation": cv2.INTER_CUBIC, "p": 1})(ImageValue(PIXELS), SEED)[0]
    assert isinstance(named, ImageValue)
    assert isinstance(numbered, ImageValue)
    assert np.array_equal(named.pixels, numbered.pixels)


def test_advice_to_use_another_class_is_no_problem() -> None:
    for name in ("ShiftScaleRotate", "TimeReverse", "TimeMasking", "PiecewiseAffine"):
        assert adapter.problems(name, {}) == []


def test_slow_classes_are_not_tried() -> None:
    for name in adapter.SLOW:
        start = time.perf_counter()
        assert adapter.problems(name, {}) == []
        assert time.perf_counter() - start < 0.5


def test_describe() -> None:
    description = adapter.describe("Blur")
    assert [(p.name, p.default) for p in description.parameters] == [("blur_limit", "(3, 7)"), ("p", "0.5")]
    assert description.parameters[0].kind == "tuple[int, int] | int"
    assert description.doc.startswith("Apply uniform box blur")


def test_recorded_parameters_are_the_drawn_ones() -> None:
    _, drawn = adapter.build("Rotate", {"p": 1})(ImageValue(PIXELS), SEED)
    assert drawn is not None
    assert "matrix" in drawn
    assert not {"shape", "interpolation", "fill", "fill_mask"} & set(drawn)
    assert adapter.build("Rotate", {"p": 0})(ImageValue(PIXELS), SEED)[1] is None


def test_the_short_way_to_a_rotation_gives_the_librarys_bits() -> None:
    from albumentations.augmentations.geometric import functional

    adapter.names()  # captures the library
    general, drawn = inspect.unwrap(functional.create_affine_transformation_matrix), np.random.default_rng(5)
    still, whole = {"x": 0, "y": 0}, {"x": 1, "y": 1}
    for number in range(5_000):
        angle = float(drawn.uniform(-400, 400)) if number % 10 else float(drawn.choice([0, 45, 90, -90, 180, 360]))
        middle = functional.center(tuple(int(side) for side in drawn.integers(1, 5_000, 2)))
        short = functional.create_affine_transformation_matrix(still, still, whole, angle, middle)
        full = general(still, still, whole, angle, middle)
        assert short.dtype == full.dtype
        assert np.array_equal(short, full)
    sheared = functional.create_affine_transformation_matrix(still, {"x": 9, "y": 0}, whole, 3.0, (5, 5))
    assert np.array_equal(sheared, general(still, {"x": 9, "y": 0}, whole, 3.0, (5, 5)))
