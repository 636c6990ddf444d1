"""Signalsmith Stretch for audiomentations: beyond twice as long it draws phases, and without a seed at random.

https://signalsmith-audio.co.uk/code/stretch/. Up to there a seed changes nothing.
"""

from functools import partial
from importlib import import_module
from types import SimpleNamespace

SEED = 0


def capture() -> None:
    """Give audiomentations' TimeStretch and PitchShift a stretcher that draws the same phases every time."""
    stretch = import_module("python_stretch").Signalsmith.Stretch
    seeded = SimpleNamespace(Signalsmith=SimpleNamespace(Stretch=partial(stretch, SEED)))
    for name in ("time_stretch", "pitch_shift"):
        vars(import_module(f"audiomentations.augmentations.{name}"))["python_stretch"] = seeded
