"""The decoded values that steps work on, one frozen dataclass per modality, and the labels that are bound to them.

Bound labels are None where the config binds none of their kind, else arrays, possibly empty. Their `rows` say which
entry of the record each one is, so that whatever else a record says of it can follow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes of a picture: `corners` is (n, 4) float64, x_min, y_min, x_max, y_max in pixels; `rows` is (n,) int64.

    After each step boxes are clipped to the picture; dropped are those with less than `min_area` pixels left, or less
    than `min_visibility` (0..1) of the area that they had before clipping. `frames` is (n,) int64 for videos: the frame
    of each box, counted from 0; None for pictures.
    """

    corners: NDArray[np.float64]
    rows: NDArray[np.int64]
    min_area: float = 0.0
    min_visibility: float = 0.0
    frames: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Points of a picture: `points` is (n, 2) float64, x and y in pixels; `rows` is (n,) int64.

    Of a volume: (n, 3), x, y and z in voxels. After each step points outside of the picture or volume are dropped; with
    `visible`, (n,) bool, all stay in their order, and those outside, or lost by a step (not a number), are not visible.
    """

    points: NDArray[np.float64]
    rows: NDArray[np.int64]
    visible: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Polygons:
    """Outlines of a picture: each of `rings` is (k, 2) float64, x and y in pixels, counted from edges of pixels.

    `rows`, one int64 for each ring, says which entry of the record it is a part of; `blank` are entries that came
    without any ring, and stay so. After each step rings are cut at the edges of the picture; those with nothing left
    are dropped. Of `count` entries those with less than `min_area` pixels left are dropped in the end.
    `whole`: they are written in whole numbers. `with_boxes`, `with_masks`: the n-th entry is the n-th box, or mask.
    """

    rings: tuple[NDArray[np.float64], ...]
    rows: NDArray[np.int64]
    blank: NDArray[np.int64]
    count: int
    min_area: float = 0.0
    whole: bool = False
    with_boxes: bool = False
    with_masks: bool = False

    def left(self) -> NDArray[np.int64]:
        """Entries that have a ring, or never had one, in their order."""
        return np.unique(np.concatenate([self.rows, self.blank]))


@dataclass(frozen=True, slots=True)
class Segments:
    """Stretches of a sound or video: `bounds` is (n, 2) float64, start and end in seconds; `rows` is (n,) int64.

    After each step they are clipped to what is left of the sound; those with nothing left are dropped.
    """

    bounds: NDArray[np.float64]
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches of a text: `bounds` is (n, 2) int64, first character and the one after the last; `rows` is (n,).

    `keep`: steps leave the words in them as they are.
    """

    bounds: NDArray[np.int64]
    rows: NDArray[np.int64]
    keep: bool = False


WITHOUT_BOX = 2**31


@dataclass(frozen=True, slots=True)
class Donors:
    """Training records that may be blended into others; never the record itself.

    `names(scope)` gives the keys of those of a scope (`same_class`, `other_class`, `any`); which ones depends on the
    input alone. `value(key)` gives one as it enters its augment steps, with its labels, each time under `rows` that no
    other entry has; None if it cannot be decoded or prepared. Nobody may write to it.
    """

    names: Callable[[str], Sequence[str]]
    value: Callable[[str], "Value | None"]


@dataclass(frozen=True, slots=True)
class Peers:
    """Other training records, for steps that look at them; never the record itself.

    `names(scope, most)` gives keys of at most `most` records of a scope (`same_class`, `any`); which ones depends on
    the input alone. `value(key)` gives one of those as it enters its augment steps, without labels; None if it cannot
    be decoded or prepared. `donors` are for steps that blend records.
    """

    names: Callable[[str, int], Sequence[str]]
    value: Callable[[str], "Value | None"]
    donors: Donors | None = None


