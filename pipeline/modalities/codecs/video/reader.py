"""A video file -> frames in memory, by PyAV: upright, at a constant rate, with the first sound track in step."""

import io
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs import FULL_SCALE, CodecError
from pipeline.modalities.codecs.video.library import load
from pipeline.modalities.codecs.video.timing import constant_rate, in_order, track
from transforms.values import AudioValue, Shown, VideoValue

_DEMUXERS: Final = {"mp4": "mov", "mkv": "matroska", "avi": "avi", "gif": "gif"}
_STRICT: Final = {"err_detect": "crccheck+explode"}
_MAX_SAMPLES = 2**27
_WIDEST: Final = Fraction(32)


def read_clip(data: bytes, kind: str, max_frames: int, max_pixels: int) -> tuple[VideoValue, str]:
    """The clip and its codecs, e.g. `h264:aac`. Raises `CodecError`; see `VideoCodec.decode`."""
    av, source = load(), _Source(data)
    try:
        with av.open(source, format=_DEMUXERS[kind], metadata_errors="replace") as container:
            found = _read(container, _Bounds(max_frames, max_pixels))
    except av.error.FFmpegError as error:
        words = error.strerror or type(error).__name__
        raise CodecError("corrupt", f"the {kind.upper()} file cannot be decoded: {words}") from error
    finally:
        source.refuse_gaps()
    return found


class _Source(io.BytesIO):
    """The bytes of a file. PyAV drops what reading raises, and takes the file to end there."""

    wanting = False

    def read(self, size: int | None = -1) -> bytes:
        """See `io.BytesIO`; notes that there was no memory."""
        try:
            return super().read(size)
        except MemoryError:
            self.wanting = True
            raise

    def refuse_gaps(self) -> None:
        """Raise MemoryError if a part was not read for want of memory."""
        if self.wanting:
            raise MemoryError("there was not enough memory to read the clip")


