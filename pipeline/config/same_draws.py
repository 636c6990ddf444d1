"""Config of fields that draw together: one list of names, or a list of such lists."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from pipeline.config.types import Column

Group = tuple[Column, ...]
FEWEST = 2


def _groups(value: Group | tuple[Group, ...]) -> Group | tuple[Group, ...]:
    """Every field in one group at most, none alone."""
    groups = groups_of(value)
    names = [name for group in groups for name in group]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"field {twice!r} is named twice")
    if any(len(group) < FEWEST for group in groups):
        raise ValueError("name at least two fields: [t1, t2]")
    return value


def groups_of(value: Group | tuple[Group, ...]) -> tuple[Group, ...]:
    """The groups, however they are written."""
    if not value:
        return ()
    if isinstance(value[0], str):
        return (tuple(name for name in value if isinstance(name, str)),)
    return tuple(group for group in value if isinstance(group, tuple))


def _listed(value: object) -> object:
    """Names, or lists of names; said in one sentence where it is neither."""
    if not _are_names(value) and not (isinstance(value, list | tuple) and all(map(_are_names, value))):
        raise ValueError("must be a list of fields, [t1, t2], or a list of such lists")
    return value


def _are_names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) and name for name in value)


SameDraws = Annotated[Group | tuple[Group, ...], BeforeValidator(_listed), AfterValidator(_groups)]
