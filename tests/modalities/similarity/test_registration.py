import cv2
import numpy as np
import pytest

from pipeline.modalities.similarity.registration import Placement, refined, rough, search

SIDE = 64


def smooth(side: int, seed: int = 5) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (side, side)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), side / 24)
    return np.float32(127 + 40 * blurred / blurred.std())


def shrunk(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def found(whole: np.ndarray, part: np.ndarray) -> Placement:
    _, start = search(rough(whole), rough(part), SIDE)
    return refined(whole, part, start)


@pytest.mark.parametrize(
    ("top", "bottom", "left", "right"),
    [(0, 0, 0, 0), (26, 0, 26, 0), (13, 13, 13, 13), (0, 40, 10, 0), (26, 26, 26, 26)],
)
def test_a_crop_is_placed_to_a_fraction_of_a_pixel(top: int, bottom: int, left: int, right: int) -> None:
    picture = smooth(512)
    crop = picture[top : 512 - bottom, left : 512 - right]
    placement = found(shrunk(picture), shrunk(crop))
    assert placement.scale_x == pytest.approx(crop.shape[1] / 512, abs=0.003)
    assert placement.scale_y == pytest.approx(crop.shape[0] / 512, abs=0.003)
    corner = placement.shift_x + 0.5 * (1 - placement.scale_x), placement.shift_y + 0.5 * (1 - placement.scale_y)
    assert corner == pytest.approx((left / 8, top / 8), abs=0.15)


def test_brightness_does_not_move_it() -> None:
    picture = shrunk(smooth(512))
    placement = found(picture, picture * 0.6 + 30)
    assert (placement.scale_x, placement.scale_y) == pytest.approx((1, 1), abs=0.003)
    assert (placement.shift_x, placement.shift_y) == pytest.approx((0, 0), abs=0.1)


def test_a_crop_is_searched_for_in_the_whole_and_scores_best_there() -> None:
    picture = smooth(512)
    whole, part = rough(shrunk(picture)), rough(shrunk(picture[40:, 40:]))
    assert search(whole, part, SIDE)[0] > 0.95
    assert search(part, whole, SIDE)[0] < search(whole, part, SIDE)[0]


def test_what_has_nothing_in_common_stays_where_it_was() -> None:
    one, other = shrunk(smooth(512)), shrunk(smooth(512, seed=6))
    score, start = search(rough(one), rough(other), SIDE)
    assert score < 0.6
    assert refined(one, other, start) == start or not refined(one, other, start).strayed(start)


def test_flat_pictures_are_placed_without_a_warning() -> None:
    flat = np.full((SIDE, SIDE), 7, np.float32)
    _, start = search(rough(flat), rough(flat), SIDE)
    assert np.isfinite([refined(flat, flat, start).scale_x, refined(flat, flat, start).shift_y]).all()


def test_cut_and_inside_agree() -> None:
    placement = Placement(1.0, 4.0, 1.0, 0.0)
    ramp = np.tile(np.arange(SIDE, dtype=np.float32), (SIDE, 1))
    inside = placement.inside(SIDE)
    assert inside[:, :60].all() and not inside[:, 61:].any()
    assert (placement.cut(ramp)[:, :60] == ramp[:, 4:]).all()
