"""Sounds that parameters of audio steps name: noises, impulse responses. Found through `material`, in a fixed order."""

import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from transforms import assets
from transforms.interface import StepProblem

EXTENSIONS = (".aif", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".wav")
"""What both audiomentations and libsndfile read; other formats depend on programs of the machine."""
_MOST_NAMED = 3


def package_version(module: str) -> dict[str, str]:
    """The version of the distribution that has a module; nothing if it is not installed, or if there is no module."""
    name = module.replace("_", "-")
    try:
        return {name: metadata.version(name)} if name else {}
    except metadata.PackageNotFoundError:
        return {}


def locations(value: object) -> tuple[str, ...]:
    """The locations that a parameter names: a text or a list of them; what is no text is passed over."""
    listed = value if isinstance(value, list | tuple) else [value]
    return tuple(entry for entry in listed if isinstance(entry, str))


def sounds(value: object) -> dict[str, str]:
    """Name -> path on this machine of every sound of a parameter, sorted by name. Raises ValueError.

    Names are relative to the folder that all sounds have in common, so they are the same wherever that lies.
    """
    try:
        found = {path for place in locations(value) for path in assets.files(place) if _is_sound(path)}
        names = assets.relative_names(found)
        return {names[path]: assets.local(path) for path in sorted(found, key=lambda path: names[path])}
    except OSError as error:
        raise ValueError(str(error)) from error


@cache
def reading_errors() -> tuple[type[Exception], ...]:
    """What reading a sound raises. Imports what librosa imports at its first file, which warns of its own end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import_module("audioread.rawread")
    return OSError, RuntimeError, ValueError, import_module("audioread").DecodeError


def with_names(recorded: Any, names: Mapping[str, str]) -> Any:
    """Recorded parameters with the names of sounds (`names`: path -> name) in place of their paths."""
    if isinstance(recorded, dict):
        return {key: with_names(value, names) for key, value in recorded.items()}
    if isinstance(recorded, list):
        return [with_names(value, names) for value in recorded]
    return names.get(recorded, recorded) if isinstance(recorded, str) else recorded


def problems(key: str, value: object) -> list[StepProblem]:
    """What is wrong with a parameter that names sounds: its type, a place that is missing, a file that is no sound."""
    listed: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    if not listed or not all(isinstance(entry, str) and entry for entry in listed):
        message = f"{key}: {value!r} is not a file, glob or folder of sounds, nor a list of them"
        return [StepProblem((key,), message)]
    return [problem for place in listed for problem in _place_problems(key, place)]


def digests(keys: Sequence[str], params: Mapping[str, Any]) -> dict[str, str]:
    """Digest of the content of every location that these parameters name; `missing` for what is not there."""
    places = [place for key in keys for place in locations(params.get(key))]
    return {f"material {place}": assets.digest_or_missing(place) for place in places}


def _place_problems(key: str, place: str) -> list[StepProblem]:
    try:
        found = [path for path in assets.files(place) if _is_sound(path)]
    except (OSError, ValueError) as error:
        return [StepProblem((key,), f"{key}: {error}")]
    if not found:
        message = f"{key}: no sound in {place!r}: files must end in {', '.join(EXTENSIONS)}"
        return [StepProblem((key,), message)]
    damaged = [reason for path in found if (reason := _damage(path))]
    more = f", and {len(damaged) - _MOST_NAMED} more" if len(damaged) > _MOST_NAMED else ""
    listed = "; ".join(damaged[:_MOST_NAMED])
    return [StepProblem((key,), f"{key}: {listed}{more}: mend or remove it")] if damaged else []


def _damage(path: str) -> str:
    """Say what is wrong with a file, from its header; empty if it is a sound."""
    import soundfile

    try:
        frames = soundfile.info(assets.local(path)).frames
    except (OSError, RuntimeError) as error:
        lines = str(error).splitlines()
        return f"{Path(path).name} cannot be read as sound ({lines[0].rpartition(': ')[2] if lines else 'damaged'})"
    return "" if frames else f"{Path(path).name} has no samples"


def _is_sound(path: str) -> bool:
    return path.lower().endswith(EXTENSIONS)
