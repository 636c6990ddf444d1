"""Fields that belong together draw together: places, times and attempts are the same for all of them."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image

from pipeline.config.loader import parse_yaml
from pipeline.config.schema import JobConfig
from pipeline.dataset.rows import RowMaker
from pipeline.driver.jobs import job_of
from pipeline.errors import ConfigError
from pipeline.planning.checks.check import checked
from pipeline.planning.checks.warnings import warnings_of
from pipeline.planning.job import Task
from pipeline.planning.survey import survey
from pipeline.records import Gated, Shard
from pipeline.rendering.stages import families

MOVE = "albumentations.HorizontalFlip, {albumentations.Affine: {scale: [0.8, 1.2], rotate: [-30, 30], p: 1}}"


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    return sink.getvalue()


def pixels_of(payload: bytes) -> np.ndarray[Any, Any]:
    return np.array(Image.open(io.BytesIO(payload)).convert("RGB")).astype(int)


def row(number: int, side: int = 64) -> dict[str, Any]:
    """A colour picture, its depth and its mask, of one rectangle."""
    draw = np.random.default_rng(number)
    x, y = draw.integers(5, 30, 2).tolist()
    colour, depth, mask = (
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((side, side, 3), np.uint8),
        np.zeros((64, 64), np.uint8),
    )
    colour[y : y + 20, x : x + 25] = (255, 0, 0)
    depth[y : y + 20, x : x + 25] = (0, 0, 255)
    mask[y : y + 20, x : x + 25] = 1
    return {"id": f"r{number}", "rgb": png(colour), "depth": png(depth), "mask": png(mask)}


def config(tmp_path: Path, rows: list[dict[str, Any]], fields: str, more: str = "") -> tuple[JobConfig, Any]:
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    text = f"""
input: {{path: {tmp_path}/in.parquet, id: id}}
split: {{}}
copies: 3
{more}
fields: {fields}
output: {{path: {tmp_path}/out}}
"""
    return checked(parse_yaml(text, "c.yaml"))


def made(
    tmp_path: Path, rows: list[dict[str, Any]], fields: str, more: str = ""
) -> tuple[list[dict[str, Any]], list[Gated]]:
    """The rows of all copies, and what became of each record."""
    valid, listing = config(tmp_path, rows, fields, more)
    job = job_of(valid, listing)
    blocks = tuple(t.block for t in survey(job, listing.units).blocks)
    found = list(families(job, Task(Shard("train", 0, blocks))))
    samples = [s for g in found for s in g.samples if s.variant.copy > 0]
    return RowMaker(job, "train", "x").rows_of(samples, np.arange(len(samples))).table(
        samples, 0
    ).to_pylist() if samples else [], found


def overlap(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


def pair(colour: str, depth: str, masks: bool = False) -> str:
    bound = "masks: {column: mask}, " if masks else ""
    return f"{{rgb: {{type: image, {bound}{colour}}}, depth: {{type: image, {depth}}}}}"


def test_colour_and_depth_move_alike_and_one_mask_follows_both(tmp_path: Path) -> None:
    noise = "{albumentations.GaussNoise: {std_range: [0.02, 0.05], p: 1}}"
    fields = pair(f"augment: [{MOVE}, {noise}]", f"augment: [{MOVE}]", masks=True)
    copies, _ = made(tmp_path, [row(n) for n in range(8)], fields, "same_draws: [rgb, depth]")
    assert len(copies) == 24
    for copy in copies:
        colour, depth = pixels_of(copy["rgb"])[..., 0] > 127, pixels_of(copy["depth"])[..., 2] > 127
        mask = np.array(Image.open(io.BytesIO(copy["mask"]))) > 0
        assert overlap(colour, depth) > 0.9
        assert overlap(depth, mask) > 0.9
        named = [(t["field"], t["name"]) for t in copy["lineage"]["transforms"]]
        assert ("rgb", "albumentations.GaussNoise") in named
        assert ("depth", "albumentations.GaussNoise") not in named
        params = {
            f: [t["params"] for t in copy["lineage"]["transforms"] if t["field"] == f and "Affine" in t["name"]]
            for f in ("rgb", "depth")
        }
        assert params["rgb"] == params["depth"]


def test_without_it_they_draw_apart_and_check_says_so(tmp_path: Path) -> None:
    fields = pair(f"augment: [{MOVE}]", f"augment: [{MOVE}]", masks=True)
    rows = [row(n) for n in range(8)]
    copies, _ = made(tmp_path, rows, fields)
    apart = [overlap(pixels_of(c["rgb"])[..., 0] > 127, pixels_of(c["depth"])[..., 2] > 127) for c in copies]
    assert np.median(apart) < 0.9
    (note,) = warnings_of(*config(tmp_path, rows, fields))
    assert note.endswith("If they belong together, write same_draws: [rgb, depth]")
    assert warnings_of(*config(tmp_path, rows, fields, "same_draws: [rgb, depth]")) == []
    still = pair(
        "augment: [{albumentations.GaussNoise: {p: 1}}]", "augment: [{albumentations.GaussianBlur: {p: 1}}]", True
    )
    assert warnings_of(*config(tmp_path, rows, still)) == []


def test_what_one_gate_refuses_is_drawn_again_for_all(tmp_path: Path) -> None:
    flip = "augment: [{albumentations.HorizontalFlip: {p: 0.5}}]"
    fields = pair(f"{flip}, quality: {{reject_identical: true, retries: 20}}", flip)
    rows = [row(n) for n in range(8)]
    sources = {r["id"]: pixels_of(r["depth"]) for r in rows}
    copies, _ = made(tmp_path, rows, fields, "same_draws: [rgb, depth]")
    assert len(copies) == 24
    for copy in copies:
        assert (pixels_of(copy["depth"]) == sources[copy["id"]][:, ::-1]).all()
    attempts = [
        {
            t["field"]: json.loads(t["params"])["attempt"]
            for t in c["lineage"]["transforms"]
            if t["name"] == "fanbeam.Retry"
        }
        for c in copies
    ]
    assert any(attempts)
    assert all(a.get("rgb") == a.get("depth") for a in attempts)


def test_a_copy_that_is_refused_in_one_field_is_no_copy(tmp_path: Path) -> None:
    fields = pair("augment: [{albumentations.Pad: {p: 1}}], quality: {reject_identical: true}", "augment: []")
    copies, found = made(tmp_path, [row(0)], fields, "same_draws: [rgb, depth]")
    assert copies == []
    assert {(d.copy, d.refusal.reason) for d in found[0].dropped} == {
        (1, "identical"),
        (2, "identical"),
        (3, "identical"),
    }


def test_prepare_steps_draw_together_too(tmp_path: Path) -> None:
    crop = "prepare: [{albumentations.RandomCrop: {height: 40, width: 40, p: 1}}]"
    copies, _ = made(tmp_path, [row(n) for n in range(6)], pair(crop, crop), "same_draws: [[depth, rgb]]")
    for copy in copies:
        assert ((pixels_of(copy["rgb"])[..., 0] > 127) == (pixels_of(copy["depth"])[..., 2] > 127)).all()


def test_fields_of_unlike_size_fail_with_both_sizes(tmp_path: Path) -> None:
    fields = pair(f"augment: [{MOVE}]", f"augment: [{MOVE}]")
    copies, found = made(tmp_path, [row(0), row(1, side=80)], fields, "same_draws: [rgb, depth]")
    assert {copy["id"] for copy in copies} == {"r0"}
    (dropped,) = found[1].dropped
    assert (dropped.copy, dropped.refusal.reason) == (None, "unlike_sizes")
    assert "rgb is 64 x 64 and depth is 80 x 80" in dropped.refusal.message


def test_noisy_and_clean_sounds_shift_alike(tmp_path: Path) -> None:
    def wav(noise: float, number: int) -> bytes:
        samples = np.zeros(8000)
        samples[2000:2400] = 0.5
        samples += np.random.default_rng(number).standard_normal(8000) * noise
        sink = io.BytesIO()
        soundfile.write(sink, samples, 8000, format="WAV", subtype="PCM_16")
        return sink.getvalue()

    rows = [{"id": f"r{n}", "noisy": wav(0.01, n), "clean": wav(0, n)} for n in range(4)]
    shift = "{audiomentations.Shift: {p: 1}}"
    gain = "{audiomentations.AddGaussianNoise: {p: 1}}"
    fields = f"{{noisy: {{type: audio, augment: [{shift}, {gain}]}}, clean: {{type: audio, augment: [{shift}]}}}}"
    copies, _ = made(tmp_path, rows, fields, "same_draws: [noisy, clean]")
    assert len(copies) == 12
    for copy in copies:
        noisy, clean = (soundfile.read(io.BytesIO(copy[name]))[0] for name in ("noisy", "clean"))
        assert (np.abs(noisy - clean) < 0.2).mean() > 0.99


def test_fields_outside_of_the_group_draw_as_before(tmp_path: Path) -> None:
    rows = [{**row(n), "third": row(n + 50)["rgb"]} for n in range(3)]
    fields = pair(f"augment: [{MOVE}]", f"augment: [{MOVE}]")[:-1] + f", third: {{type: image, augment: [{MOVE}]}}}}"
    alone, _ = made(tmp_path, rows, fields)
    together, _ = made(tmp_path, rows, fields, "same_draws: [rgb, depth]")
    assert [copy["third"] for copy in alone] == [copy["third"] for copy in together]
    assert [copy["rgb"] for copy in alone] == [copy["rgb"] for copy in together]
    assert [copy["depth"] for copy in alone] != [copy["depth"] for copy in together]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("same_draws: [rgb, dept]", "there is no field 'dept'"),
        ("same_draws: [rgb]", "name at least two fields"),
        ("same_draws: [rgb, rgb]", "'rgb' is named twice"),
        ("same_draws: [[rgb, depth], [depth, rgb]]", "is named twice"),
        (
            "same_draws: [rgb, depth]",
            "would move apart: steps of `augment` that move them are albumentations.HorizontalFlip",
        ),
        ("same_draws: [rgb, words]", "only fields of one modality draw together"),
        ("same_draws: 3", "must be a list of fields, [t1, t2], or a list of such lists"),
        ("same_draws: [rgb, [depth]]", "must be a list of fields"),
    ],
)
def test_groups_that_cannot_be_are_refused_with_the_reason(more: str, told: str, tmp_path: Path) -> None:
    rows = [{**row(0), "words": "one two three"}]
    fields = pair(f"augment: [{MOVE}]", "augment: [{albumentations.Affine: {rotate: [-9, 9]}}]")[:-1]
    with pytest.raises(ConfigError) as error:
        config(tmp_path, rows, f"{fields}, words: {{type: text}}}}", more)
    assert any(told in problem.message for problem in error.value.problems)


def test_how_what_has_moved_looks_may_differ(tmp_path: Path) -> None:
    smooth = "augment: [{albumentations.Affine: {rotate: [-30, 30], interpolation: 1, fill: 9, p: 1}}]"
    sharp = "augment: [{albumentations.Affine: {rotate: [-30, 30], interpolation: 0, p: 1}}]"
    copies, _ = made(tmp_path, [row(n) for n in range(3)], pair(smooth, sharp), "same_draws: [rgb, depth]")
    for copy in copies:
        assert overlap(pixels_of(copy["rgb"])[..., 0] > 127, pixels_of(copy["depth"])[..., 2] > 127) > 0.9


def test_the_groups_survive_the_manifest(tmp_path: Path) -> None:
    fields = pair(f"augment: [{MOVE}]", f"augment: [{MOVE}]")
    valid, _ = config(tmp_path, [row(0)], fields, "same_draws: [rgb, depth]")
    again = JobConfig.model_validate(json.loads(json.dumps(valid.model_dump(mode="json"))))
    assert again.draw_groups == valid.draw_groups == (("rgb", "depth"),)
