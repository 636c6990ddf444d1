"""What `fanbeam init` found in some data: columns and their likely roles, with what to tell about each."""

from dataclasses import dataclass, field
from typing import Literal

Modality = Literal["image", "audio", "text"]


@dataclass(frozen=True, slots=True)
class Role:
    """A column that may be the id, label, group or split, and what was seen in it."""

    column: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Payloads:
    """What a few payloads of a field looked like; numbers that do not apply to its modality stay 0.

    `smallest`, `largest`: shortest and longest side in pixels, or seconds. `words`: median words of a text.
    `short`: share of texts of fewer than three words. `latin`: whether most letters are Latin.
    """

    seen: int = 0
    smallest: float = 0.0
    largest: float = 0.0
    grey: bool = False
    alpha: bool = False
    formats: tuple[str, ...] = ()
    rates: tuple[int, ...] = ()
    words: float = 0.0
    short: float = 0.0
    latin: bool = True


@dataclass(frozen=True, slots=True)
class FieldFound:
    """A column of payload."""

    column: str
    modality: Modality
    uri: bool = False
    payloads: Payloads = Payloads()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is known of the data. `refused` is the share of records that will fail: null labels, null payload.

    `forced` is the `input.format` to write where the file names do not tell. `paths` are the input paths to write, `root` the absolute folder that the files lie in. `notes` are lines for people.
    """

    source: str
    paths: tuple[str, ...]
    root: str
    kind: str
    summary: str
    fields: tuple[FieldFound, ...]
    other_fields: tuple[FieldFound, ...] = ()
    id: Role | None = None
    label: Role | None = None
    group: Role | None = None
    split: Role | None = None
    other_roles: dict[str, tuple[Role, ...]] = field(default_factory=dict)
    refused: float = 0.0
    forced: str = ""
    notes: tuple[str, ...] = ()
    other_paths: tuple[str, ...] = ()
