"""A training copy that equals a held-out row is rejected: it neither stops the commit nor stands in train."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import workdata
from PIL import Image

from pipeline.cli.program import main

TEXT = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa"
WORDS = TEXT.split()
SWAP = {"nlpaug.RandomWordAug": {"action": "swap", "aug_p": 0.5}}
Answer = tuple[int, dict[str, Any]]
Ask = Callable[..., Answer]


def pairs(**more: Any) -> list[dict[str, Any]]:
    """Two words in train, and the same two in the other order in validation."""
    rows = []
    for n, word in enumerate(WORDS):
        other = WORDS[(n + 5) % len(WORDS)]
        rows.append({"id": f"t{n:02d}", "part": "train", "text": f"{word} {other}", **more})
        rows.append({"id": f"v{n:02d}", "part": "validation", "text": f"{other.title()} {word}", **more})
    return rows


def config(home: Path, rows: list[dict[str, Any]], **changes: Any) -> Path:
    data = workdata.write_parquet(home / "in.parquet", rows)
    tree = {
        "seed": 1,
        "input": {"path": str(data), "id": "id"},
        "split": {"column": "part"},
        "copies": 2,
        "fields": {"text": {"type": "text", "augment": [SWAP]}},
        "output": {"path": str(home / "out")},
        "limits": {"rejected": 1},
        **changes,
    }
    return workdata.write_config(home / "c.yaml", tree)


def contents(version: Path, *fields: str) -> tuple[dict[str, Any], set[Any]]:
    """Training copies and what they hold; and what validation and test hold, read by pyarrow."""
    found = workdata.samples(version, fields)
    held = {sample[1] for sample in found.values() if sample[0] != "train"}
    copies = {name: s[1] for name, s in found.items() if s[0] == "train" and not name.endswith("/0")}
    return copies, held


def rejected(version: Path) -> list[str]:
    return [row["reason"] for row in workdata.dropped(version, "rejected")]


def test_copies_of_texts(tmp_path: Path, ask: Ask) -> None:
    code, answer = ask("run", config(tmp_path, pairs()))
    assert (code, answer["leaks"]["clean"]) == (0, True)
    version = workdata.version_folder(tmp_path / "out")
    copies, held = contents(version, "text")
    assert len(held) == 16
    assert not held & set(copies.values())
    assert len(rejected(version)) + len(copies) == 32
    assert set(rejected(version)) == {"held_out_twin"}
    assert {row["field"] for row in workdata.dropped(version, "rejected")} == {"text"}
    assert ask("verify", version)[0] == 0


def test_another_draw_is_tried_and_replayed(tmp_path: Path, ask: Ask) -> None:
    steps = [{"one_of": [SWAP, {"nlpaug.RandomWordAug": {"action": "delete", "aug_p": 0.5}}]}]
    field = {"type": "text", "augment": steps, "quality": {"retries": 20}}
    assert ask("run", config(tmp_path, pairs(), fields={"text": field}))[0] == 0
    version = workdata.version_folder(tmp_path / "out")
    found = workdata.samples(version, ("text",))
    again = sorted(name for name, sample in found.items() if '\\"held_out_twin\\"' in sample[2])
    assert again
    assert not rejected(version)
    code, answer = ask("replay", version, again[0])
    assert (code, answer.get("difference", "")) == (0, "")


@pytest.mark.parametrize(("workers", "changes"), [(1, {}), (2, {"output.row_group_rows": 4})])
def test_texts_that_are_prepared_are_compared_as_they_are_written(
    workers: int, changes: dict[str, Any], tmp_path: Path, ask: Ask
) -> None:
    field = {"type": "text", "prepare": [SWAP], "augment": [SWAP]}
    flags = [flag for key, value in changes.items() for flag in ("--set", f"{key}={value}")]
    made = config(tmp_path, [row for row in pairs() if row["id"] > "t"], fields={"text": field})
    assert ask("run", made, "--workers", workers, *flags)[0] == 0
    version = workdata.version_folder(tmp_path / "out")
    copies, held = contents(version, "text")
    assert not held & set(copies.values())
    assert "held_out_twin" in rejected(version)


def test_pairs_of_texts_are_compared_whole(tmp_path: Path, ask: Ask) -> None:
    rows = pairs(answer="yes")
    for row in rows[1::4]:
        row["answer"] = "no"
    fields = {"text": {"type": "text", "augment": [SWAP]}, "answer": {"type": "text"}}
    assert ask("run", config(tmp_path, rows, fields=fields))[0] == 0
    version = workdata.version_folder(tmp_path / "out")
    copies, held = contents(version, "text", "answer")
    assert not held & set(copies.values())
    assert {text for text, _ in held} & {text for text, _ in copies.values()}  # under another answer it may stay
    assert set(rejected(version)) == {"held_out_twin"}


def test_copies_of_pictures_that_come_as_they_are(tmp_path: Path, ask: Ask) -> None:
    rows = []
    for n in range(24):
        pixels = np.asarray(Image.open(io.BytesIO(workdata.picture(n, kind="PNG"))))
        for side, turned in (("a", pixels), ("b", pixels[:, ::-1])):
            rows.append({"id": f"{side}{n:02d}", "image": png_as_written(turned)})
    fields = {
        "image": {
            "type": "image",
            "augment": [{"albumentations.HorizontalFlip": {"p": 1}}],
            "encode": {"format": "png"},
        }
    }
    made = config(tmp_path, rows, fields=fields, split={"validation": 0.3}, certificate="facts")
    code, answer = ask("run", made)
    assert (code, answer["leaks"]["leaking"]["exact"]) == (0, 0)
    version = workdata.version_folder(tmp_path / "out")
    copies, held = contents(version, "image")
    assert not held & set(copies.values())
    assert set(rejected(version)) == {"held_out_twin"}
    assert copies


def png_as_written(pixels: np.ndarray) -> bytes:
    """The bytes that a copy of these pixels has."""
    from pipeline.modalities.codecs.image.codec import ImageCodec
    from transforms.values import ImageValue

    return ImageCodec("rgb", "png", 90).encode(ImageValue(np.ascontiguousarray(pixels)), "png")


def test_nothing_is_written_of_it_where_nothing_is_held_out(tmp_path: Path) -> None:
    rows = [{**row, "part": "train"} for row in pairs()]
    assert main(["run", str(config(tmp_path, rows)), "--json"]) == 0
    assert not (workdata.version_folder(tmp_path / "out") / "_held_out.bin").exists()
