from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_splits import committed, config, counts, decided, here, split_of, texts
from small_inputs import config_of, opened, parquet, put, words
from totals_and_keys import tallied

from pipeline.config.schema import JobConfig
from pipeline.dataset.commit import Expected, commit, point_latest
from pipeline.dataset.reader import Dataset, open_dataset
from pipeline.driver.held_out_changes import moving_notes
from pipeline.errors import InputError
from pipeline.planning.job import Job, Task
from pipeline.planning.plan import Probe, make_plan
from pipeline.planning.survey import survey
from pipeline.rendering.stages import render
from pipeline.sources import Listing
from pipeline.splitting.decision import Decision, decide, is_decided, settle
from pipeline.splitting.history.ledger import settings_digest

HELD = {"validation": 0.2, "test": 0.1}
LOOSE = {"exact": False}


@pytest.mark.parametrize(
    ("split", "whole"),
    [
        ({}, False),
        ({"column": "label"}, False),
        ({**HELD, "keep_together": LOOSE}, False),
        (HELD, True),
        ({**HELD, "keep_together": {"exact": False, "group": "label"}}, True),
        ({**HELD, "keep_together": {"exact": False, "near_duplicates": True}}, True),
        ({**HELD, "by": "stratified", "keep_together": LOOSE}, True),
        ({**HELD, "by": "time", "column": "n", "keep_together": LOOSE}, True),
        ({"by": {"kfold": {"k": 2, "fold": 0}}, "keep_together": LOOSE}, True),
    ],
)
def test_when_the_whole_input_decides(tmp_path: Path, split: dict[str, object], whole: bool) -> None:
    assert is_decided(config(tmp_path, **split)) is whole


def test_where_nothing_is_alike_every_record_is_where_its_hash_puts_it(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 60)
    job, listing, found = decided(config(tmp_path, **HELD))
    assert found.joined == {"exact:text": 0}
    alone = replace(job, decided=None)
    assert split_of(job, listing) == split_of(alone, listing)
    assert job.version == opened(config(tmp_path, **HELD))[0].version


def test_records_of_one_content_lie_in_one_split(tmp_path: Path) -> None:
    same = [words(n % 10) for n in range(60)]
    texts(tmp_path / "in/a.parquet", 60, text=same)
    job, listing, found = decided(config(tmp_path, **HELD))
    splits = split_of(job, listing)
    for number in range(10):
        assert len({splits[f"r{n:04d}"] for n in range(number, 60, 10)}) == 1
    assert found.joined == {"exact:text": 60}
    assert len(set(splits.values())) > 1


def test_empty_and_null_payloads_are_no_ones_relatives(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 40, text=[None, ""] * 20)
    assert decided(config(tmp_path, **HELD))[2].joined == {"exact:text": 0}


def test_several_group_columns_and_contents_join_one_another(tmp_path: Path) -> None:
    patients = [f"p{n // 2}" for n in range(40)]
    sites = [f"s{n // 10}" if n % 2 else None for n in range(40)]
    texts(tmp_path / "in/a.parquet", 40, patient=patients, site=sites)
    job, listing, found = decided(config(tmp_path, **HELD, keep_together={"group": ["patient", "site"]}))
    splits = split_of(job, listing)
    for site in range(4):
        assert len({splits[f"r{n:04d}"] for n in range(site * 10, site * 10 + 10)}) == 1
    assert found.notes == ("20 records have no site: each of them is a group of its own",)


def test_files_of_one_content_lie_in_one_split(tmp_path: Path) -> None:
    for number in range(30):
        put(tmp_path / f"in/owl/{number}.txt", words(number % 15))
    folder = config_of(tmp_path / "in", tmp_path / "out", input__id=..., input__label=..., split=HELD)
    job, listing, found = decided(folder)
    splits = split_of(job, listing)
    assert all(splits[f"owl/{n}.txt"] == splits[f"owl/{n + 15}.txt"] for n in range(15))
    assert found.joined == {"exact:text": 30}


