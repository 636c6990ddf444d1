import json
from typing import Any

import numpy as np
import pytest
from blend_values import SEEDS, SOURCE, blended, bounds_of, picture, with_boxes, with_donors

from transforms.recipe import build_recipe
from transforms.values import ImageValue

every_seed = pytest.mark.parametrize("seed", SEEDS[:12])
EVERY_IMAGE_BLEND: list[tuple[str, dict[str, Any]]] = [
    ("MixUp", {}), ("CutMix", {}), ("Mosaic", {}), ("CopyPaste", {"scale": [0.6, 1.2]}),
]  # fmt: skip


@every_seed
def test_mix_up_is_the_weighted_mean(seed: bytes) -> None:
    value = with_donors(picture(200, 30, 40), {"other": picture(100, 60, 60)})
    result, applied = blended(value, "MixUp", seed, alpha=1.0)
    drawn = json.loads(applied.params)
    weight = drawn["weight"]
    assert 0.5 <= weight <= 1
    assert drawn["parents"] == {"other": 1 - weight}
    assert result.pixels.shape == (30, 40, 3)
    assert (np.abs(result.pixels - (200 * weight + 100 * (1 - weight))) <= 0.5).all()
    assert applied.mixed is not None
    assert applied.mixed.parents == (("other", 1 - weight),)


def test_shares_follow_beta() -> None:
    value = with_donors(picture(1, 2, 2), {"other": picture(2, 2, 2)})
    for alpha, mean in ((0.2, 0.89), (1.0, 0.75), (8.0, 0.60)):  # of the larger part, by 10^6 draws of numpy
        seeds = [n.to_bytes(2, "big") * 8 for n in range(400)]
        step = build_recipe([{"fanbeam.MixUp": {"alpha": alpha}}], "image")
        weights = [json.loads(step.apply(value, seed)[1][0].params)["weight"] for seed in seeds]
        assert abs(np.mean(weights) - mean) < 0.03


def test_a_partner_covers_the_picture_and_its_labels_come_along() -> None:
    """60 x 60 onto 40 x 30: scaled to 40 x 40, five rows cut away above and below."""
    own = with_boxes(picture(200, 30, 40), (0, 0, 10, 10), masks=True)
    other = with_boxes(picture(100, 60, 60), (0, 0, 15, 15), (30, 30, 60, 60), source=1, masks=True)
    result, _ = blended(with_donors(own, {"other": other}), "MixUp", SEEDS[0])
    assert result.boxes is not None
    assert result.keypoints is not None
    assert result.masks is not None
    assert result.mask_rows is not None
    assert result.boxes.corners.tolist() == [[0, 0, 10, 10], [0, 0, 10, 5], [20, 15, 40, 30]]
    assert result.boxes.rows.tolist() == result.mask_rows.tolist() == [0, SOURCE, SOURCE + 1]
    assert [bounds_of(mask) for mask in result.masks] == result.boxes.corners.tolist()
    assert result.keypoints.points.tolist() == [[4.5, 4.5], [29.5, 24.5]]  # one of them is above the cut
    assert result.keypoints.rows.tolist() == [0, SOURCE + 1]


@every_seed
def test_cut_mix_lays_a_rectangle_over_and_counts_its_area(seed: bytes) -> None:
    value = with_donors(picture(200, 31, 47), {"other": picture(100, 31, 47)})
    result, applied = blended(value, "CutMix", seed)
    drawn = json.loads(applied.params)
    covered = result.pixels[:, :, 0] == 100
    assert bounds_of(covered) == drawn["region"]
    left, top, right, bottom = drawn["region"]
    assert covered.sum() == (right - left) * (bottom - top)
    assert drawn["parents"]["other"] == pytest.approx(covered.mean())
    assert drawn["weight"] + drawn["parents"]["other"] == pytest.approx(1)


