"""Sound files as recorders, phones, pipes and `cat` leave them are read whole; FFmpeg, by PyAV, is the judge."""

import io
import struct
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.audio.codec import AudioCodec
from transforms.values import AudioValue

Array = np.ndarray[Any, Any]
RATE = 16_000
OPEN_LENGTHS = [0, 0xFFFF_FFFF, 0xFFFF_FFDB, 0x7FFF_FFFF, 0x7FFF_F000, 0x8000_0000]


def tone(seconds: float = 1.0, rate: int = RATE, channels: int = 1, hertz: float = 440) -> Array:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave * (1 - 0.3 * n) for n in range(channels)]).astype(np.float32)


def pcm(sound: Array) -> bytes:
    return np.ascontiguousarray(np.rint(sound.T * 32_767).astype("<i2")).tobytes()


def head(length: int, riff: int = 36, before: bytes = b"", tag: int = 1, channels: int = 1) -> bytes:
    form = struct.pack("<IHHIIHH", 16, tag, channels, RATE, RATE * 2 * channels, 2 * channels, 16)
    return b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + form + before + b"data" + struct.pack("<I", length)


def decoded(data: bytes) -> AudioValue:
    value = AudioCodec().decode(data).value
    assert isinstance(value, AudioValue)
    return value


def refused(data: bytes) -> CodecError:
    with pytest.raises(CodecError) as caught:
        AudioCodec().decode(data)
    return caught.value


def mp3(sound: Array, rate: int = 44_100, counted: bool = True, quality: int | None = 4) -> bytes:
    """`counted`: with a Xing head. `quality`: of a variable bit rate; None for a constant one."""
    file = io.BytesIO()
    options = {"write_xing": "1" if counted else "0", "id3v2_version": "0"}
    with av.open(file, "w", format="mp3", options=options) as container:
        stream: Any = container.add_stream("libmp3lame", rate=rate, layout="mono" if len(sound) == 1 else "stereo")
        if quality is None:
            stream.bit_rate = 64_000
        else:
            stream.codec_context.flags |= 2
            stream.codec_context.global_quality = quality * 118
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout=stream.layout.name)
        frame.sample_rate, frame.pts = rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def by_ffmpeg(data: bytes, kind: str = "mp3") -> Array:
    with av.open(io.BytesIO(data), format=kind) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1)


def loud_then_quiet(rate: int, channels: int) -> Array:
    """What tells a variable bit rate from a constant one."""
    rng = np.random.default_rng(1)
    return np.concatenate([rng.normal(0, 0.2, (channels, 2 * rate)), np.zeros((channels, 6 * rate))], axis=1).astype(
        "f4"
    )


class TestWav:
    @pytest.mark.parametrize("length", OPEN_LENGTHS)
    @pytest.mark.parametrize("riff", [0, 36, 0xFFFF_FFFF, 0x7FFF_F024])
    def test_a_length_that_was_never_filled_in_means_to_the_end(self, length: int, riff: int) -> None:
        found = decoded(head(length, riff) + pcm(tone()))
        assert found.samples.shape == (1, RATE)
        np.testing.assert_allclose(found.samples, tone(), atol=1e-4)

    def test_an_empty_sound_before_other_chunks_stays_empty(self) -> None:
        assert refused(head(0, 60) + b"LIST" + struct.pack("<I", 4) + b"INFO").reason == "empty_audio"
        assert refused(head(0)).reason == "empty_audio"

    def test_a_length_that_is_true_but_cut_is_truncated(self) -> None:
        for length in (32_002, 40_000, 2**30):
            assert refused(head(length) + pcm(tone())).reason == "truncated"

    def test_an_odd_chunk_without_its_padding_is_passed_over(self) -> None:
        odd = b"note" + struct.pack("<I", 9) + b"123456789"
        for chunk in (odd, odd + b"\0"):
            np.testing.assert_allclose(decoded(head(32_000, 36, chunk) + pcm(tone())).samples, tone(), atol=1e-4)

    def test_the_last_sample_of_a_cut_recording_may_be_half(self) -> None:
        assert decoded(head(0) + pcm(tone())[:-1]).samples.shape == (1, RATE - 1)

    @pytest.mark.parametrize("tag", [0x55, 0x50])
    def test_mp3_in_a_wav_is_read(self, tag: int) -> None:
        packed = mp3(tone(2), RATE)
        found = AudioCodec().decode(head(len(packed), 36 + len(packed), tag=tag) + packed)
        assert isinstance(found.value, AudioValue)
        np.testing.assert_array_equal(found.value.samples, decoded(packed).samples)
        assert found.source_format.startswith("mp3:")

    @pytest.mark.parametrize(("tag", "name"), [(0xFF, "AAC"), (0x65, "G.722"), (0x161, "WMA"), (0x9999, "0x9999")])
    def test_other_packed_sound_in_a_wav_is_named(self, tag: int, name: str) -> None:
        error = refused(head(400, 436, tag=tag) + b"\x12\x34" * 200)
        assert error.reason == "unsupported_format"
        assert name in str(error)
        assert "convert it" in str(error)

    def test_noise_in_place_of_a_wav_never_crashes(self) -> None:
        rng = np.random.default_rng(0)
        for _ in range(200):
            data = bytearray(head(OPEN_LENGTHS[int(rng.integers(len(OPEN_LENGTHS)))]) + pcm(tone(0.01)))
            for place in rng.integers(12, 44, 3):
                data[place] = int(rng.integers(256))
            try:
                decoded(bytes(data))
            except CodecError as error:
                assert error.reason


