"""Clips from a folder or a table to a dataset: the same bytes with one worker and two, and labels that follow."""

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import workdata
from PIL import Image

import pipeline
from pipeline.config.schema import JobConfig
from pipeline.driver.replay import replay
from pipeline.driver.verification.verify import verify
from pipeline.modalities.codecs.video.codec import VideoCodec
from transforms.values import AudioValue, VideoValue

Answer = tuple[int, dict[str, Any]]
STEPS: list[Any] = [
    "albumentations.HorizontalFlip",
    {"albumentations.Rotate": {"limit": 10, "p": 0.5}},
    {
        "one_of": [
            {"video.Speed": {"factor": [0.5, 2]}},
            {"vidaug.TemporalRandomCrop": {"size": 8}},
            "vidaug.InverseOrder",
        ]
    },
]


def clip(number: int, count: int = 12) -> VideoValue:
    """A bright square that wanders, with a tone."""
    ground = np.kron(np.random.default_rng(number).integers(0, 60, (6, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
    frames = np.stack([ground] * count)
    for n in range(count):
        frames[n, 10:24, 5 + n : 19 + n] = 230
    tone = 0.3 * np.sin(np.arange(count * 800) * 0.1 * (number + 1))
    return VideoValue(frames, Fraction(10), AudioValue(tone[np.newaxis].astype(np.float32), 8000))


def payload(number: int) -> bytes:
    return VideoCodec("mkv").encode(clip(number), "")


def test_a_folder_of_clips_from_init_to_replay(tmp_path: Path, ask: Callable[..., Answer]) -> None:
    mp4 = VideoCodec("mp4")
    data = workdata.write_folder(tmp_path / "clips", 12, lambda n: mp4.encode(clip(n), ""), ".mp4")
    config = tmp_path / "clips.yaml"
    code, answer = ask("init", data, "-o", config)
    assert code == 0, answer
    assert "type: video" in config.read_text()
    assert ask("check", config)[0] == 0
    found = []
    for workers in (1, 2):
        output = tmp_path / f"out{workers}"
        code, answer = ask("run", config, "--workers", workers, "--set", f"output.path={output}")
        assert code == 0, answer
        found.append(workdata.contents(workdata.version_folder(output)))
    assert found[0] == found[1]
    dataset = tmp_path / "out1"
    assert ask("verify", dataset)[0] == 0
    rows = pq.read_table(next((workdata.version_folder(dataset) / "train").glob("*.parquet"))).to_pylist()
    copies = [row for row in rows if row["lineage"]["copy"]]
    assert copies
    assert ask("replay", dataset, copies[0]["sample_id"])[0] == 0
    original = next(row for row in rows if not row["lineage"]["copy"])
    assert original["video"] == (data / original["path"]).read_bytes()
    decoded = VideoCodec().decode(copies[0]["video"]).value
    assert isinstance(decoded, VideoValue)
    assert decoded.audio is not None
    libraries = workdata.manifest_of(dataset)["libraries"]
    assert {"av", "libavcodec", "libavformat"} <= set(libraries)
    sheet = tmp_path / "sheet.png"
    assert ask("preview", config, "-o", sheet, "--set", f"output.path={dataset}")[0] == 0
    assert min(Image.open(io.BytesIO(sheet.read_bytes())).size) > 200


def labeled_config(home: Path, **field: Any) -> JobConfig:
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("clip", pa.binary()),
            (
                "objects",
                pa.list_(pa.struct([("frame", pa.int32()), ("bbox", pa.list_(pa.float32())), ("name", pa.string())])),
            ),
            ("actions", pa.struct([("start", pa.list_(pa.float64())), ("end", pa.list_(pa.float64()))])),
        ]
    )
    rows = [
        {
            "id": f"c{n}",
            "clip": payload(n),
            "objects": [{"frame": k, "bbox": [5 + k, 10, 14, 14], "name": f"f{k}"} for k in range(12)],
            "actions": {"start": [0.2, 0.0], "end": [0.6, 1.2]},
        }
        for n in range(6)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema), home / "in.parquet")
    steps = field.pop("augment", STEPS)
    return JobConfig.model_validate(
        {
            "input": {"path": str(home / "in.parquet"), "id": "id"},
            "split": {},
            "copies": 3,
            "fields": {
                "clip": {
                    "type": "video",
                    "augment": steps,
                    "boxes": {"column": "objects", "format": "coco", "min_area": 4},
                    "segments": {"column": "actions"},
                    "quality": {"label_check": 1.0},
                    **field,
                }
            },
            "output": {"path": str(home / "out")},
        }
    )


def test_boxes_and_segments_follow(tmp_path: Path) -> None:
    result = pipeline.run(labeled_config(tmp_path))
    dataset = pipeline.open_dataset(str(tmp_path / "out"))
    assert not workdata.dropped(Path(result.path), "rejected")
    table = dataset.splits["train"].to_table()
    assert table.schema.field("objects").type == pq.read_schema(tmp_path / "in.parquet").field("objects").type
    rows = table.to_pylist()
    assert len(rows) == 24
    for row in rows:
        value = VideoCodec().decode(row["clip"]).value
        assert isinstance(value, VideoValue)
        assert row["objects"]
        for entry in row["objects"]:
            x, y, w, h = entry["bbox"]
            seen = np.argwhere(value.frames[entry["frame"], :, :, 0] > 150)
            top, left = seen.min(axis=0)
            bottom, right = seen.max(axis=0) + 1
            assert np.abs(np.array([left, top, right, bottom]) - [x, y, x + w, y + h]).max() < 3.5
        assert all(end <= len(value.frames) / 10 + 1e-6 for end in row["actions"]["end"])
    assert verify(dataset, samples=6).ok
    assert all(not r.difference for r in replay(dataset, [r for r in rows if r["lineage"]["copy"]][:3]))


def test_a_box_on_a_frame_that_is_not_there(tmp_path: Path) -> None:
    config = labeled_config(tmp_path)
    table = pq.read_table(tmp_path / "in.parquet").to_pylist()
    table[0]["objects"][0]["frame"] = 12
    pq.write_table(pa.Table.from_pylist(table, pq.read_schema(tmp_path / "in.parquet")), tmp_path / "in.parquet")
    result = pipeline.run(config.model_copy(update={"limits": config.limits.model_copy(update={"failed": 1.0})}))
    (dropped,) = workdata.dropped(Path(result.path))
    assert (dropped["source_id"], dropped["reason"]) == ("c0", "bad_labels")
    assert dropped["message"] == "a box is on frame 12 of a clip of 12 frames, counted from 0"


def test_broken_clips_fail_alone(tmp_path: Path) -> None:
    rows = [{"id": f"c{n}", "clip": payload(n)} for n in range(4)]
    rows[0]["clip"] = payload(0)[:500]
    rows[1]["clip"] = b"no video at all"
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    tree = workdata.image_config(
        data, tmp_path / "out", fields={"clip": {"type": "video", "augment": STEPS}}, limits={"failed": 1}, split={}
    )
    tree["input"] = {"path": str(data), "id": "id"}
    result = pipeline.run(JobConfig.model_validate(tree))
    found = {row["source_id"]: row["reason"] for row in workdata.dropped(Path(result.path))}
    assert found == {"c0": "truncated", "c1": "not_a_video"}
