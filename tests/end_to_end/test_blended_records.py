"""Blends of real photos, of sounds and of texts: same bytes however they are made, and nothing of them leaks."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
import workdata
from photos import photo_rows
from PIL import Image

from pipeline.cli.program import main

Answer = tuple[int, dict[str, Any]]
Rows = dict[str, dict[str, Any]]
STEPS: list[Any] = [
    {
        "one_of": [
            {"fanbeam.MixUp": {"alpha": 1.0, "partners": "other_class"}},
            "fanbeam.CutMix",
            "fanbeam.Mosaic",
            {"fanbeam.CopyPaste": {"scale": [0.5, 1.2], "partners": "same_class"}},
        ]
    },
    "albumentations.HorizontalFlip",
]


def photo_config(data: Path, output: Path, **changes: Any) -> dict[str, Any]:
    bound = {"boxes": {"column": "boxes", "format": "coco", "labels": "names"}, "masks": {"column": "masks"}}
    gate = {"reject_identical": True, "label_check": 1}
    fields = {"image": {"type": "image", "augment": STEPS, "quality": gate, **bound}}
    shares = {"validation": 0.2, "test": 0.1}
    limits = {"failed": 1, "rejected": 1}
    tree = workdata.image_config(data, output, fields=fields, limits=limits, split=shares, **changes)
    return {**tree, "output": {"path": str(output), "shard_size": "256KiB"}}


def run(home: Path, tree: dict[str, Any], *more: str) -> Path:
    written = workdata.write_config(home / "c.yaml", tree)
    assert main(["run", str(written), "--json", *more]) == 0
    return workdata.version_folder(Path(tree["output"]["path"]))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The data and the version made of it with one worker; one photo is damaged."""
    home = tmp_path_factory.mktemp("made")
    rows = photo_rows(8)
    rows[3]["image"] = rows[3]["image"][:500]
    data = workdata.write_parquet(home / "photos" / "in.parquet", rows)
    return data, run(home, photo_config(data, home / "out"), "--workers", "1")


def rows_of(version: Path, split: str = "train") -> Rows:
    found = pads.dataset(sorted(map(str, (version / split).glob("*.parquet")))).to_table().to_pylist()
    return {row["sample_id"]: row for row in found}


