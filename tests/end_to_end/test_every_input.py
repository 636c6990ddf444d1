"""Every kind of input and modality: run, verify, replay."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import workdata

Ask = Callable[..., tuple[int, dict[str, Any]]]
Tree = dict[str, Any]
AUDIO = {"type": "audio", "augment": workdata.AUDIO_STEPS}
TEXT = {"type": "text", "augment": workdata.TEXT_STEPS}
IMAGE = {"type": "image", "augment": workdata.IMAGE_STEPS}


def config_of(home: Path, data: Path, fields: Tree, **changes: Any) -> Tree:
    return workdata.image_config(data, home / "out", fields=fields, **changes)


def _parquet(home: Path) -> Tree:
    data = workdata.write_parquet(home / "in" / "a.parquet", workdata.image_rows(24))
    return config_of(home, data.parent, {"image": IMAGE})


def _struct(home: Path) -> Tree:
    rows = [{**r, "image": {"bytes": r["image"], "path": f"{r['id']}.jpg"}} for r in workdata.image_rows(24)]
    return config_of(home, workdata.write_parquet(home / "in.parquet", rows), {"image": IMAGE})


def _two_fields(home: Path) -> Tree:
    rows = [{**r, "caption": workdata.sentence(n)} for n, r in enumerate(workdata.image_rows(24))]
    data = workdata.write_parquet(home / "in.parquet", rows)
    return config_of(home, data, {"caption": TEXT, "image": IMAGE})


def _folder(home: Path) -> Tree:
    data = workdata.write_folder(home / "photos", 24)
    return config_of(home, data, {"image": IMAGE}, input={"path": str(data)})


def _folder_of_sounds(home: Path) -> Tree:
    data = workdata.write_folder(home / "sounds", 24, workdata.sound, ".wav")
    return config_of(home, data, {"audio": AUDIO}, input={"path": str(data)})


def _folder_of_texts(home: Path) -> Tree:
    data = workdata.write_folder(home / "texts", 24, lambda n: workdata.sentence(n).encode(), ".txt")
    return config_of(home, data, {"text": TEXT}, input={"path": str(data)})


def _csv_text(home: Path) -> Tree:
    rows = [{"id": f"{n:03d}", "label": workdata.LABELS[n % 3], "text": workdata.sentence(n)} for n in range(24)]
    return config_of(home, workdata.write_csv(home / "in.csv", rows), {"text": TEXT})


def _csv_uris(home: Path) -> Tree:
    workdata.write_folder(home / "in" / "pics", 24)
    names = [f"pics/{workdata.LABELS[n % 3]}/f{n:03d}.jpg" for n in range(24)]
    rows = [{"id": str(n), "label": "x", "image": name} for n, name in enumerate(names)]
    return config_of(home, workdata.write_csv(home / "in" / "t.csv", rows), {"image": {**IMAGE, "uri": True}})


def _jsonl_uris(home: Path) -> Tree:
    folder = workdata.write_folder(home / "sounds", 24, workdata.sound, ".wav")
    paths = sorted(folder.rglob("*.wav"))
    rows = [{"id": n, "label": p.parent.name, "audio": str(p), "extra": {"n": n}} for n, p in enumerate(paths)]
    return config_of(home, workdata.write_jsonl(home / "in.jsonl", rows), {"audio": {**AUDIO, "uri": True}})


def _jsonl_text(home: Path) -> Tree:
    rows = [{"id": n, "label": "x", "text": f"{workdata.sentence(n)} ä 😀 \u202e"} for n in range(24)]
    return config_of(home, workdata.write_jsonl(home / "in.jsonl", rows), {"text": TEXT})


def _audio_parquet(home: Path) -> Tree:
    rows = [{"id": f"a{n}", "label": "x", "audio": workdata.sound(n)} for n in range(24)]
    return config_of(home, workdata.write_parquet(home / "in.parquet", rows), {"audio": AUDIO})


def _without_id_or_label(home: Path) -> Tree:
    data = workdata.write_parquet(home / "in.parquet", [{"image": workdata.picture(n)} for n in range(24)])
    return config_of(home, data, {"image": IMAGE}, input={"path": str(data)})


INPUTS: dict[str, Callable[[Path], Tree]] = {
    "parquet": _parquet, "parquet struct": _struct, "two fields": _two_fields, "folder": _folder,
    "folder of sounds": _folder_of_sounds, "folder of texts": _folder_of_texts, "csv text": _csv_text,
    "csv uris": _csv_uris, "jsonl uris": _jsonl_uris, "jsonl text": _jsonl_text, "audio parquet": _audio_parquet,
    "without id or label": _without_id_or_label,
}  # fmt: skip


SLOW = {"parquet struct", "folder of texts", "folder of sounds", "jsonl text", "without id or label"}


@pytest.mark.parametrize("kind", [pytest.param(k, marks=pytest.mark.slow if k in SLOW else ()) for k in INPUTS])
def test_run_verify_replay(kind: str, tmp_path: Path, ask: Ask) -> None:
    tree = INPUTS[kind](tmp_path)
    config = workdata.write_config(tmp_path / "c.yaml", tree)
    code, made = ask("run", config, "--workers", "1")
    assert code == 0, made
    assert made["records"] == 24
    assert made["dropped"] == {"failed": {}, "rejected": {}}
    train = made["splits"]["train"]
    assert train["samples"] == 3 * train["records"]
    found = workdata.samples(Path(made["path"]), tree["fields"])
    assert len(found) == made["samples"]
    assert any(steps != "[]" for _, _, steps, _, _ in found.values())
    code, checked = ask("verify", tmp_path / "out", "--samples", "100")
    assert (code, checked["differences"], checked["rendered"]) == (0, [], min(100, len(found)))
    copy = next(i for i in sorted(found) if i.endswith("/2"))
    assert ask("replay", tmp_path / "out", copy)[1]["same"] is True


def test_moved_sources_are_found_with_input(tmp_path: Path, ask: Ask) -> None:
    tree = _folder(tmp_path)
    config = workdata.write_config(tmp_path / "c.yaml", tree)
    code, made = ask("run", config, "--workers", "1")
    assert code == 0
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    assert ask("verify", tmp_path / "out")[0] == 1
    assert ask("verify", tmp_path / "out", "--input", tmp_path / "elsewhere")[0] == 0
    sample_id = sorted(workdata.samples(Path(made["path"])))[0]
    code, answer = ask("replay", tmp_path / "out", sample_id)
    assert code == 1
    assert "--input" in answer["difference"]
    assert ask("replay", tmp_path / "out", sample_id, "--input", tmp_path / "elsewhere")[0] == 0


def _run(tmp_path: Path, ask: Ask, rows: list[dict[str, Any]], **changes: Any) -> tuple[dict[str, Any], Path]:
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    tree = workdata.image_config(data, tmp_path / "out", **changes)
    code, made = ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")
    assert code == 0, made
    assert ask("verify", tmp_path / "out")[1]["differences"] == []
    return made, Path(made["path"])


def test_keep_original_false(tmp_path: Path, ask: Ask) -> None:
    made, version = _run(tmp_path, ask, workdata.image_rows(24), keep_original=False)
    train = made["splits"]["train"]
    assert train["samples"] == 2 * train["records"]
    found = workdata.samples(version)
    assert not any(i.endswith("/0") for i, s in found.items() if s[0] == "train")
    assert all(i.endswith("/0") for i, s in found.items() if s[0] != "train")


def test_no_copies(tmp_path: Path, ask: Ask) -> None:
    rows = workdata.image_rows(12)
    made, version = _run(tmp_path, ask, rows, copies=0)
    assert made["samples"] == 12
    found = workdata.samples(version)
    assert {i: s[1][0] for i, s in found.items()} == {f"{r['id']}/0": r["image"] for r in rows}


def test_no_split(tmp_path: Path, ask: Ask) -> None:
    made, _ = _run(tmp_path, ask, workdata.image_rows(12), split={}, copies=1)
    assert set(made["splits"]) == {"train"}
    assert made["samples"] == 24


def test_split_column(tmp_path: Path, ask: Ask) -> None:
    names = ["train", "val", "test", "Train", "dev", "testing"]
    rows = [{**r, "part": names[n % 6]} for n, r in enumerate(workdata.image_rows(24))]
    made, version = _run(tmp_path, ask, rows, split={"column": "part"}, copies=1)
    assert {s: v["records"] for s, v in made["splits"].items()} == {"train": 8, "validation": 8, "test": 8}
    splits = {i.split("/")[0]: s[0] for i, s in workdata.samples(version).items()}
    assert splits["r001"] == "validation"
    assert splits["r005"] == "test"


def test_a_split_column_with_another_value_is_bad_input(tmp_path: Path, ask: Ask) -> None:
    rows = [{**r, "part": "train" if n else "trian"} for n, r in enumerate(workdata.image_rows(6))]
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    tree = workdata.image_config(data, tmp_path / "out", split={"column": "part"})
    code, answer = ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")
    assert code == 2
    assert "'trian'" in str(answer["error"])
    assert not (tmp_path / "out").exists()


def test_groups_stay_together(tmp_path: Path, ask: Ask) -> None:
    keys = {"path": str(tmp_path / "in.parquet"), "id": "id", "label": "label", "group": "group"}
    _, version = _run(tmp_path, ask, workdata.image_rows(40), input=keys, split={"validation": 0.4}, copies=1)
    splits: dict[str, set[str]] = {}
    for sample_id, (split, *_) in workdata.samples(version).items():
        splits.setdefault(f"g{int(sample_id[1:4]) // 2}", set()).add(split)
    assert all(len(s) == 1 for s in splits.values())
    assert {s for found in splits.values() for s in found} == {"train", "validation"}


def _odd_columns(count: int) -> dict[str, pa.Array]:
    return {
        "when": pa.array([1_700_000_000_000_000_123 + n for n in range(count)], pa.timestamp("ns", "UTC")),
        "price": pa.array([n * 100 for n in range(count)], pa.int64()).cast(pa.decimal128(21, 2)),
        "kind": pa.array([workdata.LABELS[n % 3] for n in range(count)]).dictionary_encode(),
        "tags": pa.array([[("k", n)] for n in range(count)], pa.map_(pa.string(), pa.int64())),
        "boxes": pa.array([[{"x": n / 3, "y": None}] for n in range(count)]),
        "nothing": pa.nulls(count),
    }


def _tables(version: Path) -> Iterator[pa.Table]:
    for split in ("train", "validation", "test"):
        for path in sorted((version / split).glob("*.parquet")):
            yield pq.read_table(path)


def test_other_columns_pass_through_unchanged(tmp_path: Path, ask: Ask) -> None:
    rows = pa.Table.from_pylist(workdata.image_rows(24))
    for name, column in _odd_columns(24).items():
        rows = rows.append_column(name, column)
    rows = rows.select(["when", "image", "price", "id", "kind", "tags", "label", "boxes", "nothing", "weight"])
    pq.write_table(rows, tmp_path / "in.parquet", row_group_size=7)
    tree = workdata.image_config(tmp_path / "in.parquet", tmp_path / "out", copies=1)
    code, made = ask("run", workdata.write_config(tmp_path / "c.yaml", tree), "--workers", "1")
    assert code == 0, made
    seen = {r["id"]: r for r in rows.drop_columns("image").to_pylist()}
    for table in _tables(Path(made["path"])):
        assert table.schema.names == [*rows.schema.names, "sample_id", "lineage"]
        assert table.schema.types[:-2] == pq.read_schema(tmp_path / "in.parquet").types
        for row in table.drop_columns(["image", "sample_id", "lineage"]).to_pylist():
            assert row == seen[row["id"]]
