"""Superpixels of a whole clip: one segmentation for all frames, by albumentations' SLIC."""

import os

import cv2
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
Labels = NDArray[np.int64]


def superpixels(frames: Frames, segments: int, longest: int, interpolation: int) -> Labels:
    """(height, width) numbers from 0 of about `segments` superpixels of the mean of all frames.

    A picture whose longer side exceeds `longest` pixels is scaled down for it.
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    from albumentations.augmentations.pixel.functional import slic

    height, width = frames.shape[1:3]
    scale = min(1.0, longest / max(height, width))
    small = max(1, round(height * scale)), max(1, round(width * scale))
    total = np.zeros((*small, 3))
    for frame in frames:
        total += cv2.resize(frame, small[::-1], interpolation=interpolation) if scale < 1 else frame
    mean = np.rint(total / len(frames)).astype(np.uint8)
    found = slic(mean, min(segments, small[0] * small[1])).astype(np.int32)
    if scale < 1:
        found = cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST)
    _, numbered = np.unique(found, return_inverse=True)
    return np.asarray(numbered.reshape(height, width), np.int64)


def averaged(frames: Frames, labels: Labels, replaced: NDArray[np.bool_]) -> Frames:
    """Frames whose `replaced` superpixels have their mean colour, in each frame its own."""
    flat = labels.reshape(-1)
    sizes = np.bincount(flat, minlength=len(replaced))
    covered = replaced[labels]
    result = frames.copy()
    for frame in result:
        sums = [np.bincount(flat, weights=frame[:, :, c].reshape(-1), minlength=len(replaced)) for c in range(3)]
        means = (np.stack(sums, axis=1) / np.maximum(sizes, 1)[:, np.newaxis]).astype(np.uint8)
        frame[covered] = means[labels[covered]]
    return result
