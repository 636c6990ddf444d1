from fractions import Fraction

import numpy as np
import pytest
from test_similarity_images import photo

from pipeline.modalities.codecs.video.codec import VideoCodec
from pipeline.modalities.codecs.volume.codec import VolumeCodec
from pipeline.modalities.similarity.audio import SoundMeasure
from pipeline.modalities.similarity.frames import ClipMeasure, VolumeMeasure
from pipeline.modalities.similarity.images import DETAIL, PictureMeasure
from pipeline.modalities.similarity.interface import Measure
from pipeline.modalities.similarity.registry import measure_of
from pipeline.modalities.similarity.text import TextMeasure
from transforms.values import VideoValue, VolumeValue


def clip(first: int = 1, last: int = 2, mirrored: bool = False, crf: int = 18) -> bytes:
    """Nine frames that fade from one picture into another."""
    one, other = (photo(seed, 96, 128).astype(np.float32) for seed in (first, last))
    frames = np.stack([one + (other - one) * share for share in np.linspace(0, 1, 9)]).astype(np.uint8)
    frames = np.ascontiguousarray(frames[:, :, ::-1]) if mirrored else frames
    return bytes(VideoCodec(format="mp4", crf=crf).encode(VideoValue(frames, Fraction(9)), "mp4"))


def volume(seed: int = 1, dtype: str = "uint8", gain: float = 1.0) -> bytes:
    slices = np.stack([photo(seed + place // 4, 48, 64)[..., :1] for place in range(8)]).astype(np.float32)
    voxels = (slices * gain * (100 if dtype == "int16" else 1)).astype(dtype)
    return bytes(VolumeCodec(format="npy").encode(VolumeValue(voxels), "npy"))


def apart(measure: Measure, one: bytes, other: bytes) -> float:
    return measure.distance(measure.signature(one).detail, measure.signature(other).detail)


def test_a_clip_encoded_again_is_alike_and_another_is_not() -> None:
    measure = ClipMeasure()
    assert apart(measure, clip(), clip(crf=32)) <= measure.threshold
    assert apart(measure, clip(), clip(3, 4)) > measure.threshold


def test_the_least_like_frame_decides() -> None:
    measure = ClipMeasure()
    assert apart(measure, clip(1, 2), clip(1, 5)) > measure.threshold


def test_a_mirrored_clip_if_asked() -> None:
    assert apart(ClipMeasure(), clip(), clip(mirrored=True)) > ClipMeasure.threshold
    assert apart(ClipMeasure(mirrored=True), clip(), clip(mirrored=True)) <= ClipMeasure.threshold


def test_a_clip_is_found_by_its_middle_frame() -> None:
    signature = ClipMeasure().signature(clip())
    assert len(signature.detail) == 3 * DETAIL
    assert signature.embeddings.shape == (3, 640)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_volumes_of_any_kind(dtype: str) -> None:
    measure = VolumeMeasure()
    assert apart(measure, volume(dtype=dtype), volume(dtype=dtype, gain=0.8)) <= measure.threshold
    assert apart(measure, volume(dtype=dtype), volume(7, dtype)) > measure.threshold


def test_one_slice_one_frame_and_a_constant_volume() -> None:
    for voxels in (np.zeros((1, 5, 5, 1), np.float32), np.full((2, 1, 1, 1), 9, np.int16)):
        payload = bytes(VolumeCodec(format="npy").encode(VolumeValue(voxels), "npy"))
        assert apart(VolumeMeasure(), payload, payload) == 0


def test_every_modality_has_its_measure() -> None:
    found = {m: measure_of(m) for m in ("image", "video", "volume", "audio", "text")}
    assert [type(measure) for measure in found.values()] == [
        PictureMeasure, ClipMeasure, VolumeMeasure, SoundMeasure, TextMeasure
    ]  # fmt: skip
    assert all(0 < measure.threshold < 1 for measure in found.values())
    assert measure_of("image", mirrored=True) == PictureMeasure(mirrored=True)
    assert measure_of("text", mirrored=True) == TextMeasure()
    codec = VideoCodec(max_frames=3)
    assert measure_of("video", codec=codec) == ClipMeasure(codec=codec)
    with pytest.raises(KeyError):
        measure_of("smell")
