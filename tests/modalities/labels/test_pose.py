"""Bodies and turned boxes: sides change places in a mirror, order and number can be kept, corners follow."""

import math
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.labels import BoxBinding, KeypointBinding, MaskBinding
from pipeline.modalities.labels.binding import bind
from pipeline.modalities.labels.cells import BadLabels
from pipeline.modalities.labels.writer import moved_labels
from transforms.recipe import build_recipe, check_steps
from transforms.values import ALL_POINTS, ImageValue

HEIGHT, WIDTH = 64, 96
NAMES = ["nose", "left_eye", "right_eye", "left_hand"]
POINTS = [[48.0, 12, 2], [62, 10, 2], [32, 10, 1], [0, 0, 0]]
PAIRS: Any = (("left_eye", "right_eye"),)
SEEDS = [bytes([n]) * 16 for n in range(5)]
FLIP = ["albumentations.HorizontalFlip", "torchvision.RandomHorizontalFlip", "albumentations.VerticalFlip"]


def row(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([columns])


def after(batch: pa.RecordBatch, bindings: Any, steps: list[Any], seed: bytes = SEEDS[0]) -> dict[str, Any]:
    before = bind(bindings, batch, 0, ImageValue(np.zeros((HEIGHT, WIDTH, 3), np.uint8)))
    value, _ = build_recipe(steps, "image").apply(before, seed)
    found, _ = moved_labels(bindings, (batch, 0), before, value)
    return {name: cell.to_pylist()[0] for name, cell in found.items()}


def by_name(found: dict[str, Any]) -> dict[str, Any]:
    return dict(zip(found["names"], found["points"], strict=True))


@pytest.mark.parametrize("step", FLIP)
def test_named_pairs_change_places_in_a_mirror(step: str) -> None:
    binding = KeypointBinding(column="points", labels="names", swap=PAIRS, keep_all=True)
    found = after(row(points=POINTS, names=NAMES), {"keypoints": binding}, [{step: {"p": 1}}])
    assert found["names"] == NAMES
    x, y = (lambda n: n, lambda n: HEIGHT - 1 - n) if "Vertical" in step else (lambda n: WIDTH - 1 - n, lambda n: n)
    off = 1 if step.startswith("torchvision") else 0  # of the library: it flips points at edges of pixels
    named = by_name(found)
    assert named["left_eye"] == pytest.approx([x(32), y(10), 1], abs=off)
    assert named["right_eye"] == pytest.approx([x(62), y(10), 2], abs=off)
    assert named["nose"] == pytest.approx([x(48), y(12), 2], abs=off)
    assert named["left_hand"] == [0, 0, 0]


@pytest.mark.parametrize("steps", [["albumentations.RandomRotate90"], [{"albumentations.Rotate": {"limit": [20, 20]}}]])
def test_turns_are_no_mirror(steps: list[Any]) -> None:
    binding = KeypointBinding(column="points", labels="names", swap=PAIRS, keep_all=True)
    plain = KeypointBinding(column="points", labels="names", keep_all=True)
    for seed in SEEDS:
        batch = row(points=POINTS, names=NAMES)
        assert after(batch, {"keypoints": binding}, steps, seed) == after(batch, {"keypoints": plain}, steps, seed)


def test_two_mirrors_are_none() -> None:
    binding = KeypointBinding(column="points", labels="names", swap=PAIRS, keep_all=True)
    steps = [{name: {"p": 1}} for name in ("albumentations.HorizontalFlip", "albumentations.VerticalFlip")]
    named = by_name(after(row(points=POINTS, names=NAMES), {"keypoints": binding}, steps))
    assert named["left_eye"] == [WIDTH - 1 - 62, HEIGHT - 1 - 10, 2]


def test_what_else_is_said_of_a_point_goes_with_it() -> None:
    binding = KeypointBinding(column="points", labels="names", columns=("score",), swap=PAIRS)
    flip = [{"albumentations.HorizontalFlip": {"p": 1}}]
    found = after(row(points=POINTS[:3], names=NAMES[:3], score=[1, 2, 3]), {"keypoints": binding}, flip)
    assert found == {
        "names": NAMES[:3], "score": [1, 3, 2],
        "points": [[47, 12, 2], [63, 10, 1], [33, 10, 2]],
    }  # fmt: skip


def test_a_point_that_is_cut_away_leaves_its_partner_the_right_name() -> None:
    binding = KeypointBinding(column="points", labels="names", swap=PAIRS)
    steps = [
        {"albumentations.HorizontalFlip": {"p": 1}},
        {"albumentations.Crop": {"x_min": 50, "x_max": 96, "y_min": 0, "y_max": 64, "p": 1}},
    ]
    found = after(row(points=POINTS[:3], names=NAMES[:3]), {"keypoints": binding}, steps)
    assert by_name(found) == {"left_eye": [13, 10, 1]}  # what was the right eye, at 95 - 32 - 50


@pytest.mark.parametrize("layout", ["structs", "lists"])
def test_names_within_the_structs(layout: str) -> None:
    entries = [{"point": p, "names": n} for p, n in zip(POINTS, NAMES, strict=True)]
    cell: Any = entries if layout == "structs" else {"point": POINTS, "names": NAMES}
    binding = KeypointBinding(column="people", labels="names", swap=PAIRS, keep_all=True)
    found = after(row(people=cell), {"keypoints": binding}, [{"albumentations.HorizontalFlip": {"p": 1}}])["people"]
    if layout == "structs":
        found = {"names": [e["names"] for e in found], "point": [e["point"] for e in found]}
    assert found["names"] == NAMES
    assert found["point"][1:3] == [[63, 10, 1], [33, 10, 2]]


def test_a_skeleton_known_by_its_places_keeps_them() -> None:
    skeleton = [[20.0 + 4 * n, 10.0 + 3 * n, 2] for n in range(17)]
    skeleton[3] = [0.0, 0, 0]
    pairs: Any = tuple((n, n + 1) for n in range(1, 17, 2))
    binding = KeypointBinding(column="points", swap=pairs, keep_all=True)
    steps = [
        {"albumentations.HorizontalFlip": {"p": 1}},
        {"albumentations.Crop": {"x_min": 0, "x_max": 60, "y_min": 0, "y_max": 64, "p": 1}},
    ]
    found = after(row(points=skeleton), {"keypoints": binding}, steps)["points"]
    assert len(found) == 17
    for place, (x, y, seen) in enumerate(found):
        partner = place if place == 0 else place + 1 if place % 2 else place - 1
        inside = partner != 3 and 0 <= 95 - skeleton[partner][0] < 60
        assert (x, y, seen) == ((95 - skeleton[partner][0], skeleton[partner][1], 2) if inside else (0, 0, 0))


def test_points_under_a_hole_and_out_of_a_distortion_are_marked_unseen() -> None:
    binding = {"keypoints": KeypointBinding(column="points", keep_all=True)}
    points = [[10.0, 10, 2], [48, 32, 2], [90, 60, 2]]
    hole = {"albumentations.CoarseDropout": {"num_holes_range": [1, 1], "hole_height_range": [64, 64], "p": 1,
            "hole_width_range": [96, 96]}}  # fmt: skip
    assert after(row(points=points), binding, [hole])["points"] == [[0, 0, 0]] * 3
    shrink = {"albumentations.Affine": {"translate_px": {"x": 50, "y": 0}, "p": 1}}
    found = after(row(points=points), binding, [shrink, {"albumentations.ElasticTransform": {"p": 1}}])["points"]
    assert [point[2] for point in found] == [2, 0, 0]


def test_pairs_must_be_whole() -> None:
    binding = KeypointBinding(column="points", labels="names", swap=(("left_eye", "right_ear"),))
    with pytest.raises(BadLabels, match="1 points are 'left_eye', 0 are 'right_ear': a pair needs one of each"):
        after(row(points=POINTS, names=NAMES), {"keypoints": binding}, [{"albumentations.HorizontalFlip": {"p": 1}}])


QUAD = np.array([[45.0, 20], [80, 30], [76, 45], [41, 35]])


def quads(form: str = "quad", **more: Any) -> Any:
    return {"boxes": BoxBinding(column="boxes", format=form, labels="names", **more)}  # type: ignore[arg-type]


@pytest.mark.parametrize("degrees", [17, 90, 133])
def test_corners_are_turned_about_the_middle_as_the_picture_is(degrees: float) -> None:
    turn = [{"albumentations.Rotate": {"limit": [degrees, degrees], "p": 1}}]
    found = after(row(boxes=[QUAD.ravel().tolist()], names=["ship"]), quads(), turn)["boxes"][0]
    matrix = cv2.getRotationMatrix2D(((WIDTH - 1) / 2, (HEIGHT - 1) / 2), degrees, 1.0)
    wanted = (QUAD - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    assert np.array(found).reshape(4, 2) == pytest.approx(wanted, abs=1e-3)


def test_corners_are_mirrored_at_edges_of_pixels() -> None:
    found = after(
        row(boxes=[QUAD.ravel().tolist()], names=["a"]), quads(), [{"albumentations.HorizontalFlip": {"p": 1}}]
    )
    assert np.array(found["boxes"][0]).reshape(4, 2) == pytest.approx(QUAD * [-1, 1] + [WIDTH, 0])


@pytest.mark.parametrize("angle", ["radians", "degrees"])
def test_turned_boxes_keep_their_sides_and_change_their_angle(angle: str) -> None:
    start = 30 if angle == "degrees" else math.radians(30)
    turn = [{"albumentations.Rotate": {"limit": [20, 20], "p": 1}}]  # against the clock
    batch = row(boxes=[[47.5 + 0.5, 31.5 + 0.5, 40.0, 14.0, start]], names=["a"])
    found = after(batch, quads("xywhr", angle=angle), turn)["boxes"][0]
    wanted = 10 if angle == "degrees" else math.radians(10)
    assert found == pytest.approx([48, 32, 40, 14, wanted], abs=1e-3)
    corners = cv2.boxPoints(((48.0, 32.0), (40.0, 14.0), 10.0))
    value = bind(
        quads("xywhr", angle=angle), row(boxes=[found], names=["a"]), 0, ImageValue(np.zeros((64, 96, 3), np.uint8))
    )
    assert isinstance(value, ImageValue)
    assert value.anchors is not None
    ours = {tuple(np.round(p + 0.5, 2).tolist()) for p in value.anchors.points}
    assert ours == {tuple(np.round(p, 2).tolist()) for p in corners.astype(float)}


@pytest.mark.parametrize("step", ["FrequencyMasking", "TimeMasking", "XYMasking", "CoarseDropout"])
def test_what_covers_corners_leaves_boxes_where_they_are(step: str) -> None:
    params = {"num_masks_x": 3, "mask_x_length": 40} if step == "XYMasking" else {}
    for seed in SEEDS:
        batch = row(boxes=[QUAD.ravel().tolist()], names=["ship"])
        found = after(batch, quads(), [{f"albumentations.{step}": {**params, "p": 1}}], seed)
        assert found["boxes"] == [pytest.approx(QUAD.ravel(), abs=1e-4)]


def test_boxes_out_of_view_go_with_their_names() -> None:
    crop = [{"albumentations.Crop": {"x_min": 0, "x_max": 40, "y_min": 0, "y_max": 64, "p": 1}}]
    near = (QUAD - [40, 10]).ravel().tolist()
    batch = row(boxes=[QUAD.ravel().tolist(), near], names=["far", "near"])
    found = after(batch, quads(), crop)
    assert found["names"] == ["near"]
    assert found["boxes"][0] == pytest.approx(near, abs=1e-4)
    assert after(batch, quads(min_visibility=1.0), [{"albumentations.NoOp": {"p": 1}}])["names"] == ["far", "near"]
    assert after(batch, quads(min_area=10_000), crop)["names"] == []


def png(mask: np.ndarray[Any, Any]) -> bytes:
    return cv2.imencode(".png", mask)[1].tobytes()


def test_masks_of_instances_go_with_their_oriented_boxes() -> None:
    near, masks = (QUAD - [40, 10]), []
    for quad in (QUAD, near):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        masks.append(png(cv2.fillPoly(mask, [np.rint(quad).astype(np.int32)], 1)))
    batch = row(boxes=[QUAD.ravel().tolist(), near.ravel().tolist()], names=["far", "near"], masks=masks)
    bindings = {**quads(min_visibility=0.5), "masks": MaskBinding(column="masks")}
    crop = [{"albumentations.Crop": {"x_min": 0, "x_max": 50, "y_min": 0, "y_max": 64, "p": 1}}]
    found = after(batch, bindings, crop)  # some pixels of the far one are left, too few of its box
    assert (found["names"], len(found["boxes"]), len(found["masks"])) == (["near"], 1, 1)
    assert cv2.imdecode(np.frombuffer(found["masks"][0], np.uint8), -1)[:, :30].any()
    empty = row(boxes=[QUAD.ravel().tolist(), near.ravel().tolist()], names=["far", "near"], masks=[masks[0], masks[0]])
    kept = after(empty, {**quads(), "masks": MaskBinding(column="masks")}, [
        {"albumentations.Crop": {"x_min": 0, "x_max": 40, "y_min": 0, "y_max": 64, "p": 1}}
    ])  # fmt: skip
    assert (kept["names"], kept["masks"]) == ([], [])
    three = row(boxes=[QUAD.ravel().tolist()], names=["far"], masks=masks)
    assert len(after(three, bindings, crop)["masks"]) == 2


@pytest.mark.parametrize(
    ("cell", "form", "message"),
    [
        ([QUAD.ravel().tolist()], "pascal_voc", "a box has 8 numbers, not 4; format: quad reads eight as corners"),
        (
            [[40, 30, 20, 10, 0.5]],
            "coco",
            "a box has 5 numbers, not 4; format: xywhr reads five as a turned box; extra: 1",
        ),
        ([[40, 30, 20, 10, 30.0]], "xywhr", "an angle of 30 radians; angle: degrees reads it as degrees"),
        ([[40, 30, -20, 10, 0.0]], "xywhr", "negative width"),
        ([[400.0, 300, 420, 300, 420, 320, 400, 320]], "quad", "1 of 1 boxes lie mostly outside"),
        ([[0.4, 0.3, 0.5, 0.3, 0.5, 0.4, 0.4, 0.4]], "quad", "smaller than a pixel"),
    ],
)
def test_boxes_of_other_numbers_are_refused(cell: Any, form: str, message: str) -> None:
    with pytest.raises(BadLabels, match=message):
        after(row(boxes=cell, names=["a"]), quads(form), [])


def test_numbers_after_a_box_follow_where_the_config_says_so() -> None:
    flip = [{"albumentations.HorizontalFlip": {"p": 1}}]
    found = after(row(boxes=[[10.0, 10, 20, 10, 7]], names=["a"]), quads("coco", extra=1), flip)["boxes"][0]
    assert found == pytest.approx([66, 10, 20, 10, 7], abs=1e-4)


@pytest.mark.parametrize("step", ["fanbeam.Mosaic", "albumentations.Morphological"])
def test_steps_that_cannot_keep_all_points_are_refused(step: str) -> None:
    problems = check_steps([step], "image", ["keypoints", ALL_POINTS])
    assert any("does not move" in problem.message for problem in problems)


def test_boxes_that_are_looked_at_must_be_upright() -> None:
    steps = [{"albumentations.BBoxSafeRandomCrop": {"p": 1}}]
    (problem,) = check_steps(steps, "image", ["keypoints", ALL_POINTS])
    assert "needs boxes" in problem.message
