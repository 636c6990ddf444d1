"""What every adapter's `problems` needs: nearest names, short messages, values to try a step on."""

import difflib
import inspect
import re
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from transforms.interface import StepProblem, Transform
from transforms.isolation import library_warnings
from transforms.values import AudioValue, Boxes, ImageValue, Keypoints, TextValue, Value, VideoValue, VolumeValue

TRIAL_SEED = bytes(range(16))
_TOO_SMALL = re.compile(
    r"exceed|too (small|short)|not long enough|smaller than image sizes|out of valid range|"
    r"larger than (the |padded )?image",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"(?!)")
_LONGEST_MESSAGE = 200


def nearest(word: str, candidates: Iterable[str], likeness: float = 0.6) -> str:
    """Give the candidate most like `word`, whatever its case; empty if none is as like it as 0..1 `likeness`."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    wanted = word.lower()
    found = difflib.get_close_matches(wanted, by_lower, n=1, cutoff=likeness)
    if not found and len(wanted) > 2:
        found = sorted((candidate for candidate in by_lower if wanted in candidate), key=len)
    return by_lower[found[0]] if found else ""


def parameter_problems(
    name: str,
    params: Mapping[str, Any],
    known: Mapping[str, inspect.Parameter],
    construct: Callable[[Mapping[str, Any]], list[StepProblem]],
    refused: Mapping[str, str] = MappingProxyType({}),
) -> list[StepProblem]:
    """Check names against a signature and `p` against 0..1, then give what is left to `construct`, all at once.

    `refused` are parameters that the class has and a config cannot use, each with the reason.
    """
    reasons = [StepProblem((key,), f"{key} {refused[key]}") for key in params if key in refused]
    params = {key: value for key, value in params.items() if key not in refused}
    known = {key: parameter for key, parameter in known.items() if key not in refused}
    missing = missing_parameters(name, params, [p.name for p in known.values() if p.default is p.empty])
    probability = probability_problems(params)
    valid = {key: value for key, value in params.items() if key in known and not (key == "p" and probability)}
    values = [] if missing else construct(valid)
    return [*reasons, *unknown_parameters(name, params, known), *missing, *probability, *values]


def construction_problems(construct: Callable[[], object], advice: re.Pattern[str] = _NOTHING) -> list[StepProblem]:
    """Construct a step: its error, or its warnings but for those like `advice`, as problems."""
    try:
        with library_warnings.collected() as messages:
            construct()
    except (ValueError, TypeError, AssertionError, LookupError, AttributeError, ArithmeticError, re.error) as error:
        return error_problems(error)
    return [StepProblem((), message) for message in messages if not advice.search(message)]


def unknown_parameters(name: str, params: Mapping[str, Any], known: Collection[str]) -> list[StepProblem]:
    """Find each parameter that the class does not have, with the nearest one that it has."""
    return [
        StepProblem((key,), f"{name} has no parameter {key!r}", nearest(key, known))
        for key in params
        if key not in known
    ]


def missing_parameters(name: str, params: Mapping[str, Any], required: Iterable[str]) -> list[StepProblem]:
    """Find each parameter without a default that is not given."""
    return [StepProblem((), f"{name} needs the parameter {key!r}") for key in required if key not in params]


def probability_problems(params: Mapping[str, Any]) -> list[StepProblem]:
    """Find a `p` that is no number in 0..1."""
    if "p" not in params or is_probability(params["p"]):
        return []
    return [StepProblem(("p",), f"p: {params['p']!r} is not a number in 0..1")]


def is_probability(value: object) -> bool:
    """Whether `value` is a number in 0..1 (true and false are no numbers)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def error_problems(error: Exception) -> list[StepProblem]:
    """Say what a constructor's error says: one problem per parameter if pydantic raised it, else one in all."""
    details = getattr(error, "errors", None) or getattr(error.__cause__, "errors", None)
    if not callable(details):
        return [StepProblem((), concise(error))]
    found: dict[str | int, StepProblem] = {}
    for detail in details():
        where = tuple(part for part in detail["loc"][:1])
        message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
        key = where[0] if where else ""
        found.setdefault(key, StepProblem(where, f"{key}: {message}" if where else message))
    return list(found.values())


