"""The certificate of a commit: what the written shards share, in one process and as steps; what stops a commit."""

import ast
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from made_splits import decided
from small_inputs import FLIP, Ran, config_of, jpeg, opened, parquet, planned, ran, text_columns, text_of, wav, words
from totals_and_keys import tallied

import pipeline
from pipeline.audit.digest_matching import Found, Place, by_part, dealt, parts_for, shared, sieve_of
from pipeline.audit.leak_counts import Findings, counted
from pipeline.audit.leaks import KEPT_PAIRS, KINDS
from pipeline.audit.pair_check import settle, to_compare
from pipeline.audit.row_digests import MARK, Looked, Marks, Portion
from pipeline.audit.set_audit import Near
from pipeline.audit.shard_audit import audited_here, leaks_of, portions_of
from pipeline.audit.shard_reading import look_at
from pipeline.audit.sides import Field
from pipeline.audit.signatures import Candidate, NearField
from pipeline.cli.demo import photo_crops
from pipeline.config.split import KeepTogether, NearSettings, SplitConfig
from pipeline.dataset.commit import Expected, commit
from pipeline.dataset.leak_certificate import kept_leaks, leak_warnings, looked_at, looked_for, unaudited
from pipeline.dataset.manifest import read_manifest
from pipeline.dataset.totals import Tally
from pipeline.driver.audit import audit_dataset
from pipeline.errors import LimitsExceeded, RunFailed
from pipeline.planning.checks.file_overlap import certificate_problems
from pipeline.planning.fingerprint import ABSENT, installed
from pipeline.planning.job import Task
from pipeline.planning.plan import Probe, make_plan
from pipeline.planning.survey import survey
from pipeline.preview import fonts
from pipeline.rendering.stages import render
from pipeline.storage.folder import Folder

LOOKED = Looked((), ("site",))


def columns(count: int = 40, texts: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """Rows whose split is a column: every fourth is validation."""
    found = text_columns(count, part=["validation" if n % 4 == 3 else "train" for n in range(count)], **more)
    return found | ({"text": texts} if texts else {})


def leaky(home: Path, count: int = 40, **changes: Any) -> Any:
    """A config whose validation rows 3 and 7 have texts of training rows 0 and 1."""
    texts = [words({3: 0, 7: 1}.get(n, n)) for n in range(count)]
    parquet(home / "in/a.parquet", columns(count, texts), 10)
    changes = {"split": {"column": "part"}, "output__shard_size": "4KiB", "certificate": "facts", **changes}
    return config_of(home / "in", home / "out", **changes)


def certificate(made: Ran) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(made.dataset.path) / "leaks.json").read_bytes())
    return found


def marks(split: Any, index: int, *rows: tuple[int, int, int]) -> Marks:
    """`rows`: digest, role, row."""
    values = np.array([(digest, digest + 1, role, row) for digest, role, row in rows], MARK)
    return Marks(split, index, len(rows), values)


# What is found


def test_nothing_is_shared(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", columns(), 10)
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={"column": "part"}, certificate="facts"))
    found = certificate(made)
    assert (found["clean"], found["stopping"], found["pairs"]) == (True, 0, [])
    assert found["sides"] == [{"name": "train", "rows": 90}, {"name": "validation", "rows": 10}]
    assert made.dataset.manifest["leaks"]["clean"]


def test_the_same_text_on_both_sides_stops_the_commit(tmp_path: Path) -> None:
    with pytest.raises(LimitsExceeded) as caught:
        ran(leaky(tmp_path))
    message = str(caught.value)
    assert "2 of 10 validation and test records leak into train (exact 2); 0 of them are allowed" in message
    assert "'r0000/0' (train), 'r0003/0' (validation; text)" in message
    assert "leaks.json" in message
    (problem,) = caught.value.problems
    assert (problem.where, "raise limits.leaks" in problem.suggestion) == ("limits.leaks", True)
    (version,) = (tmp_path / "out").iterdir()
    assert not (version / "manifest.json").exists()
    assert json.loads((version / "leaks.json").read_bytes())["leaking"]["exact"] == 2


