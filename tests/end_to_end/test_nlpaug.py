"""nlpaug through the command line: models, vectors and flows in a job; files as part of a version."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import workdata

sys.path.append(str(Path(__file__).parents[1] / "contract"))

import word_files

from scripts import example_models as language_models

Ask = Callable[..., tuple[int, dict[str, Any]]]
CONFIGS = Path(__file__).parents[2] / "configs"


def write_texts(path: Path, count: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"id": f"r{n}", "dataset": "ab"[n % 2], "text": f"The quick brown fox {n} jumps over. It was a good day {n}."}
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def config(home: Path, *steps: Any) -> Path:
    tree = {
        "seed": 3,
        "input": {"path": str(home / "texts.jsonl"), "id": "id", "label": "dataset"},
        "copies": 2,
        "fields": {"text": {"type": "text", "augment": list(steps)}},
        "output": {"path": str(home / "out")},
    }
    write_texts(home / "texts.jsonl", 20)
    return workdata.write_config(home / "c.yaml", tree)


def test_the_example_runs_and_verifies(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_texts(tmp_path / "data" / "texts.jsonl", 30)
    code, answer = ask("run", CONFIGS / "nlpaug.yaml", "--workers", "1")
    assert (code, answer["records"]) == (0, 30)
    assert ask("verify", "out/nlpaug")[0] == 0


@pytest.mark.slow
def test_models_run_in_workers_and_decide_the_version(tmp_path: Path, ask: Ask) -> None:
    bert = language_models.masked(tmp_path / "bert")
    there = language_models.sequence(tmp_path / "there")
    back = language_models.sequence(tmp_path / "back", start=6)
    path = config(
        tmp_path,
        {"nlpaug.ContextualWordEmbsAug": {"model_path": str(bert), "top_k": 5}},
        {"sometimes": {"p": 0.3, "steps": [{"nlpaug.BackTranslationAug": {
            "from_model_name": str(there), "to_model_name": str(back), "max_length": 20}}]}},
        {"nlpaug.WordEmbsAug": {"model_type": "glove", "model_path": str(word_files.glove(tmp_path))}},
    )  # fmt: skip
    code, first = ask("run", path, "--workers", "2")
    assert code == 0
    assert ask("verify", tmp_path / "out")[0] == 0
    before = workdata.contents(tmp_path / "out" / first["version"] / "train")
    shutil.rmtree(tmp_path / "out")
    assert ask("run", path, "--workers", "1")[1]["version"] == first["version"]
    assert workdata.contents(tmp_path / "out" / first["version"] / "train") == before
    language_models.sequence(back, start=7)
    assert ask("plan", path)[1]["version"] != first["version"]


def test_what_is_missing_is_said_with_its_line(tmp_path: Path, ask: Ask) -> None:
    path = config(
        tmp_path,
        {"nlpaug.WordEmbsAug": {"model_type": "glove", "model_path": str(tmp_path / "none.txt")}},
        {"nlpaug.Sometimes": {"flow": ["nlpaug.KeyboardAug", "nlpaug.SpiltAug"]}},
    )
    code, answer = ask("check", path)
    assert code == 2
    wheres = [problem["where"] for problem in answer["error"]["problems"]]
    assert [where.partition(" ")[2] for where in wheres] == [
        "fields.text.augment[0].nlpaug.WordEmbsAug.model_path",
        "fields.text.augment[1].nlpaug.Sometimes.flow[1].nlpaug.SpiltAug",
    ]
    messages = [problem["message"] for problem in answer["error"]["problems"]]
    assert messages[0] == f"model_path: no such path: {tmp_path}/none.txt."
    assert answer["error"]["problems"][1]["suggestion"] == "Did you mean 'nlpaug.SplitAug'?"
