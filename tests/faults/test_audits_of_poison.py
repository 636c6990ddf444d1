"""An audit, `init` and `check` end and tell what they did not read, whatever payloads do to their decoder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import workdata

PATCH = """
import os, signal

try:
    import pipeline.driver.audit
    import pipeline.driver.inspection
    from pipeline.modalities.codecs.image.codec import ImageCodec
except ImportError:
    pass
else:
    pipeline.driver.audit.RECORD_SECONDS = 1.5
    pipeline.driver.inspection._SECONDS = 4.0
    decode = ImageCodec.decode

    def poisoned(self, payload):
        if payload.endswith(b"DIES"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if payload.endswith(b"KILLED"):
            os.kill(os.getpid(), signal.SIGKILL)
        while payload.endswith(b"HANGS"):
            pass
        return decode(self, payload)

    ImageCodec.decode = poisoned
"""
"""What a decoder with a fault would do, in every process: of pictures, bytes behind their end are ignored."""
POISON = (b"DIES", b"KILLED", b"HANGS")


def fanbeam(home: Path, *arguments: object) -> tuple[int, dict[str, Any], str]:
    """A command in a process of its own, with the fault in it and in all that it starts."""
    (home / "faulty").mkdir(exist_ok=True)
    (home / "faulty" / "sitecustomize.py").write_text(PATCH)
    paths = os.pathsep.join([str(home / "faulty"), str(workdata.ROOT)])
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from pipeline.cli.program import main; sys.exit(main())",
            *map(str, arguments),
        ],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    answer: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
    return done.returncode, answer, done.stderr


@pytest.mark.parametrize("side", ["train", "validation"])
def test_any_two_sets(side: str, tmp_path: Path) -> None:
    rows = {"train": workdata.image_rows(12), "validation": workdata.image_rows(24)[12:]}
    again = rows["train"][8]["image"]
    rows["validation"][5]["image"] = again
    for row, poison in zip(rows[side], POISON, strict=False):
        row["image"] += poison
    files = {name: workdata.write_parquet(tmp_path / f"{name}.parquet", found) for name, found in rows.items()}
    code, answer, errors = fanbeam(tmp_path, "audit", files["train"], files["validation"], "--json")
    assert (code, answer.get("unreadable")) == (1, 3), errors
    assert answer["unread"] == [f"{side}.parquet#{n}" for n in range(3)]
    assert "3 payloads could not be read" in answer["unchecked"][0]
    assert f"'{side}.parquet#0'" in answer["unchecked"][0]
    assert answer["leaking"]["exact"] == 1


def test_a_dataset(tmp_path: Path) -> None:
    rows = workdata.image_rows(24)
    for row, poison in zip(rows, (b"DIES", b"HANGS"), strict=False):
        row["image"] += poison
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    tree = workdata.image_config(data, tmp_path / "out", copies=1, record_timeout=2, split={"validation": 0.4})
    config = workdata.write_config(tmp_path / "c.yaml", tree)
    code = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from pipeline.cli.program import main; sys.exit(main())",
            "run",
            str(config),
        ],
        env={**os.environ, "PYTHONPATH": str(workdata.ROOT)},
        capture_output=True,
        timeout=300,
        check=False,
    ).returncode
    assert code == 0
    version = workdata.version_folder(tmp_path / "out")
    originals = {sample for sample in workdata.samples(version) if sample.startswith(("r000/0", "r001/0"))}
    code, answer, errors = fanbeam(tmp_path, "audit", version, "--json")
    assert (code, answer.get("unread")) == (1, sorted(originals)), errors


def test_the_audit_inside_a_run(tmp_path: Path) -> None:
    """Originals come as they are; what decoding them does is found when they are rendered, and again by the audit."""
    rows = [{**row, "part": "validation" if n % 3 == 0 else "train"} for n, row in enumerate(workdata.image_rows(18))]
    rows[3]["image"] += b"DIES"
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    tree = workdata.image_config(data, tmp_path / "out", copies=1, split={"column": "part"}, limits={"failed": 1})
    code, answer, errors = fanbeam(
        tmp_path, "run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1", "--json"
    )
    assert (code, answer["dropped"]["failed"], answer["leaks"]["unchecked"]) == (0, {"worker_crashed": 1}, []), errors


@pytest.mark.parametrize("poison", [b"DIES", b"HANGS"])
def test_a_config_for_data_with_a_payload_that_ends_its_decoder(poison: bytes, tmp_path: Path) -> None:
    rows = workdata.image_rows(12)
    rows[4]["image"] += poison
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    code, answer, errors = fanbeam(tmp_path, "init", data, "-o", tmp_path / "c.yaml", "--json")
    assert (code, answer) == (0, {"config": str(tmp_path / "c.yaml")}), errors
    written = (tmp_path / "c.yaml").read_text()
    assert "ATTENTION: a payload among those looked at ended or hung the process" in written
    assert fanbeam(tmp_path, "check", tmp_path / "c.yaml", "--json")[0] == 0