class _Bounds:
    """How much of a clip is decoded at most; asked before memory is reserved."""

    __slots__ = ("_max_frames", "_max_pixels")

    def __init__(self, max_frames: int, max_pixels: int) -> None:
        self._max_frames, self._max_pixels = max_frames, max_pixels

    def check(self, frames: int, width: int, height: int) -> None:
        """Raise `CodecError` for more frames, or more pixels in all of them together."""
        if width < 1 or height < 1:
            raise CodecError("corrupt", f"the header gives a size of {width} x {height}")
        if frames > self._max_frames:
            raise CodecError("too_long", f"{frames} frames or more; at most {self._max_frames} are decoded: max_frames")
        if frames * width * height > self._max_pixels:
            size = f"{frames} frames or more of {width} x {height}"
            raise CodecError("too_many_pixels", f"{size}; at most {self._max_pixels} pixels are decoded: max_pixels")

    def most(self, width: int, height: int) -> int:
        """How many frames of this size are allowed."""
        return max(1, min(self._max_frames, self._max_pixels // (width * height)))


class _Frames:
    """Frames as they come, in one array that grows; and when each is shown, in seconds."""

    def __init__(self, bounds: _Bounds, expected: int) -> None:
        self.times: list[float | None] = []
        self.last_seconds = 0.0
        self.on_its_side = False
        self._bounds, self._expected = bounds, expected
        self._size = (0, 0)
        self._pixels: NDArray[np.uint8] = np.empty((0, 0, 0, 3), np.uint8)

    def add(self, frame: Any) -> None:
        """Append a frame, upright; frames of another size than the first are scaled to it."""
        count = len(self.times)
        if not count:
            self._size = frame.width, frame.height
            self.on_its_side = round(frame.rotation / 90) % 2 == 1
        width, height = self._size
        self._bounds.check(count + 1, width, height)
        if frame.is_corrupt:
            raise CodecError("corrupt", f"frame {count} is damaged")
        picture = frame.to_ndarray(format="rgb24", width=width, height=height, threads=1)
        turns = round(frame.rotation / 90) % 4
        picture = np.rot90(picture, turns) if turns else picture
        if count == len(self._pixels):
            self._grow(picture.shape)
        self._pixels[count] = picture
        self.times.append(frame.time)
        self.last_seconds = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0

    def _grow(self, shape: tuple[int, ...]) -> None:
        count = len(self.times)
        wanted = min(max(2 * count, self._expected, 8), self._bounds.most(*self._size))
        grown = np.empty((wanted, *shape), np.uint8)
        grown[:count] = self._pixels if count else 0
        self._pixels = grown

    def pixels(self, source: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The frames of these numbers; a view where they are all frames in order."""
        self._bounds.check(len(source), *self._size)
        whole = self._pixels[: len(self.times)]
        return whole if np.array_equal(source, np.arange(len(whole))) else whole[source]


class _Sound:
    """The sound track as it comes: chunks of (channels, length) float32, and when each begins."""

    def __init__(self, rate: int, exact: bool) -> None:
        """`exact`: the track holds floating point numbers as they are, not sound that was packed."""
        self.rate, self._exact = rate, exact
        self.chunks: list[tuple[float | None, NDArray[np.float32]]] = []
        self._samples = 0
        self._resampler = load().AudioResampler(format="fltp")

    def add(self, frame: Any) -> None:
        """Append a frame; None ends the track."""
        try:
            frames = self._resampler.resample(frame)
        except ValueError as error:
            raise CodecError("corrupt", "the sound track changes its form on the way") from error
        for part in frames:
            samples = np.ascontiguousarray(part.to_ndarray(), np.float32)
            self._samples += samples.size
            if self._samples > _MAX_SAMPLES:
                raise CodecError("too_long", f"the sound track has more than {_MAX_SAMPLES} samples")
            self.chunks.append((part.time, samples))

    def value(self, start: float, seconds: float) -> AudioValue | None:
        """The track from the time `start` on, `seconds` long; None for one without samples."""
        length = round(seconds * self.rate)
        if not self.chunks or not length:
            return None
        samples = track(self.chunks, start, length, self.rate)
        if not np.isfinite(samples).all():
            raise CodecError("non_finite", "the sound track holds samples that are not numbers, or infinite")
        if self._exact and (peak := float(np.abs(samples).max())) > FULL_SCALE:
            raise CodecError(
                "too_loud", f"float samples of the sound track reach {peak:g}, full scale is 1; scale them"
            )
        return AudioValue(samples, self.rate)


def _read(container: Any, bounds: _Bounds) -> tuple[VideoValue, str]:
    stream = _picture_stream(container.streams.video)
    expected = stream.frames
    bounds.check(max(expected, 1), stream.codec_context.width, stream.codec_context.height)
    stream.codec_context.options = _STRICT
    stream.codec_context.thread_count = 1  # the pipeline's processes are the parallelism
    heard = next((s for s in container.streams.audio if s.codec_context is not None), None)
    frames, sound = _Frames(bounds, expected), None if heard is None else _sound(heard)
    for packet in container.demux([s for s in (stream, heard) if s is not None]):
        for frame in packet.decode():
            if packet.stream is stream:
                frames.add(frame)
            elif sound is not None:
                sound.add(frame)
    if not frames.times:
        raise CodecError("corrupt", "the file holds no frame that can be decoded")
    if sound is not None and sound.chunks:
        sound.add(None)
    times, stated = in_order(frames.times, (stream.average_rate, stream.guessed_rate, stream.base_rate))
    rate, source = constant_rate(times, frames.last_seconds, stated)
    pixels = frames.pixels(source)
    whole = np.array_equal(source, np.arange(len(frames.times)))
    shown = None if whole else Shown(source, len(frames.times))
    start = 0.0 if container.format.name == "avi" else frames.times[0] or 0.0  # AVI has no times but places in a row
    heard_value = None if sound is None else sound.value(start, len(pixels) / float(rate))
    aspect = _aspect(stream.sample_aspect_ratio, frames.on_its_side)
    codecs = ":".join([stream.codec_context.name, heard.codec_context.name if heard_value and heard else ""])
    return VideoValue(pixels, rate, heard_value, pixel_aspect=aspect, shown=shown), codecs


def _aspect(stated: Fraction | None, turned: bool) -> Fraction:
    """The width of a pixel by its height, upright; 1 where the file says nothing sensible."""
    if stated is None or not _WIDEST.denominator <= stated * _WIDEST <= _WIDEST**2:
        return Fraction(1)
    return 1 / stated if turned else stated


def _sound(stream: Any) -> _Sound:
    return _Sound(stream.rate, stream.codec_context.name.startswith("pcm_f"))


def _picture_stream(streams: Iterable[Any]) -> Any:
    """The first stream of moving pictures; covers of songs are none."""
    av = load()
    moving = [s for s in streams if not s.disposition & av.stream.Disposition.attached_pic]
    if not moving:
        raise CodecError("not_a_video", "the file holds no video")
    if moving[0].codec_context is None:
        raise CodecError("unsupported_format", "FFmpeg has no decoder for this video; convert it to H.264")
    return moving[0]
