"""How many labels are left, counted by hand."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.labels import BoxBinding, MaskBinding, SegmentBinding
from pipeline.modalities.labels import counts as counting
from pipeline.modalities.labels.counts import LabelCounts, as_json, label_warnings, merge
from pipeline.modalities.labels.remaining import left_of
from pipeline.records import Left
from transforms.values import AudioValue, Boxes, ImageValue, Segments

PIXELS = np.zeros((50, 100, 3), np.uint8)
BATCH = pa.RecordBatch.from_pylist(
    [{"b": [[1, 1, 5, 5], [20, 20, 30, 30], [60, 20, 90, 45]], "n": ["cat", None, "dog"], "s": [[0.1, 0.4]]}]
)
BOXES: Any = {"boxes": BoxBinding(column="b", format="pascal_voc", labels="n")}


def boxes(corners: list[list[float]], rows: list[int]) -> ImageValue:
    held = Boxes(np.array(corners, np.float64).reshape(-1, 4), np.array(rows, np.int64))
    return ImageValue(PIXELS, held)


def test_kept_clipped_and_dropped_boxes() -> None:
    before = boxes([[1, 1, 5, 5], [20, 20, 30, 30], [60, 20, 90, 45]], [0, 1, 2])
    after = boxes([[0, 20, 10, 30], [60, 20, 90, 45], [60, 20, 90, 45]], [1, 2, 2])  # the second is cut by the edge
    (left,) = left_of(BOXES, (BATCH, 0), before, after, {"b": [1, 2, 2]})
    assert left == Left("boxes", (0, 1, 2), (1, 2), clipped=1, repeated=1)
    counts = LabelCounts({"image": BOXES, "text": {}})
    counts.add(BATCH, 0, [{"image": (left,)}, {"image": (Left("boxes", (0, 1, 2), ()),)}])
    assert as_json(counts.totals) == {
        "image.boxes": {
            "in": 6, "kept": 2, "clipped": 1, "repeated": 1, "dropped": 4,
            "classes": {"cat": {"in": 2, "kept": 0}, "dog": {"in": 2, "kept": 1}},
        }
    }  # fmt: skip


def test_a_mirrored_box_at_the_edge_is_not_clipped() -> None:
    (left,) = left_of(BOXES, (BATCH, 0), boxes([[0, 1, 5, 5]], [0]), boxes([[95, 1, 100, 5]], [0]), {"b": [0]})
    assert left.clipped == 0


def test_segments_that_the_end_cuts_off() -> None:
    before = AudioValue(np.zeros((1, 800), np.float32), 1000, Segments(np.array([[0.1, 0.4]]), np.array([0])))
    after = AudioValue(np.zeros((1, 800), np.float32), 1000, Segments(np.array([[0.6, 0.8]]), np.array([0])))
    (left,) = left_of({"segments": SegmentBinding(column="s")}, (BATCH, 0), before, after, {"s": [0]})
    assert left == Left("segments", (0,), (0,), clipped=1)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_class_numbers_of_a_mask_are_their_own_names(kind: Any) -> None:
    mask = np.zeros((1, 50, 100), kind)
    mask[0, :5], mask[0, 5:7] = 3, 7
    before, after = ImageValue(PIXELS, masks=mask), ImageValue(PIXELS, masks=mask[:, 6:])
    binding = {"masks": MaskBinding(column="m")}
    (left,) = left_of(binding, (BATCH, 0), before, after, {})  # type: ignore[arg-type]
    counts = LabelCounts({"image": binding})  # type: ignore[dict-item]
    counts.add(BATCH, 0, [{"image": (left,)}])
    stated = as_json(counts.totals)["image.masks"]
    assert (stated["in"], stated["kept"]) == (2, 1)
    assert stated["classes"] == {"3": {"in": 1, "kept": 0}, "7": {"in": 1, "kept": 1}}


def totals(**classes: tuple[int, int]) -> counting.Totals:
    there, kept = (sum(n[place] for n in classes.values()) for place in (0, 1))
    named = {name: list(n) for name, n in classes.items()}
    return {"image.boxes": {"in": there, "kept": kept, "clipped": 0, "repeated": 0, "classes": named}}


def test_sums_do_not_depend_on_their_order() -> None:
    parts = [totals(a=(3, 2)), totals(a=(5, 5), b=(1, 0)), totals(**{f"n{n}": (1, 1) for n in range(1001)}), totals()]
    found = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        whole: counting.Totals = {}
        for place in order:
            merge(whole, parts[place])
        found.append(as_json(whole))
    assert found[0] == found[1] == found[2]
    assert "classes" not in found[0]["image.boxes"]
    assert found[0]["image.boxes"]["in"] == 1010


def test_a_class_that_nearly_vanishes_is_told() -> None:
    assert label_warnings(as_json(totals(bird=(100, 9), cat=(300, 290), rare=(9, 0)))) == [
        "of 100 boxes of image labeled 'bird' 9 are left in what the steps made: "
        "milder crops and shifts, or a lower min_area or min_visibility, keep more"
    ]
    (warning,) = label_warnings(as_json(totals(a=(50, 24), b=(50, 24))))
    assert warning.startswith("of 100 boxes of image 48 are left")
    assert label_warnings(as_json(totals(a=(50, 45)))) == []
    assert label_warnings({}) == []
