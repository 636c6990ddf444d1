"""Records that cannot be processed: exactly those are in `_failed`, all others come out as if they were alone."""

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import workdata
from conftest import Trouble, run, text_rows
from PIL import Image

ALL = {"failed": 1}


def bomb() -> bytes:
    """A PNG of 60000 x 60000 pixels in a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def broken_png() -> bytes:
    sink = io.BytesIO()
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(sink, "PNG")
    raw = bytearray(sink.getvalue())
    raw[50:70] = b"\xff" * 20
    return bytes(raw)


POISON: dict[str, tuple[str, Any, str, str]] = {
    "truncated": ("image", workdata.picture(1)[:-200], "decode", "image"),
    "zero bytes": ("image", b"", "decode", "image"),
    "text": ("image", b"this is no picture", "decode", "image"),
    "a sound": ("image", workdata.sound(1), "decode", "image"),
    "a bomb": ("image", bomb(), "decode", "image"),
    "a broken png": ("image", broken_png(), "decode", "image"),
    "null payload": ("image", None, "read", "image"),
    "null label": ("label", None, "read", "label"),
    "null id": ("id", None, "read", "id"),
}


def test_poisoned_pictures(tmp_path: Path) -> None:
    places = dict(zip(POISON, range(2, 40, 4), strict=False))
    rows = workdata.image_rows(44)
    clean = [r for n, r in enumerate(rows) if n not in places.values()]
    for kind, number in places.items():
        column, value, _, _ = POISON[kind]
        rows[number] = {**rows[number], column: value}
    made = {}
    for name, part in (("poisoned", rows), ("clean", clean)):
        data = workdata.write_parquet(tmp_path / name / "in.parquet", part)
        tree = workdata.image_config(data, tmp_path / name / "out", limits=ALL)
        assert run(workdata.write_config(tmp_path / name / "c.yaml", tree)) == 0
        made[name] = workdata.version_folder(tmp_path / name / "out")
    assert workdata.samples(made["poisoned"]) == workdata.samples(made["clean"])
    failed = {row["source_row"]: row for row in workdata.dropped(made["poisoned"])}
    assert set(failed) == set(places.values())
    assert workdata.dropped(made["clean"]) == []
    for kind, number in places.items():
        row, (_, _, stage, field) = failed[number], POISON[kind]
        assert (row["copy"], row["stage"], row["field"]) == (None, stage, field), kind
        assert row["source_id"] == ("in.parquet#26" if kind == "null id" else rows[number]["id"]) or kind == "null id"
        assert row["message"], kind
        assert row["reason"].replace("_", "").isalnum(), kind
        assert row["source_file"] == "in.parquet"
    manifest = workdata.manifest_of(made["poisoned"].parent)
    assert sum(manifest["dropped"]["failed"].values()) == len(places)
    assert manifest["input"]["records"] == 44


def marked(count: int, marks: dict[int, str]) -> list[dict[str, Any]]:
    return [{**r, "text": f"{r['text']} {marks.get(n, '')}".strip()} for n, r in enumerate(text_rows(count))]


def outcome(trouble: Trouble, home: Path, marks: dict[int, str], count: int = 48) -> tuple[Path, list[dict[str, Any]]]:
    """The version made of marked texts, after a check that all others are as without them."""
    assert run(trouble.config(home / "marked", marked(count, marks), split={}, limits=ALL)) == 0
    version = workdata.version_folder(home / "marked" / "out")
    rows = [r for n, r in enumerate(text_rows(count)) if n not in marks]
    assert run(trouble.config(home / "clean", rows, split={})) == 0
    clean = workdata.samples(workdata.version_folder(home / "clean" / "out"), ("text",))
    found = workdata.samples(version, ("text",))
    assert {i: s for i, s in found.items() if i in clean} == clean
    others = {i for i in found if i not in clean}
    failed = workdata.dropped(version)
    assert others == {f"t{n:03d}/0" for n in marks if any(r["copy"] for r in failed if r["source_row"] == n)}
    return version, failed


def test_a_step_that_raises(trouble: Trouble, tmp_path: Path) -> None:
    version, failed = outcome(trouble, tmp_path, {5: "RAISE", 30: "RAISE"})
    assert [(r["source_id"], r["copy"]) for r in failed] == [("t005", 1), ("t005", 2), ("t030", 1), ("t030", 2)]
    for row in failed:
        assert (row["stage"], row["field"], row["error"]) == ("augment", "text", "ValueError")
        assert "cannot bear it" in row["message"]
        assert "0x" not in row["message"]
    manifest = workdata.manifest_of(version.parent)
    assert manifest["dropped"]["failed"] == {"augment_error": 4}


@pytest.mark.parametrize(("mark", "word"), [("EXIT", "exit code 7"), ("SEGV", "SIGSEGV")])
def test_a_step_that_kills_its_process(trouble: Trouble, tmp_path: Path, mark: str, word: str) -> None:
    _, failed = outcome(trouble, tmp_path, {4: mark, 5: mark, 40: mark})
    assert [(r["source_id"], r["copy"]) for r in failed] == [("t004", None), ("t005", None), ("t040", None)]
    for row in failed:
        assert (row["reason"], row["error"]) == ("worker_crashed", "WorkerCrashed")
        assert word in row["message"]
        assert row["stage"] == "render"


@pytest.mark.parametrize(("mark", "reason"), [("KILL", "worker_killed"), ("MEMORY", "out_of_memory")])
def test_what_a_machine_without_memory_drops_is_said_to_be_not_reproducible(
    trouble: Trouble, tmp_path: Path, mark: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    version, failed = outcome(trouble, tmp_path, {4: mark})
    assert {row["reason"] for row in failed} == {reason}
    manifest = workdata.manifest_of(version.parent)
    assert manifest["not_reproducible"] == {reason: len(failed)}
    assert "not reproducible" in (version / "README.md").read_text()
    assert "this version is not reproducible" in capsys.readouterr().out
    assert "not_reproducible" not in workdata.manifest_of(tmp_path / "clean" / "out")


def test_a_step_that_is_busy_for_ever(trouble: Trouble, tmp_path: Path) -> None:
    _, failed = outcome(trouble, tmp_path, {13: "BUSY"})
    assert [(row["source_id"], row["reason"]) for row in failed] == [("t013", "timed_out")]


@pytest.mark.slow
def test_a_step_that_hangs(trouble: Trouble, tmp_path: Path) -> None:
    _, failed = outcome(trouble, tmp_path, {13: "HANG"})
    (row,) = failed
    assert (row["source_id"], row["copy"], row["reason"]) == ("t013", None, "timed_out")
    assert "record_timeout" in row["message"]


@pytest.mark.slow
def test_the_first_records_are_poison(trouble: Trouble, tmp_path: Path) -> None:
    """Those that the probe looks at: the plan must come out, and the same one again."""
    marks = {0: "EXIT", 1: "HANG", 2: "SEGV", 3: "RAISE"}
    version, failed = outcome(trouble, tmp_path, marks)
    assert {r["source_row"] for r in failed} == set(marks)
    again = trouble.config(tmp_path / "again", marked(48, marks), split={}, limits=ALL)
    (tmp_path / "again" / "in.parquet").write_bytes((tmp_path / "marked" / "in.parquet").read_bytes())
    assert run(again) == 0
    assert workdata.contents(workdata.version_folder(tmp_path / "again" / "out")) == workdata.contents(version)


def test_every_record_is_poison(trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = trouble.config(tmp_path, marked(6, dict.fromkeys(range(6), "EXIT")), split={}, limits=ALL)
    assert run(config) == 3  # nothing empty is committed
    (version,) = workdata.versions(tmp_path / "out")
    assert len(workdata.dropped(version)) == 6
    assert "the dataset would be empty" in capsys.readouterr().out
    assert not (version / "manifest.json").exists()


@pytest.mark.parametrize("deaths", [1, 3])
def test_a_death_with_another_cause_quarantines_nobody(trouble: Trouble, tmp_path: Path, deaths: int) -> None:
    """The worker dies at a record, and perhaps twice more when the record is tried alone; then all is well."""
    tally = tmp_path / "tally"
    tally.write_bytes(b"")
    fields = {"text": {"type": "text", "augment": [{"trouble.DieOnce": {"value": str(tally)}}]}}
    found = []
    for name, left in (("calm", 0), ("deadly", deaths)):
        # The probe must survive, so the marked record is not the first of its block.
        config = trouble.config(tmp_path / name, marked(40, {17: "DIE"}), fields=fields, split={})
        tally.write_bytes(b"x" * left)
        assert run(config) == 0
        assert tally.read_bytes() == b""
        version = workdata.version_folder(tmp_path / name / "out")
        assert workdata.dropped(version) == []
        found.append(workdata.samples(version, ("text",)))
    assert found[0] == found[1]


@pytest.mark.parametrize("flags", [(), pytest.param(("--debug",), marks=pytest.mark.slow)])
def test_a_library_that_prints_leaves_json_clean(flags: tuple[str, ...], trouble: Trouble, tmp_path: Path) -> None:
    config = trouble.config(tmp_path, text_rows(12))
    done = workdata.run("run", config, "--json", *flags, PYTHONPATH=trouble.path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["records"] == 12
