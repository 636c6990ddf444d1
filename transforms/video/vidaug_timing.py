"""vidaug's operations on a clip's time; see `vidaug_table`."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from transforms.isolation.philox import PhiloxPair
from transforms.operation_parameters import Spec
from transforms.values import VideoValue
from transforms.video import timing
from transforms.video.operations import Drawn

Made = tuple[VideoValue, Drawn]
_MOST = 100_000


def _begin_crop(clip: VideoValue, draw: PhiloxPair, size: int) -> Made:
    """Keep the first `size` frames; a shorter clip is repeated up to that."""
    return _cut(clip, 0, size), {}


def _middle_crop(clip: VideoValue, draw: PhiloxPair, size: int) -> Made:
    """Keep `size` frames from the middle; a shorter clip is repeated up to that."""
    return _cut(clip, max(0, len(clip.frames) // 2 - size // 2), size), {}


def _anywhere_crop(clip: VideoValue, draw: PhiloxPair, size: int) -> Made:
    """Keep `size` frames from a random place; a shorter clip is repeated up to that."""
    first = draw.python.randint(0, max(0, len(clip.frames) - size))
    return _cut(clip, first, size), {"first": first}


def _inverse(clip: VideoValue, draw: PhiloxPair) -> Made:
    """Play the clip backwards, its sound too."""
    return timing.taken(clip, np.arange(len(clip.frames))[::-1]), {}


def _downsample(clip: VideoValue, draw: PhiloxPair, ratio: float) -> Made:
    """Keep a share `ratio` of the frames, evenly; at the same frame rate the clip runs faster."""
    return _fit(clip, draw, max(1, math.floor(ratio * len(clip.frames))))


def _upsample(clip: VideoValue, draw: PhiloxPair, ratio: float) -> Made:
    """Repeat frames, evenly, to `ratio` times as many; at the same frame rate the clip runs slower."""
    return _fit(clip, draw, math.floor(ratio * len(clip.frames)))


def _fit(clip: VideoValue, draw: PhiloxPair, size: int) -> Made:
    """Drop or repeat frames, evenly, to `size` of them; at the same frame rate the clip runs faster or slower."""
    source = np.linspace(1, len(clip.frames), num=size).astype(np.int64) - 1
    return timing.paced(clip, source, clip.rate), {"frames": size}


def _temporal_elastic(clip: VideoValue, draw: PhiloxPair) -> Made:
    """Stretch the beginning and the end and shrink the middle, or the other way round; the length stays."""
    inverse = draw.python.randint(0, 1) == 1
    scale = draw.python.random() * 0.21 + 0.6 if inverse else draw.python.random() * 0.6 + 0.8
    count = len(clip.frames)
    bend = math.atanh if inverse else math.tanh
    values = np.array([bend(x) for x in np.linspace(-scale, scale, count).tolist()])
    places = (values / values[-1] + 1) / 2 * (count - 1)
    return timing.bent(clip, np.rint(places).astype(np.int64), places), {"inverse": inverse, "scale": scale}


def _cut(clip: VideoValue, first: int, size: int) -> VideoValue:
    count = min(size, len(clip.frames) - first)
    return timing.taken(clip, first + np.arange(size) % count)


_FRAMES = {"size": Spec("whole", low=1, high=_MOST)}
TEMPORAL: Mapping[str, tuple[Any, Mapping[str, Spec]]] = {
    "Downsample": (_downsample, {"ratio": Spec("number", 1.0, 0, 1)}),
    "InverseOrder": (_inverse, {}),
    "TemporalBeginCrop": (_begin_crop, _FRAMES),
    "TemporalCenterCrop": (_middle_crop, _FRAMES),
    "TemporalElasticTransformation": (_temporal_elastic, {}),
    "TemporalFit": (_fit, _FRAMES),
    "TemporalRandomCrop": (_anywhere_crop, _FRAMES),
    "Upsample": (_upsample, {"ratio": Spec("number", 1.0, 1, 100)}),
}
