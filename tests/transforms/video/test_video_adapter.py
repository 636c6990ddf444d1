"""The library `video`: speed, rate, lost and bridged frames."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from test_vidaug_adapter import SEEDS, SOUND_RATE, bounds, boxed, heard, numbered, order

from transforms import registry
from transforms.recipe import check_steps
from transforms.values import VideoValue
from transforms.video import adapter


def run(name: str, value: VideoValue, seed: bytes = SEEDS[0], **params: Any) -> VideoValue:
    result, _ = adapter.build(name, params)(value, seed)
    assert isinstance(result, VideoValue)
    return result


def test_speed() -> None:
    fast = run("Speed", numbered(), factor=2)
    assert order(fast) == [1, 3, 5, 7, 9]
    assert fast.rate == 10
    assert bounds(fast) == [[0.1, 0.25]]
    assert fast.audio is not None
    assert fast.audio.samples.shape == (1, SOUND_RATE // 2)
    slow = run("Speed", numbered(), factor=0.5)
    assert order(slow) == [n // 2 for n in range(20)]
    assert boxed(slow) == [(n, n // 2) for n in range(20)]
    assert len(run("Speed", numbered(1), factor=10).frames) == 1


def test_frame_rate() -> None:
    clip = run("FrameRate", numbered(), rate=5)
    assert clip.rate == 5
    assert order(clip) == [1, 3, 5, 7, 9]
    assert bounds(clip) == [[0.2, 0.5]]
    assert clip.audio is not None
    assert np.array_equal(clip.audio.samples, sound_of(numbered()))
    assert run("FrameRate", numbered(), rate=29.97).rate == Fraction(29.97).limit_denominator(1001)
    assert order(run("FrameRate", numbered(), rate=20)) == [n // 2 for n in range(20)]


def test_frame_dropout() -> None:
    clip = run("FrameDropout", numbered(40), share=0.5)
    frames = order(clip)
    assert frames[0] == 0
    assert all(now in (before, n) for n, (before, now) in enumerate(pairwise(frames), 1))
    assert 10 < sum(frame != n for n, frame in enumerate(frames)) < 30
    assert heard(clip) == list(range(40))
    assert bounds(clip) == [[0.2, 0.5]]
    assert [row for _, row in boxed(clip)] == frames
    assert order(run("FrameDropout", numbered(), share=1)) == [0] * 10
    assert order(run("FrameDropout", numbered(), share=0)) == list(range(10))


def sound_of(clip: VideoValue) -> np.ndarray[Any, Any]:
    assert clip.audio is not None
    return clip.audio.samples


def wandering(count: int = 6, step: int = 6) -> VideoValue:
    """A textured square that wanders to the right on a textured ground."""
    rng = np.random.default_rng(4)
    ground = np.kron(rng.integers(60, 120, (24, 32, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    square = np.kron(rng.integers(150, 256, (8, 8, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    frames = np.stack([ground] * count)
    for n in range(count):
        frames[n, 30:62, 10 + n * step : 42 + n * step] = square
    return VideoValue(frames, Fraction(10))


def test_bridged_frames_move_what_moves() -> None:
    whole = wandering(7, 3)
    half = replace(whole, frames=whole.frames[::2])
    bridged = run("BridgeFrames", half, n=1)
    assert bridged.rate == 20
    assert np.array_equal(bridged.frames[::2], half.frames)
    assert np.array_equal(bridged.frames[-1], half.frames[-1])
    for n in (1, 3, 5):
        blended = (whole.frames[n - 1].astype(float) + whole.frames[n + 1]) / 2
        error = ((bridged.frames[n].astype(float) - whole.frames[n]) ** 2).mean()
        assert error < 0.7 * ((blended - whole.frames[n]) ** 2).mean()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_bridges_keep_the_duration_and_the_sound(n: int) -> None:
    before = replace(numbered(), boxes=None)
    clip = run("BridgeFrames", before, n=n)
    assert len(clip.frames) == 10 * (n + 1)
    assert clip.rate == 10 * (n + 1)
    assert np.array_equal(sound_of(clip), sound_of(before))
    assert bounds(clip) == [[0.2, 0.5]]


def test_bridges_refuse_boxes() -> None:
    assert check_steps(["video.BridgeFrames"], "video", ["segments"]) == []
    problems = check_steps(["video.BridgeFrames"], "video", ["boxes"])
    assert [p.message for p in problems] == ["video.BridgeFrames does not move boxes along"]
    others = {name for name in adapter.names() if registry.carries(f"video.{name}") == {"boxes", "segments"}}
    assert others == {"FrameDropout", "FrameRate", "Speed"}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"video.Speed": {}}, "video.Speed needs the parameter 'factor'"),
        ({"video.Speed": {"factor": 0}}, "factor: 0 is not within 0.1..10"),
        ({"video.FrameRate": {"rate": "fast"}}, "rate: 'fast' is no number"),
        ({"video.BridgeFrames": {"n": 1.5}}, "n: 1.5 is no whole number"),
        ({"video.FrameDropout": {"share": [0.5, 0.1]}}, "share: [0.5, 0.1] ends before it begins"),
    ],
)
def test_wrong_recipes_are_refused(step: Any, message: str) -> None:
    problems = check_steps([step], "video")
    assert len(problems) == 1, problems
    assert message in problems[0].message