@every_seed
def test_labels_beneath_a_rectangle_are_those_of_what_is_seen(seed: bytes) -> None:
    """Every box is the box of its mask, before and after; a point is there as long as its pixel is seen."""
    boxes = [(x, y, x + 12, y + 10) for x in (0, 14, 28) for y in (0, 12)]
    own = with_boxes(picture(200, 31, 47), *boxes, masks=True)
    other = with_boxes(picture(100, 31, 47), (5, 5, 25, 25), source=1, masks=True)
    result, applied = blended(with_donors(own, {"other": other}), "CutMix", seed)
    left, top, right, bottom = json.loads(applied.params)["region"]
    seen = np.ones((31, 47), bool)
    seen[top:bottom, left:right] = False
    assert own.masks is not None
    assert other.masks is not None
    wanted = {n: mask & seen for n, mask in enumerate(own.masks)} | {SOURCE: other.masks[0] & ~seen}
    assert result.boxes is not None
    found = dict(zip(result.boxes.rows.tolist(), result.boxes.corners.tolist(), strict=True))
    assert found == {row: bounds_of(mask) for row, mask in wanted.items() if mask.any()}
    assert result.masks is not None
    assert result.mask_rows is not None
    by_row = dict(zip(result.mask_rows.tolist(), result.masks, strict=True))
    assert all(np.array_equal(by_row[row], mask) for row, mask in wanted.items())


def test_a_box_without_a_mask_shrinks_only_where_a_whole_side_is_covered() -> None:
    from transforms.fanbeam.geometry import beneath

    value = with_boxes(picture(1, 20, 20), (2, 2, 10, 10), (12, 12, 18, 18))
    cover = np.zeros((20, 20), bool)
    cover[0:5, 0:20] = True  # the upper side of the first
    cover[12:15, 12:15] = True  # a corner of the second
    assert beneath(value, cover).boxes.corners.tolist() == [[2, 5, 10, 10], [12, 12, 18, 18]]  # type: ignore[union-attr]
    assert beneath(value, np.ones((20, 20), bool)).boxes.corners.tolist() == []  # type: ignore[union-attr]


def test_less_than_the_config_asks_for_is_dropped() -> None:
    from dataclasses import replace

    from transforms.fanbeam.geometry import beneath

    value = with_boxes(picture(1, 20, 20), (0, 0, 10, 10), (10, 10, 20, 20))
    cover = np.zeros((20, 20), bool)
    cover[0:6, 0:10] = True  # 40 of 100 pixels stay
    for setting, left in (({"min_visibility": 0.5}, [1]), ({"min_area": 41.0}, [1]), ({"min_area": 40.0}, [0, 1])):
        asked = replace(value, boxes=replace(value.boxes, **setting))  # type: ignore[type-var]
        assert beneath(asked, cover).boxes.rows.tolist() == left  # type: ignore[union-attr]


@every_seed
def test_a_mosaic_is_four_pictures_and_counts_their_areas(seed: bytes) -> None:
    colours = {"a": 10, "b": 20, "c": 30, "d": 40}
    donors = {name: picture(colour, 20 + colour, 60) for name, colour in colours.items()}
    result, applied = blended(with_donors(picture(200, 33, 50), donors), "Mosaic", seed)
    drawn = json.loads(applied.params)
    x, y = drawn["center"]
    assert 0.3 * 50 - 1 <= x <= 0.7 * 50 + 1
    corners = [result.pixels[r, c, 0] for r, c in ((0, 0), (0, 49), (32, 0), (32, 49))]
    assert corners == [colours.get(name, 200) for name in drawn["order"]]
    assert len(set(drawn["order"])) == 4
    assert (result.pixels[:y, :x] == corners[0]).all()
    assert (result.pixels[y:, x:] == corners[3]).all()
    for name, share in drawn["parents"].items():
        assert (result.pixels[:, :, 0] == colours[name]).mean() == pytest.approx(share)
    assert drawn["weight"] + sum(drawn["parents"].values()) == pytest.approx(1)


@every_seed
def test_labels_of_a_mosaic_lie_in_their_quarters(seed: bytes) -> None:
    own = with_boxes(picture(200, 60, 60), (0, 0, 60, 60), masks=True)
    donors = {
        name: with_boxes(picture(10, 50, 70), (0, 0, 70, 50), source=n, masks=True) for n, name in enumerate("abc", 1)
    }
    result, applied = blended(with_donors(own, donors), "Mosaic", seed)
    x, y = json.loads(applied.params)["center"]
    assert result.boxes is not None
    assert result.masks is not None
    quarters = [[0, 0, x, y], [x, 0, 60, y], [0, y, x, 60], [x, y, 60, 60]]
    assert sorted(result.boxes.corners.tolist()) == sorted(quarters)
    assert [bounds_of(mask) for mask in result.masks] == result.boxes.corners.tolist()
    assert result.masks.sum(axis=0).tolist() == np.ones((60, 60)).tolist()


