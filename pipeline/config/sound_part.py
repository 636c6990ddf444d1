"""What of a wrong config is right: so that what is wrong with the input is told with what is wrong with the config."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from pipeline.config.loader import ConfigText, Path, path_of
from pipeline.config.schema import JobConfig

_MOST_ROUNDS = 4
"""A removed value may lay another fault open, but not for long."""


def sound_part(text: ConfigText) -> JobConfig | None:
    """The config without the values that are wrong, which are as if they were not given; None if it cannot do so."""
    values = deepcopy(text.values) if isinstance(text.values, Mapping) else None
    for _ in range(_MOST_ROUNDS):
        try:
            return JobConfig.model_validate(values)
        except ValidationError as error:
            paths = {path_of(dict(one)) for one in error.errors(include_url=False)}
        if not all(_removed(values, path) for path in sorted(paths, key=_places, reverse=True)):
            return None
    return None


def _places(path: Path) -> list[tuple[int, str]]:
    """Orders later places of a list behind earlier ones."""
    return [(part, "") if isinstance(part, int) else (-1, part) for part in path]


def _removed(values: Any, path: Sequence[str | int]) -> bool:
    """Take a value out; False if there is none, as where a key is missing."""
    *above, last = path or (None,)
    for part in above:
        try:
            values = values[part]
        except (LookupError, TypeError):
            return False
    try:
        del values[last]
    except (LookupError, TypeError):
        return False
    return True
