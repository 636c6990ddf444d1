"""PyAV, which brings FFmpeg: loaded when the first clip is read, written or counted."""

from functools import cache
from importlib import util
from typing import Any

from transforms.interface import MissingLibrary

MISSING = "video fields need PyAV: pip install 'fanbeam[video]'"


def installed() -> bool:
    """Whether clips can be read here; nothing is imported for it."""
    return util.find_spec("av") is not None


@cache
def load() -> Any:
    """The package `av`. Raises MissingLibrary."""
    try:
        import av
        import av.error
        import av.stream
    except ImportError as error:
        raise MissingLibrary(MISSING, name="av") from error
    return av


def versions() -> dict[str, str]:
    """Versions of the FFmpeg libraries inside PyAV: two builds of one PyAV may hold different ones."""
    if not installed():
        return {}
    return {name: ".".join(map(str, version)) for name, version in sorted(load().library_versions.items())}
