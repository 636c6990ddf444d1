"""Types of single values in a config, checked as they are read."""

import json
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)

from pipeline.storage.stores.locations import prefix_problem


class Node(BaseModel):
    """A part of the config tree: frozen, and without keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


def number(value: object) -> object:
    """Python counts true as 1: `validation: true` would put every record into validation."""
    if isinstance(value, bool):
        raise ValueError("must be a number, not a boolean")  # noqa: TRY004  (pydantic wants ValueError)
    return value


def _some(paths: tuple[str, ...]) -> tuple[str, ...]:
    if not paths:
        raise ValueError("must name at least one path")
    return paths


def rising(window: tuple[float, float]) -> tuple[float, float]:
    """A range that has an extent."""
    if window[0] >= window[1]:
        raise ValueError(f"must go from a lower to a higher value, not from {window[0]:g} to {window[1]:g}")
    return window


def _plain(steps: list[Any]) -> list[Any]:
    """Only what JSON can say: a recipe stands in the fingerprint and in the manifest."""
    try:
        orjson.dumps(steps, option=orjson.OPT_PASSTHROUGH_DATETIME)
        json.dumps(steps, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"holds a value that JSON cannot say: {error}. Put it into quotes.") from error
    return steps


def each_once(pairs: dict[str, str]) -> dict[str, str]:
    """Pairs of words that change places: no word stands in two of them."""
    words = [word.casefold() for pair in pairs.items() for word in pair]
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        message = "pairs are swapped both ways, so each word is written once"
        raise ValueError(f"{twice[0]!r} stands in two places: {message}")
    return pairs


def one_character(delimiter: str) -> str:
    """What can stand between the columns of a CSV file."""
    if len(delimiter.encode()) != 1 or delimiter in '"\r\n':
        raise ValueError("must be one character of ASCII, no quote and no line end")
    return delimiter


Int = Annotated[int, BeforeValidator(number)]
Float = Annotated[float, BeforeValidator(number)]
Share = Annotated[Float, Field(ge=0.0, le=1.0)]
Seed = Annotated[Int, Field(ge=-(2**63), le=2**63 - 1)]
ColumnType = Literal["string", "int", "float", "bool", "date", "timestamp"]
Column = Annotated[str, StringConstraints(min_length=1)]
OnePath = Annotated[str, StringConstraints(min_length=1)]
Paths = Annotated[
    Annotated[OnePath, Tag("one")] | Annotated[tuple[OnePath, ...], AfterValidator(_some), Tag("many")],
    Discriminator(lambda value: "many" if isinstance(value, list | tuple) else "one"),
]


def _covering(prefix: str) -> str:
    """A prefix that may be allowed."""
    if problem := prefix_problem(prefix):
        raise ValueError(problem)
    return prefix


Prefix = Annotated[OnePath, AfterValidator(_covering)]
"""A folder, a file or a URL: it covers itself and what lies below it."""


Prefixes = Annotated[
    Annotated[Prefix, Tag("<one>")] | Annotated[tuple[Prefix, ...], AfterValidator(_some), Tag("<many>")],
    Discriminator(lambda value: "<many>" if isinstance(value, list | tuple) else "<one>"),
]


def each_of(prefixes: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """One or several as a list."""
    return (prefixes,) if isinstance(prefixes, str) else prefixes or ()


class Allowed(Node):
    """Places besides the input's own that may be read."""

    allow: Prefixes = Field(
        description="Folders, or URLs such as s3://bucket/path or https://host/path: one, or a list. Each covers "
        "itself and what lies below it; relative paths count from the current folder."
    )

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The places as a list."""
        return each_of(self.allow)


Uri = Annotated[
    Annotated[bool, Tag("<switch>")] | Annotated[Allowed, Tag("<allowed>")],
    Discriminator(lambda value: "<allowed>" if isinstance(value, dict | Allowed) else "<switch>"),
]


Steps = Annotated[
    list[Any],
    AfterValidator(_plain),
    Field(
        json_schema_extra={
            "items": {
                "anyOf": [
                    {"type": "string", "description": "library.Class with its default parameters"},
                    {
                        "type": "object",
                        "description": "one step with parameters, or a group: one_of, some_of, sometimes",
                        "minProperties": 1,
                        "maxProperties": 1,
                    },
                ]
            }
        }
    ),
]
