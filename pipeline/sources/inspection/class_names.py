"""Names of the classes that numbers stand for, where the schema's metadata tells them: ClassLabel of Hugging Face."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa


def class_names(schema: pa.Schema, column: str, label: str) -> tuple[str, ...]:
    """Names of the classes that numbers in a column, or in a member of it, stand for: Hugging Face ClassLabel."""
    raw = (schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(raw)["info"]["features"] if raw else {}
    except (ValueError, KeyError, TypeError):
        return ()
    feature = features.get(column) if isinstance(features, dict) else None
    wanted = feature if column == label else {key: held for key, held in _members(feature) if key == label}
    return next(_class_lists(wanted), ())


def _members(feature: Any) -> Iterator[tuple[str, Any]]:
    """Every key of nested features with what it holds."""
    if isinstance(feature, dict):
        for key, held in feature.items():
            yield key, held
            yield from _members(held)
    elif isinstance(feature, list):
        for held in feature:
            yield from _members(held)


def _class_lists(feature: Any) -> Iterator[tuple[str, ...]]:
    for key, held in _members(feature):
        if key == "names" and isinstance(held, list):
            yield tuple(map(str, held))
