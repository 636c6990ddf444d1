"""Run lengths: read as pycocotools reads them, and refused before any room is made wherever they are not sound."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from pycocotools import mask as coco

from pipeline.modalities.labels.cells import BadLabels
from pipeline.modalities.labels.formats.run_lengths import from_runs

HEIGHT, WIDTH = 40, 100
SIZE = [HEIGHT, WIDTH]


def packed(mask: np.ndarray[Any, Any]) -> str:
    counts: bytes = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    return counts.decode()


def blob(seed: int = 0) -> np.ndarray[Any, Any]:
    draw = np.random.default_rng(seed)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for _ in range(4):
        y, x = int(draw.integers(0, 30)), int(draw.integers(0, 80))
        mask[y : y + int(draw.integers(1, 10)), x : x + int(draw.integers(1, 20))] = 1
    return mask


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools, on numpy 2
@given(hn.arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 30))))
def test_packed_runs_are_read_as_pycocotools_reads_them(mask: np.ndarray[Any, Any]) -> None:
    found = from_runs({"size": list(mask.shape), "counts": packed(mask)}, *mask.shape)
    assert found.dtype == np.uint8
    assert np.array_equal(found, mask)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_long_runs_take_several_characters() -> None:
    mask = np.zeros((2000, 3000), np.uint8)
    mask[1500, 2900] = 1
    assert np.array_equal(from_runs({"size": [2000, 3000], "counts": packed(mask)}, 2000, 3000), mask)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_every_cut_of_a_good_string_is_refused() -> None:
    for seed in range(8):
        whole = packed(blob(seed))
        assert np.array_equal(from_runs({"size": SIZE, "counts": whole}, HEIGHT, WIDTH), blob(seed))
        for end in range(len(whole)):
            with pytest.raises(BadLabels):
                from_runs({"size": SIZE, "counts": whole[:end]}, HEIGHT, WIDTH)


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda raw: bytes(48 + b % 64 for b in raw))))
def test_garbage_is_refused_or_sums_to_the_picture(raw: bytes) -> None:
    try:
        mask = from_runs({"size": [3, 4], "counts": raw}, 3, 4)
    except BadLabels:
        return
    assert mask.shape == (3, 4)
    assert set(np.unique(mask)) <= {0, 1}


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([100, None, 3996], "null, no whole number"),
        ([100, 3900.5], "no whole number"),
        ([float("nan"), 4000.0], "no whole number"),
        ([-1, 4001], "negative or longer"),
        ([4000, 2**40], "greater than any picture"),
        ([2**70, 1], "greater than any picture"),
        ([2**62, 2**62, 2**62, 2**62], "greater than any picture"),
        ([100, 200], "do not sum .* 300 of 4000"),
        ([0] * 8003, "more than the mask can have"),
        ([], "do not sum"),
        ("", "empty"),
        (b"", "empty"),
        ("0" * 70_000, "more than the mask can have"),
        ("ü1", "characters that are not COCO's"),
        ("P" * 9 + "0", "greater than any picture"),
        ("PPP", "middle of a number"),
        (None, "NoneType"),
        (17, "int: a list of numbers"),
    ],
)
def test_runs_that_cannot_be_used(counts: Any, message: str) -> None:
    with pytest.raises(BadLabels, match=message):
        from_runs({"size": SIZE, "counts": counts}, HEIGHT, WIDTH)


@pytest.mark.parametrize(
    "size",
    [None, [2**40, 1], [10**6, 10**6], [WIDTH, HEIGHT], [HEIGHT], [0, 100], [-40, -100], [40.0, 100.0], [True, 1]],
)
def test_the_size_is_compared_before_any_room_is_made(size: Any) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadLabels, match=r"without a size|on a picture of 100x40"):
            from_runs({"size": size, "counts": [10**12]}, HEIGHT, WIDTH)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_whole_numbers_that_a_table_turned_to_floats_are_read() -> None:
    mask = from_runs({"size": [2, 2], "counts": [1.0, 2.0, 1.0]}, 2, 2)
    assert mask.tolist() == [[0, 1], [1, 0]]
