from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from small_inputs import text_of, values

from pipeline.config.loader import validate
from pipeline.config.schema import JobConfig


def config(**changes: Any) -> JobConfig:
    return JobConfig.model_validate(values("in", "out", **changes))


def problems(**changes: Any) -> list[str]:
    made, found = validate(text_of(values("in", "out", **changes)))
    assert (made is None) == bool(found)
    return [str(p) for p in found]


def test_defaults_are_those_of_the_design() -> None:
    least = JobConfig.model_validate(
        {"input": {"path": "in"}, "fields": {"image": {"type": "image"}}, "output": {"path": "out"}}
    )
    assert least.split.shares() == {"validation": 0.1, "test": 0.0}
    assert (least.copies, least.keep_original, least.seed, least.split.seed) == (4, True, 0, 0)
    assert (least.limits.failed, least.limits.rejected) == (0.01, 0.2)
    assert least.output.shard_size == 64 * 2**20
    assert least.record_timeout == 60


def test_an_empty_split_is_all_train() -> None:
    assert config(split={}).split.shares() == {"validation": 0.0, "test": 0.0}


def test_it_is_frozen() -> None:
    with pytest.raises(ValidationError):
        config().copies = 3  # type: ignore[misc]


def test_key_columns_once_each_in_order() -> None:
    made = config(input__group="label", split={"column": "fold"})
    assert made.key_columns() == ("id", "label", "fold")
    assert config(input__id=None, input__label=None).key_columns() == ()


@pytest.mark.parametrize(("size", "count"), [("64MiB", 2**26), ("1.5KiB", 1536), (4096, 4096), ("4GiB", 2**32)])
def test_shard_sizes(size: object, count: int) -> None:
    assert config(output__shard_size=size).output.shard_size == count


@pytest.mark.parametrize(
    "changes",
    [
        {"copies": -1},
        {"copies": 10_001},
        {"copies": 1.5},
        {"copies": "many"},
        {"copies": None},
        {"copies": []},
        {"seed": "x"},
        {"seed": 1.5},
        {"seed": 2**63},
        {"seed": -(2**63) - 1},
        {"split__seed": 2**64},
        {"keep_original": "perhaps"},
        {"split__validation": 1.1},
        {"split__validation": -0.1},
        {"split__test": float("nan")},
        {"split__test": "half"},
        {"split": None},
        {"split": 0.1},
        {"split": {"column": ""}},
        {"limits__failed": 2},
        {"limits": []},
        {"record_timeout": 0},
        {"record_timeout": float("inf")},
        {"record_timeout": float("nan")},
        {"input__path": 5},
        {"input__path": ""},
        {"input__path": []},
        {"input__path": [""]},
        {"input__path": ["a", 1]},
        {"input__path": {"a": 1}},
        {"input__path": None},
        {"input__format": "xml"},
        {"input__id": 7},
        {"input__id": ""},
        {"input__label": ["a"]},
        {"input__fingerprint": "sha"},
        {"input": None},
        {"input": "in"},
        {"output": "out"},
        {"output__path": ""},
        {"output__shard_size": "lots"},
        {"output__shard_size": 12},
        {"output__shard_size": "5GiB"},
        {"output__shard_size": -1},
        {"fields": None},
        {"fields": {}},
        {"fields": []},
        {"fields__text": None},
        {"fields__text": "text"},
        {"fields__text": {"type": "volume9"}},
        {"fields__clip": {"type": "video", "encode": {"preset": "placebo"}}},
        {"fields__clip": {"type": "video", "encode": {"crf": 52}}},
        {"fields__clip": {"type": "video", "max_frames": 0}},
        {"fields__text": {}},
        {"fields__text__augment": "nlpaug.SplitAug"},
        {"fields__text__augment": {"nlpaug.SplitAug": {}}},
        {"fields__text__prepare": None},
        {"fields__text__uri": "perhaps"},
        {"fields__text__quality": 3},
        {"fields__text__quality": {"retries": -1}},
        {"fields__image": {"type": "image", "encode": {"format": "gif"}}},
        {"fields__image": {"type": "image", "encode": {"quality": 0}}},
        {"fields__image": {"type": "image", "encode": {"quality": 101}}},
        {"fields__image": {"type": "image", "mode": "cmyk"}},
        {"fields__image": {"type": "image", "max_pixels": 0}},
        {"fields__image": {"type": "image", "quality": {"min_side": 0}}},
        {"fields__sound": {"type": "audio", "quality": {"max_clipped": 1.1}}},
        {"fields__sound": {"type": "audio", "quality": {"min_rms_db": float("nan")}}},
    ],
)
def test_one_wrong_value_is_one_problem(changes: dict[str, Any]) -> None:
    found = problems(**changes)
    assert len(found) == 1, found
    assert "\n" not in found[0]
    ((key, _),) = changes.items()
    assert key.replace("__", ".").split(".")[0] in found[0]


@pytest.mark.parametrize(
    "key",
    [
        "seed", "copies", "record_timeout", "split__validation", "split__test", "split__seed", "limits__failed",
        "limits__rejected", "output__shard_size", "fields__text__quality__retries",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_is_no_number(key: str, value: bool) -> None:
    """`validation: true` was 1.0: every record in validation."""
    found = problems(**{key: value})
    assert len(found) == 1, found
    assert "boolean" in found[0]


def test_a_boolean_is_no_image_quality() -> None:
    assert len(problems(fields__image={"type": "image", "encode": {"quality": True}})) == 1


def test_shares_that_do_not_sum() -> None:
    assert problems(split={"validation": 0.6, "test": 0.6}) == [
        "job.yaml split: the shares sum to 1.2, more than 1; train gets what validation and test leave"
    ]


def test_shares_and_a_column() -> None:
    assert "either shares or a column" in problems(split={"column": "fold", "test": 0.1})[0]


def test_nothing_to_write() -> None:
    assert "no training sample" in problems(copies=0, keep_original=False)[0]


@given(
    seed=st.integers(-(2**63), 2**63 - 1),
    copies=st.integers(1, 10_000),
    validation=st.floats(0, 0.5),
    paths=st.text(min_size=1) | st.lists(st.text(min_size=1), min_size=1, max_size=3),
    label=st.none() | st.text(min_size=1),
    size=st.integers(1024, 2**32),
)
def test_a_config_survives_json(
    seed: int, copies: int, validation: float, paths: Any, label: str | None, size: int
) -> None:
    """`run(JobConfig)` and `replay` go through JSON."""
    made = config(
        seed=seed, copies=copies, split={"validation": validation}, input__path=paths, input__label=label,
        output__shard_size=size,
    )  # fmt: skip
    assert JobConfig.model_validate(made.model_dump(mode="json")) == made
    assert JobConfig.model_validate_json(made.model_dump_json()) == made


def test_the_schema_for_editors() -> None:
    schema = JobConfig.model_json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"input", "fields", "output"}
    for name, node in schema["$defs"].items():
        assert node.get("additionalProperties", False) is False, name
        assert node.get("description"), name
    path = schema["$defs"]["InputConfig"]["properties"]["path"]
    assert {option["type"] for option in path.get("oneOf") or path["anyOf"]} == {"string", "array"}