def test_a_mosaic_of_few_donors_repeats_them() -> None:
    result, applied = blended(with_donors(picture(200, 20, 20), {"only": picture(10, 20, 20)}), "Mosaic", SEEDS[0])
    drawn = json.loads(applied.params)
    assert sorted(drawn["order"]) == ["", "only", "only", "only"]
    assert drawn["parents"]["only"] == pytest.approx((result.pixels == 10).mean())


@pytest.mark.parametrize(("name", "params"), EVERY_IMAGE_BLEND)
def test_without_others_the_picture_stays_and_that_is_recorded(name: str, params: dict[str, Any]) -> None:
    value = with_donors(with_boxes(picture(3, 9, 9), (1, 1, 5, 5), masks=True), {})
    result, applied = blended(value, name, SEEDS[0], **params)
    assert np.array_equal(result.pixels, value.pixels)
    assert json.loads(applied.params) == {"not_applied": "no other record to blend with", "parents": {}}
    assert applied.mixed is not None
    assert applied.mixed.parents == ()


@pytest.mark.parametrize(("name", "params"), EVERY_IMAGE_BLEND)
def test_a_donor_that_cannot_be_used_is_passed_over(name: str, params: dict[str, Any]) -> None:
    own = with_boxes(picture(200, 40, 40), (5, 5, 30, 30), masks=True)
    good = with_boxes(picture(10, 40, 40), (5, 5, 35, 35), source=1, masks=True)
    donors: dict[str, Any] = {f"bad{n}": None for n in range(20)}
    donors |= {f"unmarked{n}": picture(1, 40, 40) for n in range(20)}
    for seed in SEEDS[:5]:
        result, applied = blended(with_donors(own, donors | {"good": good}), name, seed, **params)
        alone, same = blended(with_donors(own, {"good": good}), name, seed, **params)
        assert list(json.loads(applied.params)["parents"]) == ["good"]
        assert applied == same
        assert np.array_equal(result.pixels, alone.pixels)


def test_nobody_who_offers_others_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"nothing offers other records") as caught:
        build_recipe(["fanbeam.MixUp"], "image").apply(picture(1, 3, 3), SEEDS[0])
    assert "fanbeam.MixUp#0" in caught.value.__notes__[0]


def test_masks_of_class_numbers() -> None:
    from dataclasses import replace

    own = replace(picture(200, 20, 20), masks=np.full((1, 20, 20), 5, np.uint8))
    other = replace(picture(100, 20, 20), masks=np.full((1, 20, 20), 9, np.uint8))
    value = with_donors(own, {"other": other})
    for name in ("CutMix", "Mosaic", "CopyPaste"):
        for seed in SEEDS[:4]:
            result, _ = blended(value, name, seed, **({"scale": [0.5, 0.9]} if name == "CopyPaste" else {}))
            assert result.masks is not None
            assert result.masks.shape == (1, 20, 20)
            assert np.array_equal(result.masks[0] == 9, result.pixels[:, :, 0] == 100)
            assert np.array_equal(result.masks[0] == 5, result.pixels[:, :, 0] == 200)
    result, _ = blended(value, "MixUp", SEEDS[0])
    assert result.masks is not None
    assert (result.masks == 5).all()


@pytest.mark.parametrize(("own", "other"), [(1, 3), (3, 1), (4, 3), (3, 4), (1, 4)])
def test_channels_are_those_of_the_picture(own: int, other: int) -> None:
    value = ImageValue(np.full((8, 8, own), 50, np.uint8))
    donors = {"other": ImageValue(np.full((8, 8, other), 50, np.uint8))}
    for name in ("MixUp", "CutMix", "Mosaic"):
        result, _ = blended(with_donors(value, donors), name, SEEDS[1])
        assert result.pixels.shape == (8, 8, own)
        assert result.pixels.dtype == np.uint8


def test_a_picture_too_small_for_four() -> None:
    with pytest.raises(ValueError, match=r"fanbeam.Mosaic: four pictures have no room in one of 9 x 1"):
        blended(with_donors(picture(1, 1, 9), {"other": picture(1, 9, 9)}), "Mosaic", SEEDS[0])
