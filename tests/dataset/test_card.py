import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from ruamel.yaml import YAML
from small_inputs import FLIP, Ran, config_of, jpeg, parquet, put, ran, text_columns, wav, words

from pipeline.dataset.card import card_files, croissant, dataset_card

HUB = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def done(home: Path, **more: Any) -> Ran:
    parquet(home / "in/a.parquet", text_columns(30), 10)
    return ran(config_of(home / "in", home / "out", **{"split": {"validation": 0.2, "test": 0.2}, **more}))


def pictures(home: Path, kind: pa.DataType) -> Ran:
    images: list[Any] = [jpeg(n) for n in range(4)]
    if pa.types.is_struct(kind):
        images = [{"bytes": image, "path": None} for image in images]
    data = {
        "id": list("abcd"),
        "label": ["x", "y"] * 2,
        "image": pa.array(images, kind),
        "text": [words(n) for n in range(4)],
    }
    parquet(home / "in/a.parquet", data)
    fields = {"image": {"type": "image", "augment": [FLIP]}, "text": {"type": "text"}}
    return ran(config_of(home / "in", home / "out", split={}, copies=1, fields=fields))


def text(done: Ran, name: str = "README.md") -> str:
    return (Path(done.dataset.path) / name).read_text(encoding="utf-8")


# README.md


def test_the_front_matter_names_the_splits(tmp_path: Path) -> None:
    _, front, rest = text(done(tmp_path)).split("---\n", 2)
    (config,) = YAML(typ="safe").load(front)["configs"]
    assert [(f["split"], f["path"]) for f in config["data_files"]] == [
        (s, f"{s}/*.parquet") for s in ("train", "validation", "test")
    ]  # fmt: skip
    assert rest.startswith("\n# Dataset version ")


def test_the_card_says_what_is_in_it(tmp_path: Path) -> None:
    made = done(tmp_path)
    card = text(made)
    for split, totals in made.dataset.manifest["splits"].items():
        assert f"| {split} | {totals['records']} | {totals['samples']} | {totals['bytes']} |" in card
    assert "nlpaug.RandomWordAug" in card
    assert made.job.version in card
    assert "| owl | " in card
    assert "Dropped" not in card


def test_dropped_records_are_told(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", {"id": ["a", "b"], "label": ["x", "x"], "text": pa.array([None, words(1)])})
    card = text(ran(config_of(tmp_path / "in", tmp_path / "out", split={}, limits__failed=1)))
    assert "| failed | null_payload | 1 |" in card


def test_without_labels_there_is_no_table_of_classes(tmp_path: Path) -> None:
    assert "## Classes" not in text(done(tmp_path, input__label=...))


@pytest.mark.parametrize("label", ["a|b", "a\nb", "a\r\nb | c", "`", "<script>", "", " ", "\\", "\\|"])
def test_any_label_is_one_row_of_its_table(tmp_path: Path, label: str) -> None:
    parquet(tmp_path / "in/a.parquet", {"id": ["a"], "label": [label], "text": [words(0)]})
    card = text(ran(config_of(tmp_path / "in", tmp_path / "out", split={})))
    table = card.split("## Classes")[1].split("|---|---|\n")[1].split("\n\n")[0]
    assert len(table.split("\n")) == 1
    assert table.endswith("| 1 → 3 |")
    cells = table.replace("\\\\", "").replace("\\|", "").count("|")
    assert cells == 3


def test_groups_of_steps_are_shown(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", {"id": ["a"], "label": ["x"], "image": [jpeg()]})
    field = {"type": "image", "prepare": [{FLIP: {"p": 1}}], "augment": [{"one_of": [FLIP]}, FLIP]}
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, fields={"image": field}))
    assert f"- `image` (image): {FLIP}, one_of, {FLIP}" in text(made)


# croissant.json


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [pa.binary(), HUB])
def test_croissant_is_valid_and_its_records_can_be_read(tmp_path: Path, kind: pa.DataType) -> None:
    import mlcroissant as croissants

    made = pictures(tmp_path, kind)
    dataset = croissants.Dataset(jsonld=str(Path(made.dataset.path) / "croissant.json"))
    issues = dataset.metadata.ctx.issues
    assert not issues.errors, issues.report()
    records = list(dataset.records(record_set="samples"))
    assert len(records) == made.table().num_rows == 8
    assert {r["samples/sample_id"] for r in records} == {
        i.encode() for i in made.table().column("sample_id").to_pylist()
    }
    assert all(r["samples/image"].size == (16, 16) for r in records)
    assert {r["samples/text"] for r in records} == {words(n).encode() for n in range(4)}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("label", [[["x"], ["y", "z"]], [1, 2], [True, False], [0.5, 1.5], ["x", "y"]])
