"""The contact sheet: which records, how big, what is told; and that nothing a record may hold breaks it."""

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

from pipeline.config.loader import parse_yaml
from pipeline.driver.jobs import job_of
from pipeline.errors import UsageError
from pipeline.planning.blocks import BlockTable, BlockTally
from pipeline.planning.checks.check import checked
from pipeline.planning.job import Job
from pipeline.planning.survey import Survey, survey
from pipeline.preview import drawing
from pipeline.preview.cells import SHOWN_COPIES, cells_of
from pipeline.preview.panels import WIDTH, clip_panels, picture_panels, refusal_panel, sound_panels, volume_panels
from pipeline.preview.sheet import GAP, MARGIN, PADDING, contact_sheet, preview_job, preview_tasks, sheet_bytes
from pipeline.preview.text_panels import MAX_LINES, lines_of, text_panels
from pipeline.preview.word_diff import Word
from pipeline.records import Block, Dropped, Gated, Refusal, Unit
from pipeline.rendering.stages import families
from transforms.values import AudioValue, ImageValue, TextValue, VideoValue, VolumeValue

ODD_TEXTS = (
    "", " ", "\n\n\t", "one", "e\u0301 \u200b\u202e\ufeff", "\x00\x01", "👨‍👩‍👧 🇩🇪", "机器学习", "السلام عليكم",
    "x" * 5000, "word " * 3000, "हिन्दी पाठ", "a\u2028b", "\U0010ffff\ufffe",
)  # fmt: skip


def tally(start: int, train: int) -> BlockTally:
    return BlockTally(Block(Unit("a", 1000, 1000), start, start + 100), {"train": train} if train else {"test": 5})


def rgb(value: str) -> tuple[int, int, int]:
    return tuple(int(value[n : n + 2], 16) for n in (1, 3, 5))


