"""What the contract suite needs to know of audiomentations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

COUNT = 38
"""Classes that a recipe may name."""


def _noises(folder: Path) -> dict[str, Any]:
    return {"sounds_path": _sounds(folder)}


def _bursts(folder: Path) -> dict[str, Any]:
    times = {"min_time_between_sounds": 0.01, "max_time_between_sounds": 0.1}
    return {"sounds_path": _sounds(folder), **times}


def _rooms(folder: Path) -> dict[str, Any]:
    return {"ir_path": _sounds(folder)}


def _sounds(folder: Path) -> str:
    """Three decaying noises of different rates, one of them stereo."""
    import soundfile

    for number, (name, rate, channels) in enumerate([("b.wav", 16_000, 1), ("a.flac", 8_000, 1), ("c.wav", 22_050, 2)]):
        if not (folder / name).exists():
            rng = np.random.Generator(np.random.Philox(key=number))
            fading = np.exp(-np.arange(rate // 8) / rate * 30)[:, np.newaxis]
            soundfile.write(folder / name, rng.uniform(-0.5, 0.5, (rate // 8, channels)) * fading, rate)
    return str(folder)


EXAMPLES: dict[str, dict[str, Any] | Callable[[Path], dict[str, Any]]] = {
    "AddBackgroundNoise": _noises,
    "AddShortNoises": _bursts,
    "AdjustDuration": {"duration_seconds": 0.3},
    "ApplyImpulseResponse": _rooms,
    "RepeatPart": {"min_part_duration": 0.1, "max_part_duration": 0.3},
}
"""Parameters of classes that need some, or that do nothing by default; a function makes the files that they name."""

SEEDLESS = {
    "Clip",
    "Normalize",
    "PolarityInversion",
    "Reverse",
    "Trim",
}
"""Classes that draw nothing with these parameters."""
