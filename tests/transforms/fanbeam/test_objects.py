import json
from dataclasses import replace

import numpy as np
import pytest
from blend_values import SEEDS, SOURCE, blended, bounds_of, picture, with_boxes, with_donors

from transforms.values import WITHOUT_BOX, Boxes

PARAMS = {"scale": [0.5, 1.5]}


@pytest.mark.parametrize("seed", SEEDS[:16])
def test_pixels_boxes_masks_and_shares_say_the_same(seed: bytes) -> None:
    own = with_boxes(picture(200, 50, 60), (0, 0, 30, 50), (30, 0, 60, 50), masks=True)
    other = with_boxes(picture(100, 70, 40), (0, 0, 20, 30), (20, 40, 40, 70), (5, 35, 15, 45), source=1, masks=True)
    result, applied = blended(with_donors(own, {"other": other}), "CopyPaste", seed, **PARAMS)
    drawn = json.loads(applied.params)
    pasted = result.pixels[:, :, 0] == 100
    assert drawn["parents"]["other"] == pytest.approx(pasted.mean())
    assert drawn["weight"] + drawn["parents"]["other"] == pytest.approx(1)
    assert result.boxes is not None
    assert result.masks is not None
    assert result.mask_rows is not None
    by_row = dict(zip(result.mask_rows.tolist(), result.masks != 0, strict=True))
    theirs = [mask for row, mask in by_row.items() if row >= SOURCE]
    assert len(theirs) == drawn["objects"]
    assert np.array_equal(np.logical_or.reduce(theirs), pasted)
    for row, corner in zip(result.boxes.rows.tolist(), result.boxes.corners.tolist(), strict=True):
        assert np.abs(np.subtract(bounds_of(by_row[row]), corner)).max() <= (1 if row >= SOURCE else 0)
        assert not (by_row[row] & pasted).any() or row >= SOURCE
    assert {row for row, mask in by_row.items() if mask.any()} == set(result.boxes.rows.tolist())


def test_every_number_of_objects_is_drawn_and_both_ways_round() -> None:
    other = with_boxes(picture(100, 40, 40), (0, 0, 10, 10), (20, 0, 30, 10), (0, 20, 10, 30), source=1, masks=True)
    own = with_boxes(picture(200, 40, 40), masks=True)
    value = with_donors(own, {"other": other})
    results = [blended(value, "CopyPaste", seed, scale=1.0) for seed in SEEDS]
    assert {json.loads(applied.params)["objects"] for _, applied in results} == {1, 2, 3}
    sides = {bool((result.pixels[:12, :12] == 100).any()) for result, _ in results}
    assert sides == {True, False}
    never = [blended(value, "CopyPaste", seed, scale=1.0, flip=0)[0] for seed in SEEDS]
    assert not any((result.pixels[:, 30:] == 100).any() for result in never)  # nothing of theirs is there unmirrored


def test_a_partner_without_an_object_is_passed_over() -> None:
    empty = with_boxes(picture(50, 20, 20), source=1, masks=True)
    good = with_boxes(picture(100, 20, 20), (2, 2, 18, 18), source=2, masks=True)
    own = with_boxes(picture(200, 20, 20), masks=True)
    found = set()
    for seed in SEEDS[:10]:
        _, applied = blended(with_donors(own, {"empty": empty, "good": good}), "CopyPaste", seed, **PARAMS)
        found.update(json.loads(applied.params)["parents"])
    assert found == {"good"}
    result, applied = blended(with_donors(own, {"empty": empty}), "CopyPaste", SEEDS[0], **PARAMS)
    assert "no other record has an object" in json.loads(applied.params)["not_applied"]
    assert (result.pixels == 200).all()


def test_a_record_whose_masks_nobody_knows_is_left_alone() -> None:
    good = with_boxes(picture(100, 20, 20), (2, 2, 18, 18), source=1, masks=True)
    _, applied = blended(with_donors(picture(200, 20, 20), {"good": good}), "CopyPaste", SEEDS[0])
    assert json.loads(applied.params)["not_applied"] == "the record has no masks"


def test_of_class_numbers_what_lies_in_a_box_is_an_object() -> None:
    numbers = np.zeros((1, 20, 20), np.uint8)
    numbers[0, 2:8, 2:8] = 3
    numbers[0, 12:18, 12:18] = 4
    boxes = Boxes(np.array([[2.0, 2, 8, 8], [12, 12, 18, 18]]), np.arange(2) + SOURCE)
    other = replace(picture(100, 20, 20), masks=numbers, boxes=boxes)
    own = replace(
        picture(200, 20, 20), masks=np.zeros((1, 20, 20), np.uint8), boxes=Boxes(np.zeros((0, 4)), boxes.rows[:0])
    )
    for seed in SEEDS[:8]:
        result, _ = blended(with_donors(own, {"other": other}), "CopyPaste", seed, scale=1.0, flip=0)
        assert result.boxes is not None
        assert result.masks is not None
        marked = {3 + row - SOURCE for row in result.boxes.rows.tolist()}
        assert set(np.unique(result.masks).tolist()) - {0} == marked
        assert np.array_equal(result.masks[0] != 0, result.pixels[:, :, 0] == 100)


def test_instances_that_have_no_boxes_are_objects_too() -> None:
    other = with_boxes(picture(100, 20, 20), (2, 2, 18, 18), (0, 0, 4, 4), source=1, masks=True)
    rows = np.arange(2) + SOURCE + WITHOUT_BOX
    other = replace(other, boxes=Boxes(np.zeros((0, 4)), rows[:0]), mask_rows=rows)
    own = with_boxes(picture(200, 20, 20), masks=True)
    result, _ = blended(with_donors(own, {"other": other}), "CopyPaste", SEEDS[0], **PARAMS)
    assert result.mask_rows is not None
    assert set(result.mask_rows.tolist()) <= set(rows.tolist())
    assert len(result.mask_rows)
