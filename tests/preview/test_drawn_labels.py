"""Labels on the contact sheet: boxes, masks, points, segments and spans stand where the content of each copy is."""

import io
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from PIL import Image, ImageColor

from pipeline.config.loader import parse_yaml
from pipeline.driver.jobs import job_of
from pipeline.planning.checks.check import checked
from pipeline.planning.job import Job
from pipeline.planning.survey import survey
from pipeline.preview.cells import cells_of, drawn_cells
from pipeline.preview.drawn_labels import TAGGED_BOXES, counted
from pipeline.preview.label_colours import PALETTE, VEILS, colours_of
from pipeline.preview.panels import WIDTH, clip_panels, picture_panels, sound_panels
from pipeline.preview.sheet import contact_sheet, preview_job, preview_tasks
from pipeline.preview.text_panels import text_panels
from pipeline.preview.word_diff import Word, marked_words, underlined
from pipeline.records import Gated
from pipeline.rendering.stages import families
from pipeline.sources.inspection.class_names import class_names
from transforms.values import AudioValue, Boxes, ImageValue, Keypoints, Segments, Spans, TextValue, VideoValue

WIDE, HIGH = 112, 56  # enlarged twice on a panel of 224
BOX = (10, 8, 30, 20)


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    return sink.getvalue()


def where(image: Image.Image, colour: str) -> tuple[int, int, int, int] | None:
    """The least box around the pixels of a colour."""
    found = (np.asarray(image.convert("RGB")) == ImageColor.getrgb(colour)).all(axis=2)
    rows, columns = np.nonzero(found)
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else None


def rendered(tmp_path: Path, rows: list[dict[str, Any]], field: str, features: Any = None) -> tuple[Job, list[Gated]]:
    metadata = {"huggingface": json.dumps({"info": {"features": features}})} if features else None
    table = pa.Table.from_pylist([{"id": f"r{n}", **row} for n, row in enumerate(rows)])
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "in.parquet")
    text = f"""
input: {{path: {tmp_path}/in.parquet, id: id}}
split: {{}}
copies: 2
fields: {field}
output: {{path: {tmp_path}/out}}
"""
    config, listing = checked(parse_yaml(text, "c.yaml"))
    job = job_of(config, listing)
    tasks = preview_tasks(survey(job, listing.units), 100)
    return job, [g for task in tasks for g in families(preview_job(job), task)]


def picture() -> np.ndarray[Any, Any]:
    pixels = np.full((HIGH, WIDE, 3), 40, np.uint8)
    x, y, w, h = BOX
    pixels[y : y + h, x : x + w] = (200, 200, 0)
    return pixels


def test_outlines_of_copies_are_drawn_where_they_are_written(tmp_path: Path) -> None:
    x, y, w, h = BOX
    ring = list(map(float, (x, y, x + w, y, x + w, y + h, x, y + h)))
    rows = [{"image": png(picture()), "objects": {"segmentation": [[ring]], "name": ["cat"]}}]
    field = "{image: {type: image, polygons: {column: objects, labels: name}, "
    field += "augment: [{albumentations.HorizontalFlip: {p: 1}}]}}"
    job, (gated,) = rendered(tmp_path, rows, field)
    cells = cells_of(job, gated)
    assert [dict(cell.names["image"]) for cell in cells] == [{"polygons": ("cat",)}] * 3
    shown = [cell.values["image"] for cell in cells]
    panels = picture_panels(shown, [{}] * 3)  # type: ignore[arg-type]
    for (panel, told), left in zip(panels, (x, WIDE - x - w, WIDE - x - w), strict=True):
        assert told == f"{WIDE} × {HIGH} · 1 outline"
        found = where(panel, PALETTE[0])
        assert found is not None
        assert np.abs(np.array(found) - 2 * np.array([left, y, left + w, y + h])).max() <= 2


def test_boxes_of_copies_are_drawn_where_they_are_written(tmp_path: Path) -> None:
    rows = [{"image": png(picture()), "objects": {"bbox": [list(map(float, BOX))], "category": [1]}}]
    field = "{image: {type: image, boxes: {column: objects, format: coco, labels: category}, "
    field += "augment: [{albumentations.HorizontalFlip: {p: 1}}]}}"
    features = {"objects": [{"bbox": [{"dtype": "float64"}], "category": {"names": ["cat", "dog"]}}]}
    job, (gated,) = rendered(tmp_path, rows, field, features)
    cells = cells_of(job, gated)
    assert [dict(cell.names["image"]) for cell in cells] == [{"boxes": ("dog",)}] * 3
    original, copy, _ = picture_panels([cell.values["image"] for cell in cells], [{}] * 3)  # type: ignore[misc]
    x, y, w, h = BOX
    assert where(original[0], PALETTE[0]) == (2 * x, 2 * y, 2 * (x + w), 2 * (y + h))
    mirrored = WIDE - x - w
    assert where(copy[0], PALETTE[0]) == (2 * mirrored, 2 * y, 2 * (mirrored + w), 2 * (y + h))
    assert copy[1] == f"{WIDE} × {HIGH} · 1 box"
    assert contact_sheet(job, [gated]).width > WIDTH


