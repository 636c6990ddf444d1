"""Instances after the steps: what has nothing left goes with everything that is said of it; the rest stays paired."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pycocotools import mask as coco

from pipeline.config.labels import BoxBinding, MaskBinding
from pipeline.modalities.labels.binding import bind
from pipeline.modalities.labels.writer import moved_labels
from transforms.recipe import build_recipe
from transforms.values import Boxes, ImageValue

HEIGHT, WIDTH = 40, 60
RUNS = pa.struct([("size", pa.list_(pa.int64())), ("counts", pa.list_(pa.int64()))])
SCHEMA = pa.schema(
    [
        ("boxes", pa.list_(pa.list_(pa.float64()))), ("names", pa.list_(pa.string())), ("masks", pa.list_(RUNS)),
        ("crowd", pa.list_(pa.int8())),
    ]
)  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools


def filled(x1: int, y1: int, x2: int, y2: int) -> np.ndarray[Any, Any]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def runs(mask: np.ndarray[Any, Any]) -> dict[str, Any]:
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, len(flat)]).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}


def pixels(entry: dict[str, Any]) -> np.ndarray[Any, Any]:
    found = coco.decode(coco.frPyObjects(dict(entry), *entry["size"]))
    return np.asarray(found)


def row(*areas: tuple[int, int, int, int]) -> pa.RecordBatch:
    made = {
        "boxes": [list(map(float, area)) for area in areas],
        "names": [f"n{n}" for n in range(len(areas))],
        "masks": [runs(filled(*area)) for area in areas],
        "crowd": list(range(len(areas))),
    }
    return pa.RecordBatch.from_pylist([made], SCHEMA)


def after(batch: pa.RecordBatch, bindings: Any, step: Any) -> dict[str, Any]:
    """The cells after a step that takes and gives a value."""
    before = bind(bindings, batch, 0, ImageValue(np.zeros((HEIGHT, WIDTH, 3), np.uint8)))
    found, _ = moved_labels(bindings, (batch, 0), before, step(before))
    return {name: cell.to_pylist()[0] for name, cell in found.items()}


def crop(name: str, **params: Any) -> Any:
    recipe = build_recipe([{name: {**params, "p": 1}}], "image")
    return lambda value: recipe.apply(value, bytes(16))[0]


LEFT = crop("albumentations.Crop", x_min=0, y_min=0, x_max=30, y_max=40)
AREAS = ((2, 2, 12, 12), (40, 5, 55, 25), (25, 20, 50, 35))


def test_an_instance_with_nothing_left_is_dropped_with_its_labels() -> None:
    bindings = {"masks": MaskBinding(column="masks", labels="names", columns=("crowd",))}
    found = after(row(*AREAS), bindings, LEFT)
    assert found["names"] == ["n0", "n2"]
    assert found["crowd"] == [0, 2]
    assert [int(pixels(entry).sum()) for entry in found["masks"]] == [100, 75]


def test_what_is_left_must_be_as_large_as_asked_for() -> None:
    found = after(row(*AREAS), {"masks": MaskBinding(column="masks", labels="names", min_area=80)}, LEFT)
    assert found["names"] == ["n0"]


def test_lists_without_labels_keep_their_length() -> None:
    """Nothing says which other columns would have to follow."""
    found = after(row(*AREAS), {"masks": MaskBinding(column="masks")}, LEFT)
    assert [int(pixels(entry).sum()) for entry in found["masks"]] == [100, 0, 75]


def test_a_box_whose_mask_is_gone_goes_too() -> None:
    batch = row(*AREAS)
    wide = batch.to_pylist()[0]
    wide["boxes"][1] = [20.0, 5, 55, 25]  # reaches into the crop, the object itself does not
    batch = pa.RecordBatch.from_pylist([wide], SCHEMA)
    bindings: Any = {
        "boxes": BoxBinding(column="boxes", format="pascal_voc", labels="names"),
        "masks": MaskBinding(column="masks", labels="crowd"),
    }
    found = after(batch, bindings, LEFT)
    assert found["names"] == ["n0", "n2"]
    assert found["crowd"] == [0, 2]
    assert np.array(found["boxes"]) == pytest.approx(np.array([[2, 2, 12, 12], [25, 20, 30, 35]]), abs=1e-4)
    assert len(found["masks"]) == 2


def test_a_mask_that_was_empty_before_stays_with_its_box() -> None:
    batch = row(*AREAS)
    made = batch.to_pylist()[0]
    made["masks"][0] = {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}
    bindings: Any = {
        "boxes": BoxBinding(column="boxes", format="pascal_voc", labels="names"), "masks": MaskBinding(column="masks"),
    }  # fmt: skip
    found = after(pa.RecordBatch.from_pylist([made], SCHEMA), bindings, LEFT)
    assert found["names"] == ["n0", "n2"]


def test_boxes_are_tightened_to_their_masks() -> None:
    bindings: Any = {
        "boxes": BoxBinding(column="boxes", format="pascal_voc", labels="names", tighten=True),
        "masks": MaskBinding(column="masks"),
    }
    turn = crop("albumentations.Rotate", limit=[45, 45], border_mode=0)
    loose, tight = (
        after(row((20, 10, 40, 30)), {**bindings, "boxes": bindings["boxes"].model_copy(update={"tighten": t})}, turn)
        for t in (False, True)
    )
    ys, xs = np.nonzero(pixels(tight["masks"][0]))
    assert tight["boxes"] == [[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]]
    assert np.abs(np.array(loose["boxes"]) - tight["boxes"]).max() < 3


def test_a_box_that_is_cut_into_several_takes_its_mask_with_it() -> None:
    bindings: Any = {
        "boxes": BoxBinding(column="boxes", format="pascal_voc", labels="names"), "masks": MaskBinding(column="masks"),
    }  # fmt: skip
    mask = filled(5, 5, 15, 15) | filled(35, 20, 45, 35)

    def torn(value: ImageValue) -> ImageValue:
        boxes = Boxes(np.array([[5.0, 5, 15, 15], [35, 20, 45, 35]]), np.array([0, 0]))
        return ImageValue(value.pixels, boxes, masks=mask[np.newaxis], mask_rows=value.mask_rows)

    found = after(row((5, 5, 45, 35)), bindings, torn)
    assert found["names"] == ["n0", "n0"]
    assert [int(pixels(entry).sum()) for entry in found["masks"]] == [100, 150]
    assert np.array_equal(sum(pixels(entry) for entry in found["masks"]), mask)


@pytest.mark.parametrize("seed", range(6))
def test_tiles_that_are_shuffled_keep_boxes_and_masks_paired(seed: int) -> None:
    bindings: Any = {
        "boxes": BoxBinding(column="boxes", format="pascal_voc", labels="names"),
        "masks": MaskBinding(column="masks", labels="crowd"),
    }
    recipe = build_recipe([{"albumentations.RandomGridShuffle": {"grid": [2, 2], "p": 1}}], "image")
    found = after(row(*AREAS), bindings, lambda value: recipe.apply(value, bytes([seed]) * 16)[0])
    assert len(found["boxes"]) == len(found["names"]) == len(found["masks"]) == len(found["crowd"])
    for (x1, y1, x2, y2), entry in zip(found["boxes"], found["masks"], strict=True):
        ys, xs = np.nonzero(pixels(entry))
        assert len(ys)
        assert x1 - 1 <= xs.min() <= xs.max() <= x2
        assert y1 - 1 <= ys.min() <= ys.max() <= y2