def test_every_class_keeps_its_share_within_one_record(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 77, label=["owl"] * 50 + ["tit"] * 20 + ["wren"] * 7)
    job, listing, _ = decided(config(tmp_path, by="stratified", **HELD))
    splits = list(split_of(job, listing).values())
    for part, size in ((splits[:50], 50), (splits[50:70], 20), (splits[70:], 7)):
        for split, share in HELD.items():
            assert abs(part.count(split) - share * size) <= 1


def test_a_class_of_one_record_is_told(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 20, label=["owl"] * 19 + ["rare"])
    assert decided(config(tmp_path, by="stratified", **HELD))[2].notes == (
        "classes of one record lie in one split only: rare",
    )


def test_shares_that_groups_do_not_allow_are_told(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 20, label=["owl"] * 20, patient=["p"] * 15 + ["q"] * 5)
    together = {"group": "patient"}
    found = decided(config(tmp_path, by="stratified", validation=0.5, keep_together=together))[2]
    assert counts(found) == {"train": 15, "validation": 5, "test": 0}
    assert found.notes == (
        "validation has 5 of 20 records, 50.0% were asked for: relatives stay together",
        "class 'owl' has 5 of 20 records in validation, 10.0 were asked for: the best that its groups allow",
    )


def test_folds_cover_the_data_and_do_not_depend_on_the_one_asked_for(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 50, patient=[f"p{n // 2}" for n in range(50)])
    seen: dict[str, int] = {}
    tests = set()
    for fold in range(4):
        asked = {"by": {"kfold": {"k": 4, "fold": fold}}, "test": 0.2, "keep_together": {"group": "patient"}}
        job, listing, found = decided(config(tmp_path, **asked))
        splits = split_of(job, listing)
        for key, split in splits.items():
            seen[key] = seen.get(key, 0) + (split == "validation")
        tests.add(tuple(key for key, split in splits.items() if split == "test"))
        assert counts(found) == {"train": 30, "validation": 10, "test": 10}
        assert all(splits[f"r{n:04d}"] == splits[f"r{n + 1:04d}"] for n in range(0, 50, 2))
    (held,) = tests
    assert {key for key, times in seen.items() if times == 0} == set(held)
    assert max(seen.values()) == 1


def test_more_folds_than_groups_are_refused(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 20, patient=[f"p{n // 5}" for n in range(20)])
    asked = {"by": {"kfold": {"k": 5, "fold": 0}}, "keep_together": {"group": "patient"}}
    with pytest.raises(InputError) as raised:
        decided(config(tmp_path, **asked))
    assert "5 folds, and only 4 records or groups of relatives (20 records)" in raised.value.message
    assert "Use k: 4 or less" in raised.value.problems[0].suggestion


def test_the_newest_are_held_out_and_records_without_a_time_fail(tmp_path: Path) -> None:
    dates = [f"2026-01-{n + 1:02d}" for n in range(20)]
    texts(tmp_path / "in/a.parquet", 20, taken=[*dates[:19], None])
    job, listing, found = decided(config(tmp_path, by="time", column="taken", **HELD))
    splits = split_of(job, listing)
    assert splits["r0019"] == "null_time"
    assert [splits[f"r{n:04d}"] for n in range(19)] == ["train"] * 13 + ["validation"] * 4 + ["test"] * 2
    assert found.notes == ("1 records have no taken and fail: null_time",)


def grown(tmp_path: Path, **split: object) -> tuple[dict[str, str], dict[str, str], Decision, tuple[Job, Listing]]:
    """Splits before and after more records came: one joins p0, one q, and one is of both."""
    texts(tmp_path / "in/a.parquet", 40, patient=[f"p{n // 4}" for n in range(40)])
    job, listing, _ = committed(config(tmp_path, **split))
    before = split_of(job, listing)
    one = next(n for n in range(10) if before[f"r{4 * n:04d}"] == "train")
    other = next(n for n in range(10) if before[f"r{4 * n:04d}"] == "validation")
    new = [words(901), words(902), words(4 * other)]  # the last one: a patient of one side, the text of the other
    parquet(
        tmp_path / "in/b.parquet",
        {
            "id": ["joins", "other", "bridge"],
            "label": ["owl"] * 3,
            "text": new,
            "patient": [f"p{one}", f"p{other}", f"p{one}"],
        },
    )
    job, listing, found = decided(config(tmp_path, **split))
    return before, split_of(job, listing), found, (job, listing)


