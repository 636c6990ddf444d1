"""Which classes bend or tear straight lines: outlines of corners can follow none of them."""

import numpy as np
import pytest
from contract_samples import COUNTS, SEEDS, params_of, value_for

from transforms import registry
from transforms.steps import Step
from transforms.values import ImageValue, Keypoints

_PLACES = np.linspace(0, 1, 9)[:, np.newaxis]
_ENDS = [((8, 8), (70, 12)), ((6, 50), (74, 30)), ((15, 7), (20, 58)), ((40, 5), (60, 60)), ((30, 30), (38, 24))]
_LINES = [np.array(a) * (1 - _PLACES) + np.array(b) * _PLACES for a, b in _ENDS]


def is_straight(line: np.ndarray) -> bool:
    """Whether points lie on a line in their order; some may have been lost to sight, but none moved."""
    along = line[-1] - line[0]
    length = max(1e-9, float(np.hypot(*along)))
    off = np.abs((line - line[0]) @ np.array([-along[1], along[0]])) / length
    steps = np.diff((line - line[0]) @ along) / length
    return bool((off < 0.1).all() and (steps > -0.1).all())


def bends(name: str) -> bool:
    adapter, cls = registry.find(name)
    value = value_for(name)
    assert isinstance(value, ImageValue)
    points = np.concatenate(_LINES)
    step = adapter.build(cls, params_of(name))
    for seed in SEEDS:
        held = Keypoints(points.copy(), np.arange(len(points)), np.ones(len(points), np.bool_))
        result, _ = step(ImageValue(value.pixels, keypoints=held), seed)
        assert isinstance(result, ImageValue)
        assert result.keypoints is not None
        if not all(map(is_straight, np.split(result.keypoints.points, len(_LINES)))):
            return True
    return False


@pytest.mark.parametrize("library", sorted(COUNTS))
def test_classes_say_whether_they_bend_straight_lines(library: str) -> None:
    names = [name for name in registry.all_names("image") if name.startswith(f"{library}.")]
    moving = [
        name
        for name in names
        if "keypoints" in registry.carries(name, "image")
        and not registry.needs(name)
        and registry.partners(Step(name, {}, name, ())) is None
    ]
    assert {name for name in moving if bends(name)} == {name for name in moving if registry.bends(name)}
