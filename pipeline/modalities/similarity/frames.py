"""How alike two clips or two volumes are: by three of their pictures. Cuts of another length are not found."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs import Codec, Payload
from pipeline.modalities.codecs.video.codec import VideoCodec
from pipeline.modalities.codecs.volume.codec import VolumeCodec
from pipeline.modalities.similarity.images import DETAIL, PictureMeasure, Pixels
from pipeline.modalities.similarity.interface import NO_BANDS, Signature

CLIP_PLACES = (0.0, 0.5, 1.0)
VOLUME_PLACES = (0.25, 0.5, 0.75)
"""Outer slices of a volume are often empty."""


@dataclass(frozen=True, slots=True)
class ClipMeasure:
    """By the first frame, the middle one and the last. `mirrored`: whether a clip and its mirror image are alike."""

    mirrored: bool = False
    codec: Codec = field(default_factory=VideoCodec)
    threshold: ClassVar[float] = PictureMeasure.threshold

    def signature(self, payload: Payload) -> Signature:
        """The views of the middle frame; the details of all three."""
        clip: Any = self.codec.decode(payload).value
        return _signature([clip.frames[place] for place in _places(len(clip.frames), CLIP_PLACES)], self.mirrored)

    def distance(self, left: bytes, right: bytes) -> float:
        """The largest of the three frames'."""
        return _distance(left, right, self.mirrored)


@dataclass(frozen=True, slots=True)
class VolumeMeasure:
    """By three slices across the depth, as grey levels of the volume's window. `mirrored`: as of pictures."""

    mirrored: bool = False
    codec: Codec = field(default_factory=VolumeCodec)
    threshold: ClassVar[float] = PictureMeasure.threshold

    def signature(self, payload: Payload) -> Signature:
        """The views of the middle slice; the details of all three."""
        volume: Any = self.codec.decode(payload).value
        slices = volume.voxels[_places(len(volume.voxels), VOLUME_PLACES)]
        return _signature([_levels(voxels, volume.window) for voxels in slices], self.mirrored)

    def distance(self, left: bytes, right: bytes) -> float:
        """The largest of the three slices'."""
        return _distance(left, right, self.mirrored)


def _places(count: int, shares: tuple[float, ...]) -> list[int]:
    return [round(share * (count - 1)) for share in shares]


def _levels(voxels: NDArray[Any], window: tuple[float, float]) -> Pixels:
    """(h, w, channels) of any dtype to (h, w, 1) uint8: the first channel, black to white over the window."""
    grey = voxels[..., :1]
    if grey.dtype == np.uint8:
        return grey
    low, high = window
    shares = (grey.astype(np.float64) - low) / (high - low if high > low else 1.0)
    return np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def _signature(pictures: list[Pixels], mirrored: bool) -> Signature:
    found = [PictureMeasure(mirrored).signature_of(picture) for picture in pictures]
    return Signature(found[len(found) // 2].embeddings, NO_BANDS, b"".join(each.detail for each in found))


def _distance(left: bytes, right: bytes, mirrored: bool) -> float:
    measure = PictureMeasure(mirrored)
    starts = range(0, len(left), DETAIL)
    return max(measure.distance(left[at : at + DETAIL], right[at : at + DETAIL]) for at in starts)
