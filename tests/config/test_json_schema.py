"""The schema that editors get says what the config takes; an independent validator judges example configs by it."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from pipeline.config.json_schema import json_schema

ROOT = Path(__file__).parents[2]
BASE: dict[str, Any] = {
    "input": {"path": "data/birds"},
    "fields": {"image": {"type": "image", "augment": ["albumentations.HorizontalFlip"]}},
    "output": {"path": "out/birds"},
}


def valid(config: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(json_schema()).is_valid(config))


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_it_speaks_no_words_of_pydantic() -> None:
    def keys(part: Any) -> Any:
        if isinstance(part, list):
            for inner in part:
                yield from keys(inner)
        elif isinstance(part, dict):
            for key, inner in part.items():
                yield key
                yield from keys([*inner.values()] if key == "properties" else inner)

    assert not {"ge", "le", "gt", "lt", "multiple_of", "min_length", "max_length", "strict"} & {*keys(json_schema())}


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda path: path.name)
def test_configs_that_come_along_are_valid(path: Path) -> None:
    assert valid(YAML(typ="safe").load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"split": {"validation": 0.2}},
        {"seed": -(2**63)},
        {"copies": 0},
        {"copies": {"balance": {"target": 30}}},
        {"output": {"path": "out", "shard_count": 1}},
        {"limits": {"failed": 1}},
    ],
)
def test_good_ones(change: dict[str, Any]) -> None:
    assert valid({**BASE, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"split": {"validation": 1.5}},
        {"split": {"validation": -0.1}},
        {"seed": 2**63},
        {"seed": "seven"},
        {"copies": -1},
        {"copis": 3},
        {"output": {"path": "out", "shard_count": 0}},
        {"output": {}},
        {"limits": {"failed": 1.01}},
        {"fields": {"image": {"type": "imagee"}}},
        {"input": {"path": 7}},
    ],
)
def test_bad_ones(change: dict[str, Any]) -> None:
    assert not valid({**BASE, **change})
