"""The JSON Schema of the config, for editors: `fanbeam schema`."""

from typing import Any

from pipeline.config.schema import JobConfig

_BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
"""pydantic leaves its own words where a number is checked before it is read; JSON Schema knows others."""


def json_schema() -> dict[str, Any]:
    """The schema, in the words of JSON Schema draft 2020-12, which pydantic writes."""
    schema: dict[str, Any] = _in_its_words(JobConfig.model_json_schema())
    return schema


def _in_its_words(part: Any) -> Any:
    if isinstance(part, list):
        return [_in_its_words(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    found = {}
    for key, inner in part.items():
        if key == "properties":  # names of keys, which may be anything
            found[key] = {name: _in_its_words(value) for name, value in inner.items()}
        else:
            found[_BOUNDS.get(key, key)] = _in_its_words(inner)
    return found
