import json
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from pipeline.cli.init.keras_generator import translated
from pipeline.errors import UsageError
from transforms.recipe import build_recipe, check_steps
from transforms.tensorflow.runtime import tensorflow
from transforms.values import ImageValue

SEED = bytes(range(16))


def steps_of(arguments: str) -> list[Any]:
    """The steps as a config holds them, found right by `check`."""
    steps = YAML(typ="safe").load("\n".join(translated(arguments).steps))
    assert check_steps(steps, "image") == []
    return list(steps)


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        ('{"rotation_range": 40}', [{"albumentations.Affine": {"rotate": [-40, 40], "border_mode": 1, "p": 1}}]),
        (
            '{"width_shift_range": 0.2, "height_shift_range": 0.1, "fill_mode": "reflect"}',
            [
                {
                    "albumentations.Affine": {
                        "translate_percent": {"x": [-0.2, 0.2], "y": [-0.1, 0.1]},
                        "border_mode": 2,
                        "p": 1,
                    }
                }
            ],
        ),
        (
            '{"width_shift_range": 9, "height_shift_range": 5.0, "fill_mode": "constant", "cval": 7}',
            [
                {
                    "albumentations.Affine": {
                        "translate_px": {"x": [-8, 8], "y": [-5, 5]},
                        "border_mode": 0,
                        "fill": 7,
                        "p": 1,
                    }
                }
            ],
        ),
        (
            '{"zoom_range": 0.2, "interpolation_order": 0}',
            [
                {
                    "albumentations.Affine": {
                        "scale": {"x": [0.833333, 1.25], "y": [0.833333, 1.25]},
                        "border_mode": 1,
                        "interpolation": 0,
                        "p": 1,
                    }
                }
            ],
        ),
        (
            '{"horizontal_flip": true, "vertical_flip": false}',
            [{"albumentations.HorizontalFlip": {"p": 0.5}}],
        ),
        ('{"width_shift_range": 1, "zoom_range": 0, "rotation_range": 0, "brightness_range": null}', None),
    ],
)  # fmt: skip
def test_arguments_become_steps(arguments: str, steps: list[Any] | None) -> None:
    if steps is None:
        assert translated(arguments).steps == ()
    else:
        assert steps_of(arguments) == steps


def pictures(arguments: str, **drawn: Any) -> tuple[np.ndarray[Any, Any], list[np.ndarray[Any, Any]]]:
    """What Keras' own class makes of a picture with these draws, and what the steps make of it, for some seeds.

    The picture is a square: Keras' last releases exchange the axes of what they have computed for another centre. For
    the same reason `tx` moves pixels sideways there.
    """
    tensorflow()
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    coarse = np.random.Generator(np.random.Philox(key=3)).integers(30, 226, (6, 6, 3), dtype=np.uint8)
    pixels = np.kron(coarse, np.ones((16, 16, 1), np.uint8))
    pixels[0, 0], pixels[0, 1] = 0, 255
    steps = steps_of(arguments)
    for step in steps:
        for params in step.values():
            for key in ("rotate", "shear"):
                if key in params and key in drawn:
                    params[key] = drawn[key]
    recipe = build_recipe(steps, "image")
    made = [recipe.apply(ImageValue(pixels), bytes([n]) * 16)[0] for n in range(8)]
    keras = {key: value for key, value in drawn.items() if key not in ("rotate",)}
    generator = ImageDataGenerator(**json.loads(arguments))
    if "shear" in keras:
        keras["shear"] = 20.0
    expected = np.rint(generator.apply_transform(pixels.astype(np.float32), keras)).clip(0, 255)
    return expected, [value.pixels for value in made if isinstance(value, ImageValue)]


@pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning")  # Keras' own
@pytest.mark.parametrize(
    ("arguments", "drawn", "most"),
    [
        ('{"zoom_range": [1.25, 1.25]}', {"zx": 1.25, "zy": 1.25}, 6.0),
        ('{"zoom_range": [0.6, 0.6], "fill_mode": "reflect"}', {"zx": 0.6, "zy": 0.6}, 6.0),
        ('{"rotation_range": 30}', {"theta": 30.0, "rotate": [30, 30]}, 6.0),
        ('{"rotation_range": 30, "fill_mode": "wrap"}', {"theta": 30.0, "rotate": [30, 30]}, 8.0),
        ('{"shear_range": 20}', {"shear": {"x": [-20, -20], "y": [0, 0]}}, 14.0),
        ('{"width_shift_range": [0.25]}', {"tx": 24.0}, 1.0),
        ('{"height_shift_range": [12], "fill_mode": "constant", "cval": 9}', {"ty": 12.0}, 1.0),
        ('{"brightness_range": [0.6, 0.6]}', {"brightness": 0.6}, 1.0),
        ('{"brightness_range": [1.6, 1.6]}', {"brightness": 1.6}, 1.0),
    ],
)
def test_the_steps_do_what_keras_own_class_does(arguments: str, drawn: dict[str, Any], most: float) -> None:
    expected, made = pictures(arguments, **drawn)
    differences = [np.abs(pixels - expected).mean() for pixels in made]
    assert min(differences) <= most, differences


def test_shifted_colours_are_shifted_alike_in_all_channels() -> None:
    (step,) = steps_of('{"channel_shift_range": 51}')
    assert step == {
        "albumentations.RandomBrightnessContrast": {"brightness_limit": [-0.2, 0.2], "contrast_limit": [0, 0], "p": 1}
    }
    value = ImageValue(np.full((4, 4, 3), (90, 120, 150), np.uint8))
    shifts = set()
    for n in range(20):
        result, _ = build_recipe([step], "image").apply(value, bytes([n]) * 16)
        assert isinstance(result, ImageValue)
        shift = result.pixels.astype(int) - value.pixels
        assert len(np.unique(shift)) == 1
        shifts.add(int(shift[0, 0, 0]))
    assert min(shifts) >= -51
    assert max(shifts) <= 51
    assert len(shifts) > 10


def test_a_list_of_shifts_is_one_of_them_either_way() -> None:
    (group,) = steps_of('{"width_shift_range": [3, 8]}')
    shifts = [step["albumentations.Affine"]["translate_px"]["x"] for step in group["one_of"]]
    assert shifts == [[3, 3], [-3, -3], [8, 8], [-8, -8]]


def test_what_is_left_to_the_training_code_is_said() -> None:
    found = translated('{"rescale": 0.00392, "featurewise_center": true, "samplewise_center": false, "dtype": null}')
    assert [note.split(":")[0] for note in found.left] == ["rescale", "featurewise_center"]
    assert found.steps == ()
    assert found.validation is None
    assert translated('{"validation_split": 0.2}').validation == 0.2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("{'rotation_range': 40}", "is no JSON"),
        ('{"horizontal_flip": True}', "true and false in lower case"),
        ("[1]", "must be a JSON object of arguments, not list"),
        ('{"rotation_rnge": 40}', "has no argument 'rotation_rnge'. Did you mean 'rotation_range'?"),
        ('{"rotation_range": "x"}', "rotation_range: 'x' is not a number of at least 0"),
        ('{"rotation_range": true}', "rotation_range: True is not a number"),
        ('{"zoom_range": 1.5}', "zoom_range: 1.5 is not a number below 1, or [lowest, highest] above 0"),
        ('{"brightness_range": 0.5}', "brightness_range: 0.5 is not [lowest, highest]"),
        ('{"width_shift_range": []}', "width_shift_range: [] is not a share"),
        ('{"fill_mode": "mirror"}', "fill_mode: 'mirror' is not one of constant, nearest, reflect, wrap"),
        ('{"fill_mode": ["wrap"]}', "fill_mode: ['wrap'] is not one of"),
        ('{"horizontal_flip": 1}', "horizontal_flip: 1 is not true or false"),
        ('{"validation_split": 1}', "validation_split: 1 is not a share"),
        ('{"rotation_range": NaN}', "rotation_range: nan is not a number"),
    ],
)
def test_bad_arguments(arguments: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        translated(arguments)
    assert told in " ".join([caught.value.message, *map(str, caught.value.problems)])


def test_every_problem_at_once() -> None:
    with pytest.raises(UsageError, match="2 problems") as caught:
        translated('{"rotation_rnge": 40, "zoom_range": -1}')
    assert len(caught.value.problems) == 2
