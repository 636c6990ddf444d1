"""Applied steps in words: the class's name and its main parameters, rounded."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transforms.interface import Applied

_RETRY = "fanbeam.Retry"
_MAX_PARAMETERS = 4
_MAX_ITEMS = 4
_MAX_CHARACTERS = 24
_DIGITS = 3
_DULL = frozenset({"seed", "shape", "output_shape", "interpolation"})


@dataclass(frozen=True, slots=True)
class Caption:
    """One applied step: what it is called and with what it was applied; `parameters` may be empty."""

    name: str
    parameters: str = ""


def captions(applied: Sequence[Applied], known: Sequence[Applied] = ()) -> tuple[Caption, ...]:
    """The steps in order, without those that every sample of the record has (`known`, from `prepare`)."""
    steps = list(applied)
    for step in known:
        if step in steps:
            steps.remove(step)
    return tuple(_caption(step) for step in steps)


def number_text(value: float) -> str:
    """Three significant digits, a true minus sign: -0.012345 -> −0.0123."""
    if isinstance(value, int) or not math.isfinite(value):
        return str(value).replace("-", "−")
    digits = max(0, _DIGITS - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:.{min(digits, 9)}f}".replace("-", "−")


def _caption(step: Applied) -> Caption:
    params = _parsed(step.params)
    if step.name == _RETRY:
        return Caption("drawn again", f"after {', '.join(str(r) for r in params.get('refused', ()))}")
    shown = [f"{key} {text}" for key, value in params.items() if key not in _DULL and (text := _short(value))]
    return Caption(step.name.rpartition(".")[2], ", ".join(shown[:_MAX_PARAMETERS]))


def _parsed(params: str) -> dict[str, Any]:
    try:
        value = json.loads(params)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {"value": value}


def _short(value: object) -> str:
    """A value in a few characters; empty for what tells people nothing: matrices, digests of arrays, long lists."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, str):
        return value if len(value) <= _MAX_CHARACTERS else f"{value[: _MAX_CHARACTERS - 1]}…"
    if isinstance(value, dict):
        return _short_items([f"{k} {t}" for k, v in value.items() if (t := _plain(v))], value)
    return _short_items([t for v in value if (t := _plain(v))], value) if isinstance(value, list) else ""


def _plain(value: object) -> str:
    return "" if isinstance(value, dict | list) else _short(value)


def _short_items(texts: list[str], value: dict[str, Any] | list[Any]) -> str:
    digest = isinstance(value, dict) and "blake2b" in value
    return " ".join(texts) if 0 < len(texts) == len(value) <= _MAX_ITEMS and not digest else ""
