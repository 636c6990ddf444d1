"""`fanbeam init --from-image-data-generator` writes a config that passes `check` and runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import workdata

Ask = Callable[..., tuple[int, dict[str, Any]]]
Say = Callable[..., tuple[int, str, str]]
ARGUMENTS = {
    "rotation_range": 40, "width_shift_range": 0.2, "height_shift_range": 8, "shear_range": 15, "zoom_range": 0.2,
    "brightness_range": [0.7, 1.3], "channel_shift_range": 20, "horizontal_flip": True, "fill_mode": "nearest",
    "rescale": 0.00392, "validation_split": 0.25,
}  # fmt: skip


def test_the_config_runs_as_it_is(tmp_path: Path, ask: Ask, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workdata.write_folder(tmp_path / "photos", 24)
    given = ("--from-image-data-generator", json.dumps(ARGUMENTS))
    code, answer = ask("init", "photos", "-o", "photos.yaml", *given)
    assert code == 0
    assert [note.split(":")[0] for note in answer["left_to_the_training_code"]] == ["rescale"]
    text = Path("photos.yaml").read_text(encoding="utf-8")
    assert "split: {by: stratified, validation: 0.25}" in text
    assert "# left to the training code: rescale: outputs are encoded pictures" in text
    code, answer = ask("check", "photos.yaml")
    assert (code, answer["warnings"]) == (0, [])
    code, answer = ask("run", "photos.yaml", "--set", "copies=2", "--workers", "1")
    assert code == 0
    assert answer["records"] == 24
    code, out, _ = say("init", "photos", "-o", "again.yaml", *given)
    assert code == 0
    assert "Left to the training code: rescale" in out


def test_bad_arguments_are_told_and_nothing_is_written(tmp_path: Path, ask: Ask) -> None:
    workdata.write_folder(tmp_path / "photos", 4)
    config = tmp_path / "c.yaml"
    for given, told in (('{"zom_range": 0.2}', "zoom_range"), ("{'zoom_range': 0.2}", "JSON")):
        code, answer = ask("init", tmp_path / "photos", "-o", config, "--from-image-data-generator", given)
        assert (code, answer["error"]["kind"]) == (2, "usage")
        assert told in str(answer["error"])
        assert not config.exists()


def test_texts_are_no_pictures(tmp_path: Path, ask: Ask) -> None:
    rows = [{"id": str(n), "text": workdata.sentence(n)} for n in range(20)]
    data = workdata.write_csv(tmp_path / "texts.csv", rows)
    code, answer = ask("init", data, "-o", tmp_path / "c.yaml", "--from-image-data-generator", "{}")
    assert code == 2
    assert "ImageDataGenerator is for images" in answer["error"]["message"]


def test_nothing_asked_for_is_nothing_done(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workdata.write_folder(tmp_path / "photos", 6)
    assert ask("init", "photos", "-o", "c.yaml", "--from-image-data-generator", '{"rescale": 0.5}')[0] == 0
    code, answer = ask("check", "c.yaml")
    assert code == 0
    assert "has no augment steps" in str(answer["warnings"])