@pytest.mark.parametrize(("allowed", "fine"), [(0.2, True), (0.19, False)])
def test_a_share_may_be_allowed_and_the_bytes_stay(tmp_path: Path, allowed: float, fine: bool) -> None:
    config = leaky(tmp_path, limits__leaks=allowed)
    if not fine:
        with pytest.raises(LimitsExceeded):
            ran(config)
        return
    made = ran(config)
    assert made.dataset.manifest["leaks"]["leaking"]["exact"] == 2
    assert [(p["kind"], p["train"], p["validation"]) for p in certificate(made)["pairs"]] == [
        ("exact", "r0000/0", "r0003/0"), ("exact", "r0001/0", "r0007/0"),
    ]  # fmt: skip


def test_groups_are_shared_and_named(tmp_path: Path) -> None:
    site = [f"s{n}" for n in range(20)]
    parquet(tmp_path / "in/a.parquet", columns(20, site=["s0" if n == 3 else s for n, s in enumerate(site)]), 10)
    config = config_of(
        tmp_path / "in", tmp_path / "out", split={"column": "part"}, input__group="site", limits__leaks=1,
        certificate="facts",
    )  # fmt: skip
    found = certificate(ran(config))
    assert {k: n for k, n in found["leaking"].items() if n} == {"group": 1}
    assert [(p["what"], p["train"], p["validation"]) for p in found["pairs"]] == [("site=s0", "r0000/0", "r0003/0")]


def test_the_same_picture_counts_and_the_same_caption_does_not(tmp_path: Path) -> None:
    rows = {**columns(12), "image": pa.array([jpeg(0 if n == 3 else n) for n in range(12)], pa.binary())}
    parquet(tmp_path / "in/a.parquet", rows | {"text": ["the same"] * 12})
    fields = {"image": {"type": "image"}, "text": {"type": "text"}}
    config = config_of(tmp_path / "in", tmp_path / "out", split={"column": "part"}, fields=fields, limits__leaks=1)
    found = certificate(ran(config))
    assert (found["leaking"]["exact"], found["stopping"]) == (1, 1)
    assert found["pairs"][0]["what"] == "image"


def test_one_side_alone_has_nothing_to_share(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", text_columns(10) | {"text": ["the same text"] * 10})
    found = certificate(ran(config_of(tmp_path / "in", tmp_path / "out", split={})))
    assert (found["clean"], found["sides"]) == (True, [{"name": "train", "rows": 30}])


TIMES = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(40)]


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (pa.array(TIMES), "2024-01-01 03:00:00+00:00"),
        (pa.array([moment.isoformat() for moment in TIMES]), "2024-01-01 03:00:00+00:00"),
        (pa.array([moment.date() for moment in TIMES]), "2024-01-01"),
        (pa.array([float(n) for n in range(40)]), "3.0"),
    ],
)
def test_the_order_of_time_is_part_of_the_certificate(tmp_path: Path, times: pa.Array, first: str) -> None:
    """Every fourth row was to be the newest, and is not."""
    parquet(tmp_path / "in/a.parquet", columns(taken=times), 10)
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={"column": "part"}, certificate="facts"))
    assert certificate(made)["clean"]
    looked = replace(looked_for(made.job, 40), time="taken")
    shards = made.dataset.manifest["shards"]
    found = leaks_of(made.job.dataset, shards, looked, audited_here(made.job.dataset, portions_of(shards, looked, 40)))
    assert not found.clean
    assert f"and validation begins at {first}" in found.disorder
    assert found.times["train"][0] <= found.times["validation"][0]


