"""Labels, ids, columns and paths may hold anything: commands show them, and do what they did before."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import workdata

from pipeline.errors import RunFailed
from pipeline.storage.folder import Folder

Ask = Callable[..., tuple[int, dict[str, Any]]]
Say = Callable[..., tuple[int, str, str]]
LABELS = ["[/b]", "[v2] x", "\x1b[2Jgone", "<b>", ":smile:"]


def written(home: Path, fields: tuple[str, ...] = ("text",)) -> Path:
    """A config of texts whose labels, ids and columns are odd."""
    rows = [
        {"id": f"[/i]{n}", "label": LABELS[n % len(LABELS)], **{name: workdata.sentence(n) for name in fields}}
        for n in range(20)
    ]
    data = workdata.write_parquet(home / "in [1]" / "a.parquet", rows)
    described = {name: {"type": "text", "augment": workdata.TEXT_STEPS} for name in fields}
    tree = {
        "input": {"path": str(data), "id": "id", "label": "label"}, "split": {"test": 0.3}, "copies": 1,
        "fields": described, "output": {"path": str(home / "out [/b]")},
    }  # fmt: skip
    return workdata.write_config(home / "c.yaml", tree)


def test_plan_run_and_verify_show_labels_as_they_are(tmp_path: Path, say: Say) -> None:
    config = written(tmp_path)
    for command in ("plan", "run"):
        code, out, err = say(command, config)
        assert code == 0, err
        for label in ("[/b]", "[v2] x", "\\x1b[2Jgone", "<b>", ":smile:"):
            assert label in out
        assert "\x1b" not in out + err
    code, out, _ = say("run", config)
    assert (code, "out [/b]" in out) == (0, True)
    version = workdata.version_folder(tmp_path / "out [/b]")
    assert say("verify", version)[0] == 0
    code, out, _ = say("replay", version, "[/i]0/0")
    assert (code, out.startswith("[/i]0/0: the same again")) == (0, True)


def test_messages_show_what_was_typed(tmp_path: Path, say: Say) -> None:
    code, _, err = say("run", tmp_path / "no\x1b[31m[/b].yaml")
    assert code == 2
    assert "no\\x1b[31m[/b].yaml" in err


@pytest.mark.parametrize("name", ["/../../x", "..", "a/b", "\x1b"])
def test_replay_writes_into_the_folder_that_was_asked_for(name: str, tmp_path: Path, ask: Ask) -> None:
    assert ask("run", written(tmp_path / "data", ("text", name)), "--workers", "1")[0] == 0
    folder = tmp_path / "a.b" / "again"
    folder.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    code, answer = ask("replay", tmp_path / "data" / "out [/b]", "[/i]1/0", "-o", folder / "one.txt")
    assert code == 0
    new = [p for p in sorted(tmp_path.rglob("*")) if p not in before]
    assert sorted(map(str, new)) == sorted(answer["written"])
    assert len(new) == 2
    assert {p.parent for p in new} == {folder}
    assert folder / "one.text.txt" in new


def test_a_run_log_that_cannot_be_written_is_a_warning(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Folder.put

    def full(self: Folder, name: str, data: Any) -> None:
        if name.startswith("_runs/2"):
            raise RunFailed(f"{self.full(name)}: the disk is full. Free some space and run the same command again.")
        put(self, name, data)

    monkeypatch.setattr(Folder, "put", full)
    config = written(tmp_path)
    code, answer = ask("run", config, "--workers", "1")
    assert code == 0
    assert any("the disk is full" in warning and "--input" in warning for warning in answer["warnings"])
    version = workdata.version_folder(tmp_path / "out [/b]")
    assert json.loads((version / "manifest.json").read_text())["version"] == version.name
    assert ask("verify", version, "--input", tmp_path / "in [1]")[0] == 0
