"""Drawn parameters as JSON text: compact, sorted, the same in every process."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

MOST_NUMBERS = 64
HASHED_BYTES = 65_536
LONG_JSON = 1_024
_DIGEST_SIZE = 8


def to_json(params: Mapping[str, Any]) -> str:
    """Write parameters as JSON: sorted keys, NaN as null, numpy scalars as numbers, objects by the name of their type.

    Arrays of more than 64 numbers become `{"shape", "dtype", "blake2b"}`, long lists `{"items", "blake2b"}`. The digest
    is of the first 64 KiB: replay is by seed, the digest only tells two draws apart, and hashing a whole noise map
    costs as much as drawing it.
    """
    try:
        text = orjson.dumps(params, default=_plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        text = orjson.dumps(_simplify(params), option=orjson.OPT_SORT_KEYS)
    if len(text) > LONG_JSON:
        text = orjson.dumps(_shorten(orjson.loads(text)), option=orjson.OPT_SORT_KEYS)
    return text.decode()


def _plain(value: object) -> Any:
    """Answer orjson, which asks for what it cannot write itself."""
    if isinstance(value, np.ndarray):
        return _plain_array(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, bytes):
        return _digest(value)
    if isinstance(value, float | complex):
        return float(value) if isinstance(value, float) else [value.real, value.imag]
    return _type_name(value)


def _plain_array(array: np.ndarray[Any, Any]) -> Any:
    if array.size <= MOST_NUMBERS or array.dtype.hasobject:
        return array.tolist()
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return {"shape": array.shape, "dtype": str(array.dtype), "blake2b": _digest(data[:HASHED_BYTES].tobytes())}


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=_DIGEST_SIZE).hexdigest()


def _type_name(value: object) -> str:
    kind = value if isinstance(value, type) else type(value)
    return str(getattr(value, "__qualname__", kind.__qualname__))


def _simplify(value: Any) -> Any:
    """Go the slow way, for what orjson refuses even with `_plain`: keys that are not text, huge integers."""
    if isinstance(value, Mapping):
        return {str(key): _simplify(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_simplify(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return _simplify(_plain(value))


def _shorten(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shorten(item) for key, item in value.items()}
    if isinstance(value, list) and _numbers(value) > MOST_NUMBERS:
        return {"items": len(value), "blake2b": _digest(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))}
    return value


def _numbers(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_numbers, value.values()))
    return sum(map(_numbers, value)) if isinstance(value, list) else 1