def test_a_split_by_time_is_certified_to_be_in_order(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", {**columns(), "taken": pa.array(TIMES)}, 10)
    split = {"by": "time", "column": "taken", "validation": 0.25}
    config = config_of(tmp_path / "in", tmp_path / "out", split=split, certificate="facts")
    job, listing, _ = decided(config)
    plan = make_plan(job, survey(job, listing.units), Probe())
    tally = tallied(render(job, Task(shard)) for shard in plan.shards)
    expected = Expected(tuple(s.name for s in plan.shards), plan.records, listing.files)
    manifest = commit(job, expected, tally)
    said = json.loads(job.dataset.read("leaks.json"))
    assert (said["clean"], said["disorder"], manifest["leaks"]["disorder"]) == (True, "", "")
    assert said["times"]["validation"] == [str(TIMES[30]), str(TIMES[39])]


def test_training_rows_that_are_newer_are_a_warning() -> None:
    leaks = {"leaking": {"near": 0}, "near_fields": [], "disorder": "train reaches up to 9, and test begins at 3"}
    (warning,) = leak_warnings(config_of("in", "out"), leaks)
    assert "train reaches up to 9, and test begins at 3" in warning
    assert "sticky: false" in warning


# Steps


def test_the_audit_shares_no_code_with_the_split() -> None:
    """Nor does the likeness that both use know of splits."""
    split = {"split", "split_table", "splitting", "keys", "survey", "surveying", "seeds", "planning"}
    files = [f for room in ("audit", "similarity") for f in (Path(pipeline.__path__[0]) / room).glob("*.py")]
    assert len(files) > 15
    for file in files:
        imports = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.ImportFrom)]
        used = {node.module.split(".")[1] for node in imports if node.module and node.module.startswith("pipeline.")}
        assert not used & split, file


def test_a_mark_is_of_one_kind_and_one_column() -> None:
    looked = Looked((), ("site", "room"))
    kinds = dict(enumerate(looked.roles))
    assert [kinds[n] for n in (3, 4)] == [("group", "site"), ("group", "room")]


@pytest.mark.parametrize(
    ("train", "held", "kind"),
    [(0, 0, "id"), (1, 1, "source"), (2, 1, "parent"), (1, 2, "parent"), (2, 2, None), (3, 3, "group")],
)
def test_roles_that_meet(train: int, held: int, kind: str | None) -> None:
    found = shared([marks("test", 4, (7, held, 5))], [marks("train", 2, (7, train, 9))], LOOKED)
    if kind is None:
        assert (found.links, found.rows) == ([], {})
        return
    (link,) = found.links
    assert (KINDS[link.kind], tuple(link.held), tuple(link.train)) == (kind, (2, 4, 5), (0, 2, 9))
    assert found.rows == {(2, 4): [(KINDS.index(kind), 5)]}  # type: ignore[arg-type]


def test_an_id_twice_on_one_side() -> None:
    """Whichever file and part it stands in: each row after the first one, in the order of splits, files and rows."""
    train = [marks("train", 1, (7, 0, 4), (8, 0, 5)), marks("train", 0, (7, 0, 9), (7, 0, 2), (6, 0, 3))]
    held = [marks("validation", 0, (5, 0, 1), (5, 0, 2)), marks("test", 3, (5, 0, 0))]
    found = shared(held, train, LOOKED)
    first = {(link.held, link.train) for link in found.links}
    validation = (1, 0, 1)
    assert first == {((0, 0, 9), (0, 0, 2)), ((0, 1, 4), (0, 0, 2)), ((1, 0, 2), validation), ((2, 3, 0), validation)}
    assert {file: len(rows) for file, rows in found.rows.items()} == {(0, 0): 1, (0, 1): 1, (1, 0): 1, (2, 3): 1}
    other = marks("train", 2, (7, 1, 0))
    assert [sum(len(some.values) for _, some in by_part(one, 4, [])) for one in (*train, other)] == [2, 3, 0]


def test_the_first_training_row_is_named_whatever_the_order() -> None:
    train = [marks("train", n, (7, 1, 30 - n)) for n in range(5)]
    held = [marks("validation", n, (7, 1, n)) for n in range(3)]
    wanted = shared(held, train, LOOKED)
    assert {tuple(link.train) for link in wanted.links} == {(0, 0, 30)}
    found = shared(held[::-1], train[::-1], LOOKED)
    assert (found.links, dict(sorted(found.rows.items()))) == (wanted.links, wanted.rows)


