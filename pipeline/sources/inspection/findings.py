"""What `fanbeam init` found in some data: columns and their likely roles, with what to tell about each."""

import json
import re
from dataclasses import dataclass
from typing import Literal

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
Modality = Literal["image", "audio", "text", "video", "volume"]


@dataclass(frozen=True, slots=True)
class Role:
    """A column that may be the id, label, group or split, and what was seen in it."""

    column: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Payloads:
    """What a few payloads of a field looked like; numbers that do not apply to its modality stay 0.

    `smallest`, `largest`: shortest and longest side in pixels or voxels, or seconds; `typical`: median shortest side.
    `broken`: share that cannot be decoded. `words`: median words of a text; `short`: share of texts of fewer than
    three words; `latin`: whether most letters are Latin. `loud`: whether float samples go beyond full scale.
    `deep`: type of the levels of pictures of more than 8 bits, `levels`: the least and the greatest of them.
    `unlike`: in what originals differ from their copies, with how many do.
    """

    seen: int = 0
    smallest: float = 0.0
    largest: float = 0.0
    typical: float = 0.0
    broken: float = 0.0
    grey: bool = False
    alpha: bool = False
    formats: tuple[str, ...] = ()
    rates: tuple[int, ...] = ()
    words: float = 0.0
    short: float = 0.0
    latin: bool = True
    loud: bool = False
    deep: str = ""
    levels: tuple[float, float] = (0.0, 0.0)
    unlike: tuple[str, ...] = ()


Setting = str | bool | tuple[str, ...] | tuple[tuple[str, str], ...]
"""A value in a binding."""


@dataclass(frozen=True, slots=True)
class LabelFound:
    """A column that labels places in the payload of a field: boxes, points, masks, stretches.

    `kind` is what it can be bound as, with `binding`, the keys and values below it; without a kind it cannot be bound
    for certain, and `note` says why. `columns` are all columns that it takes, those of its labels too. `misfits` is the
    share of rows looked at whose labels do not fit their payload. `sided`: mirrored, one entry may be another.
    """

    column: str
    what: str
    note: str
    kind: str = ""
    binding: tuple[tuple[str, Setting], ...] = ()
    columns: tuple[str, ...] = ()
    misfits: float = 0.0
    sided: bool = False


@dataclass(frozen=True, slots=True)
class FieldFound:
    """A column of payload. `refused` is the share of rows without any: nulls, files that are not there."""

    column: str
    modality: Modality
    uri: bool = False
    refused: float = 0.0
    payloads: Payloads = Payloads()
    notes: tuple[str, ...] = ()
    labels: tuple[LabelFound, ...] = ()

    @property
    def unbound(self) -> tuple[LabelFound, ...]:
        """Labels that steps which move the payload would leave behind."""
        return tuple(label for label in self.labels if not label.kind)


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is known of the data.

    `paths` are the input paths to write, `root` is the absolute folder that the files lie in, `forced` the
    `input.format` to write where the file names do not tell. `refused` is the share of records that will fail:
    null labels, null payload. `notes` are lines for people.
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
    other_roles: tuple[tuple[str, Role], ...] = ()
    refused: float = 0.0
    forced: str = ""
    notes: tuple[str, ...] = ()
    other_paths: tuple[str, ...] = ()
    sorted_by_class: bool = False


def bound_text(label: LabelFound) -> str:
    """`boxes: {column: objects, format: coco, labels: category}`."""
    inner = ", ".join(f"{key}: {_value(value)}" for key, value in label.binding)
    return f"{label.kind}: {{{inner}}}"


def _value(value: Setting | tuple[str, str]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _scalar(value) if isinstance(value, str) else f"[{', '.join(map(_value, value))}]"


def _scalar(value: str) -> str:
    return value if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED else json.dumps(value)
