"""Outlines of objects: they follow as the picture does, are cut at its edges, and go with all that is said of them."""

import io
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.config.labels import BoxBinding, MaskBinding, PolygonBinding
from pipeline.modalities.labels.binding import bind
from pipeline.modalities.labels.cells import BadLabels
from pipeline.modalities.labels.writer import moved_labels
from transforms.interface import LabelLost
from transforms.recipe import build_recipe
from transforms.values import ImageValue

HEIGHT, WIDTH = 96, 128
SEEDS = [bytes([n]) * 16 for n in range(4)]
LEFT = [[10.0, 10, 50, 14, 44, 40, 12, 36]]
BOTH = [[70.0, 20, 110, 24, 100, 60], [60.0, 70, 90, 70, 90, 90, 60, 90]]
ROOF = [[20.0, 60, 60, 50, 56, 80, 40, 64, 24, 84]]
OUTLINES = [LEFT, BOTH, ROOF]
STEPS: list[Any] = [
    {"albumentations.HorizontalFlip": {"p": 1}},
    {"albumentations.Rotate": {"limit": [30, 30], "p": 1}},
    {"albumentations.RandomResizedCrop": {"size": [80, 80], "scale": [0.4, 0.6], "p": 1}},
    {"albumentations.Perspective": {"scale": [0.1, 0.15], "p": 1}},
    {"albumentations.Affine": {"scale": [1.3, 1.5], "shear": {"x": [10, 20]}, "p": 1}},
    {"albumentations.D4": {"p": 1}},
    {"torchvision.RandomAffine": {"degrees": [20, 40], "translate": [0.2, 0.2]}},
    {"torchvision.RandomPerspective": {"p": 1}},
    {"torchvision.RandomCrop": {"size": [60, 70]}},
    {"pillow.Rotate": {"angle": [20, 40]}},
    {"pillow.Mirror": {}},
]