@dataclass(frozen=True, slots=True)
class ImageValue:
    """A picture: `pixels` is (height, width, channels) uint8, channels 1 (grey), 3 (RGB) or 4 (RGBA).

    `masks` is (n, height, width) uint8 or int32: one per instance, or a single one of class numbers. `mask_rows`, (n,)
    int64, says which entry of the record each instance is; None for class numbers. The box of an instance has the same
    number; `WITHOUT_BOX` marks instances that have none. `mask_rows` and `peers` stay with the value through all steps
    that do not change them (see `recipe`); `peers` is None where no step asks for others. `anchors` are points that all
    stay, also outside of the picture (see `anchors`), as those of `polygons` do: no adapter needs to know of them.
    """

    pixels: NDArray[np.uint8]
    boxes: Boxes | None = None
    keypoints: Keypoints | None = None
    masks: NDArray[np.generic] | None = None
    peers: Peers | None = None
    mask_rows: NDArray[np.int64] | None = None
    anchors: Keypoints | None = None
    polygons: Polygons | None = None


@dataclass(frozen=True, slots=True)
class AudioValue:
    """A sound: `samples` is (channels, length) float32, nominally in -1..1; `sample_rate` in Hz."""

    samples: NDArray[np.float32]
    sample_rate: int
    segments: Segments | None = None
    peers: Peers | None = None


@dataclass(frozen=True, slots=True)
class TextValue:
    """A text: any Unicode string.

    `answers` are stretches that were cut out of it and are told apart from its `spans`. `tokens` are the words of a
    text that came as a list of them: then it is these with a space between each two, and they are its only words.
    """

    text: str
    spans: Spans | None = None
    peers: Peers | None = None
    answers: Spans | None = None
    tokens: Spans | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """Frames of a file of `count` frames that a clip at a constant rate shows: `source` is (frames,) int64, from 0."""

    source: NDArray[np.int64]
    count: int


@dataclass(frozen=True, slots=True)
class VideoValue:
    """A clip: `frames` is (frames, height, width, 3) uint8 RGB at a constant `rate` (frames per second).

    `audio` is its sound track, starting with the first frame. `segments` and `boxes` are in the clip's own time.
    `pixel_aspect` is the width of a pixel by its height, as it is to be shown. `shown`, until labels are bound: which
    frames of the file these are; None for all of them in order.
    """

    frames: NDArray[np.uint8]
    rate: Fraction
    audio: AudioValue | None = None
    boxes: Boxes | None = None
    segments: Segments | None = None
    pixel_aspect: Fraction = Fraction(1)
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class VolumeValue:
    """A volume: `voxels` is (depth, height, width, channels) uint8, uint16, int16 or float32.

    `window` is the range of values that steps which work on shares of white see as 0..1; it says nothing for uint8.
    `masks` is (n, depth, height, width) uint8 or uint16: one per instance, or a single one of class numbers.
    `origin` is (4, 4) float64: it leads from x, y, z of a voxel here to those in the volume as it was read; None where
    that is not known. A step that moves voxels changes it, or sets it to None.
    """

    voxels: NDArray[np.generic]
    window: tuple[float, float] = (0.0, 1.0)
    keypoints: Keypoints | None = None
    masks: NDArray[np.generic] | None = None
    origin: NDArray[np.float64] | None = None


ALL_POINTS = "points that must all be kept"
"""Beside the kinds of labels, what a field asks of its steps that binds corners, pairs, or a fixed number of points."""
STRAIGHT = "polygons"
"""What a field asks of its steps that binds outlines: straight lines stay straight."""

Value = ImageValue | AudioValue | TextValue | VideoValue | VolumeValue
LABEL_KINDS = {
    "image": ("boxes", "keypoints", "masks"),
    "audio": ("segments",),
    "text": ("answers", "spans", "tokens"),
    "video": ("boxes", "segments"),
    "volume": ("keypoints", "masks"),
}
"""By modality: the kinds of labels that a value can hold, each the name of an attribute."""
