"""Rings are cut at the edges of pictures as an independent painter cuts them; loops that cancel out are not lost."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from transforms.interface import LabelLost
from transforms.outlines import area_of, clipped, covered, in_view, outlined, points_of
from transforms.values import Polygons

HEIGHT, WIDTH, FINE = 40, 60, 8
ROOM = 60


def painted(ring: np.ndarray) -> np.ndarray:
    """Pixels of a picture and of so much room around it, several times as fine."""
    ground = Image.new("1", ((WIDTH + 2 * ROOM) * FINE, (HEIGHT + 2 * ROOM) * FINE))
    ImageDraw.Draw(ground).polygon(((ring + ROOM) * FINE - 0.5).ravel().tolist(), fill=1)
    return np.asarray(ground)


def star(seed: int, far: float) -> np.ndarray:
    """A ring of unlike rays around a middle somewhere in the picture; `far` ones leave it."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 12))
    rays = rng.uniform(3, far, 12)[:, np.newaxis]
    return rng.uniform((5, 5), (WIDTH - 5, HEIGHT - 5)) + rays * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def one(ring: np.ndarray) -> Polygons:
    return Polygons((ring,), np.zeros(1, np.int64), np.zeros(0, np.int64), 1)


@pytest.mark.parametrize("seed", range(30))
def test_rings_are_cut_as_a_painter_cuts_them(seed: int) -> None:
    ring = star(seed, 50)
    found = clipped(ring, HEIGHT, WIDTH)
    window = np.zeros_like(painted(ring))
    window[ROOM * FINE : (ROOM + HEIGHT) * FINE, ROOM * FINE : (ROOM + WIDTH) * FINE] = True
    wanted = (painted(ring) & window).sum() / FINE**2
    assert area_of(found) == pytest.approx(wanted, abs=0.02 * wanted + 6)
    assert (found >= 0).all()
    assert (found <= (WIDTH, HEIGHT)).all()


def test_rings_within_the_picture_keep_every_number() -> None:
    ring = star(3, 4)
    assert in_view(one(ring), (HEIGHT, WIDTH)).rings[0] is ring


@pytest.mark.parametrize(
    ("ring", "wanted"),
    [
        ([[0, 0], [10, 10], [10, 0], [0, 10]], 50),  # two triangles, turned against one another
        ([[0, 0], [10, 10], [20, 20]], 0),
        ([[0, 0], [10, 0], [10, 10], [10, 0]], 0),  # there and back again
        ([[0, 0], [10, 0], [10, 10], [0, 10]], 100),
    ],
)
def test_what_a_ring_covers(ring: list[list[float]], wanted: float) -> None:
    assert covered(np.array(ring, np.float64)) == pytest.approx(wanted, abs=0.5)


def test_a_ring_without_anything_in_the_picture_is_dropped_though_it_goes_around_a_corner() -> None:
    hook = np.array([[-9.0, -9], [70, -9], [70, -5], [-5, -5], [-5, 50], [-9, 50]])
    assert in_view(one(hook), (HEIGHT, WIDTH)).rings == ()


def test_steps_that_lose_points_or_tear_edges_lose_the_outline() -> None:
    held = one(star(1, 10))
    lost = points_of(held)
    lost[2] = np.nan
    torn = points_of(held)
    torn[: len(torn) // 4] += 20
    for points in (lost, torn):
        with pytest.raises(LabelLost) as caught:
            outlined(held, points, (HEIGHT, WIDTH), (HEIGHT, WIDTH))
        assert caught.value.reason == "outline_lost"
    assert outlined(held, points_of(held) + 1e-5, (HEIGHT, WIDTH), (HEIGHT, WIDTH)) is held
