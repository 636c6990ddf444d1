"""Clips: every container in, the same bytes out, sound in step, and a reason for whatever cannot be read."""

import hashlib
import io
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.labels import ClipBoxBinding
from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.video import library
from pipeline.modalities.codecs.video.codec import VideoCodec
from pipeline.modalities.codecs.video.timing import constant_rate, track
from pipeline.modalities.labels.binding import bind
from pipeline.modalities.labels.cells import BadLabels
from transforms.interface import MissingLibrary
from transforms.recipe import build_recipe
from transforms.values import AudioValue, TextValue, VideoValue

SOUND_RATE = 16_000


def beacon(
    count: int = 25, height: int = 48, width: int = 64, rate: Fraction = Fraction(25), channels: int = 1
) -> VideoValue:
    """Dark frames, one of them bright, and a click while that one is shown."""
    frames = np.full((count, height, width, 3), 20, np.uint8)
    frames[:, : height // 2, : width // 2] = (200, 40, 40)
    frames[count // 2] = 255
    samples = np.zeros((channels, round(count / rate * SOUND_RATE)), np.float32)
    samples[:, round(count // 2 / rate * SOUND_RATE) : round((count // 2 + 1) / rate * SOUND_RATE)] = 0.5
    return VideoValue(frames, rate, AudioValue(samples, SOUND_RATE))


def written(
    form: str = "mp4",
    codec: str = "libx264",
    sound: str = "aac",
    clip: VideoValue | None = None,
    times: list[int] | None = None,
    rotation: float = 0,
    pixels: str = "yuv420p",
) -> bytes:
    """A file made by PyAV itself; `times` are those of the frames in hundredths of a second."""
    clip = clip or beacon()
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        stream = container.add_stream(codec, rate=clip.rate)
        stream.height, stream.width = clip.frames.shape[1:3]
        stream.pix_fmt = pixels
        if rotation:
            stream.set_display_rotation(rotation)
        if times:
            stream.codec_context.time_base = Fraction(1, 100)
        track_ = container.add_stream(sound, rate=SOUND_RATE, layout="mono") if sound else None
        for number, picture in enumerate(clip.frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = times[number] if times else number
            frame.time_base = Fraction(1, 100) if times else 1 / clip.rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track_ is not None and clip.audio is not None:
            heard = av.AudioFrame.from_ndarray(clip.audio.samples, format="fltp", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = SOUND_RATE, 0, Fraction(1, SOUND_RATE)
            for part in av.AudioResampler(format=track_.format.name, rate=track_.rate).resample(heard):
                container.mux(track_.encode(part))
            container.mux(track_.encode(None))
    return sink.getvalue()


def titled(form: str, codec: str) -> bytes:
    """A file whose title is Latin-1, as many cameras and tools write it."""
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        container.metadata["title"] = "cafés"
        stream: Any = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.metadata["title"] = "cafés"
        for picture in beacon().frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    data = sink.getvalue()
    assert "cafés".encode() in data
    return data.replace("cafés".encode(), "café ".encode("latin-1") + b"s")


def decode(payload: Any, **options: Any) -> VideoValue:
    value = VideoCodec(**options).decode(payload).value
    assert isinstance(value, VideoValue)
    return value


def reason_of(payload: Any, **options: Any) -> str:
    with pytest.raises(CodecError) as caught:
        VideoCodec(**options).decode(payload)
    assert " at 0x" not in str(caught.value)
    return caught.value.reason


def brightest(clip: VideoValue) -> int:
    return int(clip.frames.mean(axis=(1, 2, 3)).argmax())


def loudest_seconds(clip: VideoValue) -> float:
    """Middle of the click."""
    assert clip.audio is not None
    loud = np.flatnonzero(np.abs(clip.audio.samples[0]) > 0.25)
    return float(loud.mean()) / clip.audio.sample_rate


class TestDecode:
    @pytest.mark.parametrize(
        ("form", "codec", "sound", "pixels"),
        [
            ("mp4", "libx264", "aac", "yuv420p"),
            ("mov", "mpeg4", "pcm_s16le", "yuv420p"),
            ("matroska", "ffv1", "flac", "bgr0"),
            ("webm", "libvpx-vp9", "libopus", "yuv420p"),
            ("avi", "mjpeg", "pcm_s16le", "yuvj420p"),
            ("gif", "gif", "", "rgb8"),
        ],
    )
    def test_every_container(self, form: str, codec: str, sound: str, pixels: str) -> None:
        clip = decode(written(form, codec, sound, pixels=pixels))
        assert clip.frames.shape == (25, 48, 64, 3)
        assert clip.frames.dtype == np.uint8
        assert clip.rate == 25
        assert brightest(clip) == 12
        assert clip.frames[0, 5, 5, 0] > 150 > 80 > clip.frames[0, 40, 60, 0]
        if sound:
            assert clip.audio is not None
            assert clip.audio.samples.shape == (1, clip.audio.sample_rate)
            assert abs(loudest_seconds(clip) - 12.5 / 25) < 1 / 25
        else:
            assert clip.audio is None

    @pytest.mark.parametrize(("rotation", "corner"), [(90, (-5, 5)), (180, (-5, -5)), (-90, (5, -5))])
    def test_rotation_is_applied(self, rotation: int, corner: tuple[int, int]) -> None:
        clip = decode(written(rotation=rotation))
        assert clip.frames.shape[1:3] == ((48, 64) if rotation == 180 else (64, 48))
        assert clip.frames[0][corner][0] > 150  # counterclockwise, the top left corner goes to the bottom left

    def test_variable_frame_rates_become_constant(self) -> None:
        times = [4 * n for n in range(10)] + [40 + 12 * n for n in range(15)]
        clip = decode(written("matroska", "ffv1", "", times=times, pixels="bgr0"))
        shown = 40 + 12 * 2.5  # hundredths: the bright frame, number 12, is shown from 64 to 76
        assert abs((brightest(clip) + 0.5) / float(clip.rate) - shown / 100) <= 1 / float(clip.rate)
        assert abs(len(clip.frames) / float(clip.rate) - (times[-1] + 12) / 100) < 0.15

    def test_the_rate_of_television(self) -> None:
        clip = beacon(rate=Fraction(30000, 1001))
        for form in ("mp4", "mkv"):
            payload = VideoCodec(form).encode(clip, "")
            assert decode(payload).rate == Fraction(30000, 1001)
            assert decode(payload).frames.shape == clip.frames.shape

    def test_nothing_at_all(self) -> None:
        assert reason_of(b"") == "empty_payload"
        assert reason_of("text") == "not_a_video"

    @pytest.mark.parametrize("form", [("mp4", "libx264", "aac", "yuv420p"), ("matroska", "ffv1", "flac", "bgr0")])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
    def test_half_files(self, form: tuple[str, str, str, str], share: float) -> None:
        payload = written(form[0], form[1], form[2], pixels=form[3])
        assert reason_of(payload[: int(len(payload) * share)]) == "truncated"

    @pytest.mark.parametrize("form", [("avi", "mjpeg", "yuvj420p"), ("gif", "gif", "rgb8")])
    def test_half_files_of_old_kinds(self, form: tuple[str, str, str]) -> None:
        payload = written(form[0], form[1], "", pixels=form[2])
        assert reason_of(payload[: len(payload) // 2]) == "truncated"

    def test_garbage(self) -> None:
        noise = np.random.default_rng(3).bytes(4000)
        assert reason_of(noise) == "not_a_video"
        assert reason_of(b"\x1a\x45\xdf\xa3" + noise) in ("truncated", "corrupt")
        assert reason_of(b"\0\0\0\x18ftypisom" + noise) in ("truncated", "corrupt")
        assert reason_of(b"FLV\x01" + noise) == "unsupported_format"
        assert reason_of(b"\0\0\0\x18ftypheic" + noise) == "not_a_video"

    def test_damage_inside(self) -> None:
        payload = bytearray(written("matroska", "ffv1", "", pixels="bgr0"))
        for place in range(1000, len(payload) - 200, 97):
            payload[place] ^= 0x55
        assert reason_of(bytes(payload)) in ("corrupt", "truncated")
        payload = bytearray(written(clip=noisy()))
        start = payload.index(b"mdat") + 2000
        payload[start : start + 4000 : 13] = bytes(len(payload[start : start + 4000 : 13]))
        assert reason_of(bytes(payload)) == "corrupt"

    def test_sound_alone_is_no_video(self) -> None:
        sink = io.BytesIO()
        with av.open(sink, "w", format="matroska") as container:
            stream = container.add_stream("flac", rate=8000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4608), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 8000, 0, Fraction(1, 8000)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        assert reason_of(sink.getvalue()) == "not_a_video"

    @pytest.mark.parametrize("form", [("mp4", "libx264", "yuv420p"), ("matroska", "ffv1", "bgr0")])
    def test_bounds(self, form: tuple[str, str, str]) -> None:
        payload = written(form[0], form[1], "", pixels=form[2])
        assert reason_of(payload, max_frames=24) == "too_long"
        assert reason_of(payload, max_pixels=48 * 64 * 25 - 1) == "too_many_pixels"
        assert len(decode(payload, max_frames=25, max_pixels=48 * 64 * 25).frames) == 25

    def test_one_long_pause_does_not_fill_the_memory(self) -> None:
        payload = written("matroska", "ffv1", "", times=[0, 1, 2, 1_000_000], clip=beacon(4), pixels="bgr0")
        assert len(decode(payload).frames) <= 16


def noisy() -> VideoValue:
    frames = np.random.default_rng(1).integers(0, 256, (25, 48, 64, 3), np.uint8)
    return VideoValue(frames, Fraction(25), beacon().audio)


class TestEncode:
    @pytest.mark.parametrize("form", ["mp4", "mkv"])
    def test_the_same_bytes_twice_and_in_another_process(self, form: str) -> None:
        code = (
            "import hashlib, test_video_codec as t\n"
            f"print(hashlib.sha256(t.VideoCodec({form!r}).encode(t.noisy(), '')).hexdigest())"
        )
        once, again = (VideoCodec(form).encode(noisy(), "") for _ in range(2))
        assert once == again
        path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
        environment = {**os.environ, "PYTHONHASHSEED": "99", "PYTHONPATH": path}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        assert done.stdout.decode().strip() == hashlib.sha256(once).hexdigest()

    @pytest.mark.parametrize("form", ["mp4", "mkv"])
    @pytest.mark.parametrize("rate", [Fraction(12), Fraction(25), Fraction(30000, 1001), Fraction(120)])
    def test_sound_stays_in_step(self, form: str, rate: Fraction) -> None:
        before = beacon(60, rate=rate)
        after = decode(VideoCodec(form).encode(before, ""))
        assert brightest(after) == 30
        assert after.audio is not None
        assert after.audio.samples.shape[1] == round(60 / rate * SOUND_RATE)
        assert abs(loudest_seconds(after) - 30.5 / float(rate)) < max(1 / float(rate), 0.02)

    def test_mkv_is_lossless(self) -> None:
        before = noisy()
        after = decode(VideoCodec("mkv").encode(before, ""))
        assert np.array_equal(after.frames, before.frames)
        assert after.audio is not None
        assert before.audio is not None
        assert np.abs(after.audio.samples - before.audio.samples).max() < 1e-4
        assert VideoCodec("mkv").encode(after, "") == VideoCodec("mkv").encode(before, "")

    @pytest.mark.parametrize(("height", "width"), [(1, 1), (33, 17), (1, 64), (48, 63)])
    def test_every_size(self, height: int, width: int) -> None:
        for form in ("mp4", "mkv"):
            after = decode(VideoCodec(form).encode(beacon(2, height, width), ""))
            assert after.frames.shape == (2, height, width, 3)

    @pytest.mark.parametrize("channels", [1, 2, 3, 6])
    @pytest.mark.parametrize("rate", [8000, 37_800, 48_000, 96_000])
    def test_every_sound(self, channels: int, rate: int) -> None:
        samples = np.zeros((channels, rate), np.float32)
        for form in ("mp4", "mkv"):
            clip = VideoValue(beacon().frames, Fraction(25), AudioValue(samples, rate))
            after = decode(VideoCodec(form).encode(clip, ""))
            assert after.audio is not None
            assert after.audio.samples.shape == (channels, after.audio.sample_rate)
            assert after.audio.sample_rate == (44_100 if (rate, form) == (37_800, "mp4") else rate)

    def test_formats_that_stay(self) -> None:
        clip = noisy()
        assert VideoCodec().decode(VideoCodec().encode(clip, "mkv:ffv1:flac")).source_format == "mkv:ffv1:flac"
        for source in ("mp4:h264:aac", "mkv:h264:aac", "gif:gif:", ""):
            assert VideoCodec().decode(VideoCodec().encode(clip, source)).source_format == "mp4:h264:aac"

    def test_quality_and_preset(self) -> None:
        sizes = [len(VideoCodec("mp4", crf).encode(noisy(), "")) for crf in (0, 20, 40)]
        assert sizes == sorted(sizes, reverse=True)
        for wrong in ({"format": "avi"}, {"crf": 99}, {"preset": "placebo"}):
            with pytest.raises(ValueError, match="choose"):
                VideoCodec(**wrong)  # type: ignore[arg-type]

    def test_what_cannot_be_written(self) -> None:
        frames = beacon().frames
        wrong = [
            TextValue("no"),
            VideoValue(frames[:0], Fraction(25)),
            VideoValue(frames.astype(np.float32), Fraction(25)),  # type: ignore[arg-type]
            VideoValue(frames, Fraction(0)),
            VideoValue(frames, Fraction(25), AudioValue(np.zeros((9, 100), np.float32), 8000)),
        ]
        for value in wrong:
            with pytest.raises(CodecError) as caught:
                VideoCodec().encode(value, "")
            assert caught.value.reason == "cannot_encode"
        infinite = AudioValue(np.full((1, 100), np.inf, np.float32), 8000)
        with pytest.raises(CodecError) as caught:
            VideoCodec().encode(VideoValue(frames, Fraction(25), infinite), "")
        assert caught.value.reason == "non_finite"

    def test_sound_without_samples_is_left_out(self) -> None:
        empty = AudioValue(np.zeros((1, 0), np.float32), 8000)
        assert decode(VideoCodec().encode(VideoValue(beacon().frames, Fraction(25), empty), "")).audio is None


class TestTiming:
    def test_rounded_times_are_constant(self) -> None:
        times = [round(n / 30, 3) for n in range(300)]
        rate, source = constant_rate(times, 0.033, [Fraction(30)])
        assert rate == 30
        assert source.tolist() == list(range(300))

    def test_times_that_are_not_told(self) -> None:
        assert constant_rate([None, None], 0, [None, Fraction(10)])[0] == 10
        assert constant_rate([0.0], 0, [])[0] == 25

    def test_a_track_that_begins_late_and_has_a_gap(self) -> None:
        ones = np.ones((1, 10), np.float32)
        out = track([(1.1, ones), (2.11, ones), (3.5, ones)], 1.0, 300, 100)
        assert np.flatnonzero(out[0]).tolist() == [*range(10, 20), *range(111, 121), *range(250, 260)]
        assert track([(0.95, ones)], 1.0, 300, 100)[0].sum() == 5
        assert track([(0.0, ones), (0.11, ones)], 0.0, 300, 100)[0, :20].all()


def test_a_missing_pyav_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    library.load.cache_clear()
    monkeypatch.setitem(sys.modules, "av", None)
    try:
        with pytest.raises(MissingLibrary, match=r"pip install 'fanbeam\[video\]'"):
            library.load()
    finally:
        library.load.cache_clear()


def test_versions_name_the_libraries_inside() -> None:
    assert {"libavcodec", "libavformat", "libswscale"} <= set(library.versions())


@pytest.mark.parametrize(
    ("form", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("avi", "mpeg4"), ("matroska", "libx264")]
)
def test_metadata_in_latin_1_is_no_reason_to_fail(form: str, codec: str) -> None:
    value = decode(titled(form, codec))
    assert value.frames.shape == (25, 48, 64, 3)
    assert int(value.frames.mean(axis=(1, 2, 3)).argmax()) == 12


def bar(frames: np.ndarray[Any, Any]) -> list[int]:
    """Where a white bar begins in each frame."""
    return [int(np.flatnonzero((frame[..., 0] > 128).any(axis=0))[0]) for frame in frames]


@pytest.mark.parametrize(
    ("form", "codec", "options"),
    [
        ("avi", "libx264", {}),
        ("avi", "libx264", {"bf": "3"}),
        ("avi", "mpeg4", {"bf": "2"}),
        ("mp4", "libx264", {}),
        ("matroska", "libx264", {}),
    ],
)
def test_frames_that_refer_to_later_ones_are_each_there_once_and_in_order(
    form: str, codec: str, options: dict[str, str]
) -> None:
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 200, 48, "yuv420p"
        for number in range(75):
            picture = np.zeros((48, 200, 3), np.uint8)
            picture[10:26, 2 * number : 2 * number + 16] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    value = decode(sink.getvalue())
    assert value.rate == 25
    assert len(value.frames) == 75
    np.testing.assert_allclose(bar(value.frames), np.arange(75) * 2, atol=1)


@pytest.mark.parametrize(
    ("step", "aspect"),
    [
        ("albumentations.HorizontalFlip", Fraction(16, 11)),
        ("albumentations.RandomBrightnessContrast", Fraction(16, 11)),
        ("albumentations.Transpose", Fraction(11, 16)),
        ("albumentations.CenterCrop", Fraction(16, 11)),
        ("albumentations.Affine", Fraction(16, 11)),
        ("albumentations.Resize", Fraction(16, 11) * Fraction(64, 96) * Fraction(96, 48)),
        ("vidaug.RandomResize", Fraction(16, 11)),
        ("video.Speed", Fraction(16, 11)),
    ],
)
def test_pixels_that_are_not_square_stay_as_wide_as_they_were(step: str, aspect: Fraction) -> None:
    params: dict[str, dict[str, Any]] = {
        "albumentations.CenterCrop": {"height": 20, "width": 30},
        "albumentations.Resize": {"height": 96, "width": 96},
        "albumentations.Affine": {"scale": [0.8, 0.8], "border_mode": 4},
        "vidaug.RandomResize": {"rate": 0.5},
        "video.Speed": {"factor": 1.25},
    }
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        for picture in beacon().frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    codec = VideoCodec()
    found = codec.decode(sink.getvalue())
    value, applied = build_recipe([{step: {**params.get(step, {}), "p": 1}}], "video").apply(found.value, bytes(16))
    assert applied
    with av.open(io.BytesIO(codec.encode(value, found.source_format))) as container:
        (written_,) = container.streams.video
        assert float(written_.sample_aspect_ratio or 0) == pytest.approx(float(aspect), rel=0.02)
    with pytest.raises(CodecError, match="format: mp4"):
        VideoCodec("mkv").encode(value, found.source_format)


def test_square_pixels_are_written_as_before() -> None:
    with av.open(io.BytesIO(VideoCodec().encode(beacon(), ""))) as container:
        assert container.streams.video[0].sample_aspect_ratio in (None, 0, 1)


def test_boxes_of_frames_that_come_unevenly_stay_on_their_frames() -> None:
    """The first half is shown twice as long as the second: at a constant rate its frames are there twice."""
    count, times = 16, [*range(0, 64, 8), *range(64, 96, 4)]
    frames = np.zeros((count, 48, 64, 3), np.uint8)
    for number in range(count):
        frames[number, 8:20, 3 * number : 3 * number + 12] = 255
    data = written("mp4", "libx264", "", VideoValue(frames, Fraction(25)), times)
    value = decode(data)
    assert value.shown is not None
    kind = pa.list_(pa.struct([("frame", pa.int32()), ("bbox", pa.list_(pa.float32()))]))
    objects = [{"frame": number, "bbox": [3.0 * number, 8, 12, 12]} for number in range(count)]
    row = pa.record_batch({"objects": pa.array([objects], kind)})
    bound = bind({"boxes": ClipBoxBinding(column="objects", format="coco")}, row, 0, value)
    assert isinstance(bound, VideoValue)
    assert bound.shown is None
    boxes = bound.boxes
    assert boxes is not None
    assert boxes.frames is not None
    assert len(boxes.rows) == len(bound.frames)
    assert len(set(boxes.rows.tolist())) < len(boxes.rows)
    for corners, frame in zip(boxes.corners, boxes.frames, strict=True):
        assert bar(bound.frames[frame : frame + 1])[0] == pytest.approx(corners[0], abs=1.5)
    beyond = pa.record_batch({"objects": pa.array([[{"frame": count, "bbox": [0.0, 0, 5, 5]}]], kind)})
    with pytest.raises(BadLabels, match=f"of a clip of {count} frames"):
        bind({"boxes": ClipBoxBinding(column="objects", format="coco")}, beyond, 0, value)
