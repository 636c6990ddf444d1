from typing import Any

import pytest
from pydantic import ValidationError
from small_inputs import config_of

from pipeline.config.split import SplitConfig


def split(**given: Any) -> SplitConfig:
    return SplitConfig.model_validate(given)


def test_a_column_alone_names_the_split() -> None:
    found = split(column="fold")
    assert (found.method, found.split_column, found.time_column, found.names_splits) == ("column", "fold", None, True)
    assert split().method == "hash"


def test_a_column_of_times_names_no_split() -> None:
    found = split(by="time", column="taken", test=0.1)
    assert (found.split_column, found.time_column) == (None, "taken")


def test_folds() -> None:
    found = split(by={"kfold": {"k": 5, "fold": 4, "stratified": True}})
    assert (found.method, found.stratified, found.folds and found.folds.k) == ("kfold", True, 5)
    assert split(**found.model_dump(mode="json")) == found


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"validation": 0.7, "test": 0.4}, "sum to 1.1"),
        ({"column": "c", "validation": 0.1}, "either shares or a column"),
        ({"by": "time", "validation": 0.1}, "by: time needs column: the column of times"),
        ({"by": "column"}, "by: column needs column: the column of splits"),
        ({"by": "stratified", "column": "c", "validation": 0.1}, "no use for column"),
        ({"by": "stratified"}, "needs shares: give validation or test"),
        ({"by": "kfold"}, "{kfold: {k: 5, fold: 0}}"),
        ({"by": {"kfold": {"k": 5, "fold": 5}}}, "fold 5 is not one of 5 folds: 0 to 4"),
        ({"by": {"kfold": {"k": 1, "fold": 0}}}, "greater than or equal to 2"),
        ({"by": {"kfold": {"k": 3, "fold": 0}}, "validation": 0.1}, "only test may have a share"),
        ({"column": "c", "keep_together": {"group": "g"}}, "leaves nothing to keep_together"),
        ({"by": "random"}, "'hash', 'stratified', 'column' or 'time'"),
        ({"keep_together": {"near_duplicates": {"image": {"threshold": 2}}}}, "less than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_told(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        split(**given)
    assert told in str(raised.value)


def test_near_duplicates_of_all_fields_leave_captions_out() -> None:
    fields = {"image": {"type": "image"}, "caption": {"type": "text"}}
    every = config_of("x", "y", fields=fields, split={"keep_together": {"near_duplicates": True}})
    assert list(every.near_duplicates) == ["image"]
    texts = config_of("x", "y", split={"keep_together": {"near_duplicates": True}})
    assert list(texts.near_duplicates) == ["text"]
    named = {"caption": None, "image": {"threshold": 0.2, "mirrored": True}}
    chosen = config_of("x", "y", fields=fields, split={"keep_together": {"near_duplicates": named}})
    assert chosen.near_duplicates["caption"].threshold is None
    assert (chosen.near_duplicates["image"].threshold, chosen.near_duplicates["image"].mirrored) == (0.2, True)
    assert config_of("x", "y").near_duplicates == {}


def test_columns_of_groups_are_read_as_keys() -> None:
    made = config_of("x", "y", input__group="site", split={"keep_together": {"group": ["patient", "site"]}})
    assert made.group_columns == ("site", "patient")
    assert set(made.key_columns()) == {"id", "label", "site", "patient"}