def count(image: Image.Image, colour: str) -> int:
    return int((np.asarray(image.convert("RGB")) == rgb(colour)).all(axis=2).sum())


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def flac(samples: np.ndarray, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC")
    return file.getvalue()


def rendered(tmp_path: Path, columns: dict[str, list[object]], fields: str, copies: int = 2) -> tuple[Job, list[Gated]]:
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    text = f"""
input: {{path: {tmp_path}/in.parquet, id: id, label: label}}
split: {{}}
copies: {copies}
fields: {fields}
output: {{path: {tmp_path}/out/birds}}
"""
    config, listing = checked(parse_yaml(text, "c.yaml"))
    job = job_of(config, listing)
    tasks = preview_tasks(survey(job, listing.units), 100)
    return job, [g for task in tasks for g in families(preview_job(job), task)]


def keys(count: int) -> dict[str, list[object]]:
    return {"id": [f"id {n}" for n in range(count)], "label": [("a", "b")[n % 2] for n in range(count)]}


def test_records_come_from_different_blocks_where_there_are_enough():
    tasks = preview_tasks(Survey(BlockTable.of(tally(100 * n, 80) for n in range(9))), 3)
    assert [(t.shard.blocks[0].start, t.only) for t in tasks] == [(0, 0), (300, 0), (600, 0)]
    assert {t.shard.split for t in tasks} == {"train"}


def test_records_are_spread_within_few_blocks():
    tasks = preview_tasks(Survey(BlockTable.of([tally(0, 90), tally(100, 0), tally(200, 1)])), 4)
    assert [(t.shard.blocks[0].start, t.only) for t in tasks] == [(0, 0), (0, 30), (0, 60), (200, 0)]


def test_no_more_records_than_the_train_split_has():
    assert len(preview_tasks(Survey(BlockTable.of([tally(0, 2), tally(100, 1)])), 50)) == 3
    assert preview_tasks(Survey(BlockTable.of([tally(0, 0)])), 5) == ()


def test_tasks_name_training_records(tmp_path):
    columns = {**keys(20), "text": [f"number {n} of all" for n in range(20)]}
    _, found = rendered(tmp_path, columns, "{text: {type: text}}")
    assert [g.record.key for g in found] == columns["id"]


def test_a_sheet_shows_no_more_copies_than_fit(tmp_path):
    columns = {**keys(1), "text": ["some words here"]}
    job, found = rendered(tmp_path, columns, "{text: {type: text}}", copies=40)
    assert preview_job(job).copies.of((), "r") == SHOWN_COPIES
    assert [c.title for c in cells_of(job, found[0])] == ["original", *(f"copy {n}" for n in range(1, 9))]


def test_width_follows_the_copies(tmp_path):
    columns = {**keys(2), "text": ["some words here"] * 2}
    for copies, cells in ((1, 2), (4, 5), (6, 5)):
        job, found = rendered(tmp_path, columns, "{text: {type: text}}", copies)
        sheet = contact_sheet(job, found)
        assert sheet.width == cells * WIDTH + (cells - 1) * GAP + 2 * (PADDING + MARGIN)


def test_the_sheet_does_not_depend_on_the_order_of_families(tmp_path):
    columns = {**keys(4), "text": [f"text number {n}" for n in range(4)]}
    job, found = rendered(tmp_path, columns, "{text: {type: text, augment: [nlpaug.RandomWordAug]}}")
    assert contact_sheet(job, found).tobytes() == contact_sheet(job, found[::-1]).tobytes()


def test_prepare_steps_are_told_with_the_original_alone(tmp_path):
    columns = {**keys(1), "image": [png(np.zeros((40, 60, 3), np.uint8))]}
    steps = "{prepare: [{albumentations.Resize: {height: 20, width: 20}}], augment: [{albumentations.Rotate: {p: 1}}]"
    job, found = rendered(tmp_path, columns, f"{{image: {steps}, type: image}}}}")
    original, first, _ = cells_of(job, found[0])
    assert [s.name for s in original.steps["image"]] == ["Resize"]
    assert [s.name for s in first.steps["image"]] == ["Rotate"]


def test_the_source_stands_in_for_an_original_that_is_not_kept(tmp_path):
    columns = {**keys(1), "text": ["some words here"]}
    job, (gated,) = rendered(tmp_path, columns, "{text: {type: text}}\nkeep_original: false")
    cell = cells_of(job, gated)[0]
    assert (cell.title, cell.values) == ("original (not kept)", {"text": TextValue("some words here")})


def test_copies_like_their_original_are_told(tmp_path):
    columns = {**keys(1), "text": ["some words here"]}
    job, (gated,) = rendered(tmp_path, columns, "{text: {type: text}}")
    assert [c.same for c in cells_of(job, gated)] == [(), ("text",), ("text",)]


def test_refused_copies_and_failed_records_show_their_reason(tmp_path):
    columns = {**keys(2), "image": [png(np.zeros((9, 9, 3), np.uint8)), b"\xff\xd8\xff"]}
    fields = "{image: {type: image, augment: [albumentations.HorizontalFlip], quality: {reject_identical: true}}}"
    job, found = rendered(tmp_path, columns, fields)
    good, broken = (cells_of(job, g) for g in found)
    assert [c.refusal.reason for c in good if c.refusal] == ["identical", "identical"]
    assert [(c.title, c.refusal.reason) for c in broken if c.refusal] == [("original", "truncated")]
    sheet = contact_sheet(job, found)
    assert count(sheet, drawing.REFUSED["rejected"][0]) > 10_000
    assert count(sheet, drawing.REFUSED["failed"][0]) > 5_000


def test_a_payload_that_killed_its_worker_is_not_decoded_again(tmp_path):
    columns = {**keys(1), "image": [png(np.zeros((9, 9, 3), np.uint8))]}
    job, (gated,) = rendered(tmp_path, columns, "{image: {type: image}}")
    for stage, shown in (("render", 0), ("decode", 0), ("prepare", 1)):
        refusal = Refusal("failed", "image", stage, "worker_crashed")
        cells = cells_of(job, Gated(gated.record, (), (Dropped(gated.record, None, refusal),)))
        assert sum(bool(c.values) for c in cells) == shown
        assert [c.refusal for c in cells if c.refusal] == [refusal]


def test_several_fields_are_stacked(tmp_path):
    noise = np.random.default_rng(0).standard_normal(4000) * 0.1
    columns = {
        **keys(2),
        "image": [png(np.full((30, 90, 3), 200, np.uint8))] * 2,
        "sound": [flac(noise)] * 2,
        "text": ["some words", "more words here"],
    }
    fields = "{image: {type: image}, sound: {type: audio}, text: {type: text}}"
    job, found = rendered(tmp_path, columns, fields)
    one, _ = rendered(tmp_path, columns, "{text: {type: text}}")
    assert contact_sheet(job, found).height > contact_sheet(one, found).height + 2 * 200


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_odd_texts_ids_and_labels_are_drawn(tmp_path, text):
    columns = {"id": [f"{text}!"], "label": [text or "-"], "text": [text]}
    augment = "[{nlpaug.RandomCharAug: {action: swap}}]"
    job, found = rendered(tmp_path, columns, f"{{text: {{type: text, augment: {augment}}}}}")
    assert contact_sheet(job, found, title=text).width > WIDTH


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 4000, 3), (4000, 1, 1), (7, 7, 4), (300, 200, 1), (50, 3000, 4)])
def test_odd_pictures_fit(shape):
    ((panel, told),) = picture_panels([ImageValue(np.full(shape, 90, np.uint8))])
    assert panel.width == WIDTH
    assert 48 <= panel.height <= 224
    assert told == f"{shape[1]} × {shape[0]}"


