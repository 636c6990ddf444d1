"""Values that draw together must be alike in size: places and times are drawn within it."""

from collections.abc import Sequence

from pipeline.records import Refusal
from transforms.values import AudioValue, ImageValue, Value, VideoValue, VolumeValue


def unlike_sizes(values: Sequence[tuple[str, Value]]) -> Refusal | None:
    """Why fields of a record, by name, cannot draw together; None if they can."""
    first, *others = [(name, _size(value)) for name, value in values]
    for name, size in others:
        if size != first[1]:
            message = f"{first[0]} is {first[1]} and {name} is {size}; fields that draw together must be of one size"
            return Refusal("failed", name, "augment", "unlike_sizes", message=message)
    return None


def _size(value: Value) -> str:
    if isinstance(value, ImageValue):
        height, width = value.pixels.shape[:2]
        return f"{width} x {height}"
    if isinstance(value, AudioValue):
        return f"{value.samples.shape[1]} samples at {value.sample_rate} Hz"
    if isinstance(value, VideoValue):
        frames, height, width = value.frames.shape[:3]
        return f"{frames} frames of {width} x {height} at {value.rate}/s"
    return " x ".join(map(str, value.voxels.shape[:3])) if isinstance(value, VolumeValue) else ""
