from dataclasses import replace
from itertools import count
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import config_of, parquet, text_columns

from pipeline.driver.jobs import job_of
from pipeline.planning.copies.table import DOWNSAMPLED, CopyTable, Share
from pipeline.planning.job import Job
from pipeline.records import Record, Refusal
from pipeline.rendering.fan_out import ORIGINAL, copies_of, fan_out, variants_of
from pipeline.sources.open_input import open_input


def test_only_train_is_multiplied() -> None:
    assert [*copies_of(True, "train", 3)] == [0, 1, 2, 3]
    assert [*copies_of(True, "validation", 3)] == [*copies_of(False, "test", 3)] == [0]


def test_without_the_original() -> None:
    assert [*copies_of(False, "train", 2)] == [1, 2]


def test_no_copies() -> None:
    assert [*copies_of(True, "train", 0)] == [0]


def test_the_original_has_no_seed() -> None:
    first, *others = variants_of(config_of("in", "out"), "train", "r1", 2)
    assert first == ORIGINAL
    assert first.seed == b""
    assert all(len(v.seed) == 16 for v in others)


@given(st.text(max_size=9), st.text(max_size=9), st.integers(0, 5), st.integers(0, 5))
def test_seeds_depend_on_seed_key_and_copy_alone(key: str, other: str, few: int, many: int) -> None:
    small, large = config_of("in", "out", copies=few), config_of("elsewhere", "away", copies=few + many)
    ours = variants_of(small, "train", key, few)
    assert variants_of(large, "train", key, few + many)[: len(ours)] == ours
    seeds = [v.seed for k in {key, other} for v in variants_of(large, "train", k, few + many) if v.copy]
    assert len(set(seeds)) == len(seeds)


def test_another_run_seed_draws_anew() -> None:
    ours, theirs = (variants_of(config_of("in", "out", seed=s), "train", "r", 2) for s in (1, 2))
    assert ours[0] == theirs[0]
    assert {v.seed for v in ours[1:]}.isdisjoint(v.seed for v in theirs[1:])


def job_with(tmp_path: Path, **config: object) -> Job:
    parquet(tmp_path / "in" / "a.parquet", text_columns(1))
    given, listing = open_input(config_of(tmp_path / "in", tmp_path / "out", **config))
    return job_of(given, listing)


def record(key: str, *classes: str, refusal: Refusal | None = None) -> Record:
    return Record(key, "f", 0, (), {}, pa.record_batch({"x": [1]}), 0, refusal, classes)


def test_families_keep_order_and_refusals(tmp_path: Path) -> None:
    refusal = Refusal("failed", "id", "read", "null_id")
    records = [record("a"), record("b", refusal=refusal)]
    families = list(fan_out(job_with(tmp_path, copies=2), "train", iter(records)))
    assert [f.record.key for f in families] == ["a", "b"]
    assert [f.refusal for f in families] == [None, refusal]
    assert [len(f.variants) for f in families] == [3, 3]


def test_copies_by_class_and_records_that_do_not_stay(tmp_path: Path) -> None:
    job = job_with(tmp_path, copies={"per_class": {"cat": 3, "emu": 5}, "default": 1})
    records = [record("a", "cat"), record("b", "dog"), record("c", "cat", "emu"), record("d")]
    assert [len(f.variants) for f in fan_out(job, "train", iter(records))] == [4, 2, 6, 2]
    assert [len(f.variants) for f in fan_out(job, "test", iter(records))] == [1, 1, 1, 1]
    none = replace(job, counted=CopyTable(2, sets={("cat",): Share(0, kept_below=0)}))
    dropped, kept = fan_out(none, "train", iter(records[:2]))
    assert dropped.refusal is not None
    assert (dropped.refusal.kind, dropped.refusal.reason, len(dropped.variants)) == ("rejected", DOWNSAMPLED, 0)
    assert (kept.refusal, len(kept.variants)) == (None, 3)
    assert [len(f.variants) for f in fan_out(none, "validation", iter(records[:2]))] == [1, 1]


def test_fan_out_is_lazy(tmp_path: Path) -> None:
    endless = (record("a") for _ in count())
    assert next(fan_out(job_with(tmp_path), "train", endless)).record.key == "a"
