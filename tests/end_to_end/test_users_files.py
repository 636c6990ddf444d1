"""Steps with files of the user's: noises, impulse responses, reference pictures, from config to replay."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import workdata

from pipeline.cli.program import main

Answer = tuple[int, dict[str, Any]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for number in range(3):
        (tmp_path / "noises").mkdir(exist_ok=True)
        (tmp_path / "noises" / f"n{number}.wav").write_bytes(workdata.sound(40 + number, 0.1, 11_025))
    workdata.write_folder(tmp_path / "sounds", 12, workdata.sound, ".wav")
    return tmp_path


def sounds_config(home: Path, noises: Path) -> Path:
    steps = [
        {"audiomentations.AddBackgroundNoise": {"sounds_path": str(noises), "p": 1}},
        {"audiomentations.ApplyImpulseResponse": {"ir_path": str(noises / "n1.wav"), "p": 0.5}},
    ]
    tree = workdata.image_config(home / "sounds", home / "out", fields={"audio": {"type": "audio", "augment": steps}})
    return workdata.write_config(home / "c.yaml", {**tree, "input": {"path": str(home / "sounds")}})


def test_noises_from_config_to_replay(home: Path, ask: Callable[..., Answer]) -> None:
    config = sounds_config(home, home / "noises")
    assert main(["run", str(config), "--json", "--workers", "2"]) == 0
    first = workdata.version_folder(home / "out")
    code, answer = ask("verify", first, "--samples", 8)
    assert (code, answer["ok"]) == (0, True)
    before = workdata.contents(first)
    shutil.rmtree(home / "out")
    assert main(["run", str(config), "--json", "--workers", "1"]) == 0
    assert workdata.contents(workdata.version_folder(home / "out")) == before
    (home / "noises" / "n2.wav").write_bytes(workdata.sound(99))
    code, answer = ask("plan", config)
    assert answer["version"] != first.name


@pytest.mark.parametrize("command", ["check", "run", "plan"])
def test_noises_that_are_not_there(home: Path, ask: Callable[..., Answer], command: str) -> None:
    code, answer = ask(command, sounds_config(home, home / "nowhere"))
    assert code == 2
    messages = [problem["message"] for problem in answer["error"]["problems"]]
    assert messages[0].startswith("sounds_path: no such path: ")
    assert messages[1].startswith("ir_path: no such path: ")
    assert not (home / "out").exists()


def test_files_of_the_input_itself_are_refused_since_validation_is_among_them(
    home: Path, ask: Callable[..., Answer]
) -> None:
    for place in (home / "sounds", home / "sounds" / "owl", home / "sounds" / "*" / "f000.wav"):
        code, answer = ask("check", sounds_config(home, home / "noises"))
        assert code == 0
        tree = sounds_config(home, place).read_text().replace(str(place / "n1.wav"), str(home / "noises"))
        (home / "c.yaml").write_text(tree)
        code, answer = ask("check", home / "c.yaml")
        assert code == 2
        (problem,) = answer["error"]["problems"]
        assert problem["message"].startswith("audiomentations.AddBackgroundNoise: ")
        assert "validation and test" in problem["message"]
    data = workdata.write_parquet(home / "birds" / "in.parquet", workdata.image_rows(6))
    reference = {"parquet": str(home / "birds"), "column": "image"}
    fields = {"image": {"type": "image", "augment": [{"albumentations.FDA": {"reference": reference, "p": 1}}]}}
    config = workdata.write_config(home / "d.yaml", workdata.image_config(data, home / "out", fields=fields))
    code, answer = ask("check", config)
    assert code == 2
    assert "records: same_class or any" in answer["error"]["problems"][0]["suggestion"]
