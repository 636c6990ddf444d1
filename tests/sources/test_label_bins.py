"""Labels that are numbers: bins are the classes of splits, balance and counts; the column stays as it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_inputs import config_of, opened, parquet, put, ran, text_columns, text_of, values, words

import pipeline
from pipeline.config.input import Quantiles
from pipeline.driver.run import counted_out
from pipeline.driver.verification.verify import verify
from pipeline.errors import ConfigError, InputError
from pipeline.planning.checks.check import checked
from pipeline.planning.survey import survey
from pipeline.sources.label_bins import are_fractions, binned, equal_shares, names_of
from pipeline.splitting.diagnostics.number_classes import number_notes, refuse_numbers

NUMBERS = [round(float(v), 3) for v in np.random.default_rng(3).gamma(2.0, 10.0, 40)]


def test_every_number_lies_in_one_bin() -> None:
    assert names_of([0, 10, 20.5]) == ["(-inf, 0)", "[0, 10)", "[10, 20.5)", "[20.5, inf)"]
    found, odd = binned(pa.array(["-3", "0", "9.99", " 10.0", "1e2", "soon", "", "nan", None]), [0, 10, 20.5])
    names = ["(-inf, 0)", "[0, 10)", "[0, 10)", "[10, 20.5)", "[20.5, inf)", None, None, None, None]
    assert found.to_pylist() == names
    assert odd.tolist() == [False] * 5 + [True] * 3 + [False]


def test_quantiles_divide_alike_and_ties_make_fewer_bins() -> None:
    values = np.sort(np.array(NUMBERS))
    counts = np.bincount(np.searchsorted(equal_shares(values, Quantiles(quantiles=4)), values, "right"))
    assert counts.tolist() == [10] * 4
    assert equal_shares(np.array([1.0] * 9 + [2.0]), Quantiles(quantiles=5)) == (1.0,)
    assert equal_shares(np.array([1.0, 1, 1, 2, 2, 2]), Quantiles(quantiles=2)) == (2.0,)


@pytest.mark.parametrize("label", ["float", "text"])
def test_bins_are_stratified_counted_and_named_and_the_numbers_stay(tmp_path: Path, label: str) -> None:
    numbers: list[Any] = [f"{v}" for v in NUMBERS] if label == "text" else list(NUMBERS)
    parquet(tmp_path / "in/a.parquet", {**text_columns(40), "label": numbers})
    tree = values(tmp_path / "in", tmp_path / "out", input__label_bins={"quantiles": 4}, copies=1)
    tree["split"] = {"by": "stratified", "validation": 0.2, "keep_together": {"exact": False}}
    planned = pipeline.plan(text_of(tree))
    edges = [np.sort(NUMBERS)[n] for n in (10, 20, 30)]
    bins = names_of(edges)
    assert {key: n for key, n in planned.plan.classes.items() if key[0] == "validation"} == {
        ("validation", name): 2 for name in bins
    }
    assert f"classes are bins of the numbers in label: {', '.join(bins)}" in planned.plan.notes
    made = pipeline.run(text_of(tree))
    assert made.version == planned.version
    assert made.manifest["config"]["input"]["label_bins"] == edges
    assert made.manifest["splits"]["validation"]["classes"] == {n: {"records": 2, "samples": 2} for n in bins}
    card = Path(made.path, "README.md").read_text()
    assert "Classes are bins of the numbers in `label`" in card
    table = pq.read_table(Path(made.path, "train"))
    assert set(table.column("label").to_pylist()) <= set(numbers)
    assert verify(pipeline.open_dataset(made.path), 3).differences == []


def test_balance_aims_at_bins(tmp_path: Path) -> None:
    numbers = [0.5] * 8 + [1.5] * 2 + [2.5] * 2
    parquet(tmp_path / "in/a.parquet", {**text_columns(12), "label": numbers})
    balance = {"balance": {"target": 8, "max_copies": 3}}
    config = config_of(tmp_path / "in", tmp_path / "out", input__label_bins=[1], copies=balance, split={})
    job, listing = opened(config)
    _, counted = counted_out(job, listing, survey(job, listing.units))
    assert counted is not None
    assert {name: (n.records, n.samples) for name, n in counted.classes.items()} == {
        "(-inf, 1)": (8, 8),
        "[1, inf)": (4, 8),
    }


def test_what_is_no_number_fails_alone_and_what_is_missing_is_null(tmp_path: Path) -> None:
    lines = ["id,label,text", *(f"r{n},{n}.5,{words(n)}" for n in range(10)), f"x,soon,{words(10)}"]
    put(tmp_path / "in/a.csv", "\n".join(lines) + "\n")
    made = ran(config_of(tmp_path / "in", tmp_path / "out", input__label_bins=[5], split={}, limits__failed=0.5))
    (row,) = made.dropped()
    assert (row["source_id"], row["source_row"], row["field"], row["reason"]) == ("x", 10, "label", "not_a_number")
    assert set(made.dataset.manifest["splits"]["train"]["classes"]) == {"(-inf, 5)", "[5, inf)"}
    parquet(tmp_path / "nan/a.parquet", {**text_columns(4), "label": [1.0, np.nan, None, 7.0]})
    made = ran(config_of(tmp_path / "nan", tmp_path / "n", input__label_bins=[5], split={}, limits__failed=0.5))
    assert made.dataset.manifest["dropped"]["failed"] == {"null_label": 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input__label_bins": [3, 3]}, "must rise, and 3 does not lie above 3"),
        ({"input__label_bins": {"quantiles": 1}}, "greater than or equal to 2"),
        ({"input__label_bins": [3], "input__label": None}, "label_bins needs input.label"),
    ],
)
def test_bins_that_cannot_be_are_told_by_check(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    parquet(tmp_path / "in/a.parquet", text_columns(6))
    with pytest.raises(ConfigError) as caught:
        checked(text_of(values(tmp_path / "in", tmp_path / "out", **change)))
    assert message in "; ".join(map(str, caught.value.problems))


def test_a_column_without_a_number_has_no_quantiles(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", text_columns(6))
    with pytest.raises(InputError, match="'label' holds no number"):
        opened(config_of(tmp_path / "in", tmp_path / "out", input__label_bins={"quantiles": 2}))


STRATIFIED = {"split": {"by": "stratified", "validation": 0.2}}
BALANCED = {"copies": {"balance": {}}}


@pytest.mark.parametrize(("change", "key"), [(STRATIFIED, "split.by"), (BALANCED, "copies.balance")])
def test_numbers_without_bins_are_no_classes(change: dict[str, Any], key: str) -> None:
    """Each measurement would be a class of its own, and the split would keep no share of anything."""
    config = config_of("in", "out", **change)
    many = {f"{n}.25" for n in range(60)}
    with pytest.raises(InputError) as caught:
        refuse_numbers(config, many, many)
    (problem,) = caught.value.problems
    assert problem.message == f"'label' holds 60 different numbers, and {key} would take each for a class."
    assert problem.suggestion.startswith("Give input.label_bins, [10, 20.5] or {quantiles: 4}; ")
    few = {"1", "1.5", "2", "2.5"}
    refuse_numbers(config, few, few)
    (note,) = number_notes(config, few, few)
    assert note.startswith(f"'label' holds numbers (1, 1.5, 2, …), and {key} takes each of 4 values for a class. Give")
    named = config_of("in", "out", **change, input__columns={"label": "string"})
    for untroubled, names in ((named, many), (config, {"0", "1", "12"}), (config, {"v1.5", "2"}), (config, set())):
        refuse_numbers(untroubled, names, names)
        assert list(number_notes(untroubled, names, names)) == []


def test_numbers_without_bins_stop_a_plan(tmp_path: Path) -> None:
    parquet(tmp_path / "in/a.parquet", {**text_columns(60), "label": [n + 0.5 for n in range(60)]})
    with pytest.raises(InputError, match="60 different numbers"):
        pipeline.plan(text_of(values(tmp_path / "in", tmp_path / "out", **STRATIFIED)))


def test_fractions() -> None:
    assert are_fractions(["1", "2.5"])
    assert not are_fractions(["1", "2.0", "3e2"])
    assert not are_fractions(["1.5", "owl"])
    assert not are_fractions([])