def concise(error: Exception) -> str:
    """Give the first line of an error; a bare `assert` gives the condition that does not hold."""
    lines = str(error).strip().splitlines()
    if lines:
        return lines[0][:_LONGEST_MESSAGE]
    frames = traceback.extract_tb(error.__traceback__)
    condition = (frames[-1].line or "") if frames else ""
    if isinstance(error, AssertionError) and condition.startswith("assert "):
        return f"does not satisfy: {condition.removeprefix('assert ')}"
    return type(error).__name__


def trial_problems(build: Callable[[], Transform], modality: str, labeled: bool = False) -> list[StepProblem]:
    """Try a step once on `trial_value`: some bad parameters show only then. `labeled`: with labels for it to look at.

    An error that only says that the value is too small for this step is no problem of the recipe.
    """
    try:
        with library_warnings.quiet():
            build()(labeled_picture() if labeled else trial_value(modality), TRIAL_SEED)
    except Exception as error:  # noqa: BLE001 - a library may raise anything for a bad parameter; it becomes a problem
        if _TOO_SMALL.search(str(error)):
            return []
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        return [StepProblem((), f"fails on a plain {modality}: {concise(cause)}")]
    return []


@cache
def labeled_picture() -> ImageValue:
    """Give the picture of `trial_value` with two boxes, a keypoint and a mask."""
    picture = trial_value("image")
    pixels = picture.pixels if isinstance(picture, ImageValue) else np.zeros((1, 1, 3), np.uint8)
    mask = np.zeros((1, *pixels.shape[:2]), np.uint8)
    mask[0, 100:200, 100:300] = 1
    corners = np.array([[100.0, 100, 300, 200], [250, 300, 400, 420]])
    points = Keypoints(np.array([[200.0, 150]]), np.arange(1))
    return ImageValue(pixels, Boxes(corners, np.arange(2)), points, mask)


@cache
def trial_value(modality: str) -> Value:
    """Give a 512 x 512 RGB picture, two seconds of mono sound at 16 kHz, a text, or a 32 x 64 x 64 grey volume.

    For videos: half a second of moving 96 x 128 pictures with sound.
    """
    if modality == "image":
        rows, columns = np.mgrid[0:512, 0:512]
        planes = (rows // 2, columns // 2, (rows * 3 + columns * 5) % 256)
        return ImageValue(np.stack(planes, axis=-1).astype(np.uint8))
    if modality == "audio":
        time = np.arange(32_000, dtype=np.float32) / 16_000
        return AudioValue((0.3 * np.sin(2 * np.pi * (200 + 300 * time) * time))[np.newaxis].astype(np.float32), 16_000)
    if modality == "volume":
        slices, rows, columns = np.mgrid[0:32, 0:64, 0:64]
        shares = (slices * 3 + rows * 2 + columns) % 256 / np.float32(255)
        return VolumeValue(shares.astype(np.float32)[..., np.newaxis])  # floats: `fill` may be beyond 255
    if modality == "video":
        rows, columns, number = np.mgrid[0:96, 0:128, 0:12]
        planes = ((rows * 2 + number * 4) % 256, (columns + number * 8) % 256, (rows * columns) // 48)
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 16_000)
        frames = np.ascontiguousarray(np.stack(planes, axis=-1).astype(np.uint8).transpose(2, 0, 1, 3))
        return VideoValue(frames, Fraction(24), AudioValue(tone[np.newaxis].astype(np.float32), 16_000))
    return TextValue("The quick brown fox jumps over the lazy dog. It was a very good day for everyone.")
