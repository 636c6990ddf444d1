import json

import numpy as np
import pytest

from pipeline.rendering.mirrored_captions import MIRROR_WORDS, swapped
from transforms.interface import LabelLost
from transforms.recipe import build_recipe
from transforms.values import ImageValue, Spans, TextValue

PAIRS = (("left", "right"), ("west side", "east side"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a dog on the left", "a dog on the right"),
        ("Right, then LEFT.", "Left, then RIGHT."),
        ("the East side of the left-hand street", "the West side of the right-hand street"),
        ("leftover, bright, copyright", "leftover, bright, copyright"),
        ("left left right", "right right left"),
        ("", ""),
        ("ein Hund 🐕 left", "ein Hund 🐕 right"),
    ],
)
def test_words_change_places(before: str, after: str) -> None:
    value, steps = swapped(TextValue(before), PAIRS)
    assert value.text == after
    assert [s.name for s in steps] == ([MIRROR_WORDS] if before != after else [])
    assert swapped(value, PAIRS)[0].text == before or before.startswith("the East")


def test_the_lineage_tells_the_words() -> None:
    _, (step,) = swapped(TextValue("Left of the right one"), PAIRS)
    assert json.loads(step.params) == {"words": [["Left", "Right"], ["right", "left"]]}


def test_spans_stay_on_their_words() -> None:
    text = "the left cat sleeps"
    value, _ = swapped(TextValue(text, Spans(np.array([[4, 8], [9, 12]]), np.arange(2))), PAIRS)
    assert value.spans is not None
    assert [value.text[a:b] for a, b in value.spans.bounds.tolist()] == ["right", "cat"]
    with pytest.raises(LabelLost):
        swapped(TextValue(text, Spans(np.array([[6, 12]]), np.arange(1))), PAIRS)


@pytest.mark.parametrize(
    ("step", "turns"),
    [
        ({"albumentations.HorizontalFlip": {"p": 1}}, {True}),
        ({"albumentations.VerticalFlip": {"p": 1}}, {False}),
        ({"albumentations.D4": {"p": 1}}, {True, False}),
        ({"albumentations.SquareSymmetry": {"p": 1}}, {True, False}),
        ({"albumentations.RandomRotate90": {"p": 1}}, {True, False}),
        ("pillow.Mirror", {True}),
        ("pillow.Flip", {False}),
        ({"pillow.Transpose": {"method": "flip_left_right"}}, {True}),
        ({"pillow.Transpose": {"method": "rotate_180"}}, {True}),
        ({"pillow.Transpose": {"method": "rotate_90"}}, {False}),
        ("torchvision.RandomHorizontalFlip", {True}),
        ("torchvision.RandomVerticalFlip", {False}),
        ({"keras.RandomFlip": {"mode": "horizontal"}}, {True, False}),
        ({"keras.RandomFlip": {"mode": "vertical"}}, {False}),
        ("tf.image.flip_left_right", {True}),
        ("tf.image.stateless_random_flip_left_right", {True, False}),
        ({"tf.image.rot90": {"k": 2}}, {True}),
        ("tf.image.rot90", {False}),
    ],
)
def test_steps_say_whether_they_turn_left_to_right(step: object, turns: set[bool]) -> None:
    pixels = np.zeros((9, 9, 3), np.uint8)
    pixels[3:6, 0] = 255  # on the left
    recipe, found = build_recipe([step], "image"), set()
    for number in range(24):
        value, steps = recipe.apply(ImageValue(pixels), bytes([number]) * 16)
        if not steps:
            continue  # by its own p
        (applied,) = steps
        assert isinstance(value, ImageValue)
        assert applied.mirrored == bool(value.pixels[4, -1].all())
        found.add(applied.mirrored)
    assert found == turns
