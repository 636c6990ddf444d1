"""What a step costs besides the library's own work: its seed, dispatch, its parameters as JSON. Asserts nothing.

Each library is called directly, and as the one step of a recipe, in turns; what is shown are medians of many batches.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from transforms import registry
from transforms.interface import MissingLibrary
from transforms.isolation import library_warnings
from transforms.recipe import build_recipe
from transforms.values import AudioValue, ImageValue, TextValue, Value

BATCHES, CALLS = 60, 100
AIMS = {"albumentations": 30, "audiomentations": 30, "nlpaug": 30, "torchvision": 40}
_WARM_UP = 20
Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Case:
    """One class with next to nothing to do, its parameters, the value, and the library called directly on the same."""

    name: str
    params: dict[str, Any]
    value: Value
    direct: Callable[[], Call]


def pixels() -> Any:
    return np.zeros((8, 8, 3), np.uint8)


def samples() -> Any:
    return np.full((1, 64), 0.1, np.float32)


def _albumentations() -> Call:
    import albumentations

    step, picture = albumentations.NoOp(p=1), pixels()
    return lambda: step(image=picture)


def _audiomentations() -> Call:
    import audiomentations

    step, sound = audiomentations.Gain(p=1), samples()[0]
    return lambda: step(sound, 16_000)


def _nlpaug() -> Call:
    from nlpaug.augmenter.word import ReservedAug

    step = ReservedAug(reserved_tokens=[["quick", "fast"]])
    return lambda: step.augment("word")


def _torchvision() -> Call:
    torch, v2 = import_module("torch"), import_module("torchvision.transforms.v2")
    step, picture = v2.Identity(), torch.from_numpy(pixels()).permute(2, 0, 1)
    return lambda: step(picture)


CASES = (
    Case("albumentations.NoOp", {"p": 1}, ImageValue(pixels()), _albumentations),
    Case("audiomentations.Gain", {"p": 1}, AudioValue(samples(), 16_000), _audiomentations),
    Case("nlpaug.ReservedAug", {"reserved_tokens": [["quick", "fast"]]}, TextValue("word"), _nlpaug),
    Case("torchvision.Identity", {}, ImageValue(pixels()), _torchvision),
)


def measured(case: Case) -> tuple[float, float, float]:
    """Microseconds of a direct call, of the wrapped step, and between the two: medians over interleaved batches."""
    adapter, cls = registry.find(case.name)
    recipe = build_recipe([{case.name: case.params}], adapter.modality(cls))
    direct, seeds = case.direct(), [bytes([n]) * 16 for n in range(CALLS)]
    pairs = []
    with library_warnings.quiet():
        for _ in range(_WARM_UP):
            direct()
            recipe.apply(case.value, seeds[0])
        for _ in range(BATCHES):
            started = time.perf_counter_ns()
            for _ in seeds:
                direct()
            between = time.perf_counter_ns()
            for seed in seeds:
                recipe.apply(case.value, seed)
            pairs.append((between - started, time.perf_counter_ns() - between))
    alone, wrapped = (statistics.median(pair[n] for pair in pairs) / CALLS / 1000 for n in (0, 1))
    return alone, wrapped, statistics.median(b - a for a, b in pairs) / CALLS / 1000


def known() -> Iterator[Case]:
    """The cases whose library is registered and installed."""
    for case in CASES:
        try:
            registry.find(case.name)
        except (LookupError, MissingLibrary):
            continue
        yield case


def show() -> None:
    """Print the table."""
    print("| step | library called directly, us | as a step of a recipe, us | overhead, us | aim, us |")
    print("|---|---|---|---|---|")
    for case in known():
        alone, wrapped, overhead = measured(case)
        aim = AIMS[case.name.partition(".")[0]]
        print(f"| `{case.name}` | {alone:.1f} | {wrapped:.1f} | {overhead:.1f} | {aim} |")