def test_dropped_labels_are_told_by_their_number(tmp_path: Path) -> None:
    rows = [{"image": png(picture()), "boxes": [[10.0, 8.0, 30.0, 20.0], [80.0, 10.0, 20.0, 20.0]]}]
    field = "{image: {type: image, boxes: {column: boxes, format: coco}, "
    field += "augment: [{albumentations.Crop: {x_min: 0, y_min: 0, x_max: 56, y_max: 56, p: 1}}]}}"
    job, (gated,) = rendered(tmp_path, rows, field)
    assert [counted(cell.values["image"]) for cell in cells_of(job, gated)] == [" · 2 boxes", " · 1 box", " · 1 box"]


def test_names_have_one_colour_in_all_cells_and_records(tmp_path: Path) -> None:
    boxes = [[[10.0, 8.0, 30.0, 20.0]], [[10.0, 8.0, 30.0, 20.0], [80.0, 10.0, 20.0, 20.0]]]
    names = [["zebra"], ["ant", "zebra"]]
    rows = [{"image": png(picture()), "boxes": b, "names": n} for b, n in zip(boxes, names, strict=True)]
    field = "{image: {type: image, boxes: {column: boxes, format: coco, labels: names}}}"
    job, found = rendered(tmp_path, rows, field)
    cells = [cell for gated in found for cell in cells_of(job, gated)]
    colours = colours_of([cell.names["image"] for cell in cells])
    assert colours == {"ant": PALETTE[0], "zebra": PALETTE[1]}
    for gated in found:
        for drawn in drawn_cells(job, cells_of(job, gated), colours):
            assert where(drawn, PALETTE[1]) is not None
    assert where(contact_sheet(job, found[:1]), PALETTE[1]) is None


def test_many_boxes_are_named_by_the_legend(tmp_path: Path) -> None:
    count = TAGGED_BOXES + 1
    rows = [
        {"image": png(picture()), "boxes": [[1.0 + n, 2.0, 9.0, 9.0] for n in range(count)], "names": ["a"] * count}
    ]
    field = "{image: {type: image, boxes: {column: boxes, format: coco, labels: names}}}"
    job, (gated,) = rendered(tmp_path, rows, field)
    colours = colours_of([cell.names["image"] for cell in cells_of(job, gated)])
    (first, *_) = drawn_cells(job, cells_of(job, gated), colours)
    below = first.crop((0, first.height - 30, WIDTH, first.height))
    assert where(below, PALETTE[0]) is not None


def test_masks_and_points_are_drawn_on_the_picture() -> None:
    mask = np.zeros((1, HIGH, WIDE), np.uint8)
    mask[0, 10:30, 60:90] = 3
    points = Keypoints(np.array([[20.0, 40.0]]), np.array([0]))
    ((panel, told),) = picture_panels([ImageValue(np.zeros((HIGH, WIDE, 3), np.uint8), keypoints=points, masks=mask)])
    assert where(panel, VEILS[3]) == (120, 20, 180, 60)
    assert panel.getpixel((150, 40)) == tuple(round(0.45 * c) for c in ImageColor.getrgb(VEILS[3]))
    assert panel.getpixel((40, 80)) == ImageColor.getrgb(PALETTE[0])
    assert told == f"{WIDE} × {HIGH} · 1 point · 1 class"


def test_masks_of_instances_have_a_colour_each() -> None:
    masks = np.zeros((2, HIGH, WIDE), np.uint8)
    masks[0, 5:20, 5:20] = 1
    masks[1, 5:20, 50:70] = 1
    value = ImageValue(np.zeros((HIGH, WIDE, 3), np.uint8), masks=masks, mask_rows=np.arange(2))
    ((panel, told),) = picture_panels([value])
    assert where(panel, VEILS[0]) == (10, 10, 40, 40)
    assert where(panel, VEILS[1]) == (100, 10, 140, 40)
    assert told.endswith(" · 2 masks")


def test_labels_at_the_edges_and_beyond_are_drawn() -> None:
    boxes = Boxes(
        np.array([[-50.0, -9.0, 500.0, 300.0], [0.0, 0.0, 0.0, 0.0], [111.0, 55.0, 112.0, 56.0]]), np.arange(3)
    )
    points = Keypoints(np.array([[-5.0, -5.0], [300.0, 300.0], [111.9, 0.0]]), np.arange(3))
    value = ImageValue(np.zeros((HIGH, WIDE, 4), np.uint8), boxes, points, np.zeros((0, HIGH, WIDE), np.uint8))
    names = {"boxes": ("very " * 50, "", "\u202e\x00"), "keypoints": ()}
    ((panel, told),) = picture_panels([value], [names])
    assert panel.width == WIDTH
    assert told.endswith(" · 3 boxes · 3 points · 0 masks")


