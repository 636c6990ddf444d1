"""Splits that leave nothing to train on are refused; shares that a hash misses are told, each with its cure."""

from pathlib import Path
from typing import Any

import pytest
from made_splits import decided, split_of
from small_inputs import config_of, parquet, ran, text_columns, values, words

from pipeline.cli.program import main
from pipeline.errors import InputError
from pipeline.splitting.diagnostics.shares import refuse_empty_train, share_notes

HELD = {"validation": 0.1, "test": 0.1}


def written(home: Path, **more: Any) -> Path:
    parquet(home / "in/a.parquet", {**text_columns(20), **more})
    return home / "in"


def run(home: Path, capsys: pytest.CaptureFixture[str], command: str = "run", **changes: Any) -> tuple[int, str]:
    """Exit code, and what was said."""
    from ruamel.yaml import YAML

    with (home / "c.yaml").open("w") as file:
        YAML().dump(values(home / "in", home / "out", **changes), file)
    try:
        code = main([command, str(home / "c.yaml")]) or 0
    except SystemExit as end:
        code = int(end.code or 0)
    told = capsys.readouterr()
    return code, told.out + told.err


def test_one_group_that_takes_all_into_test_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, site=["only"] * 20)
    split = {"validation": 0.45, "test": 0.45}
    seeds = [n for n in range(40) if _share_of_one_group(tmp_path, {**split, "seed": n}) != "train"]
    code, told = run(tmp_path, capsys, split={**split, "seed": seeds[0]}, input__group="site")
    assert code == 2
    assert "train would be empty: all 20 records are held out" in told
    assert "group:site joins 20 records" in told
    assert "a group column that has several values" in told
    assert not (tmp_path / "out").exists()


def _share_of_one_group(home: Path, split: dict[str, Any]) -> str:
    job, listing, _ = decided(config_of(home / "in", home / "other", split=split, input__group="site"))
    (found,) = set(split_of(job, listing).values())
    return found


@pytest.mark.parametrize(
    ("split", "cause", "cure"),
    [
        ({"column": "part"}, "No row of column 'part' says train", "Name training rows"),
        ({"validation": 0.5, "test": 0.5}, "leave nothing", "smaller shares"),
    ],
)
def test_why_nothing_is_left_to_train_on(tmp_path: Path, split: dict[str, Any], cause: str, cure: str) -> None:
    config = config_of(written(tmp_path), tmp_path / "out", split=split)
    with pytest.raises(InputError) as caught:
        refuse_empty_train(config, {"train": 0, "validation": 8, "test": 12}, {})
    (problem,) = caught.value.problems
    assert cause in problem.message
    assert cure in problem.suggestion
    refuse_empty_train(config, {"train": 1, "validation": 8, "test": 12}, {})


def test_shares_that_a_hash_misses_are_told_with_their_cure(tmp_path: Path) -> None:
    config = config_of(written(tmp_path), tmp_path / "out", split=HELD)
    (note,) = share_notes(config, {"train": 18, "validation": 0, "test": 2}, {})
    assert note == (
        "validation is empty: none of 20 records, 10.0% were asked for. "
        "split: {by: stratified} meets shares as nearly as can be"
    )
    (note,) = share_notes(config, {"train": 40, "validation": 10, "test": 50}, {"exact:text": 48})
    assert note.startswith("test has 50 of 100 records, 10.0% were asked for; relatives stay together (exact:text")
    assert share_notes(config, {"train": 900, "validation": 109, "test": 91}, {}) == ()
    alone = config_of(written(tmp_path), tmp_path / "out", split=HELD, input__label=...)
    assert "kfold" in share_notes(alone, {"train": 18, "validation": 0, "test": 2}, {})[0]
    assert (
        share_notes(
            config_of(tmp_path / "in", tmp_path / "out", split={}), {"train": 9, "validation": 0, "test": 0}, {}
        )
        == ()
    )


def test_plan_says_that_a_split_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path)
    seed = next(n for n in range(200) if "validation" not in _splits(tmp_path, n))
    code, told = run(tmp_path, capsys, "plan", split={**HELD, "seed": seed})
    assert code == 0
    assert "validation is empty: none of 20 records" in " ".join(told.split())


def _splits(home: Path, seed: int) -> set[str]:
    job, listing, _ = decided(config_of(home / "in", home / "other", split={**HELD, "seed": seed}))
    return set(split_of(job, listing).values())


def test_pairs_of_texts_are_the_same_only_if_both_texts_are(tmp_path: Path) -> None:
    """A second text that repeats joins nobody, in the split as in the certificate."""
    first, second = [words(n % 18) for n in range(60)], ["Yes." if n % 3 else words(100 + n) for n in range(60)]
    second[19] = second[1]  # rows 1 and 19 are one pair; 0 and 18 share the first text alone
    parquet(tmp_path / "in/a.parquet", {**text_columns(60), "text": first, "reply": second})
    fields = {name: {"type": "text"} for name in ("text", "reply")}
    config = config_of(tmp_path / "in", tmp_path / "out", fields=fields, split={"validation": 0.3})
    pairs = list(zip(first, second, strict=True))
    joined = sum(pairs.count(pair) > 1 for pair in pairs)
    job, listing, found = decided(config)
    assert found.joined == {"exact:reply+text": joined}
    assert 2 <= joined < 60
    splits = split_of(job, listing)
    assert splits["r0001"] == splits["r0019"]
    assert set(splits.values()) == {"train", "validation"}


def test_the_certificate_counts_a_pair_that_is_whole(tmp_path: Path) -> None:
    first, second = [words(n) for n in range(12)], ["Yes, that is so."] * 12
    first[6], part = first[1], ["train"] * 6 + ["validation"] * 6
    parquet(tmp_path / "in/a.parquet", {**text_columns(12), "text": first, "reply": second, "part": part})
    fields = {name: {"type": "text"} for name in ("text", "reply")}
    config = config_of(
        tmp_path / "in", tmp_path / "out", fields=fields, split={"column": "part"}, limits__leaks=1, certificate="facts"
    )
    made = ran(config)
    assert made.dataset.manifest["leaks"]["leaking"]["exact"] == 1
