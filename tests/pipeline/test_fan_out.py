from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import config_of

from pipeline.fan_out import ORIGINAL, copies_of, fan_out, variants_of
from pipeline.records import Record, Refusal


def test_only_train_is_multiplied() -> None:
    config = config_of("in", "out", copies=3)
    assert copies_of(config, "train") == (0, 1, 2, 3)
    assert copies_of(config, "validation") == copies_of(config, "test") == (0,)


def test_without_the_original() -> None:
    config = config_of("in", "out", copies=2, keep_original=False)
    assert copies_of(config, "train") == (1, 2)
    assert copies_of(config, "test") == (0,)


def test_no_copies() -> None:
    assert copies_of(config_of("in", "out", copies=0), "train") == (0,)


def test_the_original_has_no_seed() -> None:
    first, *others = variants_of(config_of("in", "out"), "train", "r1")
    assert first == ORIGINAL
    assert first.seed == b""
    assert all(len(v.seed) == 16 for v in others)


@given(st.text(max_size=9), st.text(max_size=9), st.integers(0, 5), st.integers(0, 5))
def test_seeds_depend_on_seed_key_and_copy_alone(key: str, other: str, few: int, many: int) -> None:
    small, large = config_of("in", "out", copies=few), config_of("elsewhere", "away", copies=few + many)
    ours = variants_of(small, "train", key)
    assert variants_of(large, "train", key)[: len(ours)] == ours
    seeds = [v.seed for k in {key, other} for v in variants_of(large, "train", k) if v.copy]
    assert len(set(seeds)) == len(seeds)


def test_another_run_seed_draws_anew() -> None:
    ours, theirs = (variants_of(config_of("in", "out", seed=s), "train", "r") for s in (1, 2))
    assert ours[0] == theirs[0]
    assert {v.seed for v in ours[1:]}.isdisjoint(v.seed for v in theirs[1:])


def test_families_keep_order_and_refusals(tmp_path: Path) -> None:
    batch = pa.record_batch({"x": [1, 2]})
    refusal = Refusal("failed", "id", "read", "null_id")
    records = [
        Record("a", "f", 0, (), {}, batch, 0),
        Record("b", "f", 1, (), {}, batch, 1, refusal),
    ]
    families = list(fan_out(config_of("in", "out"), "train", iter(records)))
    assert [f.record.key for f in families] == ["a", "b"]
    assert [f.refusal for f in families] == [None, refusal]
    assert [len(f.variants) for f in families] == [3, 3]


def test_fan_out_is_lazy() -> None:
    def endless():  # type: ignore[no-untyped-def]
        batch = pa.record_batch({"x": [1]})
        while True:
            yield Record("a", "f", 0, (), {}, batch, 0)

    assert next(fan_out(config_of("in", "out"), "train", endless())).record.key == "a"