def test_croissant_knows_every_kind_of_label(tmp_path: Path, label: list[Any]) -> None:
    import mlcroissant as croissants

    parquet(tmp_path / "in/a.parquet", {"id": ["a", "b"], "label": label, "text": [words(0), words(1)]})
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, copies=0))
    dataset = croissants.Dataset(jsonld=str(Path(made.dataset.path) / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert len(list(dataset.records(record_set="samples"))) == 2


@pytest.mark.filterwarnings("ignore")
def test_croissant_readers_get_volumes_as_bytes(tmp_path: Path) -> None:
    import mlcroissant as croissants

    file = io.BytesIO()
    np.save(file, np.full((2, 8, 8), 200, np.uint8))
    parquet(tmp_path / "in/a.parquet", {"id": ["a"], "label": ["x"], "scan": pa.array([file.getvalue()], pa.binary())})
    fields = {"scan": {"type": "volume", "augment": ["albumentations.CubicSymmetry"]}}
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, copies=1, fields=fields))
    dataset = croissants.Dataset(jsonld=str(Path(made.dataset.path) / "croissant.json"))
    assert {record["samples/scan"][:6] for record in dataset.records(record_set="samples")} == {b"\x93NUMPY"}


def test_croissant_lists_every_shard(tmp_path: Path) -> None:
    made = done(tmp_path, output__shard_size="8KiB")
    document = json.loads(text(made, "croissant.json"))
    files = [f for f in document["distribution"] if f["@type"] == "cr:FileObject"]
    assert [(f["contentUrl"], f["sha256"]) for f in files] == [
        (s["path"], s["sha256"]) for s in made.dataset.manifest["shards"]
    ]
    names = [f["name"] for f in document["recordSet"][0]["field"]]
    assert names == ["text", "label", "sample_id"]


def test_columns_with_odd_names(tmp_path: Path) -> None:
    data = {"id": ["a"], "the label/ü": ["x"], "a text.of #1": [words(0)]}
    parquet(tmp_path / "in/a.parquet", data)
    fields = {"a text.of #1": {"type": "text"}}
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, fields=fields, input__label="the label/ü"))
    names = [f["name"] for f in json.loads(text(made, "croissant.json"))["recordSet"][0]["field"]]
    assert names == ["a text.of #1", "the label/ü", "sample_id"]
    assert "- `a text.of #1` (text): as it came" in text(made)


@pytest.mark.filterwarnings("ignore")
def test_sound_and_folders(tmp_path: Path) -> None:
    import mlcroissant as croissants

    for name in ("dogs/a.wav", "cats/b.wav"):
        put(tmp_path / "in" / name, wav(len(name)))
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, input__id=..., input__label=...,
                         fields={"sound": {"type": "audio"}}))  # fmt: skip
    dataset = croissants.Dataset(jsonld=str(Path(made.dataset.path) / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors


def test_the_files_are_made_of_the_manifest_alone(tmp_path: Path) -> None:
    made = done(tmp_path)
    manifest = json.loads(text(made, "manifest.json"))
    assert dict(card_files(made.job, manifest)) == {
        "README.md": text(made).encode(), "croissant.json": text(made, "croissant.json").encode(),
    }  # fmt: skip
    assert croissant(made.job, manifest) == json.loads(text(made, "croissant.json"))
    assert dataset_card(made.job, manifest) == text(made)


HOSTILE = [
    "[/b]",
    "<script>alert(1)</script>",
    "a|b",
    "a\tb",
    "a b",
    "a\nb",
    "x\x1b[2J",
    "**b**",
    "![p](http://x/y.png)",
]


@pytest.mark.filterwarnings("ignore")
def test_hostile_labels_and_columns_stay_text(tmp_path: Path) -> None:
    import mlcroissant as croissants
    from markdown_it import MarkdownIt

    name = "te`xt*|<b>"
    count = len(HOSTILE)
    columns = {"id": [str(n) for n in range(count)], "label": HOSTILE, name: [words(n) for n in range(count)]}
    parquet(tmp_path / "in/a.parquet", columns)
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, fields={name: {"type": "text"}}))
    page = MarkdownIt().enable("table").render(text(made).split("---\n", 2)[2])
    rows = page.split("Classes</h2>")[1].split("</table>")[0].split("<tr>")[2:]
    told = [row.split("<td>")[1].split("</td>")[0] for row in rows]
    assert len(set(told)) == count
    assert not any(mark in cell for cell in told for mark in ("<", "\x1b", "\t", "\n"))
    assert "[/b]" in told
    assert "<code>te`xt*|&lt;b&gt;</code>" in page
    raw = text(made, "croissant.json")
    assert "<" not in raw
    assert not croissants.Dataset(jsonld=json.loads(raw)).metadata.ctx.issues.errors
