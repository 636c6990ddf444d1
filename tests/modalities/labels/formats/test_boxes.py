from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.labels import BoxFormat
from pipeline.modalities.labels.formats.boxes import from_corners, to_corners

FORMATS = get_args(BoxFormat)
CORNERS = np.array([[10.0, 20, 50, 80]])
WRITTEN = {
    "pascal_voc": [10, 20, 50, 80],
    "coco": [10, 20, 40, 60],
    "albumentations": [0.05, 0.2, 0.25, 0.8],
    "yolo": [0.15, 0.5, 0.2, 0.6],
}
box = st.tuples(*[st.floats(0, 1000) for _ in range(4)])


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_as_it_is_defined(name: BoxFormat) -> None:
    assert from_corners(CORNERS, name, 100, 200)[0].tolist() == pytest.approx(WRITTEN[name])
    assert to_corners(np.array([WRITTEN[name]], np.float64), name, 100, 200)[0].tolist() == pytest.approx(CORNERS[0])


@pytest.mark.parametrize("name", FORMATS)
@given(st.lists(box, max_size=5), st.integers(1, 5000), st.integers(1, 5000))
def test_there_and_back(name: BoxFormat, boxes: list[tuple[float, ...]], height: int, width: int) -> None:
    corners = np.array(boxes, np.float64).reshape(-1, 4)
    there = from_corners(corners, name, height, width)
    assert to_corners(there, name, height, width) == pytest.approx(corners, abs=1e-6)