def test_parts_and_sieves_change_nothing() -> None:
    """Random marks of many files, some shared: in one part, and in eight that see only what the sieves let through."""
    draw = np.random.Generator(np.random.Philox(3))

    def side(split: Any, files: int, low: int, high: int) -> list[Marks]:
        made = []
        for index in range(files):
            values = np.zeros(200, MARK)
            values["high"] = draw.integers(low, high, 200)
            values["low"], values["role"] = values["high"] * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(20), 1
            values["row"] = np.arange(200)
            made.append(Marks(split, index, 200, values))
        return made

    held, train = side("validation", 3, 0, 9000), side("train", 9, 8000, 60_000)
    whole = shared(held, train, LOOKED)
    parts: dict[int, tuple[list[Marks], list[Marks]]] = {}
    for one in held:
        for part, some in dealt(one, 8):
            parts.setdefault(part, ([], []))[0].append(some)
    sieves = [sieve_of(part, sides[0]) for part, sides in parts.items()]
    passed = 0
    for one in train:
        for part, some in by_part(one, 8, sieves):
            parts[part][1].append(some)
            passed += len(some.values)
    found = [shared(*sides, LOOKED) for sides in parts.values()]
    assert 0 < len(whole.links) < passed < 0.2 * 1800
    assert sorted(link for f in found for link in f.links) == whole.links
    sums = Findings()
    for file in whole.rows:
        sums.merge(counted(file, [f.rows.get(file, []) for f in found]))
    assert sums.stopping == len({(link.held) for link in whole.links})


def test_matching_takes_as_long_as_its_marks_ask_for_whatever_the_number_of_files() -> None:
    def seconds(files: int) -> float:
        train, held = (
            [marks(split, index, (2**40 * side + index, 1, 0), (index % 7, 3, 0)) for index in range(files)]
            for side, split in enumerate(("train", "validation"))
        )
        started = process_time()
        assert len(shared(held, train, LOOKED).rows) == files
        return process_time() - started

    few, many = (min(seconds(files) for _ in range(3)) for files in (500, 4_000))
    assert many < 24 * few


def test_marks_are_dealt_whole_and_in_their_order() -> None:
    values = np.zeros(500, MARK)
    values["high"], values["row"] = np.random.default_rng(4).integers(0, 2**63, 500), np.arange(500)
    found = dict(dealt(Marks("test", 0, 500, values), 64))
    assert sorted(row for some in found.values() for row in some.values["row"].tolist()) == list(range(500))
    for part, some in found.items():
        assert set((some.values["high"] % 64).tolist()) == {part}
        assert (np.diff(some.values["row"].astype(int)) > 0).all()
    assert list(dealt(Marks("test", 0, 0, values[:0]), 64)) == []


def test_a_row_counts_once_for_a_kind_and_once_in_all() -> None:
    exact, group = KINDS.index("exact"), KINDS.index("group")
    found = counted((1, 0), [[(exact, 5), (group, 5)], [(exact, 5), (exact, 6)]])
    assert (found.leaking, found.stopping) == ({(1, exact): 2, (1, group): 1}, 2)


def test_files_have_numbers_of_their_own() -> None:
    files = [(split, index) for split in range(3) for index in (0, 1, 7)]
    numbers = [number for number, _ in Found(rows={file: [] for file in files}).by_file()]
    assert [Found.file_of(number) for number in numbers] == files
    assert len(set(numbers)) == len(files)


def test_links_are_bounded_and_rows_are_all_counted() -> None:
    held = marks("validation", 0, *((7, 3, row) for row in range(3 * KEPT_PAIRS)))
    found = shared([held], [marks("train", 0, (7, 3, 0))], LOOKED)
    assert len(found.links) == KEPT_PAIRS
    assert counted((1, 0), [found.rows[1, 0]]).stopping == 3 * KEPT_PAIRS


def test_parts_grow_with_the_held_out_side() -> None:
    assert [parts_for(rows, rows, LOOKED) for rows in (0, 1, 40_000, 10**7)] == [1, 1, 1, 256]
    assert parts_for(0, 10**9, LOOKED) == 4096, "ids of all rows are looked at"


def test_training_rows_that_share_a_mark_are_marked_once(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", columns(), 10)
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={"column": "part"}, copies=3))
    looked = looked_at(made.job)
    (portion,) = [p for p in portions_of(made.dataset.manifest["shards"], looked, 40) if p.split == "train"]
    found = look_at(made.job.dataset, portion).marks
    roles = [looked.roles[role][0] for role in found.values["role"].tolist()]
    assert (found.rows, roles.count("source"), roles.count("id")) == (120, 30, 120)


# Runs