def test_segments_are_bars_on_the_scale_of_the_sound() -> None:
    def sound(seconds: float, bounds: list[list[float]]) -> AudioValue:
        found = Segments(np.array(bounds).reshape(-1, 2), np.arange(len(bounds)))
        return AudioValue(np.zeros((1, int(8000 * seconds)), np.float32), 8000, found)

    values = [sound(2.0, [[0.5, 1.0], [0.75, 2.0]]), sound(1.0, [])]
    names = [{"segments": ("hit", "hum")}, {"segments": ()}]
    (first, told), (second, _) = sound_panels(values, names)
    assert first.size == second.size
    left, top, right, _ = where(first, PALETTE[0]) or (0, 0, 0, 0)
    assert (left, right) == (WIDTH // 4, WIDTH // 2)
    below = where(first, PALETTE[1])
    assert below is not None
    assert below[0] == WIDTH * 3 // 8
    assert below[1] > top
    assert where(second, PALETTE[0]) is None
    assert told.endswith(" · 2 segments")


def test_segments_of_written_copies_follow_the_stretch(tmp_path: Path) -> None:
    sink = io.BytesIO()
    soundfile.write(sink, np.random.default_rng(0).standard_normal(8000) * 0.1, 8000, format="WAV")
    rows = [{"sound": sink.getvalue(), "events": [{"start": 0.25, "end": 0.5, "label": "hit"}]}]
    stretch = "{min_rate: 0.5, max_rate: 0.5, leave_length_unchanged: false, p: 1}"
    field = "{sound: {type: audio, segments: {column: events, labels: label}, "
    field += f"augment: [{{audiomentations.TimeStretch: {stretch}}}]}}}}"
    job, (gated,) = rendered(tmp_path, rows, field)
    original, copy, _ = (cell.values["sound"] for cell in cells_of(job, gated))
    assert isinstance(original, AudioValue) and isinstance(copy, AudioValue)
    assert original.segments is not None and copy.segments is not None
    assert original.segments.bounds.tolist() == [[0.25, 0.5]]
    assert np.allclose(copy.segments.bounds, [[0.5, 1.0]], atol=0.03)


def test_boxes_of_clips_stand_on_their_frames() -> None:
    boxes = Boxes(np.array([[0.0, 0.0, 20.0, 20.0]]), np.arange(1), frames=np.array([4]))
    clip = VideoValue(np.zeros((5, 40, 40, 3), np.uint8), Fraction(5), boxes=boxes)
    ((panel, told),) = clip_panels([clip], [{"boxes": ("ball",)}])
    found = where(panel, PALETTE[0])
    assert found is not None
    assert found[0] > 2 * WIDTH // 3 - 4
    assert "1 box" in told


def test_spans_are_underlined_where_the_words_went() -> None:
    original = TextValue("the small dog sat", Spans(np.array([[4, 9]]), np.arange(1)))
    copy = TextValue("dog the small", Spans(np.array([[8, 13]]), np.arange(1)))
    names = [{"spans": ("size",)}, {"spans": ("size",)}]
    (first, told), (second, _) = text_panels([original, copy], original, names)
    assert told == "17 characters · 1 span"
    one, other = where(first, PALETTE[0]), where(second, PALETTE[0])
    assert one is not None and other is not None
    assert abs((one[2] - one[0]) - (other[2] - other[0])) <= 2


def test_words_are_cut_where_spans_begin_and_end() -> None:
    words = marked_words("a bobcat ran far", "bobcat, ran")
    found = underlined(words, "bobcat, ran", [(3, 6, "red"), (8, 11, "blue")])
    assert [(w.text, w.ink) for w in found if w.mark != "removed" and not w.text.isspace()] == [
        ("bob", ""), ("cat", "red"), (",", ""), ("ran", "blue"),
    ]  # fmt: skip
    assert underlined([Word("x")], "x", []) == [Word("x")]


def test_labels_that_cannot_be_bound_hinder_no_sheet(tmp_path: Path) -> None:
    rows = [{"image": png(picture()), "boxes": [[30.0, 8.0, 10.0, 20.0]]}, {"image": png(picture()), "boxes": None}]
    field = "{image: {type: image, boxes: {column: boxes, format: pascal_voc}}}"
    job, found = rendered(tmp_path, rows, field)
    assert contact_sheet(job, found).height > 200


def test_names_of_classes_are_found_in_nested_features() -> None:
    features = {
        "objects": {"feature": {"category": {"feature": {"names": ["x", "y"]}}, "other": {"names": ["p"]}}},
        "label": {"names": ["u", "v"]},
    }
    schema = pa.schema([], {"huggingface": json.dumps({"info": {"features": features}})})
    assert class_names(schema, "objects", "category") == ("x", "y")
    assert class_names(schema, "label", "label") == ("u", "v")
    assert class_names(schema, "objects", "bbox") == ()
    assert class_names(pa.schema([], {"huggingface": "{"}), "a", "a") == ()
