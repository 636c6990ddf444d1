"""Too much was dropped: everything is kept, nothing is committed; raising the limit commits without rendering again."""

import json
import time
from pathlib import Path

import pytest
import workdata
from conftest import Trouble, run, text_rows


def test_raising_the_limit_commits_what_is_there(
    trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{**r, "text": f"{r['text']} RAISE"} if n in (3, 30) else r for n, r in enumerate(text_rows(40))]
    config = trouble.config(tmp_path, rows, split={})
    assert run(config, "--set", "limits.failed=0.04") == 3
    whole = json.loads(capsys.readouterr().out)
    assert (whole["exit_code"], whole["attempts"], whole["resumed_shards"]) == (3, 1, 0)
    assert Path(whole["path"]).name == whole["version"]
    answer = whole["error"]
    assert "raise limits." in answer["hint"]
    assert "2 of 40 records failed" in answer["problems"][0]["message"]
    assert "augment_error 4" in answer["problems"][0]["message"]
    (version,) = workdata.versions(tmp_path / "out")
    assert not (version / "manifest.json").exists()
    assert len(workdata.dropped(version)) == 4
    written = {p: p.stat().st_mtime_ns for p in version.rglob("*.parquet")}
    assert run(config, "--set", "limits.failed=0.04") == 3
    capsys.readouterr()
    started = time.monotonic()
    assert run(config, "--set", "limits.failed=0.05") == 0
    assert time.monotonic() - started < 20
    answer = json.loads(capsys.readouterr().out)
    assert answer["version"] == version.name
    assert answer["resumed_shards"] == len(list((version / "_receipts").iterdir()))
    assert {p: p.stat().st_mtime_ns for p in version.rglob("*.parquet")} == written
    assert json.loads((version / "manifest.json").read_text())["dropped"]["failed"] == {"augment_error": 4}


def test_too_many_rejected_copies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = workdata.write_parquet(tmp_path / "in.parquet", workdata.image_rows(12))
    field = {
        "type": "image", "augment": [{"albumentations.HorizontalFlip": {"p": 0.5}}],
        "quality": {"reject_identical": True, "retries": 0},
    }  # fmt: skip
    tree = workdata.image_config(data, tmp_path / "out", fields={"image": field}, split={}, limits={"rejected": 0.1})
    config = workdata.write_config(tmp_path / "c.yaml", tree)
    assert run(config) == 3
    problem = json.loads(capsys.readouterr().out)["error"]["problems"][0]
    assert (problem["where"], "identical" in problem["message"]) == ("limits.rejected", True)
    assert run(config, "--set", "limits.rejected=1") == 0
    version = workdata.version_folder(tmp_path / "out")
    rejected = workdata.dropped(version, "rejected")
    assert rejected
    assert {(r["stage"], r["reason"]) for r in rejected} == {("gate", "identical")}
    ids = {f"{r['source_id']}/{r['copy']}" for r in rejected}
    assert not ids & workdata.samples(version).keys()
    assert len(workdata.samples(version)) + len(ids) == 36
