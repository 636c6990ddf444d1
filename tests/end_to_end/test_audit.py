"""`fanbeam audit`: clean where nothing is shared, and each way of sharing found, counted, and named."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import workdata
from PIL import Image

from pipeline.audit.leaks import KEPT_PAIRS, Leaks, Pair
from pipeline.cli.demo import photo_crops

Ask = Callable[..., tuple[int, dict[str, Any]]]
Say = Callable[..., tuple[int, str, str]]
Birds = tuple[Path, Path]


@pytest.fixture
def version(birds: Birds, tmp_path: Path) -> Path:
    """A copy of a finished version, to be spoilt."""
    return Path(shutil.copytree(workdata.version_folder(birds[1]), tmp_path / "version"))


def first_file(version: Path, split: str) -> Path:
    return sorted((version / split).glob("*.parquet"))[0]


def append(path: Path, rows: pa.Table) -> None:
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, rows.cast(table.schema)]), path)


def changed(rows: pa.Table, **columns: list[Any]) -> pa.Table:
    for name, values in columns.items():
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, rows.schema.field(place), pa.array(values, rows.schema.field(place).type))
    return rows


def test_a_dataset_of_ours_is_clean(birds: Birds, ask: Ask, say: Say) -> None:
    code, answer = ask("audit", birds[1])
    assert (code, answer["clean"], answer["pairs"]) == (0, True, [])
    manifest = workdata.manifest_of(birds[1])
    assert {s["name"]: s["rows"] for s in answer["sides"]} == {
        split: totals["samples"] for split, totals in manifest["splits"].items()
    }
    assert answer["checked"]["fields"] == {"image": "image"}
    code, out, _ = say("audit", birds[1])
    assert code == 0
    assert "nothing leaks" in out


def test_a_training_row_put_into_validation(version: Path, ask: Ask, say: Say) -> None:
    stolen = pq.read_table(first_file(version, "train")).slice(0, 1)
    append(first_file(version, "validation"), stolen)
    code, answer = ask("audit", version, "--no-near")
    assert code == 1
    assert answer["leaking"] == {"id": 1, "source": 1, "group": 0, "parent": 0, "exact": 1, "spelling": 0, "near": 0}
    name = stolen.column("sample_id")[0].as_py()
    assert {(p["kind"], p["train"], p["validation"]) for p in answer["pairs"] if p["kind"] == "id"} == {
        ("id", name, name)
    }
    code, out, _ = say("audit", version)
    assert code == 1
    assert name in out


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_id_twice_on_one_side(version: Path, ask: Ask, say: Say, split: str) -> None:
    again = pq.read_table(first_file(version, split)).slice(1, 1)
    append(first_file(version, split), again)
    code, answer = ask("audit", version, "--no-near")
    assert (code, answer["leaking"]["id"], answer["leaking_by_side"]) == (1, 1, {split: {"id": 1}})
    (pair,) = answer["pairs"]
    name = again.column("sample_id")[0].as_py()
    assert [pair[key] for key in ("kind", "train", "validation", "first_side", "side")] == [
        "id",
        name,
        name,
        split,
        split,
    ]
    out = say("audit", version, "--no-near")[1]
    assert f"{name} ({split})  {name} ({split})  sample_id" in out


def test_an_id_twice_in_any_set(tmp_path: Path, ask: Ask) -> None:
    rows = [{"name": f"r{n}", "text": workdata.sentence(n)} for n in range(40)]
    once = workdata.write_parquet(tmp_path / "once.parquet", rows[30:])
    twice = workdata.write_parquet(tmp_path / "twice.parquet", [*rows[:30], rows[4]])
    code, answer = ask("audit", once, twice, "--id", "name", "--no-near")
    assert (code, answer["leaking_by_side"]) == (1, {"validation": {"id": 1}})
    code, answer = ask("audit", twice, once, "--id", "name", "--no-near")
    assert (code, answer["leaking_by_side"]) == (1, {"train": {"id": 1}})
    assert ask("audit", twice, once, "--no-near")[0] == 0, "ids are compared only where they are named"


def test_the_same_bytes_under_another_name(version: Path, ask: Ask) -> None:
    held = pq.read_table(first_file(version, "validation")).slice(0, 1)
    lineage = {**held.column("lineage")[0].as_py(), "source_id": "stranger"}
    append(first_file(version, "train"), changed(held, sample_id=["stranger/0"], id=["stranger"], lineage=[lineage]))
    code, answer = ask("audit", version)
    assert (code, answer["leaking"]["exact"], answer["leaking"]["source"]) == (1, 1, 0)
    assert [(p["train"], p["distance"], p["what"]) for p in answer["pairs"]] == [("stranger/0", 0.0, "image")]


@pytest.mark.parametrize("blended", ["train", "validation"])
def test_a_parent_on_the_other_side(version: Path, ask: Ask, blended: str) -> None:
    other = "validation" if blended == "train" else "train"
    parent = pq.read_table(first_file(version, other)).column("lineage")[0].as_py()["source_id"]
    path = first_file(version, blended)
    table = pq.read_table(path)
    lineages = table.column("lineage").to_pylist()
    lineages[0]["parents"] = [
        {"source_id": lineages[0]["source_id"], "weight": 0.6},
        {"source_id": parent, "weight": 0.4},
    ]
    pq.write_table(changed(table, lineage=lineages), path)
    code, answer = ask("audit", version)
    assert code == 1
    assert {k for k, n in answer["leaking"].items() if n} == {"parent"}
    assert {p[other].split("/")[0] for p in answer["pairs"]} == {parent}
    assert {p[blended] for p in answer["pairs"]} == {table.column("sample_id")[0].as_py()}


def test_two_sets_that_nobody_here_wrote(tmp_path: Path, ask: Ask) -> None:
    rows = workdata.image_rows(20)
    train = workdata.write_parquet(tmp_path / "train.parquet", rows[:15])
    held = workdata.write_parquet(tmp_path / "held.parquet", rows[15:])
    assert ask("audit", train, held)[0] == 0
    leaking = workdata.write_parquet(tmp_path / "leaking.parquet", [*rows[15:], rows[3]])
    code, answer = ask("audit", train, leaking)
    assert (code, answer["leaking"]["exact"], answer["leaking"]["id"]) == (1, 1, 0)
    name = next(n for n, v in rows[3].items() if isinstance(v, str) and v not in (rows[4].get(n),))
    code, answer = ask("audit", train, leaking, "--id", name)
    assert answer["leaking"]["id"] == 1


def test_folders_of_files_and_columns_of_other_names(tmp_path: Path, ask: Ask) -> None:
    workdata.write_folder(tmp_path / "a", 12)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    pictures = sorted((tmp_path / "b").rglob("*.jpg"))
    for picture in pictures[2:]:
        picture.write_bytes(workdata.picture(1000 + int(picture.stat().st_ino)))
    code, answer = ask("audit", tmp_path / "a", tmp_path / "b")
    assert (code, answer["leaking"]["exact"]) == (1, 2)
    table = workdata.write_parquet(
        tmp_path / "c.parquet", [{"thumb": p.read_bytes(), "n": n} for n, p in enumerate(pictures)]
    )
    code, answer = ask("audit", tmp_path / "a", table)
    assert (code, answer["leaking"]["exact"]) == (1, 2)


def test_texts(tmp_path: Path, ask: Ask) -> None:
    rows = [{"comment": workdata.sentence(n), "stars": n % 5} for n in range(30)]
    train = workdata.write_csv(tmp_path / "train.csv", rows[:20])
    held = workdata.write_jsonl(tmp_path / "held.jsonl", [*rows[20:], rows[7]])
    code, answer = ask("audit", train, held)
    assert (code, answer["leaking"]["exact"]) == (1, 1)
    assert answer["pairs"][0]["train"] == "train.csv#7"


def smaller(picture: bytes, side: int) -> bytes:
    sink = io.BytesIO()
    Image.open(io.BytesIO(picture)).resize((side, side)).save(sink, "JPEG", quality=60)
    return sink.getvalue()


def test_near_duplicates(tmp_path: Path, ask: Ask, say: Say) -> None:
    crops = [row["image"] for row in photo_crops()][:60]
    train = workdata.write_parquet(tmp_path / "train.parquet", [{"picture": p} for p in crops[:50]])
    planted = [*crops[50:], *(smaller(p, 90) for p in crops[:5]), crops[9], b"no picture"]
    held = workdata.write_parquet(tmp_path / "held.parquet", [{"image": p} for p in planted])
    code, answer = ask("audit", train, held)
    assert code == 1
    assert (answer["leaking"]["near"], answer["leaking"]["exact"], answer["unreadable"]) == (5, 1, 1)
    near = [(p["train"], p["validation"]) for p in answer["pairs"] if p["kind"] == "near"]
    assert sorted(near) == [(f"train.parquet#{n}", f"held.parquet#{10 + n}") for n in range(5)]
    assert all(0 <= p["distance"] <= answer["checked"]["near"]["picture"] for p in answer["pairs"])
    code, told, _ = say("audit", train, held)
    assert "near: 5" in told
    code, answer = ask("audit", train, held, "--no-near")
    assert (answer["leaking"]["near"], answer["leaking"]["exact"], answer["checked"]["near"]) == (0, 1, None)
    assert ask("audit", train, held, "--threshold", "0")[1]["leaking"]["near"] == 0


def test_reworded_texts(tmp_path: Path, ask: Ask) -> None:
    rows = [{"comment": workdata.sentence(n)} for n in range(40)]
    train = workdata.write_csv(tmp_path / "train.csv", rows[:30])
    held = workdata.write_csv(tmp_path / "held.csv", [*rows[30:], {"comment": rows[3]["comment"].upper() + " !"}])
    code, answer = ask("audit", train, held)
    assert (code, answer["leaking"]["near"], answer["leaking"]["exact"]) == (1, 1, 0)
    assert answer["pairs"][0]["train"] == "train.csv#3"


def test_without_the_packages_it_says_so_and_looks_for_the_rest(
    tmp_path: Path, ask: Ask, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.audit.near_duplicates.PACKAGES", {"no_such_package": "no-such-package"})
    rows = workdata.image_rows(8)
    train = workdata.write_parquet(tmp_path / "train.parquet", rows[:6])
    held = workdata.write_parquet(tmp_path / "held.parquet", rows[5:])
    code, answer = ask("audit", train, held)
    assert (code, answer["leaking"]["exact"], answer["checked"]["near"]) == (1, 1, None)
    _, _, errors = say("audit", train, held)
    assert "warning: not fully checked. Near duplicates need no-such-package: pip install no-such-package." in errors
    apart = workdata.write_parquet(tmp_path / "apart.parquet", workdata.image_rows(12)[8:])
    code, answer = ask("audit", train, apart)
    assert (code, answer["clean"], answer["leaking"]["exact"]) == (1, False, 0)
    code, out, _ = say("audit", train, apart)
    assert out.startswith("not fully checked: ")
    assert out.endswith("nothing was found; not fully checked\n")
    assert ask("audit", train, apart, "--no-near")[0] == 0, "left out by choice"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere", "train.parquet"], "nowhere"),
        (["train.parquet", "words.csv"], "nothing to compare"),
        (["train.parquet", "train.parquet", "--id", "lable"], "label"),
        (["train.parquet", "train.parquet", "--field", "imag"], "image"),
        (["train.parquet"], "train.parquet"),
    ],
)
def test_bad_input_is_told(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"image": r["image"], "label": str(n)} for n, r in enumerate(workdata.image_rows(6))]
    workdata.write_parquet(tmp_path / "train.parquet", rows)
    workdata.write_csv(tmp_path / "words.csv", [{"comment": workdata.sentence(n)} for n in range(6)])
    code, answer = ask("audit", *arguments)
    assert code == 2
    assert told in str(answer["error"])


def test_pairs_are_bounded_and_rows_are_counted_all() -> None:
    leaks = Leaks()
    for number in range(60_000):
        leaks.add(Pair("group", f"t{number}", f"v{number % 2_000}"))
    leaks.settle()
    assert (len(leaks.pairs), leaks.count("group")) == (KEPT_PAIRS, 2_000)