def test_small_pictures_are_enlarged_in_whole_steps():
    pixels = np.zeros((32, 32, 3), np.uint8)
    ((panel, _),) = picture_panels([ImageValue(pixels)])
    assert count(panel, "#000000") == (32 * 7) ** 2


@pytest.mark.parametrize(
    ("channels", "length", "rate"), [(1, 1, 8000), (2, 9, 44_100), (1, 5, 1), (6, 90_000, 192_000)]
)
def test_odd_sounds_fit(channels, length, rate):
    silent = AudioValue(np.zeros((channels, length), np.float32), rate)
    loud = AudioValue(np.full((channels, length), 5, np.float32), rate)
    panels = sound_panels([silent, loud])
    assert {panel.size for panel, _ in panels} == {(WIDTH, 162)}
    assert panels[0][1].startswith(f"{length / rate:.2f} s")


def test_a_shorter_sound_takes_less_width():
    long, short = (AudioValue(np.ones((1, n), np.float32), 8000) for n in (8000, 4000))
    (whole, _), (half, told) = sound_panels([long, short])
    assert told == "0.50 s · 8 kHz · mono"
    assert count(half.crop((WIDTH // 2, 0, WIDTH, 162)), drawing.WELL) == WIDTH // 2 * 162
    assert count(whole.crop((WIDTH // 2, 64, WIDTH, 162)), drawing.WELL) < WIDTH // 2 * 10


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 300, 20), (50, 40, 4000), (3, 48, 64)])
def test_odd_clips_fit(shape):
    clip = VideoValue(np.full((*shape, 3), 90, np.uint8), Fraction(30000, 1001))
    ((panel, told),) = clip_panels([clip])
    assert panel.width == WIDTH
    assert 48 <= panel.height <= 224
    assert told == f"{shape[2]} × {shape[1]} · {shape[0]} frames · 29.97/s"


def test_a_clip_is_shown_by_its_first_middle_and_last_frame():
    frames = np.stack([np.full((40, 40, 3), level, np.uint8) for level in (0, 100, 200, 250, 50)])
    ((panel, told),) = clip_panels([VideoValue(frames, Fraction(5), AudioValue(np.zeros((1, 9), np.float32), 9))])
    assert [panel.getpixel((x, 36)) for x in (36, 110, 185)] == [(0, 0, 0), (200, 200, 200), (50, 50, 50)]
    assert told.endswith("5 frames · 5/s · sound")


def test_changed_and_removed_words_are_marked():
    original = TextValue("the small dog sat down")
    same, changed, removed = text_panels(
        [original, TextValue("the big dog sat down"), TextValue("the dog sat down")], original
    )
    assert count(same[0], drawing.CHANGED) == count(same[0], drawing.REMOVED) == 0
    assert count(changed[0], drawing.CHANGED) > 100
    assert count(removed[0], drawing.REMOVED) > 100
    assert count(removed[0], drawing.CHANGED) == 0
    assert [told for _, told in (same, changed, removed)] == [
        "22 characters", "20 characters · 1 word changed", "16 characters · 1 word changed",
    ]  # fmt: skip


def test_long_texts_end_with_an_ellipsis():
    lines = lines_of([w for n in range(400) for w in (Word(f"word{n}"), Word(" "))])
    assert len(lines) == MAX_LINES
    assert lines[-1][-1] == Word("…")


def test_lines_break_at_line_breaks_and_not_before_punctuation():
    words = [Word(t) for t in ("one", "\n\n", "two", ",", " ", "three")]
    assert [[w.text for w in line] for line in lines_of(words)] == [["one"], ["two", ",", " ", "three"]]


def test_long_messages_stay_within_their_panel():
    panel = refusal_panel(Refusal("failed", "image", "augment", "augment_error", message="why " * 500), 10)
    assert panel.width == WIDTH
    assert panel.height < 240


def test_nothing_to_show_is_said(tmp_path):
    job, _ = rendered(tmp_path, {**keys(1), "text": ["x y"]}, "{text: {type: text}}")
    assert contact_sheet(job, []).height > 100


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "PNG"), ("b.JPG", "JPEG"), ("c.jpeg", "JPEG"), ("d.webp", "WEBP")]
)
def test_the_ending_chooses_the_format(name, kind):
    image = Image.new("RGB", (30, 20), "white")
    assert Image.open(io.BytesIO(sheet_bytes(image, name))).format == kind
    assert sheet_bytes(image, name) == sheet_bytes(image, name)


