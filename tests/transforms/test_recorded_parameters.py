import enum
import json

import numpy as np
import pytest

from transforms.recorded_parameters import to_json


class Colour(enum.Enum):
    RED = "red"


class Thing:
    pass


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(0.5), "0.5"),
        (np.int32(3), "3"),
        (np.bool_(True), "true"),
        (np.str_("v"), '"v"'),
        (float("nan"), "null"),
        (np.float32("nan"), "null"),
        (float("inf"), "null"),
        ((1, 2), "[1,2]"),
        (np.array([1, 2], np.uint8), "[1,2]"),
        (np.array([1.5], np.float16), "[1.5]"),
        (np.array(["a", None], object), '["a",null]'),
        (np.array(7), "7"),
        (Colour.RED, '"red"'),
        (Thing(), '"Thing"'),
        (Thing, '"Thing"'),
        (len, '"len"'),
        ({2, 1}, "[1,2]"),
        (2**70, f'"{2**70}"'),
        ({1: "a", "b": 2**70}, '{"1":"a","b":"1180591620717411303424"}'),
        (1 + 2j, "[1.0,2.0]"),
    ],
)
def test_values_become_plain_json(value: object, text: str) -> None:
    assert to_json({"x": value}) == f'{{"x":{text}}}'


def test_keys_are_sorted_and_compact() -> None:
    assert to_json({"b": 1, "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":1}'


def test_a_big_array_becomes_shape_type_and_digest() -> None:
    array = np.arange(65, dtype=np.float32).reshape(5, 13)
    kept = json.loads(to_json({"map": array}))["map"]
    assert (kept["shape"], kept["dtype"], len(kept["blake2b"])) == ([5, 13], "float32", 16)
    assert json.loads(to_json({"map": array + 1}))["map"]["blake2b"] != kept["blake2b"]
    assert json.loads(to_json({"map": array[:, ::-1][:, ::-1]}))["map"] == kept
    assert json.loads(to_json({"map": array[:4]}))["map"] == array[:4].tolist()


def test_long_lists_become_count_and_digest() -> None:
    drops = [[i, i + 1] for i in range(1000)]
    kept = json.loads(to_json({"drops": drops, "n": 3}))
    assert kept["n"] == 3
    assert kept["drops"]["items"] == 1000
    assert len(to_json({"drops": drops})) < 100


def test_bytes_become_a_digest_and_arguments_stay_untouched() -> None:
    params = {"raw": b"abc", "list": [1, 2]}
    assert len(json.loads(to_json(params))["raw"]) == 16
    assert params == {"raw": b"abc", "list": [1, 2]}