@pytest.mark.parametrize("by", ["hash", "stratified", {"kfold": {"k": 4, "fold": 1}}])
def test_with_more_data_known_records_stay_and_a_bridging_one_fails(tmp_path: Path, by: object) -> None:
    shares = {} if isinstance(by, dict) else {"validation": 0.4}
    before, after, found, (job, _) = grown(tmp_path, by=by, keep_together={"group": "patient"}, **shares)
    assert {key: after[key] for key in before} == before
    assert (after["joins"], after["other"], after["bridge"]) == ("train", "validation", "bridges_splits")
    assert (found.bridging, found.inherited) == (1, True)
    assert found.descent.ancestors == (opened(replace_input(job))[0].version,)
    assert found.notes[-1] == "1 new records have relatives in several splits and fail: bridges_splits"


def replace_input(job: Job) -> object:
    """The config of the first run."""
    path = str(job.config.input.path).replace("*.parquet", "a.parquet")
    return job.config.model_copy(update={"input": job.config.input.model_copy(update={"path": path})})


def test_what_is_not_sticky_forgets(tmp_path: Path) -> None:
    _, after, found, _ = grown(tmp_path, sticky=False, validation=0.4, keep_together={"group": "patient"})
    assert "bridges_splits" not in after.values()
    assert not found.inherited


def test_groups_are_known_though_their_records_are_gone(tmp_path: Path) -> None:
    together = {"exact": False, "group": "patient"}
    asked = {"by": "stratified", "validation": 0.4, "keep_together": together}
    texts(tmp_path / "in/a.parquet", 40, patient=[f"p{n // 4}" for n in range(40)])
    job, listing, _ = committed(config(tmp_path, **asked))
    before = split_of(job, listing)
    (tmp_path / "in/a.parquet").unlink()
    texts(tmp_path / "in/b.parquet", 10, 100, patient=[f"p{n}" for n in range(10)])
    after = split_of(*decided(config(tmp_path, **asked))[:2])
    assert [after[f"r{100 + n:04d}"] for n in range(10)] == [before[f"r{4 * n:04d}"] for n in range(10)]


def test_the_same_input_again_is_decided_as_it_was(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 40)
    asked = {"by": "stratified", **HELD}
    first = committed(config(tmp_path, **asked))
    texts(tmp_path / "in/b.parquet", 15, 200)
    committed(config(tmp_path, **asked))
    (tmp_path / "in/b.parquet").unlink()
    again = committed(config(tmp_path, **asked))
    assert again[0].version == first[0].version
    assert np.array_equal(again[2].table.codes, first[2].table.codes)


def test_another_way_to_split_starts_anew(tmp_path: Path) -> None:
    one = config(tmp_path, by="stratified", **HELD)
    assert settings_digest(one) != settings_digest(config(tmp_path, by="stratified", validation=0.3))
    folds = [config(tmp_path, by={"kfold": {"k": 4, "fold": fold}}) for fold in (0, 1)]
    assert settings_digest(folds[0]) == settings_digest(folds[1])
    assert settings_digest(one) == settings_digest(one.model_copy(update={"seed": 5, "copies": 9}))


