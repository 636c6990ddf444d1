"""`verify` finds every planted damage and reports all of it; `replay` says which source is missing or has changed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import workdata

Ask = Callable[..., tuple[int, dict[str, Any]]]
Birds = tuple[Path, Path]


@pytest.fixture
def copy(birds: Birds, tmp_path: Path) -> Path:
    """A copy of the version's folder that a test may damage."""
    return shutil.copytree(workdata.version_folder(birds[1]), tmp_path / "copy")


def found(ask: Ask, version: Path, samples: int = 0) -> str:
    """The differences, after a check that there are some."""
    code, answer = ask("verify", version, "--samples", samples)
    assert (code, answer["ok"]) == (1, False)
    return "\n".join(answer["differences"])


def files(version: Path, split: str = "train") -> list[Path]:
    return sorted((version / split).glob("*.parquet"))


def test_a_copy_is_sound(copy: Path, ask: Ask) -> None:
    assert ask("verify", copy, "--samples", "0")[0] == 0


@pytest.mark.parametrize("place", [0.01, 0.5, 0.99])
def test_a_flipped_bit(copy: Path, ask: Ask, place: float) -> None:
    victim = files(copy)[1]
    raw = bytearray(victim.read_bytes())
    raw[int(len(raw) * place)] ^= 1
    victim.write_bytes(raw)
    assert f"train/{victim.name}" in found(ask, copy)


def test_truncated_missing_empty_and_added_files_all_at_once(copy: Path, ask: Ask) -> None:
    train = files(copy)
    train[0].write_bytes(train[0].read_bytes()[:-100])
    train[1].unlink()
    train[2].write_bytes(b"")
    shutil.copy(train[3], train[3].with_name("part-99999.parquet"))
    (copy / "test").joinpath("deeper").mkdir()
    shutil.copy(train[3], copy / "test" / "deeper" / "more.parquet")
    shutil.copy(train[3], copy / "stray.parquet")
    shown = found(ask, copy)
    for name in (*(f"train/{p.name}" for p in train[:3]), "train/part-99999.parquet", "more.parquet", "stray.parquet"):
        assert name in shown
    assert f"train/{train[4].name}" not in shown


