"""Applied steps in words."""

import json

import pytest

from pipeline.preview.captions import Caption, captions, number_text
from transforms.interface import Applied


def told(params: object) -> str:
    return captions([Applied("lib.Step", json.dumps(params))])[0].parameters


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0, "0"), (12, "12"), (-3, "−3"), (-0.012345, "−0.0123"), (1.8154, "1.82"), (123.456, "123"),
     (99_999.5, "100000"), (1e-30, "0.000000000"), (float("inf"), "inf")],
)  # fmt: skip
def test_numbers(value, text):
    assert number_text(value) == text


def test_name_without_library():
    assert captions([Applied("albumentations.Rotate", '{"angle": 12.345}')]) == (Caption("Rotate", "angle 12.3"),)


def test_matrices_digests_and_seeds_are_left_out():
    params = {
        "matrix": [[1, 0], [0, 1]],
        "kernel": [0.1] * 9,
        "noise": {"blake2b": "00ff", "dtype": "float32", "shape": [2, 2]},
        "seed": 3,
        "scale": {"x": 1.5, "y": 2},
        "crop": [1, 2, 3, 4],
        "fill": None,
        "flip": True,
    }
    assert told(params) == "scale x 1.50 y 2, crop 1 2 3 4, flip yes"


def test_few_parameters_and_short_ones():
    assert told({str(n): n for n in range(9)}) == "0 0, 1 1, 2 2, 3 3"
    assert told({"word": "x" * 90}) == f"word {'x' * 23}…"


@pytest.mark.parametrize("params", ["", "not json", "[1, 2]", "3", "null"])
def test_odd_params_do_not_fail(params):
    assert captions([Applied("a.B", params)])[0].name == "B"


def test_known_steps_are_left_out_once():
    step = Applied("a.B", "{}")
    assert len(captions([step, step], known=[step])) == 1


def test_retries_are_told():
    retry = Applied("fanbeam.Retry", '{"attempt":1,"refused":["blank"]}')
    assert captions([retry]) == (Caption("drawn again", "after blank"),)