def test_what_was_audited_is_not_audited_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = leaky(tmp_path)
    with pytest.raises(LimitsExceeded):
        ran(config)
    raised = config.model_copy(update={"limits": config.limits.model_copy(update={"leaks": 0.5})})
    job, listing, plan = planned(raised)
    expected = Expected(tuple(s.name for s in plan.shards), plan.records, listing.files)
    tally = tallied(render(job, Task(shard)) for shard in plan.shards)
    assert unaudited(job, tally) == []
    monkeypatch.setattr("pipeline.dataset.leak_certificate.audited_here", None)
    assert commit(job, expected, tally)["leaks"]["stopping"] == 2


@pytest.mark.parametrize("spoilt", ["gone", "edited", "of another shard"])
def test_only_the_certificate_of_these_bytes_is_kept(tmp_path: Path, spoilt: str) -> None:
    made = ran(leaky(tmp_path, limits__leaks=1))
    tally = tallied(made.receipts)
    assert kept_leaks(made.job, tally) is not None
    path = Path(made.dataset.path) / "leaks.json"
    if spoilt == "gone":
        path.unlink()
    elif spoilt == "edited":
        path.write_text(path.read_text().replace('"stopping": 2', '"stopping":  2'))
    else:
        first, *others = made.receipts
        assert first.data is not None
        tally = tallied([replace(first, data=replace(first.data, sha256="0" * 64)), *others])
    assert kept_leaks(made.job, tally) is None
    assert len(unaudited(made.job, tally)) == len([r for r in made.receipts if r.data])


