"""Clips on their way through albumentations, which takes all frames at once by its target `images`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from transforms.labels.volume_motion import probes, straight
from transforms.values import Boxes, ImageValue, VideoValue
from transforms.video.pixel_aspect import aspect_after


def treat_frames_as_pictures(step: Any) -> None:
    """Let a class treat each frame as it treats a picture, where it inherits another way for several of them.

    `RandomSizedBBoxSafeCrop` resizes a picture and, in this release, only crops `images`.
    """
    from albumentations import BasicTransform

    owners = [next(cls for cls in type(step).__mro__ if name in vars(cls)) for name in ("apply", "apply_to_images")]
    if owners[0] is not owners[1] and issubclass(owners[0], owners[1]):
        step._key2func["images"] = partial(BasicTransform.apply_to_images, step)


def first_picture(clip: VideoValue) -> ImageValue:
    """A picture as large as the frames, with the boxes of all of them."""
    return ImageValue(clip.frames[0], clip.boxes)


def clip_of(before: VideoValue, frames: np.ndarray[Any, Any], boxes: Boxes | None) -> VideoValue:
    """The clip with new frames; grey ones stay in three channels."""
    if frames.ndim == 3:
        frames = frames[..., np.newaxis]
    if frames.shape[3] == 1:
        frames = np.repeat(frames, 3, axis=3)
    if frames.shape[3] != 3:
        raise ValueError(f"frames of {frames.shape[3]} channels are no RGB")
    return replace(before, frames=np.ascontiguousarray(frames), boxes=boxes)


def with_aspect(step: Any, drawn: Mapping[str, Any], before: VideoValue, after: VideoValue) -> VideoValue:
    """The clip with pixels as wide as the step, with what it drew, left them, where they were not square."""
    if before.pixel_aspect == 1:
        return after
    given = probes(1, *before.frames.shape[1:3])
    found = np.asarray(step.apply_to_keypoints(given.copy(), **drawn), np.float64).reshape(-1, 6)
    places = given[found[:, 5].astype(np.int64), :3].astype(np.float64)
    back = straight(found[:, :3], places, before.frames.shape[1:3] == after.frames.shape[1:3])
    return replace(after, pixel_aspect=aspect_after(before.pixel_aspect, back[:2, :2]))
