"""`fanbeam init` on tables with labels: what is bound, what is left alone, and that labels stay on content."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

from pipeline.cli.init.keras_generator import translated
from pipeline.cli.init.starter_config import config_text
from pipeline.config.loader import read_config
from pipeline.config.schema import JobConfig
from pipeline.dataset.rows import RowMaker
from pipeline.driver.jobs import job_of
from pipeline.planning.checks.check import checked
from pipeline.planning.job import Task
from pipeline.planning.survey import survey
from pipeline.records import Shard
from pipeline.rendering.stages import families
from pipeline.sources.inspection.describe import describe_data
from pipeline.sources.inspection.label_columns.box_format import format_of
from pipeline.sources.inspection.label_columns.unbound import unbound_warnings
from pipeline.sources.inspection.moving_steps import moving_steps

WIDTH, HEIGHT = 96, 64
SENTENCES = (
    "The small river was high after three days of rain.",
    "She bought two tickets for the early train to Bern.",
    "Nobody in Oslo knew where the old map had gone.",
)


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    return sink.getvalue()


def jpeg(pixels: np.ndarray[Any, Any]) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "JPEG", quality=95)
    return sink.getvalue()


def wav(seconds: float, number: int = 0) -> bytes:
    sink = io.BytesIO()
    samples = np.random.default_rng(number).standard_normal(int(8000 * seconds)) * 0.1
    soundfile.write(sink, samples, 8000, format="WAV")
    return sink.getvalue()


def scene(number: int) -> tuple[np.ndarray[Any, Any], tuple[int, int, int, int]]:
    """A dim picture with a red rectangle, and its x, y, width, height."""
    draw = np.random.default_rng(number)
    pixels = draw.integers(20, 60, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    x, y = int(draw.integers(0, 71)), int(draw.integers(0, 44))
    pixels[y : y + 20, x : x + 25] = (255, 0, 0)
    return pixels, (x, y, 25, 20)


def pictures(
    label: Callable[[int, tuple[int, int, int, int]], dict[str, Any]], count: int = 24
) -> list[dict[str, Any]]:
    """Rows with a picture, and what `label` makes of the number and the rectangle."""
    made = [(n, *scene(n)) for n in range(count)]
    return [{"image": {"bytes": png(p), "path": f"{n}.png"}, **label(n, box)} for n, p, box in made]


def init(rows: list[dict[str, Any]], tmp_path: Path, generator: str | None = None) -> tuple[str, JobConfig, Any]:
    """The config that is written for some rows; it must pass `check`."""
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    text = config_text(
        describe_data(str(tmp_path / "in.parquet")), "c.yaml", translated(generator) if generator else None
    )
    (tmp_path / "c.yaml").write_text(text)
    config, listing = checked(read_config(str(tmp_path / "c.yaml"), ["split={}", f"output.path={tmp_path}/out"]))
    return text, config, listing


def copies(config: JobConfig, listing: Any) -> list[dict[str, Any]]:
    """The rows of all copies that a run would write."""
    job = job_of(config, listing)
    blocks = tuple(t.block for t in survey(job, listing.units).blocks)
    made = [s for g in families(job, Task(Shard("train", 0, blocks))) for s in g.samples if s.variant.copy > 0]
    rows: list[dict[str, Any]] = (
        RowMaker(job, "train", "x").rows_of(made, np.arange(len(made))).table(made, 0).to_pylist()
    )
    return rows


def red(row: dict[str, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Where the picture of a row is red: rows and columns."""
    pixels = np.array(Image.open(io.BytesIO(row["image"]["bytes"]))).astype(int)
    return np.nonzero(pixels[..., 0] - np.maximum(pixels[..., 1], pixels[..., 2]) > 80)


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes of corners."""
    across = max(0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return across * down / (sum(areas) - across * down)


WRITTEN: dict[str, Callable[[int, int, int, int], list[float]]] = {
    "coco": lambda x, y, w, h: [x, y, w, h],
    "pascal_voc": lambda x, y, w, h: [x, y, x + w, y + h],
    "yolo": lambda x, y, w, h: [(x + w / 2) / WIDTH, (y + h / 2) / HEIGHT, w / WIDTH, h / HEIGHT],
    "albumentations": lambda x, y, w, h: [x / WIDTH, y / HEIGHT, (x + w) / WIDTH, (y + h) / HEIGHT],
}
READ: dict[str, Callable[[float, float, float, float], tuple[float, ...]]] = {
    "coco": lambda x, y, w, h: (x, y, x + w, y + h),
    "pascal_voc": lambda a, b, c, d: (a, b, c, d),
    "yolo": lambda x, y, w, h: (
        (x - w / 2) * WIDTH, (y - h / 2) * HEIGHT, (x + w / 2) * WIDTH, (y + h / 2) * HEIGHT
    ),
    "albumentations": lambda a, b, c, d: (a * WIDTH, b * HEIGHT, c * WIDTH, d * HEIGHT),
}  # fmt: skip


def floats(numbers: list[float]) -> list[float]:
    return [float(n) for n in numbers]


@pytest.mark.parametrize("written", list(WRITTEN))
def test_boxes_of_any_format_are_bound_and_stay_on_their_objects(written: str, tmp_path: Path) -> None:
    rows = pictures(lambda n, box: {"objects": {"bbox": [floats(WRITTEN[written](*box))], "category": [n % 3]}})
    text, config, listing = init(rows, tmp_path)
    bound = config.fields["image"].bound()["boxes"]
    assert (bound.column, bound.format, bound.labels) == ("objects", written, "category")
    assert "border_mode: 4" not in text
    overlaps = []
    for row in copies(config, listing):
        down, across = red(row)
        if len(down):
            painted = (across.min(), down.min(), across.max() + 1, down.max() + 1)
            overlaps.append(overlap(READ[written](*row["objects"]["bbox"][0]), painted))
    assert len(overlaps) > 60
    assert np.median(overlaps) > 0.85
    assert min(overlaps) > 0.5


def test_lists_of_four_take_their_labels_along(tmp_path: Path) -> None:
    rows = pictures(
        lambda n, box: {
            "bboxes": [floats(WRITTEN["pascal_voc"](*box))] * (1 + n % 2),
            "labels": ["cat"] * (1 + n % 2),
            "crowd": [n] * (1 + n % 2),
            "breed": ("a", "b")[n % 2],
        }
    )
    _, config, _ = init(rows, tmp_path)
    bound = config.fields["image"].bound()["boxes"]
    assert (bound.format, bound.labels, bound.columns) == ("pascal_voc", "labels", ("crowd",))
    assert config.input.label == "breed"


def test_lists_of_structs_with_other_names_are_bound(tmp_path: Path) -> None:
    rows = pictures(lambda n, box: {"faces": [{"rectangle": floats(list(box)), "name": "face"}]})
    _, config, _ = init(rows, tmp_path)
    bound = config.fields["image"].bound()["boxes"]
    assert (bound.column, bound.member, bound.labels, bound.format) == ("faces", "rectangle", "name", "coco")


def test_mask_pictures_follow_whatever_their_column_is_called(tmp_path: Path) -> None:
    def mask(box: tuple[int, int, int, int]) -> bytes:
        x, y, w, h = box
        pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
        pixels[y : y + h, x : x + w] = 7
        return png(pixels)

    for name in ("label", "second"):
        rows = pictures(lambda n, box, name=name: {name: {"bytes": mask(box), "path": None}})
        text, config, listing = init(rows, tmp_path)
        assert config.fields["image"].bound()["masks"].column == name
        assert list(config.fields) == ["image"]
        assert f"# {name}: {{type: image" not in text
        for row in copies(config, listing):
            marked = np.array(Image.open(io.BytesIO(row[name]["bytes"]))) == 7
            painted = np.zeros_like(marked)
            painted[red(row)] = True
            assert (marked & painted).sum() >= 0.8 * max(marked.sum(), painted.sum())


def test_run_lengths_and_landmarks_are_bound(tmp_path: Path) -> None:
    def runs(box: tuple[int, int, int, int]) -> dict[str, Any]:
        x, y, w, h = box
        column_by_column = np.zeros((WIDTH, HEIGHT), bool)
        column_by_column[x : x + w, y : y + h] = True
        flat = column_by_column.reshape(-1)
        edges = np.flatnonzero(np.diff(flat)) + 1
        return {"size": [HEIGHT, WIDTH], "counts": np.diff([0, *edges, flat.size]).tolist()}

    rows = pictures(
        lambda n, box: {"rle": runs(box), "landmarks": [[box[0] + 2.0, box[1] + 2.0], [box[0] + 22.0, box[1] + 17.0]]}
    )
    text, config, listing = init(rows, tmp_path)
    assert config.fields["image"].bound()["masks"].column == "rle"
    assert config.fields["image"].bound()["keypoints"].column == "landmarks"
    assert "# makes left points right ones" in text
    assert "      # - albumentations.HorizontalFlip" in text
    for row in copies(config, listing):
        down, across = red(row)
        for x, y in row["landmarks"]:
            assert ((across - x) ** 2 + (down - y) ** 2).min() <= 4


def held(rows: list[dict[str, Any]], tmp_path: Path) -> str:
    """The config for rows whose labels cannot be bound for certain: nothing that moves is active."""
    text, config, _ = init(rows, tmp_path)
    assert "# ATTENTION: column " in text
    (field,) = config.fields.values()
    assert moving_steps(field.augment, field.type) == []
    return text


def test_boxes_that_fit_two_formats_are_left_alone_loudly(tmp_path: Path) -> None:
    rows = pictures(lambda n, box: {"objects": {"bbox": [[3.0, 4.0, 20.0 + n % 3, 30.0]], "category": [1]}})
    text = held(rows, tmp_path)
    assert "they fit as x, y, width, height in pixels and as x_min, y_min, x_max, y_max in pixels" in text
    assert "      # - albumentations.HorizontalFlip" in text
    assert "      - albumentations.RandomBrightnessContrast" in text


UNSURE: dict[str, Callable[[int, tuple[int, int, int, int]], dict[str, Any]]] = {
    "outlines in shares": lambda n, b: {"polygons": [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.2, 0.8]]},
    "outlines of pairs": lambda n, b: {"polygons": [[[1.0, 2.0], [30.0, 4.0], [5.0, 6.0]]]},
    "outlines beyond their pictures": lambda n, b: {"segmentation": [[[1.0, 2.0, 300.0, 4.0, 5.0, 600.0]]]},
    "rings without an end": lambda n, b: {"segmentation": [[[1.0, 2.0, 30.0, 4.0, 5.0]]]},
    "open lines": lambda n, b: {"polylines": [[1.0, 2.0, 30.0, 4.0, 5.0, 6.0]]},
    "eight numbers in another order": lambda n, b: {"quads": [[1.0, 40.0, 40.0, 2.0, 3.0, 4.0, 30.0, 31.0]]},
    "turned boxes of an unknown sense": lambda n, b: {"obb": [[40.0, 30.0, 20.0, 10.0, 1.0 + n / 30]]},
    "turned boxes of an unknown unit": lambda n, b: {"xywhr": [[40.0, 30.0, 20.0, 10.0, 0.5]]},
    "boxes beyond their pictures": lambda n, b: {"bbox": [[500.0 + n, 600.0, 20.0, 900.0]]},
    "one box in a flat list": lambda n, b: {"bbox": floats(list(b))},
    "JSON in text": lambda n, b: {"annotations": json.dumps([{"bbox": list(b)}])},
    "lines of text": lambda n, b: {"notes": f"0 {b[0] / WIDTH} {b[1] / HEIGHT} 0.2 0.3\n1 0.5 0.5 0.1 0.1"},
    "a column for each coordinate": lambda n, b: {"xmin": b[0], "ymin": b[1], "xmax": b[0] + 25, "ymax": b[1] + 20},
    "points in shares": lambda n, b: {"keypoints": [[b[0] / WIDTH, b[1] / HEIGHT]]},
    "points as y, x": lambda n, b: {"points": [[2.0, 90.0], [float(b[1]), 80.0]]},
    "poses": lambda n, b: {"people": {"keypoints": [[[1.0, 2.0, 2.0], [3.0, 4.0, 2.0]]]}},
    "a grid": lambda n, b: {"grid": [[0] * WIDTH] * HEIGHT},
    "a JPEG as mask": lambda n, b: {"mask": jpeg(np.zeros((HEIGHT, WIDTH), np.uint8))},
    "a mask in colours": lambda n, b: {"mask": png(np.zeros((HEIGHT, WIDTH, 3), np.uint8))},
    "a smaller mask": lambda n, b: {"mask": png(np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8))},
    "another view": lambda n, b: {"later": png(scene(n + 100)[0])},
    "run lengths of another size": lambda n, b: {"rle": {"size": [WIDTH, HEIGHT], "counts": [WIDTH * HEIGHT]}},
}


@pytest.mark.parametrize("what", list(UNSURE))
def test_labels_that_cannot_be_bound_keep_moving_steps_out(what: str, tmp_path: Path) -> None:
    held(pictures(UNSURE[what]), tmp_path)


def ring_of(box: tuple[int, int, int, int]) -> list[float]:
    """A rectangle as x, y, x, y…"""
    x, y, w, h = box
    return floats([x, y, x + w, y, x + w, y + h, x, y + h])


def test_outlines_beside_boxes_are_bound_with_the_area_that_is_theirs(tmp_path: Path) -> None:
    def label(n: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
        x, y, w, h = box
        half = floats([x, y, x + w, y, x, y + h])
        return {
            "objects": {"bbox": [floats(list(box))], "segmentation": [[half]], "category": [n], "area": [w * h / 2]}
        }

    text, config, listing = init(pictures(label), tmp_path)
    assert "polygons: {column: objects, labels: category}" in text
    assert "      - albumentations.HorizontalFlip" in text
    assert config.fields["image"].bound()["boxes"].area == "area"
    for row in copies(config, listing):
        for ring, area in zip(row["objects"]["segmentation"], row["objects"]["area"], strict=True):
            (x1, y1, x2, y2, x3, y3, *more) = ring[0]
            assert more or area == pytest.approx(abs((x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1)) / 2, abs=0.5)


@pytest.mark.parametrize("nested", [True, False])
def test_outlines_in_a_column_of_their_own_are_bound(nested: bool, tmp_path: Path) -> None:
    rows = pictures(lambda n, b: {"polygons": [[ring_of(b)] if nested else ring_of(b)], "names": ["red"]})
    _, config, listing = init(rows, tmp_path)
    bound = config.fields["image"].bound()["polygons"]
    assert (bound.column, bound.labels) == ("polygons", "names")
    for row in copies(config, listing):
        assert len(row["polygons"]) == len(row["names"])
        ys, xs = red(row)
        for entry in row["polygons"]:
            ring = np.array(entry[0] if nested else entry).reshape(-1, 2)
            extent = (*ring.min(axis=0), *ring.max(axis=0))
            assert overlap(extent, (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)) > 0.7


@pytest.mark.parametrize("name", ["quads", "obb", "boxes"])
def test_four_corners_are_bound_as_boxes(name: str, tmp_path: Path) -> None:
    _, config, _ = init(pictures(lambda n, b: {name: [ring_of(b)], "label": ["red"]}), tmp_path)
    bound = config.fields["image"].bound()["boxes"]
    assert (bound.column, bound.format, bound.labels) == (name, "quad", "label")


@pytest.mark.parametrize("unit", ["radians", "degrees"])
def test_turned_boxes_are_bound_where_their_name_says_the_sense(unit: str, tmp_path: Path) -> None:
    def label(n: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
        angle = n / 10 if unit == "radians" else 5.0 * n
        return {"xywhr": [[40.0, 30.0, 20.0, 10.0, angle]]}

    _, config, _ = init(pictures(label), tmp_path)
    bound = config.fields["image"].bound()["boxes"]
    assert (bound.format, bound.angle) == ("xywhr", unit)


@pytest.mark.parametrize("listed", [False, True])
def test_masks_in_files_are_bound_where_they_can_be_read(listed: bool, tmp_path: Path) -> None:
    def label(n: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[box[1] : box[1] + 20, box[0] : box[0] + 25] = 1
        (tmp_path / f"m{n}.png").write_bytes(png(mask))
        name = None if n == 5 else f"m{n}.png"
        return {"mask": [name, name] if listed and name else name}

    text, config, listing = init(pictures(label), tmp_path)
    assert "masks: {column: mask, uri: true}" in text
    assert "      - albumentations.HorizontalFlip" in text
    field = config.fields["image"].model_copy(update={"masks": None})
    (told,) = unbound_warnings(config.model_copy(update={"fields": {"image": field}}), listing)
    assert "Bind it: masks: {column: mask, uri: true}" in told
    (tmp_path / "m3.png").unlink()
    assert "which are no masks" in held(pictures(lambda n, b: {"mask": f"m{n}.png"}), tmp_path)


def test_masks_of_volumes_in_files_are_bound(tmp_path: Path) -> None:
    rows = []
    for n in range(8):
        voxels = np.random.default_rng(n).integers(0, 90, (6, 20, 24), dtype=np.uint8)
        np.save(tmp_path / f"v{n}.npy", voxels)
        np.save(tmp_path / f"m{n}.npy", (voxels > 40).astype(np.uint8))
        rows.append({"scan": f"v{n}.npy", "mask": f"m{n}.npy"})
    text, config, listing = init(rows, tmp_path)
    assert "masks: {column: mask, uri: true}" in text
    field = config.fields["scan"].model_copy(update={"masks": None})
    (told,) = unbound_warnings(config.model_copy(update={"fields": {"scan": field}}), listing)
    assert "Bind it: masks: {column: mask, uri: true}" in told


def test_the_colours_of_masks_are_told_so_that_they_can_be_bound(tmp_path: Path) -> None:
    def label(n: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
        x, y, w, h = box
        mask = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        mask[y : y + h, x : x + w] = (0, 128, 64) if n % 2 else (128, 0, 0)
        return {"mask": png(mask)}

    assert "palette: [[0, 0, 0], [0, 128, 64], [128, 0, 0]]" in held(pictures(label), tmp_path)


def test_check_warns_of_outlines_that_are_not_bound(tmp_path: Path) -> None:
    rows = pictures(lambda n, b: {"objects": {"bbox": [floats(list(b))], "segmentation": [[ring_of(b)]]}})
    _, config, listing = init(rows, tmp_path)
    assert unbound_warnings(config, listing) == []
    field = config.fields["image"].model_copy(update={"polygons": None})
    (told,) = unbound_warnings(config.model_copy(update={"fields": {"image": field}}), listing)
    assert "'objects' looks like outlines in 'image'" in told
    assert "Bind it: polygons: {column: objects}" in told


HARMLESS: dict[str, Callable[[int, tuple[int, int, int, int]], dict[str, Any]]] = {
    "an embedding": lambda n, b: {"embedding": [0.1 * n, -0.5, 0.2]},
    "sizes": lambda n, b: {"width": WIDTH, "height": HEIGHT, "caption": "a red box on the wall", "count": n},
    "a smaller picture": lambda n, b: {"thumbnail": jpeg(scene(n)[0][::4, ::4])},
    "names and dates": lambda n, b: {"file_name": f"{n}.png", "taken": "2024-05-06 10:11:12", "index": n, "tax": 1.5},
    "classes": lambda n, b: {"labels": [n % 3], "attributes": ["red", "flat"], "scores": [0.5, 0.25]},
    "answers to questions": lambda n, b: {"qa": [{"question": "what is it?", "answer": "red"}]},
}


@pytest.mark.parametrize("what", list(HARMLESS))
def test_columns_that_place_nothing_hinder_nothing(what: str, tmp_path: Path) -> None:
    text, config, listing = init(pictures(HARMLESS[what]), tmp_path)
    assert "ATTENTION" not in text
    assert "      - albumentations.HorizontalFlip" in text
    assert unbound_warnings(config, listing) == []


@pytest.mark.parametrize(("unit", "factor"), [("seconds", 1.0), ("milliseconds", 1000.0), ("samples", 8000.0)])
def test_segments_are_bound_in_the_unit_in_which_they_fit(unit: str, factor: float, tmp_path: Path) -> None:
    text, config, _ = init(with_segments(factor), tmp_path)
    bound = config.fields["audio"].bound()["segments"]
    assert (bound.labels, bound.unit) == ("label", unit)
    assert "      - audiomentations.TimeStretch" in text


def with_segments(factor: float) -> list[dict[str, Any]]:
    return [
        {
            "audio": wav(1.5 + n / 10, n),
            "events": [{"start": 0.2 * factor, "end": (1.0 + n / 10) * factor, "label": "a"}],
        }
        for n in range(8)
    ]


def test_segments_in_frames_or_shares_are_left_alone_loudly(tmp_path: Path) -> None:
    assert "frames?" in held(with_segments(100.0), tmp_path)
    assert "outside of their sounds" in held(with_segments(1e6), tmp_path)
    rows = [{**row, "events": [{"start": 0.1, "end": 0.9}]} for row in with_segments(1.0)]
    assert "shares of the duration" in held(rows, tmp_path)


def test_start_and_end_under_other_names_are_bound(tmp_path: Path) -> None:
    rows = [{"audio": wav(1.5, n), "words": [{"onset": 0.2, "offset": 1.25 + n / 100, "word": "a"}]} for n in range(8)]
    _, config, _ = init(rows, tmp_path)
    bound = config.fields["audio"].bound()["segments"]
    assert (bound.column, bound.start, bound.end, bound.labels) == ("words", "onset", "offset", "word")


def marked(n: int, more: int = 0) -> dict[str, Any]:
    """A sentence with the span of its third word."""
    text = SENTENCES[n % 3]
    start = text.index(text.split()[2])
    return {"text": text, "start": start, "end": start + len(text.split()[2]) + more}


def with_spans(more: int = 0, shift: int = 0) -> list[dict[str, Any]]:
    found = [marked(n, more) for n in range(24)]
    return [
        {"text": m["text"], "entities": [{"start": m["start"] + shift, "end": m["end"] + shift, "label": "X"}]}
        for m in found
    ]


def test_spans_of_whole_words_are_bound(tmp_path: Path) -> None:
    _, config, listing = init(with_spans(), tmp_path)
    bound = config.fields["text"].bound()["spans"]
    assert (bound.column, bound.labels) == ("entities", "label")
    found = copies(config, listing)
    assert len(found) > 40
    words = {sentence.split()[2].lower() for sentence in SENTENCES}
    for row in found:
        (span,) = row["entities"]
        held = row["text"][span["start"] : span["end"]].lower()
        assert any(len(word) == len(held) and sum(map(str.__ne__, word, held)) <= 1 for word in words)  # a typing error


def test_spans_that_are_counted_otherwise_are_left_alone_loudly(tmp_path: Path) -> None:
    assert "the last character seems to be counted in" in held(with_spans(more=-1), tmp_path)
    text = held(with_spans(shift=1), tmp_path)
    assert "begin and end where words do" in text
    assert "copies: 0 " in text


def test_spans_of_another_text_do_not_concern_the_first(tmp_path: Path) -> None:
    long = "This is a much longer description of something else, in which nothing is marked at all."
    rows = [
        {"description": f"{long} {n}", "title": "ab cd", "title_spans": [{"start": 3, "end": 5}]} for n in range(24)
    ]
    found = describe_data(str(_written(rows, tmp_path)))
    assert found.fields[0].column == "description"
    assert [label.column for label in found.fields[0].labels] == ["title_spans"]


def _written(rows: list[dict[str, Any]], tmp_path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def test_tags_of_words_are_found(tmp_path: Path) -> None:
    rows = [
        {"text": s, "tags": [0] * len(s.split())} for n in range(24) for s in (f"{SENTENCES[n % 3]} {'x ' * (n % 4)}",)
    ]
    text = held(rows, tmp_path)
    assert "column 'tags' looks like tags of words" in text


def test_web_addresses_with_boxes_keep_moving_steps_out(tmp_path: Path) -> None:
    rows = [{"url": f"https://example.org/{n}.jpg", "bbox": [[1.0, 2.0, 3.0, 4.0]]} for n in range(8)]
    found = describe_data(str(_written(rows, tmp_path)))
    assert [(label.column, label.kind) for label in found.fields[0].labels] == [("bbox", "")]


def test_generators_bring_no_mirrored_borders_to_labels(tmp_path: Path) -> None:
    given = '{"rotation_range": 20, "fill_mode": "reflect", "channel_shift_range": 20.0}'
    rows = pictures(lambda n, box: {"objects": {"bbox": [floats(list(box))], "category": [n % 3]}})
    text, config, _ = init(rows, tmp_path, given)
    assert "border_mode" not in text.replace("mirrored edges", "")
    assert config.fields["image"].bound()["boxes"].format == "coco"
    text, _, _ = init(pictures(UNSURE["JSON in text"]), tmp_path, given)
    assert "      # - albumentations.Affine" in text
    assert "      - albumentations.RandomBrightnessContrast" in text


def test_check_warns_of_labels_that_steps_leave_behind(tmp_path: Path) -> None:
    rows = pictures(lambda n, box: {"objects": {"bbox": [floats(list(box))], "category": [n % 3]}})
    _, config, listing = init(rows, tmp_path)
    assert unbound_warnings(config, listing) == []
    field = config.fields["image"].model_copy(update={"boxes": None})
    (line,) = unbound_warnings(config.model_copy(update={"fields": {"image": field}}), listing)
    assert line.startswith("column 'objects' looks like boxes in 'image' and does not follow the steps that move it")
    assert "albumentations.HorizontalFlip, albumentations.Affine)" in line
    assert line.endswith("Bind it: boxes: {column: objects, format: coco, labels: category}")
    still = field.model_copy(update={"augment": [{"albumentations.GaussianBlur": {"p": 1}}]})
    assert unbound_warnings(config.model_copy(update={"fields": {"image": still}}), listing) == []


def test_steps_that_move_are_told_from_those_that_do_not() -> None:
    steps = [
        {"albumentations.Affine": {"rotate": [5, 5]}},
        {"one_of": [{"albumentations.GaussNoise": {"p": 1}}, {"albumentations.RandomCrop": {"height": 9, "width": 9}}]},
        "albumentations.GaussianBlur",
        {"albumentations.Affine": {"scale": [1, 1], "p": 1}},
    ]
    assert moving_steps(steps, "image") == ["albumentations.Affine", "albumentations.RandomCrop"]
    assert moving_steps(["torchvision.ColorJitter", "torchvision.RandAugment"], "image") == ["torchvision.RandAugment"]
    sounds = ["audiomentations.Gain", "audiomentations.Trim", "audiomentations.Shift", "audiomentations.PitchShift"]
    assert moving_steps(sounds, "audio") == ["audiomentations.Trim", "audiomentations.Shift"]


def test_thousandths_are_not_taken_for_pixels() -> None:
    boxes = [np.array([[10.0, 20.0, 990.0, 980.0]]), np.array([[500.0, 400.0, 930.0, 995.0]])]
    assert "thousandths" in format_of(boxes, [(1500, 2000)] * 2, "bbox").note
    assert format_of(boxes, [(1500, 2000)] * 2, "bbox").name == ""


def test_one_box_in_many_that_overshoots_does_not_hinder() -> None:
    boxes = [np.array([[60.0, 50.0, 30.0, 10.0]])] * 40
    boxes[7] = np.array([[60.0, 50.0, 300.0, 10.0]])
    found = format_of(boxes, [(64, 96)] * 40, "bbox")
    assert (found.name, found.misfits) == ("coco", pytest.approx(1 / 40))


def folder_config(folder: Path, out: Path) -> str:
    text = config_text(describe_data(str(folder)), "c.yaml")
    (out / "c.yaml").write_text(text)
    config, _ = checked(read_config(str(out / "c.yaml"), ["split={}", f"output.path={out}/out"]))
    (field,) = config.fields.values()
    assert moving_steps(field.augment, field.type) == ([] if "ATTENTION" in text else moving_steps(ALL, "image"))
    return text


ALL = ["albumentations.HorizontalFlip", {"albumentations.Affine": {"rotate": [-9, 9]}}]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("{}.txt", "0 0.5 0.5 0.25 0.25\n1 0.1 0.2 0.1 0.1\n", True),
        ("{}.xml", "<annotation><object><bndbox><xmin>1</xmin></bndbox></object></annotation>", True),
        ("{}.json", '{"shapes": [{"label": "a", "points": [[1, 2], [3, 4]]}]}', True),
        ("_annotations.coco.json", '{"annotations": [{"bbox": [1, 2, 3, 4], "category_id": 1}]}', True),
        ("{}.txt", "a photo of a small red box on a table, 4k", False),
        ("README.txt", "pictures of boxes", False),
        ("labels.csv", "file,species\n0.png,oak\n", False),
    ],
)
def test_files_of_labels_beside_pictures_keep_moving_steps_out(
    name: str, content: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for n in range(6):
        folder = tmp_path / "photos" / "ab"[n % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{n}.png").write_bytes(png(scene(n)[0]))
        (folder / name.format(n)).write_text(content)
    text = folder_config(tmp_path / "photos", tmp_path)
    assert ("# ATTENTION: labels lie beside the data" in text) == found


def test_a_folder_of_masks_is_not_taken_for_a_class_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("images", "masks"):
        (tmp_path / "set" / folder).mkdir(parents=True)
        for n in range(6):
            (tmp_path / "set" / folder / f"{n}.png").write_bytes(png(scene(n)[0]))
    text = folder_config(tmp_path / "set", tmp_path)
    assert "the folder 'masks', whose files are called like others" in text


def test_pairs_of_sides_change_places_and_all_points_are_kept(tmp_path: Path) -> None:
    names = ["left_eye", "right_eye", "nose"]

    def points(n: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
        x, y, w, h = box
        found = [[x + 2.0, y + 2.0, 2.0], [x + w - 3.0, y + 2.0, 2.0], [x + w / 2, y + h - 3.0, 2.0]]
        return {"pose": [{"point": p, "name": name} for p, name in zip(found, names, strict=True)]}

    text, config, listing = init(pictures(points), tmp_path)
    bound = config.fields["image"].bound()["keypoints"]
    assert (bound.labels, bound.keep_all, bound.swap) == ("name", True, (("left_eye", "right_eye"),))
    assert "      - albumentations.HorizontalFlip" in text
    found = copies(config, listing)
    assert len(found) > 60
    for row in found:
        assert [p["name"] for p in row["pose"]] == names
        by_name = {p["name"]: p["point"] for p in row["pose"] if p["point"][2] > 0}
        if {"left_eye", "right_eye"} <= set(by_name):
            assert by_name["left_eye"][0] < by_name["right_eye"][0]


@pytest.mark.parametrize(
    ("names", "sided"),
    [
        (["nose", "tail"], False),
        (["left_eye", "nose"], True),
        (["LEye", "REye"], False),
        (["eyeLeft", "eyeRight"], False),
    ],
)
def test_mirroring_stands_where_no_name_loses_its_side(names: list[str], sided: bool, tmp_path: Path) -> None:
    def points(n: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
        return {"points": [[box[0] + 2.0 + 9 * k, box[1] + 2.0] for k in range(2)], "names": names}

    text, config, _ = init(pictures(points), tmp_path)
    assert config.fields["image"].bound()["keypoints"].labels == "names"
    assert ("# - albumentations.HorizontalFlip" in text) == sided


def answered(n: int, shift: int = 0) -> dict[str, Any]:
    text = SENTENCES[n % 3]
    word = text.split()[3]
    return {"context": text, "answers": {"text": [word], "answer_start": [text.index(word) + shift]}}


def test_answers_are_bound_where_they_stand_where_they_say(tmp_path: Path) -> None:
    _, config, listing = init([answered(n) for n in range(24)], tmp_path)
    assert config.fields["context"].bound()["answers"].column == "answers"
    found = copies(config, listing)
    assert len(found) > 60
    for row in found:
        (said,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
        assert row["context"][start : start + len(said)] == said
    rows = [answered(n, shift=n % 3 == 0) for n in range(24)]
    assert "some do not stand where they say" in held(rows, tmp_path)


TAGS = ["O", "B-LOC", "I-LOC"]


def tagged(n: int) -> dict[str, Any]:
    words = [*SENTENCES[n % 3].split(), *["more"] * (n % 4)]
    return {"tokens": words, "ner_tags": [1 if k == 2 else 2 if k == 3 else 0 for k in range(len(words))]}


def test_lists_of_words_are_bound_with_the_names_of_their_tags(tmp_path: Path) -> None:
    features = {"ner_tags": {"feature": {"names": TAGS, "_type": "ClassLabel"}, "_type": "Sequence"}}
    table = pa.Table.from_pylist([tagged(n) for n in range(24)])
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "in.parquet")
    text = config_text(describe_data(str(tmp_path / "in.parquet")), "c.yaml")
    (tmp_path / "c.yaml").write_text(text)
    config, listing = checked(read_config(str(tmp_path / "c.yaml"), ["split={}", f"output.path={tmp_path}/out"]))
    bound = config.fields["tokens"].bound()["tokens"]
    assert (bound.columns, bound.names) == (("ner_tags",), tuple(TAGS))
    assert config.input.label is None
    for row in copies(config, listing):
        tags = [TAGS[n] for n in row["ner_tags"]]
        assert len(tags) == len(row["tokens"])
        assert all(
            before in ("B-LOC", "I-LOC") for before, tag in zip(["O", *tags], tags, strict=False) if tag == "I-LOC"
        )


def test_a_row_with_too_few_tags_does_not_hide_the_others(tmp_path: Path) -> None:
    rows = [tagged(n) for n in range(40)]
    rows[7]["ner_tags"] = rows[7]["ner_tags"][:-1]
    text = held(rows, tmp_path)
    assert "tokens: {columns: [ner_tags]}" in text
    assert "as many entries as words in 39 of 40 rows looked at" in text
    assert "# label: COLUMN" in text
    for row in rows[:8]:
        row["ner_tags"] = row["ner_tags"][:-1]
    text = held(rows, tmp_path)
    assert "tokens: {columns: [ner_tags]}" in text
    assert "about 20.0% of the records" in text


def test_numbers_of_entities_without_names_keep_steps_out(tmp_path: Path) -> None:
    text = held([tagged(n) for n in range(24)], tmp_path)
    assert "add names: [O, B-PER, …]" in text
    assert "tokens: {columns: [ner_tags]}" in text


def test_areas_and_sizes_that_columns_state_are_bound(tmp_path: Path) -> None:
    def stated(n: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
        return {
            "width": WIDTH,
            "height": HEIGHT,
            "objects": {"bbox": [floats(list(box))], "category": [n % 3], "area": [float(box[2] * box[3])]},
        }

    _, config, listing = init(pictures(stated), tmp_path)
    field = config.fields["image"]
    assert field.bound()["boxes"].area == "area"
    assert (field.size.width, field.size.height) == ("width", "height")
    for row in copies(config, listing):
        for (_, _, w, h), area in zip(row["objects"]["bbox"], row["objects"]["area"], strict=True):
            assert area == pytest.approx(w * h, rel=0.01)


def test_areas_of_something_else_stay_as_they_are(tmp_path: Path) -> None:
    rows = pictures(lambda n, box: {"objects": {"bbox": [floats(list(box))], "category": [1], "area": [7.5 * n]}})
    _, config, _ = init(rows, tmp_path)
    assert config.fields["image"].bound()["boxes"].area is None