def blends_of(row: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    steps = row["lineage"]["transforms"]
    return [
        (t["name"], json.loads(t["params"]))
        for t in steps
        if t["name"].startswith("fanbeam.") and "Retry" not in t["name"]
    ]


def weights(entries: list[dict[str, Any]], name: str) -> dict[str, float]:
    return {entry[name]: entry["weight"] for entry in entries}


def test_any_number_of_workers_makes_the_same_bytes(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, version = made
    other = run(tmp_path, photo_config(data, tmp_path / "out"), "--workers", "2")
    assert other.name == version.name
    assert workdata.contents(other) == workdata.contents(version)


def test_all_parents_are_training_records_and_weights_sum_to_one(made: tuple[Path, Path]) -> None:
    data, version = made
    rows = rows_of(version)
    labels = {row["id"]: row["label"] for row in pq.read_table(data).to_pylist()}
    training = {row["lineage"]["source_id"] for row in rows.values()}
    damaged = {row["source_id"] for row in workdata.dropped(version)}
    names = set()
    for row in rows.values():
        lineage = row["lineage"]
        parents = weights(lineage["parents"], "source_id")
        soft = weights(row["label_weights"], "label")
        assert sum(soft.values()) == pytest.approx(1)
        if not lineage["copy"]:
            assert (parents, soft) == ({}, {row["label"]: 1.0})
            continue
        ((name, drawn),) = blends_of(row)
        names.add(name)
        assert next(iter(parents)) == lineage["source_id"]
        assert sum(parents.values()) == pytest.approx(1)
        assert set(parents) <= training - damaged
        assert {k: w for k, w in parents.items() if k != lineage["source_id"]} == pytest.approx(drawn["parents"])
        by_label: dict[str, float] = {}
        for key, weight in parents.items():
            by_label[labels[key]] = by_label.get(labels[key], 0) + weight
        assert soft == pytest.approx(by_label)
        others = {labels[key] for key in drawn["parents"]}
        assert name != "fanbeam.MixUp" or row["label"] not in others
        assert name != "fanbeam.CopyPaste" or others == {row["label"]}
    assert len(damaged) == 1
    assert {row["reason"] for row in workdata.dropped(version, "rejected")} <= {"identical"}  # no label disagrees
    assert names == {"fanbeam.MixUp", "fanbeam.CutMix", "fanbeam.Mosaic", "fanbeam.CopyPaste"}


def test_labels_of_all_parents_lie_in_the_picture(made: tuple[Path, Path]) -> None:
    foreign = 0
    for row in rows_of(made[1]).values():
        width, height = Image.open(io.BytesIO(row["image"])).size
        assert len(row["boxes"]) == len(row["names"]) == len(row["masks"])
        for (left, top, wide, high), data in zip(row["boxes"], row["masks"], strict=True):
            assert 0 <= left < left + wide <= width
            assert 0 <= top < top + high <= height
            mask = np.array(Image.open(io.BytesIO(data)))
            assert mask.shape == (height, width)
            inside = mask[int(top) : int(np.ceil(top + high)), int(left) : int(np.ceil(left + wide))]
            assert mask.sum() <= inside.sum() * 1.1 + 4
        foreign += any(name.rpartition(" ")[0] != row["label"] for name in row["names"])
    assert foreign > 20


def test_a_partner_that_comes_twice_keeps_its_masks_apart(tmp_path: Path) -> None:
    """Of two records each is the only partner of the other; their masks fill their boxes."""
    rows = photo_rows(1)[:2]
    for row in rows:
        width, height = Image.open(io.BytesIO(row["image"])).size
        row["masks"] = [filled([int(n) for n in box], width, height) for box in row["boxes"]]
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", rows)
    tree = photo_config(data, tmp_path / "out", copies=5)
    tree["split"] = {}
    tree["fields"]["image"]["augment"] = ["fanbeam.Mosaic", {"fanbeam.CopyPaste": {"scale": [0.5, 1]}}, "fanbeam.MixUp"]
    repeated = 0
    for row in rows_of(run(tmp_path, tree)).values():
        for (left, top, wide, high), data_ in zip(row["boxes"], row["masks"], strict=True):
            mask = np.array(Image.open(io.BytesIO(data_)))
            columns, lines = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
            found = columns[0], lines[0], columns[-1] + 1, lines[-1] + 1
            assert np.abs(np.subtract(found, (left, top, left + wide, top + high))).max() <= 1.5
        repeated += len(row["names"]) - len(set(row["names"]))
    assert repeated > 10


def filled(box: list[int], width: int, height: int) -> bytes:
    left, top, wide, high = box
    mask = np.zeros((height, width), np.uint8)
    mask[top : top + high, left : left + wide] = 1
    sink = io.BytesIO()
    Image.fromarray(mask).save(sink, "PNG")
    return sink.getvalue()


def test_other_splits_stay_as_they_are(made: tuple[Path, Path]) -> None:
    source = {row["id"]: row for row in pq.read_table(made[0]).to_pylist()}
    for split in ("validation", "test"):
        for row in rows_of(made[1], split).values():
            assert row["image"] == source[row["id"]]["image"]
            assert row["label_weights"] == [{"label": row["label"], "weight": 1.0}]
            assert row["lineage"]["parents"] == []


def test_every_sample_is_rendered_again_from_its_sources(made: tuple[Path, Path], ask: Callable[..., Answer]) -> None:
    _, version = made
    code, answer = ask("verify", version, "--samples", 200)
    assert (code, answer["ok"], answer["differences"]) == (0, True, [])
    blended = next(i for i, row in rows_of(version).items() if blends_of(row) and row["lineage"]["copy"])
    code, answer = ask("replay", version, blended)
    assert (code, answer["same"]) == (0, True)


def test_audit_finds_no_parent_across(made: tuple[Path, Path], ask: Callable[..., Answer]) -> None:
    code, answer = ask("audit", made[1], "--no-near")
    assert (code, answer["leaking"]["parent"]) == (0, 0)


def test_verify_finds_parents_that_cannot_be(made: tuple[Path, Path], tmp_path: Path) -> None:
    from pipeline.dataset.ancestry import foreign_parents, parent_problems
    from pipeline.storage.folder import Folder

    rows = rows_of(made[1])
    row = next(row for row in rows.values() if row["lineage"]["parents"])
    lineage, labels = row["lineage"], row["label_weights"]
    assert list(parent_problems(lineage, labels)) == []
    wrong = {**lineage, "split": "test", "parents": lineage["parents"][1:]}
    assert len(list(parent_problems(wrong, [{"label": "x", "weight": 1.5}]))) == 4
    parents = {p["source_id"] for r in rows.values() for p in r["lineage"]["parents"]}
    folder = Folder.at(str(made[1]))
    assert list(foreign_parents(folder, parents, {})) == []
    held = next(iter(rows_of(made[1], "validation").values()))["id"]
    assert list(foreign_parents(folder, {*parents, held}, {"validation": {held}})) == [
        f"validation has parents of training samples: {held!r}",
        f"there are parents that are not on the donor shelf: {held!r}",
    ]


def test_a_run_that_is_resumed_blends_the_same_records(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, version = made
    again = run(tmp_path, photo_config(data, tmp_path / "out"))
    (again / "manifest.json").unlink()
    for receipt in sorted((again / "_receipts").glob("train-*.json"))[:2]:
        receipt.unlink()
    assert run(tmp_path, photo_config(data, tmp_path / "out")) == again
    assert workdata.contents(again) == workdata.contents(version)


def test_plan_and_preview(made: tuple[Path, Path], tmp_path: Path, ask: Callable[..., Answer]) -> None:
    written = workdata.write_config(tmp_path / "c.yaml", photo_config(made[0], tmp_path / "out"))
    code, answer = ask("plan", written)
    assert (code, answer["version"]) == (0, made[1].name)
    assert answer["donors"] == answer["splits"]["train"]["records"]
    code, answer = ask("preview", written, "-o", tmp_path / "sheet.png", "--records", 2)
    assert (code, answer["records"]) == (0, 2)


def simple(data: Path, output: Path, **changes: Any) -> dict[str, Any]:
    fields = {"image": {"type": "image", "augment": ["fanbeam.MixUp"]}}
    return workdata.image_config(data, output, fields=fields, **{"blends": {"shelf": 12}, **changes})


def test_adding_records_moves_few_donors_and_few_samples(tmp_path: Path) -> None:
    rows = workdata.image_rows(90)
    versions = []
    for name, count in (("before", 86), ("after", 90)):
        data = workdata.write_parquet(tmp_path / name / "in.parquet", rows[:count])
        versions.append(run(tmp_path / name, simple(data, tmp_path / name / "out")))
    before, after = (rows_of(version) for version in versions)
    donors = [{d[0] for d in json.loads((v / "_references.json").read_text())["donors"]} for v in versions]
    assert [len(d) for d in donors] == [12, 12]
    assert len(donors[0] - donors[1]) <= 4
    shared = [i for i in before.keys() & after.keys() if before[i]["lineage"]["copy"]]
    changed = [i for i in shared if before[i]["image"] != after[i]["image"]]
    lost = donors[0] - donors[1]
    new = donors[1] - donors[0]
    assert len(shared) > 100
    assert len(changed) <= len(shared) * (len(lost) + len(new)) / 6
    for i in changed:
        (one,), (two,) = (blends_of(row[i]) for row in (before, after))
        assert set(one[1]["parents"]) <= lost or set(two[1]["parents"]) <= new


def test_copies_by_class_gate_and_retries_work_with_blends(tmp_path: Path) -> None:
    rows = workdata.image_rows(30)
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", rows)
    copies = {"balance": {"target": 20, "max_copies": 6}}
    tree = simple(data, tmp_path / "out", split={}, copies=copies, limits={"rejected": 1})
    tree["fields"]["image"] |= {"quality": {"reject_identical": True, "retries": 3}}
    tree["fields"]["image"]["augment"] = [{"sometimes": {"p": 0.5, "steps": ["fanbeam.CutMix"]}}]
    version = run(tmp_path, tree)
    found = rows_of(version)
    retried = [row for row in found.values() if any(t["name"] == "fanbeam.Retry" for t in row["lineage"]["transforms"])]
    assert retried
    assert all(row["lineage"]["parents"] for row in found.values() if row["lineage"]["copy"])
    assert main(["verify", str(version), "--samples", "20", "--json"]) == 0


@pytest.mark.parametrize(
    "split", [{"by": "stratified", "validation": 0.3}, {"by": {"kfold": {"k": 3, "fold": 1}}}], ids=str
)
def test_splits_that_the_whole_input_decides(tmp_path: Path, split: dict[str, Any]) -> None:
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", workdata.image_rows(30))
    version = run(tmp_path, simple(data, tmp_path / "out", split=split, blends={}))
    training = {row["lineage"]["source_id"] for row in rows_of(version).values()}
    donors = {d[0] for d in json.loads((version / "_references.json").read_text())["donors"]}
    assert donors == training
    assert 15 < len(donors) < 25
    assert main(["verify", str(version), "--samples", "30", "--json"]) == 0


def test_records_that_are_left_out_are_no_partners(tmp_path: Path) -> None:
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", workdata.image_rows(30))
    copies = {"balance": {"target": 6, "min_copies": 1, "downsample": True}}
    version = run(tmp_path, simple(data, tmp_path / "out", split={}, copies=copies, blends={}))
    rows = rows_of(version)
    staying = {row["lineage"]["source_id"] for row in rows.values()}
    assert len(staying) == 9
    parents = {p["source_id"] for row in rows.values() for p in row["lineage"]["parents"]}
    assert parents <= staying
    assert len(parents) > 5


def test_a_lonely_record_is_left_alone_and_that_is_recorded(tmp_path: Path, ask: Callable[..., Answer]) -> None:
    rows = workdata.image_rows(9)
    rows[0]["label"] = "lonely"
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", rows)
    tree = simple(data, tmp_path / "out", split={}, blends={})
    tree["fields"]["image"]["augment"] = [{"fanbeam.MixUp": {"partners": "same_class"}}]
    told = ["classes of one training record ('lonely'): partners: same_class finds nobody for them"]
    for command in ("plan", "run"):
        code, answer = ask(command, workdata.write_config(tmp_path / "c.yaml", tree))
        assert (code, answer["warnings"]) == (0, told)
    (row,) = [row for i, row in rows_of(workdata.version_folder(tmp_path / "out")).items() if i == "r000/1"]
    assert blends_of(row) == [("fanbeam.MixUp", {"not_applied": "no other record to blend with", "parents": {}})]
    assert row["label_weights"] == [{"label": "lonely", "weight": 1.0}]
    assert row["lineage"]["parents"] == []


def test_sounds_and_texts(tmp_path: Path, ask: Callable[..., Answer]) -> None:
    plain = [{"id": f"r{n}", "label": workdata.LABELS[n % 3]} for n in range(24)]
    sounds = [
        {**row, "sound": workdata.sound(n), "events": [[0.02, 0.1]], "what": [f"e{n}"]} for n, row in enumerate(plain)
    ]
    texts = [{**row, "text": f"{workdata.sentence(n)} {workdata.sentence(99 + n)}"} for n, row in enumerate(plain)]
    segments = {"segments": {"column": "events", "labels": "what"}}
    background = {"fanbeam.AddFromSet": {"labels": "own"}}
    both = [("sound", sounds, {"type": "audio", "augment": ["fanbeam.MixUp", background], **segments}, 3),
            ("text", texts, {"type": "text", "augment": ["fanbeam.SentenceMix"]}, 2)]  # fmt: skip
    for name, rows, field, parents in both:
        data = workdata.write_parquet(tmp_path / name / "in.parquet", rows)
        tree = workdata.image_config(data, tmp_path / name / "out", fields={name: field}, limits={"rejected": 1})
        version = run(tmp_path / name, tree)
        copies = [row for row in rows_of(version).values() if row["lineage"]["copy"]]
        assert copies
        assert max(len(row["lineage"]["parents"]) for row in copies) == parents
        assert all(sum(weights(row["label_weights"], "label").values()) == pytest.approx(1) for row in copies)
        if name == "sound":
            assert all(len(row["events"]) == len(row["what"]) == 2 for row in copies)
        code, answer = ask("verify", version, "--samples", 30)
        assert (code, answer["ok"]) == (0, True)


def test_what_check_says(tmp_path: Path, ask: Callable[..., Answer]) -> None:
    rows = [{**row, "label_weights": 1.0, "caption": "x"} for row in workdata.image_rows(6)]
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", rows)
    wrong = simple(data, tmp_path / "out", blends={"shelf": 7})
    wrong["fields"]["image"]["augment"] = [{"fanbeam.CutMix": {"partners": "same_class"}}, "fanbeam.SentenceMix"]
    wrong["fields"]["image"]["prepare"] = ["fanbeam.MixUp"]
    wrong["fields"]["caption"] = {"type": "text"}
    wrong["input"].pop("label")
    code, answer = ask("check", workdata.write_config(tmp_path / "c.yaml", wrong))
    assert code == 2
    messages = {problem["message"] for problem in answer["error"]["problems"]}
    assert messages == {
        "fanbeam.CutMix: partners: same_class needs the class of each record.",
        "fanbeam.SentenceMix works on text; this field is image.",
        "fanbeam.MixUp blends training records; prepare runs on every split.",
        "fanbeam.MixUp blends 'image' of several records; 'caption' would still be of one record alone.",
        "a shelf of 7 donors is larger than the input, which has 6 records.",
    }
    code, answer = ask("check", workdata.write_config(tmp_path / "c.yaml", simple(data, tmp_path / "out", blends={})))
    assert [p["message"] for p in answer["error"]["problems"]] == [
        "the input has a column 'label_weights', which fanbeam writes itself."
    ]


def words(text: str) -> list[str]:
    return sorted(re.findall(r"\w+", text.lower()))


def test_a_caption_beside_a_blended_picture_stays_that_of_the_record(
    tmp_path: Path, ask: Callable[..., Answer]
) -> None:
    """If that is meant: its own text, augmented on its own, in the same rows; whatever the workers; replayed."""
    rows = [{**row, "caption": f"{workdata.sentence(n)} number {n}"} for n, row in enumerate(workdata.image_rows(12))]
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", rows)
    found = []
    for workers in ("1", "2"):
        tree = simple(data, tmp_path / workers, blends={"other_fields": "own"})
        tree["fields"]["caption"] = {"type": "text", "augment": [{"nlpaug.RandomWordAug": {"action": "swap"}}]}
        tree["fields"]["image"]["augment"] = [{"fanbeam.MixUp": {"alpha": 8}}]
        found.append(run(tmp_path, tree, "--workers", workers))
    assert workdata.contents(found[0]) == workdata.contents(found[1])
    captions = {str(row["id"]): row["caption"] for row in rows}
    table = pads.dataset(sorted((found[0] / "train").glob("*.parquet"))).to_table().to_pylist()
    blended = [row for row in table if len(row["lineage"]["parents"] or ()) > 1]
    assert blended
    for row in blended:
        own = captions[row["lineage"]["source_id"]]
        assert words(row["caption"]) == words(own)
        assert abs(sum(weight["weight"] for weight in row["label_weights"]) - 1) < 1e-6
        assert row["lineage"]["parents"][0]["source_id"] == row["lineage"]["source_id"]
    code, answer = ask("verify", tmp_path / "1")
    assert (code, answer["ok"]) == (0, True)
    code, answer = ask("replay", tmp_path / "1", blended[0]["sample_id"])
    assert (code, answer["same"]) == (0, True)


def test_fields_beside_a_blended_one(tmp_path: Path, ask: Callable[..., Answer]) -> None:
    rows = [{**row, "caption": workdata.sentence(n)} for n, row in enumerate(workdata.image_rows(6))]
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", rows)

    def said(blends: dict[str, str], caption: dict[str, Any] | None) -> tuple[str, str]:
        tree = simple(data, tmp_path / "out", blends=blends)
        if caption is not None:
            tree["fields"]["caption"] = {"type": "text", **caption}
        code, answer = ask("check", workdata.write_config(tmp_path / "c.yaml", tree))
        (problem,) = answer["error"]["problems"] if code else ({"message": "", "suggestion": ""},)
        return problem["message"], problem["suggestion"]

    assert "blends.other_fields: own" in said({}, {})[1]
    assert said({"other_fields": "own"}, {}) == ("", "")
    assert "partners of its own" in said({"other_fields": "own"}, {"augment": ["fanbeam.SentenceMix"]})[0]
    assert said({"other_fields": "own"}, None)[0] == "there is no field beside a blended one."


def test_a_shelf_larger_than_train_is_refused(tmp_path: Path, ask: Callable[..., Answer]) -> None:
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", workdata.image_rows(20))
    tree = simple(data, tmp_path / "out", blends={"shelf": 19}, split={"validation": 0.5})
    for command in ("plan", "run", "preview"):
        more = ("-o", tmp_path / "sheet.png") if command == "preview" else ()
        code, answer = ask(command, workdata.write_config(tmp_path / "c.yaml", tree), *more)
        assert code == 2
        assert "a shelf of 19 donors is larger than train, which has" in answer["error"]["message"]
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").rglob("*.parquet"))


def test_shelf_without_a_blend_is_told(tmp_path: Path, ask: Callable[..., Answer]) -> None:
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", workdata.image_rows(6))
    tree = workdata.image_config(data, tmp_path / "out", blends={"shelf": 4})
    code, answer = ask("check", workdata.write_config(tmp_path / "c.yaml", tree))
    assert code == 2
    assert answer["error"]["problems"][0]["message"] == "no step blends records."


def test_a_config_without_blends_has_the_version_that_it_had(tmp_path: Path) -> None:
    """The new key is part of a version only where it decides bytes."""
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", workdata.image_rows(6))
    version = run(tmp_path, workdata.image_config(data, tmp_path / "out", split={}))
    assert "blends" not in json.loads((version / "manifest.json").read_text())["config"]
    assert "label_weights" not in pa.schema(pq.read_schema(next((version / "train").glob("*.parquet")))).names
