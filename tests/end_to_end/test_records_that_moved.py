"""Records are found by their ids, wherever in the input they are now: sources, donors and references alike."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.dataset as pads
import pytest
import workdata

Answer = tuple[int, dict[str, Any]]
Ask = Callable[..., Answer]
STEPS: dict[str, list[Any]] = {
    "plain": ["albumentations.HorizontalFlip"],
    "donors": ["fanbeam.MixUp"],
    "references": [{"albumentations.HistogramMatching": {"reference": {"records": "any", "count": 4}, "p": 1}}],
}


def made(home: Path, steps: list[Any], ask: Ask) -> tuple[Path, list[dict[str, Any]]]:
    """A version of two files of twelve rows each; the rows."""
    rows = workdata.image_rows(24)
    for name, some in (("a", rows[:12]), ("b", rows[12:])):
        workdata.write_parquet(home / "in" / f"{name}.parquet", some, 5)
    fields = {"image": {"type": "image", "augment": steps}}
    blends = {"blends": {"shelf": 8}} if steps == STEPS["donors"] else {}
    tree = workdata.image_config(
        home / "in", home / "out", fields=fields, split={"validation": 0.2}, copies=1, **blends
    )
    code, _ = ask("run", workdata.write_config(home / "c.yaml", tree), "--workers", "1")
    assert code == 0
    return workdata.version_folder(home / "out"), rows


def others_of(version: Path) -> dict[str, list[str]]:
    """Sample id -> the other records that went into it."""
    table = pads.dataset(sorted(map(str, (version / "train").glob("*.parquet")))).to_table(["sample_id", "lineage"])
    found = {}
    for row in table.to_pylist():
        own = row["lineage"]["source_id"]
        params = [json.loads(step["params"]) for step in row["lineage"]["transforms"]]
        named = [
            key for one in params for key in ([one["reference"]] if "reference" in one else one.get("parents", []))
        ]
        if others := [key for key in named if key != own]:
            found[row["sample_id"]] = others
    return found


@pytest.mark.parametrize("kind", STEPS)
def test_in_another_row_or_file(kind: str, tmp_path: Path, ask: Ask) -> None:
    version, rows = made(tmp_path, STEPS[kind], ask)
    workdata.write_parquet(tmp_path / "in" / "a.parquet", rows[::-1][:7], 3)
    workdata.write_parquet(tmp_path / "in" / "b.parquet", rows[4:17], 4)
    workdata.write_parquet(tmp_path / "in" / "c.parquet", rows[:4], 4)
    code, answer = ask("verify", version, "--samples", 50)
    assert (code, answer["differences"]) == (0, [])
    assert answer["rendered"] > 20
    (tmp_path / "in" / "a.parquet").rename(tmp_path / "in" / "z.parquet")
    assert ask("verify", version, "--samples", 50)[0] == 0
    assert ask("replay", version, "r023/1" if kind == "plain" else next(iter(others_of(version))))[0] == 0


@pytest.mark.parametrize("kind", ["donors", "references"])
def test_one_that_is_gone_is_named(kind: str, tmp_path: Path, ask: Ask) -> None:
    version, rows = made(tmp_path, STEPS[kind], ask)
    sample, (gone, *_) = next((i, found) for i, found in others_of(version).items())
    kept = [row for row in rows if row["id"] != gone]
    workdata.write_parquet(tmp_path / "in" / "a.parquet", kept[:11], 5)
    workdata.write_parquet(tmp_path / "in" / "b.parquet", kept[11:], 5)
    code, answer = ask("replay", version, sample)
    assert code == 1
    assert answer["difference"].startswith(f"another record that went into it, {gone!r}, is not in the input any more")
    code, answer = ask("verify", version, "--samples", 50)
    told = [d for d in answer["differences"] if d.startswith("sample ")]
    assert (code, any(repr(gone) in d and "went into it" in d for d in told)) == (1, True)
    assert not [d for d in told if "dropped" in d or "made with other versions" in d]


def test_a_source_that_is_nowhere_is_named(tmp_path: Path, ask: Ask) -> None:
    version, rows = made(tmp_path, STEPS["plain"], ask)
    workdata.write_parquet(tmp_path / "in" / "a.parquet", rows[1:12], 5)
    code, answer = ask("verify", version, "--samples", 50)
    told = [d for d in answer["differences"] if d.startswith("sample ")]
    assert (code, len(told)) == (1, 1)
    assert "a.parquet has no record 'r000' any more" in told[0]


def linked(home: Path) -> tuple[Path, Path]:
    """A folder of tables, one of which is a link to another folder, and that one."""
    rows = workdata.image_rows(16)
    workdata.write_parquet(home / "in" / "a.parquet", rows[:8], 5)
    outside = home / "outside"
    workdata.write_parquet(outside / "b.parquet", rows[8:12], 5)
    workdata.write_parquet(outside / "more" / "c.parquet", rows[12:], 5)
    (home / "in" / "b.parquet").symlink_to(outside / "b.parquet")
    (home / "in" / "more").symlink_to(outside / "more")
    return home / "in", outside


def test_tables_that_allowed_links_lead_to(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    data, outside = linked(tmp_path)
    monkeypatch.chdir(tmp_path)
    given = {"path": str(data), "id": "id", "label": "label", "allow": ["outside"]}
    config = workdata.write_config(tmp_path / "c.yaml", workdata.image_config(data, tmp_path / "out", input=given))
    assert ask("run", config, "--workers", "1")[0] == 0
    version = workdata.version_folder(tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    code, answer = ask("verify", version, "--samples", 50)
    assert (code, answer["differences"]) == (0, [])
    train = [row["sample_id"] for row in rows_in(version) if row["lineage"]["source_file"] != "a.parquet"]
    assert {row["lineage"]["source_file"] for row in rows_in(version)} == {"a.parquet", "b.parquet", "more/c.parquet"}
    for sample in (train[0], train[-1]):
        assert ask("replay", version, sample)[0] == 0
    outside.rename(tmp_path / "moved")
    for name in ("b.parquet", "more"):
        (data / name).unlink()
        (data / name).symlink_to(tmp_path / "moved" / name)
    code, answer = ask("verify", version, "--samples", 50)
    assert code == 1
    assert any("link that leads out" in difference for difference in answer["differences"])
    monkeypatch.chdir(tmp_path)
    code, answer = ask("run", config, "--set", "input.allow=moved")
    assert (code, answer.get("already_there")) == (0, True), answer
    assert ask("verify", version, "--samples", 50)[0] == 0


def rows_in(version: Path) -> list[dict[str, Any]]:
    files = sorted(str(path) for split in ("train", "validation") for path in (version / split).glob("*.parquet"))
    found: list[dict[str, Any]] = pads.dataset(files).to_table(["sample_id", "lineage"]).to_pylist()
    return found


def test_files_that_a_table_was_allowed_to_name(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = workdata.write_folder(tmp_path / "pictures", 9)
    names = [str(path) for path in sorted(pictures.rglob("*.jpg"))]
    rows = [{"id": str(n), "label": "x", "image": name} for n, name in enumerate(names)]
    data = workdata.write_csv(tmp_path / "in" / "t.csv", rows)
    tree = workdata.image_config(data, tmp_path / "out", split={}, copies=1)
    tree["fields"]["image"]["uri"] = {"allow": "pictures"}
    monkeypatch.chdir(tmp_path)
    assert ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")[0] == 0
    monkeypatch.chdir(tmp_path / "in")
    code, answer = ask("verify", tmp_path / "out", "--samples", 20)
    assert (code, answer["differences"], answer["rendered"]) == (0, [], 18)
    assert ask("replay", tmp_path / "out", "4/1")[0] == 0


@pytest.mark.parametrize("paths", [["in/link.parquet"], ["in/a.parquet", "in/linked"], ["in/*.parquet", "in/linked/*"]])
def test_paths_that_are_links_themselves(paths: list[str], tmp_path: Path, ask: Ask) -> None:
    rows = workdata.image_rows(16)
    workdata.write_parquet(tmp_path / "in" / "a.parquet", rows[:8], 5)
    workdata.write_parquet(tmp_path / "outside" / "b.parquet", rows[8:], 5)
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "outside")
    if paths == ["in/link.parquet"]:
        (tmp_path / "in" / "link.parquet").symlink_to(tmp_path / "outside" / "b.parquet")
    given = {"path": [str(tmp_path / path) for path in paths], "id": "id", "label": "label"}
    tree = workdata.image_config("", tmp_path / "out", input=given, split={}, copies=1)
    assert ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")[0] == 0
    code, answer = ask("verify", tmp_path / "out", "--samples", 50)
    assert (code, answer["differences"], answer["rendered"]) == (0, [], 16 * len(paths))
    assert ask("replay", tmp_path / "out", "r012/1")[0] == 0