def test_what_does_not_belong_is_named(copy: Path, ask: Ask) -> None:
    """Files that a reader would take for data are differences, all others notes."""
    for name in ("_runs/work/fanbeam-x-00000.json", ".fanbeam-1-2-3.tmp", "train/.fanbeam-1-2-part", "notes/mine.txt"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(b"{}")
    code, answer = ask("verify", copy, "--samples", "0")
    notes = "\n".join(answer["notes"])
    assert code == 0
    for name in ("_runs/work/fanbeam-x-00000.json", ".fanbeam-1-2-3.tmp", "train/.fanbeam-1-2-part", "notes/mine.txt"):
        assert name in notes
    (copy / "test" / "notes.txt").write_bytes(b"")
    assert "test/notes.txt: is not in the manifest" in found(ask, copy)


@pytest.mark.parametrize("other", ["train", "test"])
def test_swapped_files(copy: Path, ask: Ask, other: str) -> None:
    one, two = files(copy)[0], files(copy, other)[-1]
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    shown = found(ask, copy)
    assert f"train/{one.name}" in shown
    assert f"{other}/{two.name}" in shown


def _set(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def edit(manifest: dict[str, Any]) -> None:
        node: Any = manifest
        for key in path[:-1]:
            node = node[key]
        assert node[path[-1]] != to
        node[path[-1]] = to

    return edit


EDITS: dict[str, Callable[[dict[str, Any]], None]] = {
    "seed": _set("config", "seed", to=18),
    "recipe": _set("config", "fields", "image", "augment", to=[]),
    "input file": _set("input", "files", 0, "size", to=5),
    "input records": _set("input", "records", to=49),
    "library": _set("libraries", "numpy", to="1.0"),
    "cpu": _set("cpu", "machine", to="z80"),
    "version": _set("version", to="0123456789abcdef"),
    "samples": _set("splits", "train", "samples", to=7),
    "records": _set("splits", "train", "records", to=7),
    "bytes": _set("splits", "test", "bytes", to=7),
    "class": _set("splits", "train", "classes", "owl", "samples", to=7),
    "dropped": _set("dropped", "failed", to={"corrupt": 3}),
    "shard rows": _set("shards", 0, "rows", to=1),
    "shard digest": _set("shards", 0, "sha256", to="0" * 64),
    "shard split": _set("shards", 0, "split", to="test"),
    "a shard left out": lambda m: m["shards"].pop(2),
    "a shard twice": lambda m: m["shards"].append(m["shards"][0]),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_manifest(copy: Path, ask: Ask, edit: str) -> None:
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    EDITS[edit](manifest)
    path.write_text(json.dumps(manifest))
    assert found(ask, copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"version": "x"}'])
@pytest.mark.parametrize("command", ["verify", "replay"])
def test_a_destroyed_manifest_is_one_clear_line(copy: Path, ask: Ask, text: str, command: str) -> None:
    (copy / "manifest.json").write_text(text)
    code, answer = ask(command, copy, *(["r001/0"] if command == "replay" else []))
    assert code == 1 if command == "verify" else 4
    assert "manifest.json" in str(answer)
    assert "damaged" in str(answer)
    assert "defect" not in str(answer)


def _forge(version: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a shard's rows and make manifest and receipt fit, as a careful forger would."""
    path = version / "manifest.json"
    manifest = json.loads(path.read_text())
    shard = next(s for s in manifest["shards"] if s["split"] == "train")
    pq.write_table(change(pq.read_table(version / shard["path"])), version / shard["path"])
    data = (version / shard["path"]).read_bytes()
    shard.update(bytes=len(data), sha256=workdata.sha256(data).hexdigest())
    path.write_text(json.dumps(manifest))


def test_a_forged_payload(copy: Path, ask: Ask) -> None:
    def change(table: pa.Table) -> pa.Table:
        payloads = table["image"].to_pylist()
        payloads[1] = payloads[2]
        return table.set_column(table.schema.get_field_index("image"), "image", pa.array(payloads))

    _forge(copy, change)
    assert "does not have the sha256 of its lineage" in found(ask, copy)


def test_a_record_smuggled_into_another_split(copy: Path, ask: Ask) -> None:
    other = pq.read_table(files(copy, "test")[0]).slice(0, 1)
    _forge(copy, lambda table: pa.concat_tables([table.slice(1), other]))
    shown = found(ask, copy)
    assert "are in both test and train" in shown
    assert "lies in train, its lineage says test" in shown
    assert "occur more than once" in shown


def _adjusted(version: Path) -> None:
    """Make manifest and receipts fit what the files now are, as the most careful forger would."""
    path = version / "manifest.json"
    manifest = json.loads(path.read_text())
    named = [*manifest["shards"], *manifest["leaks"]["files"], *manifest["documents"]]
    for file in named:
        data = (version / file["path"]).read_bytes()
        file.update(bytes=len(data), sha256=workdata.sha256(data).hexdigest())
    for split, totals in manifest["splits"].items():
        totals["bytes"] = sum(s["bytes"] for s in manifest["shards"] if s["split"] == split)
    by_path = {file["path"]: file for file in named}
    for receipt in (version / "_receipts").iterdir():
        stated = json.loads(receipt.read_text())
        own = by_path[stated["data"]["path"]]
        stated["data"].update(bytes=own["bytes"], sha256=own["sha256"])
        receipt.write_text(json.dumps(stated))
    path.write_text(json.dumps(manifest))


def _swapped(paths: list[Path], column: str) -> list[str]:
    """Swap the values of a column between the first two samples whose values differ; their ids."""
    tables = {path: pq.read_table(path) for path in paths}
    places = [(path, row) for path, table in tables.items() for row in range(table.num_rows)]
    value = {place: tables[place[0]][column][place[1]].as_py() for place in places}
    one, other = places[0], next(place for place in places if value[place] != value[places[0]])
    for (path, row), new in ((one, value[other]), (other, value[one])):
        table = pq.read_table(path)
        values = table[column].to_pylist()
        values[row] = new
        at = table.schema.get_field_index(column)
        pq.write_table(table.set_column(at, table.schema.field(at), pa.array(values, table.schema.types[at])), path)
    return [tables[path]["sample_id"][row].as_py() for path, row in (one, other)]


@pytest.mark.parametrize("column", ["label", "weight"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_two_swapped_values_with_digests_adjusted(copy: Path, ask: Ask, column: str, split: str) -> None:
    ids = _swapped(files(copy, split), column)
    _adjusted(copy)
    shown = found(ask, copy, 1)
    assert "samples differ from their sources in columns that pass through" in shown
    assert all(f"{name!r} ({column})" in shown for name in ids)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "folder"])
def test_two_swapped_labels_of_any_input(kind: str, tmp_path: Path, ask: Ask) -> None:
    rows = [{"id": f"n{n}", "label": workdata.LABELS[n % 3], "text": workdata.sentence(n)} for n in range(9)]
    data = tmp_path / f"in.{kind}"
    if kind == "folder":
        workdata.write_folder(data, 9, lambda n: workdata.sentence(n).encode(), ".txt")
    else:
        (workdata.write_csv if kind == "csv" else workdata.write_jsonl)(data, rows)
    fields = {"text": {"type": "text", "augment": workdata.TEXT_STEPS}}
    given = {"path": str(data)} | ({} if kind == "folder" else {"id": "id", "label": "label"})
    tree = {"input": given, "split": {}, "copies": 1, "fields": fields, "output": {"path": str(tmp_path / "out")}}
    assert ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")[0] == 0
    version = workdata.version_folder(tmp_path / "out")
    assert ask("verify", version)[0] == 0
    _swapped(files(version), "label")
    _adjusted(version)
    assert "2 samples differ from their sources in columns that pass through" in found(ask, version, 1)


def _retold(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    changed = text.replace("owl", "eagle") if "owl" in text else text.replace('"exact": 0', '"exact": 1')
    assert changed != text
    path.write_text(changed, encoding="utf-8")


@pytest.mark.parametrize("name", ["README.md", "croissant.json", "leaks.json"])
@pytest.mark.parametrize("adjusted", [False, True])
def test_an_edited_description(copy: Path, ask: Ask, name: str, adjusted: bool) -> None:
    if name == "croissant.json":
        path = copy / name
        path.write_text(path.read_text().replace("sc:ImageObject", "sc:Text"))
    else:
        _retold(copy / name)
    if adjusted:
        _adjusted(copy)
    assert name in found(ask, copy)


@pytest.mark.parametrize("name", ["README.md", "croissant.json", "leaks.json"])
def test_a_missing_description(copy: Path, ask: Ask, name: str) -> None:
    (copy / name).unlink()
    assert f"{name}: is missing" in found(ask, copy)


@pytest.mark.parametrize("member", ["seed", "recipe"])
def test_a_forged_lineage(copy: Path, ask: Ask, member: str) -> None:
    def change(table: pa.Table) -> pa.Table:
        lineage = [{**row, member: "0" * len(row[member])} for row in table["lineage"].to_pylist()]
        place = table.schema.get_field_index("lineage")
        return table.set_column(place, table.schema.field(place), pa.array(lineage, table.schema.types[place]))

    _forge(copy, change)
    _adjusted(copy)
    assert f"{member} differ from the lineage" in found(ask, copy, 100)


def test_missing_and_damaged_receipts(copy: Path, ask: Ask) -> None:
    receipts = sorted((copy / "_receipts").glob("train-*"))
    receipts[0].unlink()
    receipts[1].write_text("{")
    receipts[2].write_text("{}")
    shown = found(ask, copy)
    assert "train/part-00000.parquet: has no receipt" in shown
    assert "_receipts/train-00001.json: is damaged" in shown
    assert "_receipts/train-00002.json: is damaged" in shown


def test_people_see_every_difference(copy: Path, say: Callable[..., tuple[int, str, str]]) -> None:
    for path in files(copy)[:3]:
        path.unlink()
    code, out, _ = say("verify", copy, "--samples", "0")
    assert code == 1
    assert out.count("is missing") == 3


# Sources.


@pytest.fixture
def photos(tmp_path: Path, ask: Ask) -> tuple[Path, Path]:
    """A folder of photos and the dataset made of it."""
    data = workdata.write_folder(tmp_path / "photos", 12)
    tree = workdata.image_config(data, tmp_path / "out", input={"path": str(data)}, split={}, copies=1)
    assert ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")[0] == 0
    return data, tmp_path / "out"


def test_a_source_that_is_missing_or_changed(photos: tuple[Path, Path], ask: Ask) -> None:
    data, output = photos
    (data / "owl" / "f000.jpg").unlink()
    (data / "tit" / "f001.jpg").write_bytes(workdata.picture(99))
    (data / "wren" / "f002.jpg").write_bytes(b"no picture")
    for name, what in (("owl/f000.jpg", "no such file"), ("tit/f001.jpg", "changed"), ("wren/f002.jpg", "changed")):
        code, answer = ask("replay", output, f"{name}/1")
        assert (code, answer["same"]) == (1, False)
        assert name in answer["difference"]
        assert what in answer["difference"]
    assert ask("replay", output, "owl/f003.jpg/1")[0] == 0
    code, answer = ask("verify", output, "--samples", "100")
    assert code == 1
    of_samples = [d for d in answer["differences"] if d.startswith("sample ")]
    assert len(of_samples) == 3  # once for each source
    assert any("'owl/f000.jpg/" in d and " and 1 more: its source owl/f000.jpg cannot be read" in d for d in of_samples)
    assert "1 source files cannot be read any more: owl/f000.jpg" in answer["differences"]


def test_a_missing_referenced_file_is_named(tmp_path: Path, ask: Ask) -> None:
    workdata.write_folder(tmp_path / "in" / "pics", 9)
    names = [f"pics/{workdata.LABELS[n % 3]}/f{n:03d}.jpg" for n in range(9)]
    rows = [{"id": str(n), "label": "x", "image": name} for n, name in enumerate(names)]
    data = workdata.write_csv(tmp_path / "in" / "t.csv", rows)
    tree = workdata.image_config(data, tmp_path / "out", split={}, copies=1)
    tree["fields"]["image"]["uri"] = True
    assert ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")[0] == 0
    (tmp_path / "in" / names[4]).unlink()
    code, answer = ask("replay", tmp_path / "out", "4/1")
    assert code == 1
    assert names[4] in answer["difference"]


def test_a_table_that_lost_rows_or_moved_them(tmp_path: Path, ask: Ask) -> None:
    """Records are found by their ids: those that are there are the same, wherever they are now."""
    data = workdata.write_parquet(tmp_path / "in.parquet", workdata.image_rows(12))
    tree = workdata.image_config(data, tmp_path / "out", split={}, copies=1)
    assert ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")[0] == 0
    rows = workdata.image_rows(12)
    workdata.write_parquet(data, [*rows[:0:-1]][:10], 3)  # neither r000 nor r001, and in the opposite order
    assert ask("replay", tmp_path / "out", "r005/1")[0] == 0
    assert ask("replay", tmp_path / "out", "r011/1")[0] == 0
    code, answer = ask("replay", tmp_path / "out", "r001/1")
    assert code == 1
    assert "in.parquet has no record 'r001' any more" in answer["difference"]
    code, answer = ask("verify", tmp_path / "out", "--samples", "100")
    told = [d for d in answer["differences"] if d.startswith("sample ")]
    assert sorted(d.split("'")[1].split("/")[0] for d in told) == ["r000", "r001"]
    assert all(" and 1 more: the source has changed" in d for d in told)


def test_rows_without_ids_are_found_by_their_numbers(tmp_path: Path, ask: Ask) -> None:
    rows = [{k: v for k, v in row.items() if k != "id"} for row in workdata.image_rows(6)]
    data = workdata.write_parquet(tmp_path / "in.parquet", rows, 2)
    tree = workdata.image_config(data, tmp_path / "out", split={}, copies=1, input={"path": str(data)})
    assert ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")[0] == 0
    assert ask("verify", tmp_path / "out", "--samples", "100")[0] == 0
    assert ask("replay", tmp_path / "out", "in.parquet#5/1")[0] == 0
    workdata.write_parquet(data, rows[:5], 2)
    code, answer = ask("replay", tmp_path / "out", "in.parquet#5/1")
    assert code == 1
    assert "no record 'in.parquet#5' any more" in answer["difference"]


def test_a_source_that_moved_is_looked_for_once(photos: tuple[Path, Path], ask: Ask, tmp_path: Path) -> None:
    """The old place is named in one line; a run with the new one writes it down, though there is nothing to do."""
    data, output = photos
    moved = data.rename(data.parent / "elsewhere")
    code, answer = ask("verify", output)
    assert (code, len(answer["differences"])) == (1, 1)
    assert f"the sources are not at {data} any more: give --input FOLDER" in answer["differences"][0]
    code, answer = ask("replay", output, "owl/f000.jpg/1")
    assert (code, "--input FOLDER" in answer["difference"]) == (1, True)
    tree = workdata.image_config(moved, output, input={"path": str(moved)}, split={}, copies=1)
    config = workdata.write_config(tmp_path / "moved.yaml", tree)
    for _ in range(2):
        code, answer = ask("run", config)
        assert (code, answer["already_there"]) == (0, True)
    logs = sorted((workdata.version_folder(output) / "_runs").glob("*.json"))
    assert [json.loads(log.read_text())["input_root"] for log in logs] == [str(data), str(moved)]
    logs[0].write_text("{")  # one that cannot be read is passed over
    assert ask("verify", output)[0] == 0


def test_the_run_log_is_gone(photos: tuple[Path, Path], ask: Ask) -> None:
    data, output = photos
    shutil.rmtree(workdata.version_folder(output) / "_runs")
    code, answer = ask("verify", output)
    assert code == 1
    assert "--input" in str(answer["differences"])
    assert ask("verify", output, "--input", data)[0] == 0
    code, answer = ask("replay", output, "owl/f000.jpg/1")
    assert code == 1
    assert "--input" in answer["difference"]
