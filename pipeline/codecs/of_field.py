"""A field's config -> the codec that reads and writes its payload."""

from pipeline.codecs import Codec
from pipeline.codecs.audio import AudioCodec
from pipeline.codecs.image import ImageCodec
from pipeline.codecs.text import TextCodec
from pipeline.codecs.video import VideoCodec
from pipeline.codecs.volume import VolumeCodec
from pipeline.config import AnyField, AudioField, ImageField, VideoField, VolumeField


def codec_of(field: AnyField) -> Codec:
    """The codec that reads and writes a field's payload."""
    if isinstance(field, ImageField):
        return ImageCodec(field.mode, field.encode.format, field.encode.quality, field.max_pixels, field.window)
    if isinstance(field, AudioField):
        return AudioCodec(field.encode.format, peaks=field.peaks)
    if isinstance(field, VolumeField):
        return VolumeCodec(field.encode.format, field.window, field.max_voxels)
    if isinstance(field, VideoField):
        encode = field.encode
        return VideoCodec(encode.format, encode.crf, encode.preset, field.max_frames, field.max_pixels)
    return TextCodec(tokens=field.tokens is not None)
