"""Frames and sound -> an MP4 (H.264, AAC) or MKV (FFV1, FLAC) file whose bytes depend on nothing else.

Times, random numbers and version strings stay out of the file, encoders run in one thread, and x264's macroblock tree,
whose decisions are not repeatable with a constant rate factor, is off.
"""

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs.video.library import load
from transforms.values import AudioValue, VideoValue

_CODEC_BIT_EXACT, _CONTAINER_BIT_EXACT = 0x800000, 0x400
_BT601, _LIMITED = 6, 1
_LAYOUTS: Final = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1")
MOST_CHANNELS = len(_LAYOUTS)
_AAC_RATES: Final = (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_AAC_BIT_RATE = 96_000
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Encoding:
    """`kind`: `mp4` or `mkv`. `crf`: 0 (lossless) .. 51; `preset`: x264's names. Both are for MP4 alone."""

    kind: str
    crf: int
    preset: str


def write_clip(value: VideoValue, encoding: Encoding) -> bytes:
    """Encode a clip that can be. Raises the errors of PyAV."""
    sink = io.BytesIO()
    with load().open(sink, "w", format={"mp4": "mp4", "mkv": "matroska"}[encoding.kind]) as container:
        container.flags |= _CONTAINER_BIT_EXACT
        pictures = _picture_stream(container, value, encoding)
        sound = _SoundWriter(container, value.audio, encoding.kind) if value.audio is not None else None
        for number, frame in enumerate(value.frames):
            container.mux(pictures.encode(_picture(frame, number, value.rate)))
            if sound is not None:
                sound.write_until(Fraction(number + 1) / value.rate)
        container.mux(pictures.encode(None))
        if sound is not None:
            sound.finish()
    return sink.getvalue()


def _picture_stream(container: Any, value: VideoValue, encoding: Encoding) -> Any:
    height, width = value.frames.shape[1:3]
    even = height % 2 == 0 and width % 2 == 0
    if encoding.kind == "mp4":
        options = {"crf": str(encoding.crf), "preset": encoding.preset, "x264-params": "no-mbtree=1"}
        name, form = "libx264", "yuv420p" if even else "yuv444p"  # halved colours need even sides
    else:
        options = {"slicecrc": "1"}
        name, form = "ffv1", "bgr0"
    stream = container.add_stream(name, rate=value.rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, form
    context = stream.codec_context
    context.thread_count = 1
    context.flags |= _CODEC_BIT_EXACT
    if encoding.kind == "mp4":
        if value.pixel_aspect != 1:
            context.sample_aspect_ratio = value.pixel_aspect
        context.colorspace, context.color_range = _BT601, _LIMITED
    return stream


def _picture(pixels: NDArray[np.uint8], number: int, rate: Fraction) -> Any:
    frame = load().VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    frame.pts, frame.time_base = number, 1 / rate
    return frame


class _SoundWriter:
    """Writes the sound track in step with the pictures, so that the file can be played as it is read."""

    def __init__(self, container: Any, sound: AudioValue, kind: str) -> None:
        self._container, self._sound, self._kind, self._done = container, sound, kind, 0
        self._layout = _LAYOUTS[sound.samples.shape[0] - 1]
        rate = sound.sample_rate
        if kind == "mp4":
            rate = next((r for r in _AAC_RATES if r >= rate), _AAC_RATES[-1])
        stream = container.add_stream("aac" if kind == "mp4" else "flac", rate=rate, layout=self._layout)
        if kind == "mp4":
            stream.bit_rate = _AAC_BIT_RATE * sound.samples.shape[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= _CODEC_BIT_EXACT
        self._stream = stream
        form = "fltp" if kind == "mp4" else "s16"
        self._resampler = load().AudioResampler(format=form, layout=self._layout, rate=rate)

    def write_until(self, seconds: Fraction) -> None:
        """Encode the samples up to a time, a few thousand at once."""
        stop = min(round(seconds * self._sound.sample_rate), self._sound.samples.shape[1])
        if stop - self._done >= _CHUNK or self._done < stop == self._sound.samples.shape[1]:
            self._encode(self._frame(self._done, stop))
            self._done = stop

    def finish(self) -> None:
        """Encode the rest."""
        self.write_until(Fraction(self._sound.samples.shape[1], self._sound.sample_rate))
        self._encode(None)
        self._container.mux(self._stream.encode(None))

    def _encode(self, frame: Any) -> None:
        for part in self._resampler.resample(frame):
            self._container.mux(self._stream.encode(part))

    def _frame(self, start: int, stop: int) -> Any:
        samples = np.clip(self._sound.samples[:, start:stop], -1.0, 1.0)
        make = load().AudioFrame.from_ndarray
        if self._kind == "mp4":
            frame = make(np.ascontiguousarray(samples), format="fltp", layout=self._layout)
        else:
            levels = np.clip(np.rint(samples.T * np.float32(32768)), -32768, 32767).astype(np.int16)
            frame = make(np.ascontiguousarray(levels).reshape(1, -1), format="s16", layout=self._layout)
        frame.sample_rate = self._sound.sample_rate
        frame.pts, frame.time_base = start, Fraction(1, self._sound.sample_rate)
        return frame
