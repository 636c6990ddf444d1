"""What leaks into train stops the commit; a raised limit commits without rendering or auditing again."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import workdata
from conftest import run
from PIL import Image
from workdata import image_rows

from pipeline.audit.leaks import CERTAIN, KINDS
from pipeline.cli.demo import photo_crops
from pipeline.cli.program import main


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """A config; the pictures of the training rows r000 and r004 are in validation as well, and the group of r001."""
    rows: list[dict[str, Any]] = [
        {**row, "group": f"g{n}", "part": "validation" if n % 4 == 3 else "train"}
        for n, row in enumerate(image_rows(40))
    ]
    rows[3]["image"], rows[7]["image"], rows[7]["group"] = rows[0]["image"], rows[4]["image"], rows[1]["group"]
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    tree = workdata.image_config(data, tmp_path / "out", split={"column": "part"})
    tree["input"]["group"] = "group"
    return workdata.write_config(tmp_path / "c.yaml", tree)


def test_nothing_is_committed_and_everything_is_kept(leaky: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = leaky.parent
    assert run(leaky) == 3
    answer = json.loads(capsys.readouterr().out)
    (problem,) = answer["error"]["problems"]
    assert problem["where"] == "limits.leaks"
    assert "2 of 10 validation and test records leak into train (group 1, exact 2)" in problem["message"]
    assert "'r000/0' (train), 'r003/0'" in problem["message"]
    assert "raise limits.leaks" in problem["suggestion"]
    (version,) = workdata.versions(home / "out")
    assert not (version / "manifest.json").exists()
    written = {p: p.stat().st_mtime_ns for p in version.rglob("*") if p.suffix == ".parquet" or p.name == "leaks.json"}
    assert version / "leaks.json" in written
    assert run(leaky, "--set", "limits.leaks=0.1") == 3
    capsys.readouterr()
    assert run(leaky, "--set", "limits.leaks=0.2") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["version"] == version.name
    assert answer["leaks"]["leaking"] == {**dict.fromkeys(KINDS, 0), "exact": 2, "group": 1}
    assert {p: p.stat().st_mtime_ns for p in written} == written


@pytest.mark.parametrize("workers", [1, 3])
def test_the_certificate_is_part_of_the_same_bytes(leaky: Path, workers: int, tmp_path: Path) -> None:
    contents = []
    for name, count in (("one", 2), ("two", workers)):
        out = tmp_path / name
        sets = ("limits.leaks=1", f"output.path={out}", "output.shard_size=20KiB")
        flags = [flag for text in sets for flag in ("--set", text)]
        assert run(leaky, "--workers", count, *flags) == 0
        contents.append(workdata.contents(workdata.version_folder(out)))
    assert contents[0] == contents[1]
    assert len([name for name in contents[0] if name.endswith(".parquet")]) > 3
    version = workdata.version_folder(tmp_path / "one")
    found = json.loads((version / "leaks.json").read_bytes())
    assert (found["stopping"], len(found["pairs"])) == (2, 3)
    assert {pair["kind"] for pair in found["pairs"]} <= CERTAIN
    assert "| exact | 2 |" in (version / "README.md").read_text()


def test_a_changed_certificate_is_found(leaky: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(leaky, "--set", "limits.leaks=1") == 0
    version = workdata.version_folder(leaky.parent / "out")
    assert main(["verify", str(version), "--json"]) == 0
    (version / "leaks.json").write_bytes((version / "leaks.json").read_bytes().replace(b'"exact": 2', b'"exact": 0'))
    capsys.readouterr()
    assert main(["verify", str(version), "--json"]) == 1
    assert "leaks.json" in capsys.readouterr().out


def test_near_duplicates_are_a_warning_with_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crops = [row["image"] for row in photo_crops()][:24]
    rows = [{"id": f"r{n:03d}", "image": c, "part": "test" if n % 4 == 3 else "train"} for n, c in enumerate(crops)]
    sink = io.BytesIO()
    Image.open(io.BytesIO(crops[0])).resize((90, 90)).save(sink, "JPEG", quality=60)
    rows[3]["image"] = sink.getvalue()
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    tree = workdata.image_config(data, tmp_path / "out", split={"column": "part"})
    del tree["input"]["label"]
    config = workdata.write_config(tmp_path / "c.yaml", tree)
    assert run(config) == 0
    answer = json.loads(capsys.readouterr().out)
    (warning,) = answer["warnings"]
    assert "1 validation and test records have a near duplicate in train" in warning
    assert (answer["leaks"]["leaking"]["near"], answer["leaks"]["stopping"]) == (1, 0)
    version = workdata.version_folder(tmp_path / "out")
    assert Image.open(io.BytesIO((version / "leaks.png").read_bytes())).width > 400
    assert main(["audit", str(version), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(p["train"], p["validation"]) for p in found["pairs"]] == [("r000/0", "r003/0")]
    assert {**found, "pictures": []} == {**json.loads((version / "leaks.json").read_bytes()), "pictures": []}
