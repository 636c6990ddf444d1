"""What `video` may name: operations on a clip's time that no library offers in this form."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.isolation.philox import PhiloxPair
from transforms.operation_parameters import Spec
from transforms.values import VideoValue
from transforms.video import timing
from transforms.video.operations import Drawn, Operation

Made = tuple[VideoValue, Drawn]
Frame = NDArray[np.uint8]
_SMALLEST_FLOW = 16
"""Pixels of the shorter side, from which optical flow is sought."""
_FINEST = 1001

cv2.setNumThreads(0)  # the pipeline's processes are the parallelism


def _speed(clip: VideoValue, draw: PhiloxPair, factor: float) -> Made:
    """Play the clip `factor` times as fast at the same frame rate; its sound keeps its pitch."""
    count = max(1, round(len(clip.frames) / factor))
    return timing.paced(clip, _evenly(len(clip.frames), count), clip.rate), {}


def _frame_rate(clip: VideoValue, draw: PhiloxPair, rate: float) -> Made:
    """Show `rate` frames per second, dropping or repeating some; the clip's speed, sound and segments stay."""
    new = max(Fraction(rate).limit_denominator(_FINEST), Fraction(1, _FINEST))
    count = max(1, round(len(clip.frames) / clip.rate * new))
    return timing.resampled(clip, _evenly(len(clip.frames), count), new), {}


def _frame_dropout(clip: VideoValue, draw: PhiloxPair, share: float) -> Made:
    """Lose a `share` of the frames: the picture before stands still instead, as in a bad transmission."""
    lost = draw.numpy.random(len(clip.frames)) < share
    lost[0] = False
    source = np.maximum.accumulate(np.where(lost, 0, np.arange(len(clip.frames))))
    return timing.resampled(clip, source, clip.rate), {"lost": int(lost.sum())}


def _bridge_frames(clip: VideoValue, draw: PhiloxPair, n: int) -> Made:
    """Put `n` frames between neighbours, moved along the optical flow (OpenCV's DIS); the frame rate rises with them.

    The last frame stands still for as long, so that the duration stays. Frames of fewer than 16 pixels a side are
    blended. Boxes do not follow: nothing says which box of a frame is which of the next.
    """
    frames = np.repeat(clip.frames, n + 1, axis=0)
    for number in range(len(clip.frames) - 1):
        between = _bridged(clip.frames[number], clip.frames[number + 1], n)
        frames[number * (n + 1) + 1 : (number + 1) * (n + 1)] = between
    return replace(clip, frames=frames, rate=clip.rate * (n + 1)), {}


def _bridged(first: Frame, second: Frame, n: int) -> list[Frame]:
    """Pictures at n even steps between two."""
    shares = [step / (n + 1) for step in range(1, n + 1)]
    if min(first.shape[:2]) < _SMALLEST_FLOW:
        return [cv2.addWeighted(first, 1 - share, second, share, 0) for share in shares]
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)  # type: ignore[attr-defined]
    there, back = flow.calc(grey[0], grey[1], None), flow.calc(grey[1], grey[0], None)
    grid = np.stack(np.meshgrid(*(np.arange(side) for side in first.shape[1::-1])), axis=-1).astype(np.float32)
    return [
        cv2.addWeighted(
            _moved(first, grid - np.float32(share) * there), 1 - share,
            _moved(second, grid - np.float32(1 - share) * back), share, 0,
        )
        for share in shares
    ]  # fmt: skip


def _moved(frame: Frame, places: NDArray[np.float32]) -> Frame:
    return np.asarray(cv2.remap(frame, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _evenly(frames: int, count: int) -> NDArray[np.int64]:
    """Which of `frames` is shown in the middle of the time of each of `count`."""
    return ((2 * np.arange(count) + 1) * frames // (2 * count)).astype(np.int64)


_TABLE: Mapping[str, tuple[Any, Mapping[str, Spec], frozenset[str]]] = {
    "BridgeFrames": (_bridge_frames, {"n": Spec("whole", 1, 1, 31)}, frozenset({"segments"})),
    "FrameDropout": (_frame_dropout, {"share": Spec("number", 0.1, 0, 1)}, frozenset({"boxes", "segments"})),
    "FrameRate": (_frame_rate, {"rate": Spec("number", low=0.01, high=1000)}, frozenset({"boxes", "segments"})),
    "Speed": (_speed, {"factor": Spec("number", low=0.1, high=10)}, frozenset({"boxes", "segments"})),
}
OPERATIONS: Mapping[str, Operation] = {
    name: Operation(call, call.__doc__ or "", parameters, carried)
    for name, (call, parameters, carried) in _TABLE.items()
}
