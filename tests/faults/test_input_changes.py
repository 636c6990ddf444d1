"""The input changes or goes while a run reads it: a clear error, nothing is committed, nothing of it is adopted."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import workdata
from conftest import SECONDS, Trouble, receipts, run, slow_field, text_rows

ROWS = text_rows(60, 1000)


def _parquet(home: Path, first: int) -> dict[str, Any]:
    workdata.write_parquet(home / "in" / "a.parquet", _rows(first))
    return {"input": {"path": str(home / "in"), "id": "id", "label": "label"}, "fields": slow_field()}


def _csv(home: Path, first: int) -> dict[str, Any]:
    workdata.write_csv(home / "in" / "a.csv", _rows(first))
    return {"input": {"path": str(home / "in"), "id": "id", "label": "label"}, "fields": slow_field()}


def _folder(home: Path, first: int) -> dict[str, Any]:
    for row in _rows(first):
        path = home / "in" / row["label"] / f"{row['id']}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(row["text"])
    return {"input": {"path": str(home / "in")}, "fields": slow_field()}


def _uris(home: Path, first: int) -> dict[str, Any]:
    for row in _rows(first):
        path = home / "in" / "texts" / f"{row['id']}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(row["text"])
    if not (home / "in" / "a.jsonl").exists():
        workdata.write_jsonl(home / "in" / "a.jsonl", [{**r, "text": f"texts/{r['id']}.txt"} for r in ROWS])
    where = {"path": str(home / "in" / "a.jsonl"), "id": "id", "label": "label"}
    return {"input": where, "fields": slow_field(uri=True)}


def _rows(first: int) -> list[dict[str, Any]]:
    """Other texts of the same length for another `first`."""
    return [{**r, "text": workdata.noise(first + n, 1000)} for n, r in enumerate(ROWS)]


KINDS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "parquet": _parquet, "csv": _csv, "folder": _folder, "uris": _uris,
}  # fmt: skip


def _texts(home: Path) -> list[Path]:
    found = sorted(p for p in (home / "in").rglob("*") if p.is_file())
    return [p for p in found if p.suffix == ".txt"] or found


def _remove(kind: str, home: Path) -> None:
    for path in _texts(home):
        path.unlink()


def _truncate(kind: str, home: Path) -> None:
    for path in _texts(home):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _replace(kind: str, home: Path) -> None:
    KINDS[kind](home, 1000)


CHANGES: dict[str, Callable[[str, Path], None]] = {"removed": _remove, "truncated": _truncate, "replaced": _replace}
COMMON = [("parquet", "replaced"), ("folder", "removed"), ("uris", "replaced")]
CASES = [
    pytest.param(kind, change, marks=() if (kind, change) in COMMON else pytest.mark.slow)
    for kind in KINDS
    for change in CHANGES
]


@pytest.mark.parametrize(("kind", "change"), CASES)
def test_in_the_middle_of_a_run(
    kind: str, change: str, trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SECONDS
    tree = KINDS[kind](tmp_path, 0)
    config = trouble.config(tmp_path, ROWS, **tree, limits={"failed": 1}, split={"test": 0.2})
    shutil.copytree(tmp_path / "in", tmp_path / "kept")
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(run(config)))
    capsys.readouterr()
    thread.start()
    workdata.until(lambda: receipts(tmp_path / "out") >= 3)
    CHANGES[change](kind, tmp_path)
    thread.join(60)
    assert codes == [4]
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert "the input changed during the run" in message
    assert any(name in message for name in ("a.parquet", "a.csv", "a.jsonl", ".txt")), message
    assert not list((tmp_path / "out").rglob("manifest.json"))
    assert workdata.leftovers(tmp_path / "out") == []
    shutil.rmtree(tmp_path / "in")
    shutil.copytree(tmp_path / "kept", tmp_path / "in")  # with the modification times that it had
    assert run(config) == 0
    (version,) = workdata.versions(tmp_path / "out")
    found = workdata.samples(version, ("text",))
    originals = {s[1][0] for i, s in found.items() if i.endswith("/0")}
    assert originals == {r["text"] for r in ROWS}
    assert workdata.dropped(version) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_run_takes_the_input_as_it_is_then(kind: str, trouble: Trouble, tmp_path: Path) -> None:
    tree = KINDS[kind](tmp_path, 0)
    config = trouble.config(tmp_path, ROWS, **tree, split={}, copies=0)
    assert run(config) == 0
    before = workdata.version_folder(tmp_path / "out")
    _replace(kind, tmp_path)
    assert run(config) == 0
    now = workdata.version_folder(tmp_path / "out")
    assert now != before
    assert {s[1][0] for s in workdata.samples(now, ("text",)).values()} == {r["text"] for r in _rows(1000)}
