"""What users and their disks do wrong is a plain error, never called a defect of fanbeam."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import workdata

from pipeline.cli.init.starter_config import config_text
from pipeline.sources.inspection.describe import describe_data
from pipeline.storage.folder import Folder

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    rows = [{"id": f"n{n}", "label": "x", "group": f"g{n // 2}", "text": workdata.sentence(n)} for n in range(20)]
    data = workdata.write_csv(tmp_path / "in.csv", rows)
    tree = {
        "input": {"path": str(data), "id": "id", "label": "label", "group": "group"},
        "split": {"test": 0.3}, "copies": 1,
        "fields": {"text": {"type": "text", "augment": workdata.TEXT_STEPS}}, "output": {"path": str(tmp_path / "out")},
    }  # fmt: skip
    return workdata.write_config(tmp_path / "c.yaml", tree)


def told(answer: dict[str, Any]) -> str:
    text = str(answer["error"])
    assert "defect" not in text
    assert "\0" not in text
    return text


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        (".".join(["a"] * 5_000) + "=1", "more than 50 levels deep"),
        ("copies=" + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
        ('output.path="a\\0b"', "null"),
        ('output.path="{loop}/x"', "Too many levels of symbolic links"),
        ("output.path=" + "x" * 300, "File name too long"),
        ('input.path="a\\0b"', "no such path"),
        ('input.path="{loop}"', "no such path"),
    ],
)
def test_settings_that_no_config_may_have(config: Path, tmp_path: Path, ask: Ask, setting: str, what: str) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    for command in ("check", "run"):
        code, answer = ask(command, config, "--set", setting.replace("{loop}", str(tmp_path / "one")))
        assert code == 2
        assert what in told(answer)
        assert len(told(answer)) < 2_000


def test_folders_of_any_depth_are_walked(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("a", dir_fd=here)
        inner = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    handle = os.open("deep.txt", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.close(handle)
    os.close(here)
    (tmp_path / "flat.txt").write_bytes(b"x")
    try:
        assert [f.path for f in Folder(str(tmp_path)).walk()] == [f"{'a/' * 1_500}deep.txt", "flat.txt"]
    finally:  # pytest cannot remove it
        subprocess.run(["rm", "-r", str(tmp_path / "a")], check=True)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"probe": {"x": 1}}'])
def test_a_damaged_plan(config: Path, tmp_path: Path, ask: Ask, damage: bytes) -> None:
    assert ask("run", config, "--workers", "1")[0] == 0
    version = workdata.version_folder(tmp_path / "out")
    (version / "manifest.json").unlink()
    (version / "_plan.json").write_bytes(damage)
    code, answer = ask("run", config, "--workers", "1")
    assert code == 4
    assert "_plan.json is damaged. Remove the folder" in told(answer)


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1" * 9])
def test_a_damaged_shard(config: Path, tmp_path: Path, ask: Ask, damage: bytes) -> None:
    assert ask("run", config, "--workers", "1")[0] == 0
    version = workdata.version_folder(tmp_path / "out")
    next(version.glob("train/*.parquet")).write_bytes(damage)
    code, answer = ask("replay", version, "n0/1")
    assert code == 4
    assert "a shard cannot be read" in told(answer)
    assert ask("verify", version)[0] == 1


@pytest.mark.parametrize("command", ["check", "run", "verify", "init", "audit", "preview"])
@pytest.mark.parametrize(("argument", "what"), [("a\0b", "holds a NUL character"), ("", "")])
def test_arguments_that_name_nothing(command: str, argument: str, what: str, ask: Ask) -> None:
    more = ["-o", "sheet.png"] if command == "preview" else []
    code, answer = ask(command, argument, *more)
    assert code == 2
    assert what in told(answer)


@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_an_emptied_ledger(config: Path, tmp_path: Path, ask: Ask, ending: str) -> None:
    assert ask("run", config, "--workers", "1")[0] == 0
    files = sorted((tmp_path / "out" / "_splits").rglob(f"*.{ending}"))
    assert files
    for file in files:
        file.write_bytes(b"")
    again = ("run", config, "--workers", "1", "--set", "seed=18")
    code, answer = ask("run", config) if ending == "json" else ask(*again)
    assert code == 4
    assert "damaged" in told(answer)
    assert "copy" in told(answer)


@pytest.mark.parametrize("metadata", [b"{", b"\xff", b"[" * 100_000, b"null", b'{"info": {"features": [1]}}'])
def test_damaged_metadata_of_a_platform(metadata: bytes, tmp_path: Path, ask: Ask) -> None:
    columns = {"id": [str(n) for n in range(8)], "text": [workdata.sentence(n) for n in range(8)]}
    table = pa.table(columns).replace_schema_metadata({b"huggingface": metadata})
    pq.write_table(table, tmp_path / "in.parquet")
    path = tmp_path / "c.yaml"
    path.write_text(config_text(describe_data(str(tmp_path / "in.parquet")), "c.yaml"))
    assert ask("run", path, "--workers", "1", "--set", f"output.path={tmp_path / 'out'}")[0] == 0
