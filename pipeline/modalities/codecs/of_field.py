"""A field's config -> the codec that reads and writes its payload."""

from pipeline.config.schema import AnyField, AudioField, ImageField, VideoField, VolumeField
from pipeline.modalities.codecs import Codec
from pipeline.modalities.codecs.audio.codec import AudioCodec
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.codecs.text import TextCodec
from pipeline.modalities.codecs.video.codec import VideoCodec
from pipeline.modalities.codecs.volume.codec import VolumeCodec


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