def test_of_two_runs_that_begin_together_the_second_decides_as_the_first_did(tmp_path: Path) -> None:
    asked = config(tmp_path, by="stratified", **HELD)
    texts(tmp_path / "in/a.parquet", 40)
    committed(asked)
    texts(tmp_path / "in/b.parquet", 15, 200)
    fingerprint = opened(asked)[0].version
    first = decided(asked)
    assert settle(first[0], first[2], fingerprint) is not None
    other = replace(first[2], descent=replace(first[2].descent, ancestors=("another",)))
    assert settle(first[0], other, fingerprint) is None
    job, listing = opened(asked)
    again = decide(job, listing.units, here(job), fingerprint)
    assert again is not None and again.descent == first[2].descent


DAYS = [f"2024-{1 + n // 28:02d}-{1 + n % 28:02d}" for n in range(168)]


def test_the_future_in_train_is_told_with_its_number_and_the_choice(tmp_path: Path) -> None:
    """Data that grows: what was held out stays, and newer records are trained on."""
    asked = {"by": "time", "column": "taken", **HELD}
    texts(tmp_path / "in/a.parquet", 40, taken=DAYS[:40])
    assert committed(config(tmp_path, **asked))[2].notes == ()
    texts(tmp_path / "in/b.parquet", 60, 40, taken=DAYS[40:100])
    job, listing, found = decided(config(tmp_path, **asked))
    splits = [split_of(job, listing)[f"r{n:04d}"] for n in range(100)]
    oldest = min(n for n, split in enumerate(splits) if split != "train")
    newer = sum(split == "train" for split in splits[oldest:])
    assert newer > 0
    (note,) = found.notes
    assert note.startswith(f"{newer} of {splits.count('train')} training records are as new as the oldest held-out")
    assert "split.sticky: true" in note
    assert "sticky: false holds out the newest anew" in note
    fresh = decided(config(tmp_path, **asked, sticky=False))
    assert not [note for note in fresh[2].notes if "as new as" in note]


def test_relatives_that_bring_the_future_into_train_are_told(tmp_path: Path) -> None:
    patients = ["a"] * 5 + ["b"] * 5 + ["c"] * 10
    patients[0] = "c"  # an old record of a patient whose newest one is held out
    texts(tmp_path / "in/a.parquet", 20, taken=DAYS[:20], patient=patients)
    asked = {"by": "time", "column": "taken", "validation": 0.5, "keep_together": {"group": "patient"}}
    (note,) = (n for n in decided(config(tmp_path, **asked))[2].notes if "as new as" in n)
    assert note.startswith("9 of 9 training records")
    assert "relatives stay together" in note


def rendered(asked: JobConfig) -> Dataset:
    """Decided, written down, rendered and committed."""
    job, listing, _ = committed(asked)
    plan = make_plan(job, survey(job, listing.units), Probe())
    receipts = [render(job, Task(shard)) for shard in plan.shards]
    commit(job, Expected(tuple(s.name for s in plan.shards), plan.records, listing.files), tallied(receipts))
    point_latest(job.output, job.version)
    return open_dataset(job.output.url)


@pytest.mark.parametrize("before", [{"by": "stratified", "validation": 0.4}, {"validation": 0.4, "test": 0.2}])
def test_another_share_that_trains_on_what_was_held_out_is_told(tmp_path: Path, before: dict[str, object]) -> None:
    texts(tmp_path / "in/a.parquet", 60)
    first = rendered(config(tmp_path, **before))
    held = {r["id"] for s, rows in first.splits.items() if s != "train" for r in rows.to_table().to_pylist()}
    job, listing, _ = decided(config(tmp_path, **{**before, "validation": 0.1}))
    moved = sum(split_of(job, listing)[name] == "train" for name in held)
    assert moved > 0
    (note,) = moving_notes(job, listing)
    assert sum(int(word) for word in note.split(" in version ")[0].split() if word.isdigit()) == moved
    assert f"in version {first.folder.url.rpartition('/')[2]}" in note
    assert moving_notes(decided(config(tmp_path, **before))[0], listing) == ()
    more = decided(config(tmp_path, **{**before, "validation": 0.4, "seed": 0, "sticky": True}))
    assert moving_notes(more[0], more[1]) == ()