class TestMp3:
    @pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("quality", [4, None])
    def test_files_that_do_not_count_their_frames_are_read_whole(
        self, rate: int, channels: int, quality: int | None
    ) -> None:
        for sound in (loud_then_quiet(rate, channels), loud_then_quiet(rate, channels)[:, ::-1]):
            data = mp3(sound, rate, counted=False, quality=quality)
            found, whole = decoded(data), by_ffmpeg(data)
            assert found.sample_rate == rate
            assert whole.shape[1] - found.samples.shape[1] in (0, 529)  # the decoder's own delay
            np.testing.assert_allclose(found.samples, whole[:, whole.shape[1] - found.samples.shape[1] :], atol=1e-5)

    @pytest.mark.parametrize("quality", [4, None])
    def test_files_that_do_are_read_as_before(self, quality: int | None) -> None:
        sound = loud_then_quiet(44_100, 2)
        data = mp3(sound, quality=quality)
        found = decoded(data).samples
        assert found.shape == sound.shape
        np.testing.assert_allclose(found, by_ffmpeg(data), atol=1e-5)

    def test_joined_files_are_read_to_the_end_of_the_last(self) -> None:
        data = mp3(tone(2, 44_100), 44_100) + mp3(tone(3, 44_100, hertz=880), 44_100)
        assert decoded(data).samples.shape[1] == pytest.approx(5 * 44_100, abs=3 * 1152)

    def test_tags_around_and_between_are_passed_over(self) -> None:
        tag = b"ID3\x03\0\0\0\0\0\x0a" + b"\xff\xfb" * 5
        plain = mp3(loud_then_quiet(44_100, 1), counted=False)
        whole = decoded(plain).samples.shape
        assert decoded(tag + plain + b"TAG" + b" " * 125).samples.shape == whole
        assert decoded(tag + plain + tag + plain).samples.shape[1] > 1.99 * whole[1]

    def test_a_change_of_rate_or_channels_on_the_way_is_refused(self) -> None:
        for other in (mp3(tone(2, 22_050), 22_050), mp3(tone(2, 44_100, 2), 44_100)):
            error = refused(mp3(tone(2, 44_100), 44_100, counted=False) + other)
            assert error.reason == "unsupported_format"
            assert "changes" in str(error)


class TestOgg:
    @pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_streams_that_follow_each_other_are_one_sound(self, subtype: str, channels: int) -> None:
        parts = []
        for number, hertz in enumerate((300, 700, 1100)):
            file = io.BytesIO()
            sound = tone(0.5 + number / 4, 48_000, channels, hertz)
            soundfile.write(file, sound.T, 48_000, format="OGG", subtype=subtype)
            parts.append(file.getvalue())
        found = decoded(b"".join(parts))
        each = [decoded(part).samples for part in parts]
        assert found.samples.shape == (channels, 24_000 + 36_000 + 48_000)
        np.testing.assert_array_equal(found.samples, np.concatenate(each, axis=1))

    def test_streams_of_unlike_rates_are_refused_by_name(self) -> None:
        parts = []
        for rate in (44_100, 22_050):
            file = io.BytesIO()
            soundfile.write(file, tone(1, rate).T, rate, format="OGG", subtype="VORBIS")
            parts.append(file.getvalue())
        error = refused(b"".join(parts))
        assert error.reason == "unsupported_format"
        assert "sample rate" in str(error)

    def test_all_streams_together_are_bounded(self) -> None:
        file = io.BytesIO()
        soundfile.write(file, tone(1, 48_000).T, 48_000, format="OGG", subtype="VORBIS")
        with pytest.raises(CodecError, match="at most 100000"):
            AudioCodec(max_samples=100_000).decode(file.getvalue() * 3)

    def test_a_second_stream_that_is_cut_is_truncated(self) -> None:
        file = io.BytesIO()
        soundfile.write(file, tone(2, 48_000).T, 48_000, format="OGG", subtype="VORBIS")
        data = file.getvalue()
        assert refused(data + data[: len(data) // 2]).reason == "truncated"
