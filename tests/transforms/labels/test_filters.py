import numpy as np
from albumentations.core.bbox_utils import filter_bboxes, normalize_bboxes
from albumentations.core.keypoints_utils import filter_keypoints
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

from transforms.labels.filters import kept_boxes, kept_keypoints
from transforms.values import Boxes, Keypoints

HEIGHT, WIDTH = 60, 90
eighths = st.integers(-400, 900).map(lambda n: n / 8)  # exact in float32 too, so that no limit is met by chance


@given(
    hn.arrays(np.float64, st.tuples(st.integers(0, 6), st.just(4)), elements=eighths),
    st.sampled_from([0.0, 1.0, 30.0, 500.0]),
    st.sampled_from([0.0, 0.3, 0.99]),
)
def test_boxes_are_kept_as_albumentations_keeps_them(
    corners: np.ndarray[tuple[int, int], np.dtype[np.float64]], min_area: float, min_visibility: float
) -> None:
    ordered = np.concatenate(
        [np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])], axis=1
    )
    boxes = kept_boxes(Boxes(ordered, np.arange(len(ordered)), min_area, min_visibility), HEIGHT, WIDTH)
    numbered = np.concatenate([ordered, np.arange(len(ordered))[:, np.newaxis]], axis=1)
    given_boxes = normalize_bboxes(numbered, (HEIGHT, WIDTH)) if len(numbered) else numbered
    shape = {"height": HEIGHT, "width": WIDTH}
    expected = filter_bboxes(given_boxes, shape, min_area, min_visibility, 0.0, 0.0)
    solid = (expected[:, 2:4] > expected[:, :2]).all(axis=1) if len(expected) else []
    assert boxes.rows.tolist() == ([] if not len(expected) else expected[solid][:, 4].astype(int).tolist())
    assert (boxes.corners >= 0).all()
    assert (boxes.corners <= [WIDTH, HEIGHT, WIDTH, HEIGHT]).all()


@given(hn.arrays(np.float64, st.tuples(st.integers(0, 9), st.just(2)), elements=eighths))
def test_keypoints_are_kept_as_albumentations_keeps_them(
    points: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    kept = kept_keypoints(Keypoints(points, np.arange(len(points))), HEIGHT, WIDTH)
    whole = np.concatenate([points, np.zeros((len(points), 3)), np.arange(len(points))[:, np.newaxis]], axis=1)
    expected = filter_keypoints(whole, {"height": HEIGHT, "width": WIDTH}, remove_invisible=True)
    assert kept.rows.tolist() == expected[:, 5].astype(int).tolist()