def test_other_endings_and_sizes_are_refused_with_a_remedy():
    with pytest.raises(UsageError, match=r"'.pdf'. Use one of .jpeg, .jpg, .png, .webp"):
        sheet_bytes(Image.new("RGB", (3, 3)), "a.pdf")
    with pytest.raises(UsageError, match="too many for WEBP"):
        sheet_bytes(Image.new("RGB", (3, 17_000)), "a.webp")


def test_volumes_show_their_middle_slices_on_one_scale():
    voxels = np.zeros((5, 20, 30, 1), np.uint16)
    voxels[2, :, :15] = 4000
    panels = volume_panels([VolumeValue(voxels, (0.0, 4000.0)), VolumeValue(voxels // 2, (0.0, 2000.0))])
    assert [words for _, words in panels] == ["slice 2 of 5 × 20 × 30"] * 2
    assert [picture.width for picture, _ in panels] == [WIDTH] * 2
    assert count(panels[0][0], "#ffffff") > 1000
    assert count(panels[1][0], "#808080") > 1000


def test_volumes_of_odd_channels_are_shown():
    for channels in (1, 2, 3, 4, 7):
        (panel,) = volume_panels([VolumeValue(np.full((1, 8, 8, channels), 0.5, np.float32))])
        assert panel[0].width == WIDTH


def test_a_sheet_of_volumes(tmp_path):
    file = io.BytesIO()
    np.save(file, np.random.default_rng(0).integers(0, 256, (4, 16, 16), np.uint8))
    columns = {**keys(2), "scan": [file.getvalue()] * 2}
    job, found = rendered(tmp_path, columns, "{scan: {type: volume, augment: [albumentations.CubicSymmetry]}}")
    assert contact_sheet(job, found).width > 2 * WIDTH
