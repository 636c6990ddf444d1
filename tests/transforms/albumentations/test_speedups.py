"""What is quicker than the library gives what the library gives, bit by bit, for every class that works on pictures."""

from typing import Any

import albumentations
import cv2
import numpy as np
import pytest
from contract_samples import SEEDS, params_of
from hypothesis import given
from hypothesis import strategies as st

from transforms.albumentations import adapter, library
from transforms.albumentations.references import wants_more
from transforms.albumentations.speedups import _is_identity
from transforms.isolation.philox import generators
from transforms.recorded_parameters import to_json

pytestmark = pytest.mark.usefixtures("quiet_process")

PIXELS = np.random.Generator(np.random.Philox(key=3)).integers(0, 256, (64, 80, 3), dtype=np.uint8)
ALONE = [n for n in adapter.names() if not (library.is_solid(n) or wants_more(n) or adapter.needs(n))]


def as_it_was(monkeypatch: pytest.MonkeyPatch) -> int:
    """Put the library's own functions back, for one test; how many there were."""
    rooms = albumentations.augmentations
    modules = [rooms.blur.functional, rooms.crops.functional, rooms.geometric.functional, rooms.pixel.functional]
    replaced = 0
    for module in modules:
        for name in ("maybe_process_in_chunks", "create_affine_transformation_matrix", "warp_affine"):
            own = getattr(vars(module).get(name), "__wrapped__", None)
            if own is not None and own.__module__.startswith(("albumentations", "albucore")):
                monkeypatch.setattr(module, name, own)
                replaced += 1
    monkeypatch.setattr(rooms.geometric.functional, "is_identity_matrix", lambda m: np.allclose(m, np.eye(3)))
    return replaced


@pytest.mark.parametrize("name", ALONE)
def test_a_picture_comes_out_as_without_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step = library.construct(name, {**params_of(f"albumentations.{name}"), "p": 1})

    def drawn() -> list[tuple[tuple[int, ...], bytes, str]]:
        found = []
        for seed in SEEDS[:3]:
            step.set_random_state(*generators(seed))
            pixels = step(image=PIXELS.copy())["image"]
            found.append((pixels.shape, pixels.tobytes(), to_json(step.params)))
        return found

    quick = drawn()
    assert as_it_was(monkeypatch) == 6
    assert quick == drawn()


def test_most_classes_were_tried() -> None:
    assert len(ALONE) > 80


_NEAR_ZERO = st.sampled_from([0.0, 1.0, -1.0, 1e-8, 1.1e-8, 1 + 1e-5, 1 + 1.1e-5, 1 - 1e-5, np.nan, np.inf, 3.0])


@given(st.lists(_NEAR_ZERO, min_size=9, max_size=9), st.booleans())
def test_the_shortcut_for_identity_says_what_numpy_says(entries: list[float], identity: bool) -> None:
    matrix = np.array(entries).reshape(3, 3)
    if identity:
        matrix = np.where(np.eye(3) == 1, 1 + (matrix - matrix) + 1e-5, 1e-8)
    assert _is_identity(matrix) == np.allclose(matrix, np.eye(3))


_SHIFTS = st.integers(1, 5_000).map(lambda side: side / 2 - 0.5)


@given(st.floats(-720, 720), _SHIFTS, _SHIFTS)
def test_the_shortcut_for_rotations_gives_the_same_bits(angle: float, right: float, down: float) -> None:
    plain = ({"x": 0, "y": 0}, {"x": 0, "y": 0}, {"x": 1, "y": 1}, angle, (right, down))
    quick: Any = albumentations.augmentations.geometric.functional.create_affine_transformation_matrix
    assert quick(*plain).tobytes() == quick.__wrapped__(*plain).tobytes()
    assert quick(*plain).tobytes() == quick.__wrapped__(*plain).tobytes()


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4, 5, 6, 9])
@pytest.mark.parametrize("room", ["blur", "crops", "geometric", "pixel"])
def test_the_shortcut_for_few_channels_gives_the_same_bits(room: str, channels: int | None) -> None:
    quick: Any = getattr(albumentations.augmentations, room).functional.maybe_process_in_chunks
    pixels = np.resize(PIXELS, (32, 24, channels or 1))[:, :, 0 if channels is None else slice(None)].copy()
    found = quick(cv2.blur, ksize=(3, 5))(pixels)
    wanted = quick.__wrapped__(cv2.blur, ksize=(3, 5))(pixels)
    assert found.shape == wanted.shape
    assert found.tobytes() == wanted.tobytes()
