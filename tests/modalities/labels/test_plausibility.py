"""Labels that lie elsewhere than in their picture or sound: said with a hint, where a few over the edge are not."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.labels import BoxBinding, KeypointBinding, SegmentBinding, VolumeKeypointBinding
from pipeline.modalities.labels.binding import bind
from pipeline.modalities.labels.cells import BadLabels
from pipeline.modalities.labels.writer import moved_labels
from transforms.values import AudioValue, ImageValue, VolumeValue

PICTURE = ImageValue(np.zeros((64, 96, 3), np.uint8))
SOUND = AudioValue(np.zeros((1, 16_000), np.float32), 8_000)
COCO = [[40.0, 20, 10, 10], [60, 30, 30, 30]]
VOC = [[40.0, 20, 50, 30], [60, 30, 90, 60]]
YOLO = [[0.45, 0.39, 0.1, 0.15], [0.78, 0.7, 0.31, 0.46]]


def one(cell: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([cell], pa.list_(pa.list_(pa.float64())))], ["it"])


def boxes(cell: Any, form: str) -> Any:
    return bind({"boxes": BoxBinding(column="it", format=form)}, one(cell), 0, PICTURE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "form", "message"),
    [
        (COCO, "yolo", r"2 of 2 boxes lie mostly outside .* 96x64; format: yolo may be wrong \(by coco all"),
        (VOC, "yolo", r"format: yolo may be wrong \(by pascal_voc all"),
        (VOC, "coco", r"1 of 2 boxes lie mostly outside .* format: coco may be wrong \(by pascal_voc all"),
        (COCO, "pascal_voc", r"ends before it begins; format: pascal_voc may be wrong \(by coco all"),
        (COCO, "albumentations", "ends before it begins; format: albumentations"),
        (VOC, "albumentations", "format: albumentations may be wrong"),
        (YOLO, "coco", r"smaller than a pixel.*format: coco is in pixels \(by yolo"),
        ([[0.2, 0.2, 0.7, 0.9]], "pascal_voc", r"format: pascal_voc is in pixels \(by albumentations all"),
    ],
)
def test_a_wrong_format_is_named_with_those_that_fit(cell: Any, form: str, message: str) -> None:
    with pytest.raises(BadLabels, match=message):
        boxes(cell, form)


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        (COCO, "coco"), (VOC, "pascal_voc"), (YOLO, "yolo"), ([[0.2, 0.2, 0.7, 0.9]], "albumentations"), ([], "coco"),
        ([[-20, 10, 60, 30]], "coco"), ([[90, 60, 10, 10], [40, 20, 10, 10], [3, 3, 9, 9]], "coco"),
        ([[0, 0, 0, 0]], "coco"), ([[0, 0, 1, 1]], "pascal_voc"), ([[200, 10, 10, 10], *COCO], "coco"),
    ],
)  # fmt: skip
def test_boxes_over_the_edge_and_single_strays_are_taken(cell: Any, form: str) -> None:
    assert len(boxes(cell, form).boxes.rows) == len(cell)


def points(cell: Any) -> Any:
    return bind({"keypoints": KeypointBinding(column="it")}, one(cell), 0, PICTURE)


def test_points_that_nobody_marked_are_not_counted_as_outside() -> None:
    assert len(points([[0, 0], [0, 0], [-1, -1], [90, 60]]).keypoints.rows) == 4
    assert len(points([[96, 64], [97, 10], [5, 5]]).keypoints.rows) == 3
    with pytest.raises(BadLabels, match="2 of 3 keypoints lie outside of 96x64"):
        points([[300, 20], [20, 200], [5, 5], [0, 0]])
    with pytest.raises(BadLabels, match=r"from 0 to 1 .* read in pixels, not in shares"):
        points([[0.5, 0.25], [0.75, 0.5]])


def test_points_of_a_volume() -> None:
    binding = {"keypoints": VolumeKeypointBinding(column="it")}
    volume = VolumeValue(np.zeros((10, 64, 96, 1), np.uint8))
    assert len(bind(binding, one([[90, 60, 9]]), 0, volume).keypoints.rows) == 1  # type: ignore[arg-type, union-attr]
    with pytest.raises(BadLabels, match="1 of 1 keypoints lie outside of 96x64x10"):
        bind(binding, one([[9, 60, 90]]), 0, volume)  # type: ignore[arg-type]


def test_milliseconds_are_hinted_at_and_can_be_asked_for() -> None:
    cell = [[250.0, 500.0], [1000.0, 1900.0]]
    with pytest.raises(
        BadLabels, match=r"2 of 2 segments lie outside of the sound, which ends after 2 s; .* unit: milli"
    ):
        bind({"segments": SegmentBinding(column="it")}, one(cell), 0, SOUND)
    for unit, factor in (("milliseconds", 1.0), ("samples", 8.0)):
        binding = SegmentBinding(column="it", unit=unit)  # type: ignore[arg-type]
        scaled = (np.array(cell) * factor).tolist()
        value = bind({"segments": binding}, one(scaled), 0, SOUND)
        assert isinstance(value, AudioValue)
        assert value.segments is not None
        assert value.segments.bounds == pytest.approx(np.array([[0.25, 0.5], [1.0, 1.9]]))
        back = moved_labels({"segments": binding}, (one(scaled), 0), value, value)[0]["it"].to_pylist()[0]
        assert np.array(back) == pytest.approx(np.array(scaled))


def test_a_segment_that_ends_late_is_taken() -> None:
    value = bind({"segments": SegmentBinding(column="it")}, one([[1.5, 2.2], [0.1, 0.2], [3.0, 4.0]]), 0, SOUND)
    assert len(value.segments.rows) == 3  # type: ignore[union-attr]
