import numpy as np
import pytest

from transforms.isolation.image_cache import PictureCache


def test_what_is_used_last_is_kept_as_far_as_the_bytes_go() -> None:
    cache = PictureCache(most=25)
    decoded: list[str] = []

    def get(name: str) -> None:
        def decode() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
            decoded.append(name)
            return np.zeros((2, 5, 1), np.uint8)

        assert not cache.get(name, decode).flags.writeable

    for name in ("a", "b", "a", "c", "a", "b"):
        get(name)
    assert decoded == ["a", "b", "c", "b"]


def test_what_cannot_be_decoded_is_not_kept() -> None:
    cache = PictureCache()

    def fail() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        cache.get("a", fail)
    assert cache.get("a", lambda: np.ones((1, 1, 1), np.uint8)).shape == (1, 1, 1)