def row(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([columns])


def applied(batch: pa.RecordBatch, bindings: Any, steps: list[Any], seed: bytes) -> tuple[dict[str, Any], ImageValue]:
    before = bind(bindings, batch, 0, ImageValue(np.zeros((HEIGHT, WIDTH, 3), np.uint8)))
    value, _ = build_recipe(steps, "image").apply(before, seed)
    assert isinstance(value, ImageValue)
    found, _ = moved_labels(bindings, (batch, 0), before, value)
    return {name: cell.to_pylist()[0] for name, cell in found.items()}, value


def after(batch: pa.RecordBatch, bindings: Any, steps: list[Any], seed: bytes = SEEDS[0]) -> dict[str, Any]:
    return applied(batch, bindings, steps, seed)[0]


def polygons(**more: Any) -> dict[str, Any]:
    return {"polygons": PolygonBinding(column="outlines", **more)}


def painted(rings: list[list[float]], height: int, width: int) -> NDArray[np.bool_]:
    """Pixels whose centres lie within a ring, by another library: eight times as fine, then thinned out."""
    fine = 8
    ground = Image.new("1", (width * fine, height * fine))
    for ring in rings:
        ImageDraw.Draw(ground).polygon([n * fine - 0.5 for n in ring], fill=1)
    return np.asarray(ground)[fine // 2 :: fine, fine // 2 :: fine]


def png(mask: NDArray[np.bool_]) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(sink, "PNG")
    return sink.getvalue()


def strays(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> int:
    """Pixels of one that lie farther than one beside the other."""
    return int((one & (cv2.dilate(other.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)).sum())


@pytest.mark.parametrize("step", STEPS, ids=lambda step: next(iter(step)))
@pytest.mark.parametrize("seed", SEEDS)
def test_outlines_lie_where_masks_painted_of_them_go(step: Any, seed: bytes) -> None:
    masks = [png(painted(rings, HEIGHT, WIDTH)) for rings in OUTLINES]
    names = ["left", "both", "roof"]
    batch = row(outlines=OUTLINES, masks=masks, names=names, kinds=names)
    bindings = {"masks": MaskBinding(column="masks", labels="kinds"), **polygons(labels="names")}
    found, value = applied(batch, bindings, [step], seed)
    assert found["names"] == found["kinds"]
    assert len(found["outlines"]) == len(found["masks"]) == len(found["names"]) > 0
    for rings, mask in zip(found["outlines"], found["masks"], strict=True):
        wanted = np.asarray(Image.open(io.BytesIO(mask))) != 0
        ours = painted(rings, *value.pixels.shape[:2])
        assert wanted.sum() > 10
        assert max(strays(wanted, ours), strays(ours, wanted)) <= 1  # the tip of a corner
        numbers = np.array([n for ring in rings for n in ring]).reshape(-1, 2)
        assert (numbers >= 0).all()
        assert (numbers <= np.array(value.pixels.shape[1::-1])).all()


FLIP: list[Any] = [{"albumentations.HorizontalFlip": {"p": 1}}]


def crop(x_min: int, y_min: int, x_max: int, y_max: int) -> list[Any]:
    return [{"albumentations.Crop": {"x_min": x_min, "y_min": y_min, "x_max": x_max, "y_max": y_max, "p": 1}}]


def area(ring: list[float]) -> float:
    """By triangles from the first corner."""
    points = list(zip(ring[::2], ring[1::2], strict=True))
    (x0, y0), rest = points[0], points[1:]
    return abs(sum((a - x0) * (d - y0) - (c - x0) * (b - y0) for (a, b), (c, d) in pairwise(rest))) / 2


def test_outlines_are_mirrored_at_edges_of_pixels() -> None:
    found = after(row(outlines=[LEFT]), polygons(), FLIP)["outlines"]
    assert found[0][0] == pytest.approx([118, 10, 78, 14, 84, 40, 116, 36], abs=1e-3)


def test_steps_that_move_nothing_leave_every_number_as_it_was() -> None:
    odd = [[[0.1, 1 / 3, 70.7, 2.2, 30.3, 60.6]]]
    colours = [{"albumentations.RandomBrightnessContrast": {"p": 1}}, {"albumentations.CoarseDropout": {"p": 1}}]
    assert after(row(outlines=odd), polygons(), colours)["outlines"] == odd


def test_what_is_cut_off_does_not_come_back_with_new_ground() -> None:
    pad = {"albumentations.Pad": {"padding": [20, 20, 20, 20], "p": 1}}
    (rings,) = after(row(outlines=[[[10.0, 10, 60, 10, 60, 30, 10, 30]]]), polygons(), [*crop(0, 0, 40, 96), pad])[
        "outlines"
    ]
    assert sorted(zip(rings[0][::2], rings[0][1::2], strict=True)) == [(30, 30), (30, 50), (60, 30), (60, 50)]


def test_an_outline_without_anything_left_goes_with_its_box_and_category() -> None:
    batch = row(outlines=[LEFT, BOTH], boxes=[[10.0, 10, 40, 30], [60, 20, 50, 70]], kinds=["left", "both"], ids=[7, 8])
    bindings = {"boxes": BoxBinding(column="boxes", format="coco", labels="kinds"), **polygons(columns=("ids",))}
    found = after(batch, bindings, crop(56, 0, 128, 96))
    assert (found["kinds"], found["ids"]) == (["both"], [8])
    assert found["boxes"][0] == pytest.approx([4, 20, 50, 70], abs=1e-4)
    assert found["outlines"][0] == [pytest.approx([n - 56 * (place % 2 == 0) for place, n in enumerate(ring)])
                                    for ring in BOTH]  # fmt: skip


def test_a_box_that_is_dropped_takes_its_outline_along() -> None:
    batch = row(outlines=[LEFT, BOTH], boxes=[[10.0, 10, 40, 30], [60, 20, 50, 70]])
    bindings = {"boxes": BoxBinding(column="boxes", format="coco", min_visibility=0.9), **polygons()}
    found = after(batch, bindings, crop(30, 0, 128, 96))
    assert len(found["boxes"]) == len(found["outlines"]) == 1
    assert found["outlines"][0][0][:2] == pytest.approx([40, 20])


def test_a_ring_that_is_gone_leaves_the_others_of_its_object() -> None:
    (rings,) = after(row(outlines=[BOTH]), polygons(), crop(0, 0, 128, 65))["outlines"]
    assert rings == [pytest.approx(BOTH[0])]


@pytest.mark.parametrize("layout", ["structs", "lists"])
def test_outlines_beside_boxes_in_the_same_structs(layout: str) -> None:
    entries = [
        {"bbox": [10.0, 10, 40, 30], "segmentation": LEFT, "category": 3, "area": 1.0},
        {"bbox": [60.0, 20, 50, 70], "segmentation": BOTH, "category": 5, "area": 1.0},
    ]
    cell: Any = entries if layout == "structs" else {key: [e[key] for e in entries] for key in entries[0]}
    bindings = {
        "boxes": BoxBinding(column="objects", format="coco", labels="category", area="area"),
        "polygons": PolygonBinding(column="objects", labels="category"),
    }
    found = after(row(objects=cell), bindings, [*crop(56, 0, 128, 96), *FLIP])["objects"]
    if layout == "lists":
        found = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
    (only,) = found
    assert only["category"] == 5
    assert only["bbox"] == pytest.approx([18, 20, 50, 70], abs=1e-4)
    assert only["segmentation"][0] == pytest.approx([58, 20, 18, 24, 28, 60], abs=1e-3)
    assert only["area"] == pytest.approx(sum(map(area, BOTH)), abs=1e-2)


def test_areas_and_boxes_are_those_of_outlines() -> None:
    batch = row(outlines=[LEFT], sizes=[0.0], boxes=[[9.0, 9, 43, 33]], areas=[0.0])
    bindings = {
        "boxes": BoxBinding(column="boxes", format="coco", tighten=True, area="areas"),
        **polygons(area="sizes"),
    }
    found = after(batch, bindings, [*crop(0, 0, 128, 30)])
    ring = found["outlines"][0][0]
    assert found["boxes"][0] == pytest.approx([10, 10, 40, 20], abs=1e-3)
    assert found["areas"] == found["sizes"] == pytest.approx([area(ring)], rel=1e-4)
    assert found["areas"][0] == pytest.approx(painted(LEFT, HEIGHT, WIDTH)[:30].sum(), abs=20)


def test_one_flat_ring_for_each_object_in_whole_numbers() -> None:
    kind = pa.list_(pa.list_(pa.int32()))
    batch = pa.RecordBatch.from_arrays([pa.array([[[10, 10, 50, 14, 44, 40], [0, 0, 9, 0, 9, 9]]], kind)], ["outlines"])
    turn = [{"albumentations.Affine": {"scale": 1.5, "p": 1}}]
    found = after(batch, polygons(min_area=30), [*turn, *crop(0, 0, 128, 70)])["outlines"]
    assert found
    assert all(isinstance(n, int) for ring in found for n in ring)


def test_objects_that_came_without_an_outline_stay_without() -> None:
    batch = row(outlines=[LEFT, [], None], boxes=[[10.0, 10, 40, 30], [60, 20, 50, 70], [60, 70, 20, 20]])
    bindings = {"boxes": BoxBinding(column="boxes", format="coco"), **polygons()}
    found = after(batch, bindings, FLIP)
    assert found["outlines"][1:] == [[], None]
    assert len(found["boxes"]) == 3
    kind = pa.list_(pa.list_(pa.list_(pa.float64())))
    none = pa.RecordBatch.from_arrays([pa.nulls(1, kind), batch.column("boxes")], ["outlines", "boxes"])
    assert after(none, bindings, FLIP)["outlines"] is None


def test_rings_that_cross_themselves_stay_though_their_loops_cancel_out() -> None:
    tie = [10.0, 10, 50, 40, 50, 10, 10, 40]
    found = after(row(outlines=[[tie], [[10.0, 10, 20, 20, 30, 30]]], ids=[1, 2]), polygons(columns=("ids",)), FLIP)
    assert found["ids"] == [1]  # the second one covers nothing
    assert found["outlines"][0][0] == pytest.approx([118, 10, 78, 40, 78, 10, 118, 40], abs=1e-3)


def test_lists_in_the_same_struct_must_be_equally_long() -> None:
    bindings = {"polygons": PolygonBinding(column="objects")}
    with pytest.raises(BadLabels, match="objects has 1 entries, its member name has 2"):
        after(row(objects={"segmentation": [LEFT], "name": ["a", "b"]}), bindings, FLIP)
    kind = pa.struct([("segmentation", pa.list_(pa.list_(pa.list_(pa.float32())))), ("name", pa.list_(pa.string()))])
    none = pa.RecordBatch.from_arrays([pa.array([{"segmentation": None, "name": ["a", "b"]}], kind)], ["objects"])
    assert after(none, bindings, FLIP)["objects"] == {"segmentation": None, "name": ["a", "b"]}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ([[[10.0, 10, 50, 14, 44]]], "5 numbers, not x and y of three points or more"),
        ([[[10.0, 10, 50, 14]]], "4 numbers, not x and y of three"),
        ([[[10.0, 10], [50, 14], [44, 40]]], "2 numbers.*not as pairs"),
        ([[[]]], "0 numbers"),
        ([[[10.0, 10, float("nan"), 14, 44, 40]]], "not finite"),
        ([[[10.0, 10, 1e300, 14, 44, 40]]], "farther away"),
        ([[None, [10.0, 10, 50, 14, 44, 40]]], "null in place of a ring"),
        ([[[10.0, 10, None, 14, 44, 40]]], "null in place of a ring, or of a number"),
        ([[[310.0, 10, 350, 14, 344, 40]]], "1 of 1 outlines lie mostly outside of the picture of 128x96"),
        ([[[0.1, 0.1, 0.5, 0.1, 0.5, 0.4]]], "from 0 to 1: they are read in pixels"),
    ],
)
def test_outlines_that_are_none_are_refused(cell: Any, message: str) -> None:
    column = pa.array([cell], pa.list_(pa.list_(pa.list_(pa.float64()))))
    with pytest.raises(BadLabels, match=message):
        after(pa.RecordBatch.from_arrays([column], ["outlines"]), polygons(), FLIP)


def test_an_outline_that_a_step_bends_is_lost() -> None:
    elastic = [{"torchvision.ElasticTransform": {"alpha": 400.0}}]
    with pytest.raises(LabelLost, match="bends or tears"):
        after(row(outlines=OUTLINES), polygons(), elastic)
