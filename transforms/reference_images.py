"""`reference:` of a step: where the other pictures come from that it looks at, and which of them it draws.

    reference: {folder: PATH}                     pictures of a file, glob or folder; at most `limit` (64)
    reference: {parquet: PATH, column: NAME}      pictures in a column of bytes or struct<bytes, path>; at most `limit`
    reference: {records: same_class, count: 32}   training records of the job's own input; `any` for any class

Of more pictures than `limit` those with the smallest blake2b of their names are taken. Which of them a step uses
follows from its seed: those whose names have the smallest blake2b under it.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from transforms import assets
from transforms.adapter_checks import labeled_picture, nearest
from transforms.interface import StepProblem, Transform
from transforms.isolation.image_cache import PictureCache
from transforms.values import AudioValue, Donors, ImageValue, Peers, TextValue, Value

Pixels = NDArray[np.uint8]
SCOPES = ("same_class", "any")
EXTENSIONS = (".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_KEYS: dict[str, dict[str, Any]] = {
    "folder": {"limit": 64},
    "parquet": {"column": "", "limit": 64},
    "records": {"count": 32},
}
_MOST = 4096
_MOST_NAMED = 3
_decoded = PictureCache()


@dataclass(frozen=True, slots=True)
class Reference:
    """What a config says: `kind` folder, parquet or records; `place` a location or a scope; at most `most` pictures."""

    kind: str
    place: str
    most: int
    column: str = ""


class Pictures(Protocol):
    """Pictures by name: those of a place, or those of other records that a value brings along."""

    def names(self, value: ImageValue) -> Sequence[str]:
        """Every name that may be drawn for this value."""

    def pixels(self, value: ImageValue, name: str) -> Pixels | None:
        """One picture, not to be written to; None for a record that cannot be decoded."""


def read(given: object) -> Reference | None:
    """What is written under `reference`; None if that is not valid."""
    if shape_problems(given) or not isinstance(given, Mapping):
        return None
    kind = next(key for key in given if key in _KEYS)
    whole: dict[str, Any] = {**_KEYS[kind], **given}
    return Reference(kind, whole[kind], whole["count" if kind == "records" else "limit"], whole.get("column", ""))


def shape_problems(given: object) -> list[StepProblem]:
    """What is wrong with the mapping itself."""
    kinds = [key for key in given if key in _KEYS] if isinstance(given, Mapping) else []
    if not isinstance(given, Mapping) or len(kinds) != 1:
        message = "reference holds one of folder: PATH, parquet: PATH with column: NAME, records: same_class or any"
        return [_problem(message)]
    kind = kinds[0]
    known = (kind, *_KEYS[kind])
    found = [
        _problem(f"reference has no {key!r} beside {kind}", nearest(str(key), known)) for key in given.keys() - known
    ]
    if kind == "records" and given[kind] not in SCOPES:
        found.append(_problem(f"records: {given[kind]!r} is not same_class or any", nearest(str(given[kind]), SCOPES)))
    texts = [key for key in ("folder", "parquet", "column") if key in known]
    found += [_problem(f"reference needs {key}: a text") for key in texts if not _is_text(given.get(key))]
    for key in known:
        most = given.get(key)
        if key in ("limit", "count") and most is not None and not (type(most) is int and 1 <= most <= _MOST):
            found.append(_problem(f"{key}: {most!r} is not a whole number in 1..{_MOST}"))
    return found


def problems(given: object) -> list[StepProblem]:
    """Everything that is wrong with a reference: its shape, a place without pictures, pictures that are damaged."""
    found = shape_problems(given)
    reference = read(given)
    if found or reference is None or reference.kind == "records":
        return found
    try:
        stored = Stored(reference)
        damaged = [reason for name in stored.names(_NOTHING) if (reason := stored.damage(name))]
    except (OSError, ValueError) as error:
        return [_problem(f"{reference.kind}: {error}")]
    more = f", and {len(damaged) - _MOST_NAMED} more" if len(damaged) > _MOST_NAMED else ""
    listed = "; ".join(damaged[:_MOST_NAMED])
    return [_problem(f"{reference.kind}: {listed}{more}: mend or remove it")] if damaged else []


def digests(places: Sequence[object]) -> dict[str, str]:
    """Digest of the content of each place that is a text; `missing` for what is not there."""
    return {f"material {place}": assets.digest_or_missing(place) for place in places if isinstance(place, str)}


def pictures_of(reference: Reference) -> Pictures:
    """The pictures of a reference. Raises ValueError for a place that is not there."""
    try:
        return OfRecords(reference) if reference.kind == "records" else Stored(reference)
    except OSError as error:
        raise ValueError(f"reference: {error}") from error


class Stored:
    """Pictures of files, or of a column of a Parquet file: RGBA, decoded when they are drawn."""

    __slots__ = ("_data", "_names", "_reference")

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._data: dict[str, bytes | str] = {}
        if reference.kind == "parquet":
            self._data.update(assets.column(reference.place, reference.column, reference.most))
        else:
            paths = [path for path in assets.files(reference.place) if path.lower().endswith(EXTENSIONS)]
            by_name = {name: path for path, name in assets.relative_names(paths).items()}
            self._data.update({name: by_name[name] for name in smallest(by_name, reference.most)})
        if not self._data:
            raise ValueError(f"no pictures in {reference.place!r}")
        self._names = tuple(sorted(self._data))

    def names(self, value: ImageValue) -> Sequence[str]:
        """All of them, for any value."""
        return self._names

    def pixels(self, value: ImageValue, name: str) -> Pixels:
        """One picture. Raises ValueError."""
        reference = self._reference
        key = (reference.place, reference.column, name)
        return _decoded.get(key, lambda: self._read(name))

    def damage(self, name: str) -> str:
        """Why one picture cannot be used; empty if it can."""
        try:
            self._read(name)
        except (OSError, ValueError) as error:
            return str(error)
        return ""

    def _read(self, name: str) -> Pixels:
        stored = self._data[name]
        try:
            return assets.picture(assets.read(stored) if isinstance(stored, str) else stored, "rgba")
        except (OSError, ValueError) as error:
            raise ValueError(f"reference {name} cannot be read as a picture: {error}") from error


class OfRecords:
    """Pictures of other records, which a value brings along: see `values.Peers`."""

    __slots__ = ("_reference",)

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def names(self, value: ImageValue) -> Sequence[str]:
        """Keys of the records. Raises ValueError where nobody offers any."""
        if value.peers is None:
            raise ValueError("reference: records: nothing offers other records here")
        return value.peers.names(self._reference.place, self._reference.most)

    def pixels(self, value: ImageValue, name: str) -> Pixels | None:
        """The picture of a record as it enters its own augment steps."""
        found = value.peers.value(name) if value.peers is not None else None
        return found.pixels if isinstance(found, ImageValue) else None


def draw(pictures: Pictures, value: ImageValue, seed: bytes, count: int) -> list[tuple[str, Pixels]]:
    """At most `count` pictures with their names, in the order in which the seed ranks them.

    What cannot be decoded is passed over, so the draw is the same wherever that is found out.
    """
    drawn: list[tuple[str, Pixels]] = []
    for name in sorted(pictures.names(value), key=lambda name: _rank(name, seed)):
        pixels = pictures.pixels(value, name) if len(drawn) < count else None
        drawn += [] if pixels is None else [(name, pixels)]
    return drawn


def smallest(names: Iterable[str], most: int) -> list[str]:
    """At most `most` names, those with the smallest blake2b."""
    return heapq.nsmallest(most, names, key=lambda name: (_rank(name), name))


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """The same picture with 1 (grey), 3 (RGB) or 4 (RGBA) channels; transparency goes onto white."""
    import cv2

    if pixels.shape[2] == channels:
        return pixels
    if pixels.shape[2] == 4:
        alpha = pixels[:, :, 3:].astype(np.uint16)
        flat = (pixels[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
        return with_channels(flat.astype(np.uint8), channels)
    ways = {
        (1, 3): cv2.COLOR_GRAY2RGB,
        (1, 4): cv2.COLOR_GRAY2RGBA,
        (3, 1): cv2.COLOR_RGB2GRAY,
        (3, 4): cv2.COLOR_RGB2RGBA,
    }
    changed = np.asarray(cv2.cvtColor(pixels, ways[pixels.shape[2], channels]), np.uint8)
    return changed.reshape(*pixels.shape[:2], channels)


class OnTrial:
    """A step as a check tries it: with two records to look at, and to blend with."""

    __slots__ = ("_step",)

    def __init__(self, step: Transform) -> None:
        self._step = step

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply the step to the value with peers."""
        if isinstance(value, ImageValue | AudioValue | TextValue):
            other = labeled_picture() if isinstance(value, ImageValue) else value
            donors = Donors(lambda scope: ("first", "second"), lambda name: other)
            peers = Peers(lambda scope, most: ("first", "second"), lambda name: labeled_picture(), donors)
            value = replace(value, peers=peers)
        return self._step(value, seed)


def _problem(message: str, suggestion: str = "") -> StepProblem:
    return StepProblem(("reference",), message, suggestion)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _rank(name: str, seed: bytes = b"") -> bytes:
    return blake2b(name.encode("utf-8", "surrogatepass"), key=seed, digest_size=8).digest()


_NOTHING = ImageValue(np.zeros((1, 1, 3), np.uint8))