def test_an_audit_that_did_not_read_everything_certifies_nothing(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", columns(), 10)
    job, listing, plan = planned(config_of(tmp_path / "in", tmp_path / "out", split={"column": "part"}))
    expected = Expected(tuple(s.name for s in plan.shards), plan.records, listing.files)
    tally = tallied(render(job, Task(shard)) for shard in plan.shards)
    with pytest.raises(RunFailed, match="the audit read 0 rows where the receipts say 100"):
        commit(job, expected, tally, Findings())
    assert read_manifest(job.dataset) is None


def test_the_order_of_files_changes_nothing(tmp_path: Path) -> None:
    made = ran(leaky(tmp_path, limits__leaks=1))
    portions = portions_of(made.dataset.manifest["shards"], looked_for(made.job, 40), 40)
    wanted = audited_here(made.job.dataset, portions)
    random.Random(1).shuffle(portions)
    assert audited_here(made.job.dataset, portions) == wanted
    assert wanted.read == {"train": 90, "validation": 10}


def test_a_portion_is_small() -> None:
    assert len(repr(Portion("train", 3, "train/part-00003.parquet", 100, LOOKED))) < 400


def test_nothing_to_read_nothing_found() -> None:
    assert audited_here(Folder("/nowhere"), []) == Findings()
    assert Tally().as_json()["shards"] == []


# Near duplicates


def sentences(count: int = 40) -> list[str]:
    """Distinct sentences of forty letters and more."""
    draw = np.random.Generator(np.random.Philox(5))
    return [" ".join("".join(map(chr, draw.integers(97, 123, 7))) for _ in range(9)) for _ in range(count)]


def reworded(home: Path, **changes: Any) -> Any:
    """A config whose validation row 3 is training row 0 in capitals, and 7 is row 1 with another last word."""
    texts = sentences()
    texts[3], texts[7] = texts[0].upper() + "!", " ".join([*texts[1].split()[:-1], "another"])
    parquet(home / "in/a.parquet", columns(40, texts), 10)
    changes = {"split": {"column": "part"}, "output__shard_size": "4KiB", **changes}
    return config_of(home / "in", home / "out", **changes)


def near_pairs(found: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((p["train"], p["validation"]) for p in found["pairs"] if p["kind"] == "near")


def test_near_duplicates_are_counted_and_stop_nothing(tmp_path: Path) -> None:
    made = ran(reworded(tmp_path))
    found = certificate(made)
    assert near_pairs(found) == [("r0000/0", "r0003/0"), ("r0001/0", "r0007/0")]
    assert (found["clean"], found["leaking"]["near"], found["stopping"]) == (False, 2, 0)
    assert (found["checked"]["near"], found["checked"]["near_of"]) == ({"text": 0.15}, "one row of each record")
    assert found["pairs"][0]["distance"] == 0
    texts = sentences()
    assert found["pairs"][0]["words"] == [texts[0][:120], f"{texts[0].upper()}!"[:120]]
    assert 0 < found["pairs"][1]["distance"] <= 0.15
    (warning,) = leak_warnings(made.job.config, made.dataset.manifest["leaks"])
    assert "2 validation and test records have a near duplicate in train" in warning
    assert warning.endswith("Mend the column 'part', which alone decides the splits.")
    hashed = made.job.config.model_copy(update={"split": SplitConfig(validation=0.2)})
    (warning,) = leak_warnings(hashed, made.dataset.manifest["leaks"])
    assert warning.endswith("To keep such together: split: {keep_together: {near_duplicates: {text: {}}}}")


def test_near_duplicates_that_were_to_be_kept_together_stop_the_commit(tmp_path: Path) -> None:
    job, listing, plan = planned(reworded(tmp_path))
    kept = job.config.split.model_copy(update={"keep_together": KeepTogether(near_duplicates={"text": NearSettings()})})
    asked = replace(job, config=job.config.model_copy(update={"split": kept}))
    tally = tallied(render(asked, Task(shard)) for shard in plan.shards)
    expected = Expected(tuple(s.name for s in plan.shards), plan.records, listing.files)
    with pytest.raises(LimitsExceeded, match=r"2 of 10 .* leak into train \(near 2\); 0 of them"):
        commit(asked, expected, tally)
    allowed = asked.config.model_copy(update={"limits": asked.config.limits.model_copy(update={"leaks": 0.2})})
    manifest = commit(replace(asked, config=allowed), expected, tally)
    assert (manifest["leaks"]["stopping"], leak_warnings(asked.config, manifest["leaks"])) == (2, [])


def test_only_facts(tmp_path: Path) -> None:
    found = certificate(ran(reworded(tmp_path, certificate="facts")))
    assert (found["clean"], found["checked"]["near"], found["checked"]["note"]) == (True, None, "")
    card = next((tmp_path / "out").glob("*/README.md")).read_text()
    assert "Near duplicates were not looked for (`certificate: facts`)." in card


def test_copies_are_looked_at_where_that_is_asked_for(tmp_path: Path) -> None:
    """The copies of row 0 are as near to the leak as its original is; only `full` sees which is the nearest."""
    found = certificate(ran(reworded(tmp_path, certificate="full", copies=3)))
    assert found["checked"]["near_of"] == "all rows"
    assert {p["train"].split("/")[0] for p in found["pairs"]} == {"r0000", "r0001"}


@pytest.mark.parametrize("certificate_", [None, "near"])
def test_of_many_records_only_if_that_is_asked_for(
    tmp_path: Path, certificate_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.dataset.leak_certificate.MOST_BY_DEFAULT", 39)
    made = ran(reworded(tmp_path, **({"certificate": certificate_} if certificate_ else {})))
    found = certificate(made)
    assert found["leaking"]["near"] == (2 if certificate_ else 0)
    assert ("certificate: near" in found["checked"]["note"]) == (certificate_ is None)
    if certificate_ is None:
        assert not found["clean"]
        (warning,) = leak_warnings(made.job.config, made.dataset.manifest["leaks"])
        assert "not complete. Near duplicates (text) were not looked for among more than 39 records" in warning
        card = (Path(made.dataset.path) / "README.md").read_text()
        assert card.index("**Not fully checked.**") < card.index("Nothing of validation or test was found in train.")


def test_without_the_packages_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = installed
    monkeypatch.setattr(
        "pipeline.planning.fingerprint.installed", lambda name: ABSENT if name == "rensa" else known(name)
    )
    with_it = opened(reworded(tmp_path))[0].version
    found = certificate(ran(reworded(tmp_path)))
    assert (found["clean"], found["checked"]["near"]) == (False, None)
    assert found["unchecked"] == ["Near duplicates need rensa: pip install rensa."]
    monkeypatch.undo()
    assert opened(reworded(tmp_path))[0].version != with_it


def test_a_certificate_that_cannot_be_made_is_a_bad_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = reworded(tmp_path, certificate="near")
    assert list(certificate_problems(config, text_of({}))) == []
    monkeypatch.setattr("pipeline.planning.fingerprint.installed", lambda _: ABSENT)
    (problem,) = certificate_problems(config, text_of({}))
    assert "needs rapidfuzz, rensa: pip install rapidfuzz rensa" in problem.message
    assert list(certificate_problems(reworded(tmp_path), text_of({}))) == []


@pytest.mark.parametrize("kind", ["text", "image"])
def test_many_buckets_find_what_one_finds(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ran(reworded(tmp_path) if kind == "text" else resized(tmp_path))
    wanted = certificate(made)
    assert len(near_pairs(wanted)) == 2
    looked, shards = looked_for(made.job, 40), made.dataset.manifest["shards"]
    monkeypatch.setattr("pipeline.audit.signatures._AT_ONCE", 1)
    monkeypatch.setattr("pipeline.audit.signatures.ROWS_PER_BUCKET", 5)
    portions = portions_of(shards, looked, 40)
    assert portions[0].buckets == 8
    found = leaks_of(made.job.dataset, shards, looked, audited_here(made.job.dataset, portions))
    assert found.as_json() == {**wanted, "pictures": []}


def resized(home: Path) -> Any:
    """A config whose validation rows 3 and 7 are training pictures 0 and 1, smaller and of low quality."""
    crops = [row["image"] for row in photo_crops()][:40]
    crops[3], crops[7] = smaller(crops[0]), smaller(crops[1])
    rows = {**columns(), "image": pa.array(crops, pa.binary())}
    parquet(home / "in/a.parquet", rows, 10)
    fields = {"image": {"type": "image", "augment": [FLIP]}}
    changes: dict[str, Any] = {"split": {"column": "part"}, "fields": fields, "copies": 1}
    return config_of(home / "in", home / "out", output__shard_size="100KiB", **changes)


def smaller(picture: bytes) -> bytes:
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    small = cv2.resize(pixels, (90, 90), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])[1])


def test_pictures_and_what_cannot_be_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ran(resized(tmp_path))
    found = certificate(made)
    assert near_pairs(found) == [("r0000/0", "r0003/0"), ("r0001/0", "r0007/0")]
    assert found["checked"]["near"] == {"image": 0.3}
    portions = portions_of(made.dataset.manifest["shards"], looked_for(made.job, 40), 40)
    monkeypatch.setattr("pipeline.audit.pair_check.MOST_COMPARED", 0)
    monkeypatch.setattr("pipeline.audit.pair_check.EACH", 0)
    assert audited_here(made.job.dataset, portions).left >= 2


def candidate(held: int, train: int, apart: int, asked: bool = False) -> Candidate:
    near = NearField(Field("image", "image"), 4, 0.3, asked=asked)
    return Candidate(near, Place(1, 0, held), "held", Place(0, 0, train), "train", apart)


def test_every_row_has_its_nearest_candidate_compared_before_any_row_has_its_second() -> None:
    found = [candidate(row, train, 10 * row + train) for row in range(3_000) for train in range(20)]
    random.Random(2).shuffle(found)
    chosen, left = to_compare([*found, candidate(7, 3, 0)])
    assert [(c.held.row, c.train.row) for c in chosen[:8]] == [*((row, 0) for row in range(7)), (7, 3)]
    assert {c.held.row for c in chosen} == set(range(3_000))
    assert Counter(c.held.row for c in chosen) == dict.fromkeys(range(3_000), 16)
    assert left.total() == 3_000 * 4
    settle(left, Found(rows={(1, 0): [(KINDS.index("near"), 5), (KINDS.index("exact"), 6)]}))
    assert left.total() == 2_999 * 4, "a row that leaks is known to leak"


def shaded(number: int, mark: int) -> bytes:
    """A slope of grey, as all of them are, with squares of its own."""
    draw = np.random.default_rng([number, mark])
    pixels = np.add.outer(np.arange(96), np.arange(96)).astype(np.float32)
    for _ in range(25):
        y, x = draw.integers(0, 84, 2)
        pixels[y : y + 12, x : x + 12] += draw.integers(-60, 60)
    return bytes(cv2.imencode(".png", np.clip(pixels, 0, 255).astype(np.uint8))[1])


def test_copies_at_the_end_of_many_held_out_rows_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.audit.pair_check.MOST_COMPARED", 30)
    train = [shaded(n, 0) for n in range(60)]
    copies = [smaller(picture) for picture in train[:12]]
    held = [*(shaded(n, 1) for n in range(48)), *copies]
    rows = {
        "id": [f"r{n:03d}" for n in range(120)],
        "label": ["x"] * 120,
        "part": ["train"] * 60 + ["validation"] * 60,
        "image": pa.array([*train, *held], pa.binary()),
    }
    parquet(tmp_path / "in/a.parquet", rows)
    fields = {"image": {"type": "image"}}
    made = ran(config_of(tmp_path / "in", tmp_path / "out", split={"column": "part"}, fields=fields, copies=0))
    found = certificate(made)
    assert {pair for pair in near_pairs(found) if pair[1] >= "r108"} == {
        (f"r{n:03d}/0", f"r{108 + n}/0") for n in range(12)
    }
    assert found["unchecked"] == []
    monkeypatch.setattr("pipeline.audit.pair_check.EACH", 1)
    made = ran(config_of(tmp_path / "in", tmp_path / "less", split={"column": "part"}, fields=fields, copies=0))
    found = certificate(made)
    assert len({held for _, held in near_pairs(found) if held >= "r108"}) == 12
    assert (found["clean"], found["not_compared"] > 0) == (False, True)
    assert "too many to be compared" in found["unchecked"][0]
    assert "**Not fully checked.**" in (Path(made.dataset.path) / "README.md").read_text()
    assert audit_dataset(made.dataset, Near()).unchecked == found["unchecked"]


def test_the_closest_pairs_are_shown(tmp_path: Path) -> None:
    """A part of the version: the same bytes, known to the manifest, shown by the card, made anew if it is gone."""
    made = ran(resized(tmp_path))
    path = Path(made.dataset.path) / "leaks.png"
    data = path.read_bytes()
    sheet = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape[0] > 2 * 200
    assert sheet.std() > 30
    files = made.dataset.manifest["leaks"]["files"]
    assert [(f["path"], f["bytes"]) for f in files][1:] == [("leaks.png", len(data))]
    assert "![The closest pairs](leaks.png)" in (path.parent / "README.md").read_text()
    path.unlink()
    (path.parent / "manifest.json").unlink()
    assert kept_leaks(made.job, tallied(made.receipts)) is None
    commit(made.job, Expected(tuple(s.name for s in made.plan.shards), 40, made.listing.files), tallied(made.receipts))
    assert path.read_bytes() == data


def test_sounds_are_shown_and_names_need_no_font(tmp_path: Path) -> None:
    rows = {**columns(8), "id": [f"\u9ce5{n}" for n in range(8)]}
    sounds = pa.array([wav({3: 0}.get(n, n)) for n in range(8)], pa.binary())
    parquet(tmp_path / "in/a.parquet", rows | {"sound": sounds})
    fields = {"sound": {"type": "audio"}}
    changes: dict[str, Any] = {"split": {"column": "part"}, "fields": fields, "limits__leaks": 1}
    sheets = []
    for name in ("with", "without"):
        with pytest.MonkeyPatch.context() as patch:
            if name == "without":
                patch.setattr(fonts, "_system_fonts", tuple)
            fonts.path_for.cache_clear()
            made = ran(config_of(tmp_path / "in", tmp_path / name, **changes))
        sheets.append((Path(made.dataset.path) / "leaks.png").read_bytes())
    fonts.path_for.cache_clear()
    assert sheets[0] == sheets[1]
    assert certificate(made)["leaking"]["exact"] == 1
    assert [f["path"] for f in made.dataset.manifest["leaks"]["files"]] == ["leaks.json", "leaks.png"]


def test_texts_are_not_drawn(tmp_path: Path) -> None:
    assert certificate(ran(reworded(tmp_path)))["pictures"] == []


def test_the_command_finds_what_the_certificate_says(tmp_path: Path) -> None:
    made = ran(resized(tmp_path))
    found = certificate(made)
    assert audit_dataset(made.dataset, Near()).as_json() == {**found, "pictures": []}
    assert audit_dataset(made.dataset, None).count("near") == 0
