import io
import os
import pickle
import struct
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.audio.codec import AudioCodec
from transforms.values import AudioValue, TextValue

RATE = 16_000
LENGTH = 16_001


def noise(channels: int = 1, length: int = LENGTH) -> np.ndarray:
    drawn = np.random.default_rng(3).normal(0, 0.2, (channels, length))
    return np.clip(drawn, -0.99, 0.99).astype(np.float32)


def written(kind: str, subtype: str, samples: np.ndarray | None = None, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, (noise() if samples is None else samples).T, rate, format=kind, subtype=subtype)
    return file.getvalue()


def decode(payload: Any, **options: Any) -> AudioValue:
    value = AudioCodec(**options).decode(payload).value
    assert isinstance(value, AudioValue)
    assert value.samples.dtype == np.float32
    assert value.samples.ndim == 2
    assert value.samples.flags.c_contiguous
    assert value.samples.flags.writeable
    return value


def reason_of(payload: Any, **options: Any) -> str:
    with pytest.raises(CodecError) as caught:
        AudioCodec(**options).decode(payload)
    message = str(caught.value)
    assert message
    assert "0x" not in message
    assert "BytesIO" not in message
    return caught.value.reason


def refused(samples: np.ndarray, rate: Any = RATE, source: str = "flac:PCM_16", **options: Any) -> str:
    with pytest.raises(CodecError) as caught:
        AudioCodec(**options).encode(AudioValue(samples, rate), source)
    assert "0x" not in str(caught.value)
    return caught.value.reason


EXACT = [
    ("WAV", "PCM_U8", 2**-7),
    ("WAV", "PCM_16", 2**-15),
    ("WAV", "PCM_24", 2**-23),
    ("WAV", "PCM_32", 2**-23),
    ("WAV", "FLOAT", 0.0),
    ("WAV", "DOUBLE", 0.0),
    ("WAVEX", "PCM_16", 2**-15),
    ("RF64", "PCM_16", 2**-15),
    ("FLAC", "PCM_S8", 2**-7),
    ("FLAC", "PCM_16", 2**-15),
    ("FLAC", "PCM_24", 2**-23),
]
LOSSY = [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]


class TestDecode:
    @pytest.mark.parametrize(("kind", "subtype", "step"), EXACT)
    @pytest.mark.parametrize("channels", [1, 2, 6])
    def test_lossless_formats(self, kind: str, subtype: str, step: float, channels: int) -> None:
        value = decode(written(kind, subtype, noise(channels)))
        assert value.sample_rate == RATE
        assert value.samples.shape == (channels, LENGTH)
        assert np.abs(value.samples - noise(channels)).max() <= step * 1.01

    @pytest.mark.parametrize(("kind", "subtype"), LOSSY)
    @pytest.mark.parametrize("channels", [1, 2])
    def test_lossy_formats(self, kind: str, subtype: str, channels: int) -> None:
        value = decode(written(kind, subtype, noise(channels, 48_000), 48_000))
        assert value.samples.shape == (channels, 48_000)
        assert 0.05 < value.samples.std() < 0.3

    @pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
    @pytest.mark.parametrize("length", [1, 2, 4095, 4097])
    @pytest.mark.parametrize("kind", ["WAV", "FLAC"])
    def test_rates_and_lengths(self, kind: str, length: int, rate: int) -> None:
        value = decode(written(kind, "PCM_16", noise(2, length), rate))
        assert (value.samples.shape, value.sample_rate) == ((2, length), rate)

    @pytest.mark.parametrize(("kind", "subtype"), LOSSY)
    def test_one_sample(self, kind: str, subtype: str) -> None:
        assert decode(written(kind, subtype, noise(1, 1), 48_000)).samples.shape == (1, 1)

    @pytest.mark.parametrize(
        ("kind", "subtype", "expected"),
        [
            ("WAV", "PCM_24", "wav:PCM_24"),
            ("WAVEX", "PCM_16", "wav:PCM_16"),
            ("RF64", "FLOAT", "wav:FLOAT"),
            ("FLAC", "PCM_16", "flac:PCM_16"),
            ("OGG", "VORBIS", "ogg:VORBIS"),
            ("MP3", "MPEG_LAYER_III", "mp3:MPEG_LAYER_III"),
        ],
    )
    def test_source_format_tells_container_and_depth(self, kind: str, subtype: str, expected: str) -> None:
        assert AudioCodec().decode(written(kind, subtype)).source_format == expected

    @pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
    @pytest.mark.parametrize("factor", [1.2, 5, 32_767])
    def test_float_samples_beyond_full_scale_fail_or_are_normalized(self, factor: float, subtype: str) -> None:
        loud = noise(2) / np.abs(noise(2)).max() * np.float32(factor)
        payload = written("WAV", subtype, loud)
        assert reason_of(payload) == "too_loud"
        with pytest.raises(CodecError, match="peaks: normalize"):
            AudioCodec().decode(payload)
        np.testing.assert_allclose(decode(payload, peaks="normalize").samples, loud / factor, atol=1e-6)

    @pytest.mark.parametrize("factor", [0.1, 1.0, 1.00002])
    def test_sounds_within_full_scale_are_not_touched(self, factor: float) -> None:
        sound = noise() / np.abs(noise()).max() * np.float32(factor)
        for peaks in ("fail", "normalize"):
            np.testing.assert_array_equal(decode(written("WAV", "FLOAT", sound), peaks=peaks).samples, sound)

    def test_copies_that_steps_made_too_loud_are_normalized_where_the_config_says_so(self) -> None:
        sine = np.sin(np.arange(LENGTH) * 0.1, dtype=np.float32)[np.newaxis]
        quiet = AudioCodec(peaks="normalize").encode(AudioValue(sine * 4, RATE), "wav:PCM_16")
        np.testing.assert_allclose(decode(quiet).samples, sine, atol=1e-4)
        cut = decode(AudioCodec().encode(AudioValue(sine * 4, RATE), "wav:PCM_16")).samples
        assert (np.abs(cut) > 0.999).mean() > 0.8

    def test_lossy_files_may_overshoot(self) -> None:
        square = np.sign(np.sin(np.arange(48_000) * 0.05, dtype=np.float32))[np.newaxis] * np.float32(0.99)
        assert np.abs(decode(written("MP3", "MPEG_LAYER_III", square, 48_000)).samples).max() > 1

    def test_a_choice_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="fail, normalize"):
            AudioCodec(peaks="clip")

    def test_gsm_is_read_whole(self) -> None:
        sine = 0.4 * np.sin(np.arange(16_000) * 0.3, dtype=np.float32)[np.newaxis]
        found = AudioCodec().decode(written("WAV", "GSM610", sine, 8_000))
        assert isinstance(found.value, AudioValue)
        assert found.value.samples.shape == (1, 16_000)
        assert np.corrcoef(found.value.samples[0, 400:], sine[0, 400:])[0, 1] > 0.98
        assert found.source_format == "wav:GSM610"

    @pytest.mark.parametrize("kind", ["FLAC", "MP3"])
    def test_id3_tag_in_front(self, kind: str) -> None:
        tag = b"ID3\x03\0\0\0\0\0\x0a" + b"\0" * 10
        subtype = "PCM_16" if kind == "FLAC" else "MPEG_LAYER_III"
        decoded = AudioCodec().decode(tag + written(kind, subtype))
        assert decoded.source_format == f"{kind.lower()}:{subtype}"

    def test_wav_written_to_a_pipe_reaches_to_its_end(self) -> None:
        payload = bytearray(written("WAV", "PCM_16"))
        place = payload.index(b"data") + 4
        payload[4:8] = payload[place : place + 4] = b"\xff" * 4
        assert np.array_equal(decode(bytes(payload)).samples, decode(written("WAV", "PCM_16")).samples)

    def test_chunks_around_the_data_of_a_wav(self) -> None:
        payload = written("WAV", "PCM_16")
        place = payload.index(b"data")
        odd = payload[:place] + b"note\x03\0\0\0abc\0" + payload[place:] + b"LIST\x04\0\0\0abcd"
        assert np.array_equal(decode(odd).samples, decode(payload).samples)

    @pytest.mark.parametrize("kind", [bytearray, memoryview])
    def test_other_buffers_are_bytes_too(self, kind: Any) -> None:
        assert decode(kind(written("FLAC", "PCM_16"))).samples.shape == (1, LENGTH)


TRUNCATED = [(kind, subtype) for kind, subtype, _ in EXACT if kind != "RF64"] + LOSSY


class TestNastyPayloads:
    @pytest.mark.parametrize("payload", [b"", bytearray()])
    def test_nothing(self, payload: Any) -> None:
        assert reason_of(payload) == "empty_payload"

    @pytest.mark.parametrize(
        "payload",
        [
            b"hello, this is no sound" * 9,
            b"<!doctype html><html></html>" * 9,
            b"\0" * 500,
            b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 90,
            b"\xff\xfe" + "some text".encode("utf-16le") * 20,
            b"RIFF\x24\0\0\0WEBPVP8 ",
            "text",
            None,
        ],
    )
    def test_no_sound(self, payload: Any) -> None:
        assert reason_of(payload) == "not_audio"

    @pytest.mark.parametrize("kind", ["AIFF", "CAF", "AU"])
    def test_formats_that_are_not_read(self, kind: str) -> None:
        assert reason_of(written(kind, "PCM_16")) == "unsupported_format"

    @pytest.mark.parametrize(("kind", "subtype"), TRUNCATED)
    @pytest.mark.parametrize("share", range(10, 100, 10))
    def test_truncated(self, kind: str, subtype: str, share: int) -> None:
        payload = written(kind, subtype, noise(1, 48_000), 48_000)
        assert reason_of(payload[: len(payload) * share // 100]) in ("truncated", "corrupt")

    @pytest.mark.parametrize(("kind", "subtype"), [*((k, s) for k, s, _ in EXACT if k != "RF64"), ("OGG", "VORBIS")])
    @pytest.mark.parametrize("lost", [1, 2, 3])
    def test_last_bytes_missing(self, kind: str, subtype: str, lost: int) -> None:
        payload = written(kind, subtype, noise(1, LENGTH + 1))
        assert reason_of(payload[:-lost]) == "truncated"

    @pytest.mark.parametrize("kind", ["WAV", "FLAC"])
    def test_cut_anywhere(self, kind: str) -> None:
        payload = written(kind, "PCM_16", noise(1, 9_000))
        for end in range(4, len(payload), 61):
            reason_of(payload[:end])

    def test_flac_cut_between_two_frames(self) -> None:
        payload = written("FLAC", "PCM_16", noise(1, 30_000))
        starts = [place for place in range(len(payload)) if payload.startswith(b"\xff\xf8", place)]
        assert len(starts) > 3
        for start in starts[1:]:
            assert reason_of(payload[:start]) == "truncated"

    def test_lost_ogg_page(self) -> None:
        """libogg drops a page whose checksum is wrong, and libsndfile does not mention it."""
        payload = bytearray(written("OGG", "VORBIS", noise(1, 200_000)))
        pages = [place for place in range(len(payload)) if payload.startswith(b"OggS", place)]
        payload[pages[len(pages) // 2] + 300] ^= 0xFF
        assert reason_of(bytes(payload)) == "truncated"

    def test_changed_flac_is_corrupt(self) -> None:
        payload = bytearray(written("FLAC", "PCM_16"))
        payload[len(payload) // 2] ^= 0xFF
        assert reason_of(bytes(payload)) in ("corrupt", "truncated")

    def test_no_samples(self) -> None:
        assert reason_of(written("WAV", "PCM_16", noise(1, 0))) == "empty_audio"

    @pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
    def test_non_finite(self, odd: float, subtype: str) -> None:
        samples = noise(2, 100)
        samples[1, 50] = odd
        assert reason_of(written("WAV", subtype, samples)) == "non_finite"

    def test_double_beyond_single_precision_is_non_finite(self) -> None:
        assert reason_of(written("WAV", "DOUBLE", np.array([[1e300]]))) == "non_finite"

    @pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")])
    def test_limit_of_samples_is_checked_before_decoding(
        self, kind: str, subtype: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payload = written(kind, subtype, noise(2))
        assert decode(payload, max_samples=2 * LENGTH).samples.shape == (2, LENGTH)
        monkeypatch.setattr(soundfile.SoundFile, "read", None)
        assert reason_of(payload, max_samples=2 * LENGTH - 1) == "too_long"

    def test_flac_bomb(self) -> None:
        payload = bytearray(written("FLAC", "PCM_16"))
        payload[21] |= 0x0F
        payload[22:26] = b"\xff" * 4
        assert reason_of(bytes(payload)) == "too_long"

    def test_flac_of_unknown_length(self) -> None:
        payload = bytearray(written("FLAC", "PCM_16"))
        payload[21] &= 0xF0
        payload[22:26] = b"\0" * 4
        assert reason_of(bytes(payload)) == "unsupported_format"

    def test_wav_without_sound(self) -> None:
        assert reason_of(b"RIFF" + struct.pack("<I", 4) + b"WAVE") == "truncated"

    @settings(max_examples=100, deadline=None)
    @given(
        which=st.sampled_from([("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")]),
        changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5),
    )
    def test_damage_gives_samples_or_a_codec_error(
        self, which: tuple[str, str], changes: list[tuple[float, int]]
    ) -> None:
        damaged = bytearray(written(*which, noise(1, 2_000)))
        for place, byte in changes:
            damaged[int(place * min(len(damaged), 200))] = byte
        try:
            decode(bytes(damaged), max_samples=10**6)
        except CodecError as error:
            assert error.reason


class TestEncode:
    @pytest.mark.parametrize(
        ("source", "kind", "subtype"),
        [
            ("wav:PCM_U8", "wav", "PCM_16"),
            ("wav:PCM_16", "wav", "PCM_16"),
            ("wav:PCM_24", "wav", "PCM_24"),
            ("wav:PCM_32", "wav", "PCM_24"),
            ("wav:FLOAT", "wav", "PCM_24"),
            ("wav:ULAW", "wav", "PCM_16"),
            ("flac:PCM_16", "flac", "PCM_16"),
            ("flac:PCM_24", "flac", "PCM_24"),
            ("ogg:VORBIS", "flac", "PCM_16"),
            ("mp3:MPEG_LAYER_III", "flac", "PCM_16"),
            ("", "flac", "PCM_16"),
        ],
    )
    def test_container_and_depth(self, source: str, kind: str, subtype: str) -> None:
        payload = AudioCodec().encode(AudioValue(noise(), RATE), source)
        assert AudioCodec().decode(payload).source_format == f"{kind}:{subtype}"

    @pytest.mark.parametrize("kind", ["wav", "flac"])
    def test_configured_format_wins(self, kind: str) -> None:
        payload = AudioCodec(format=kind).encode(AudioValue(noise(), RATE), "wav:PCM_24")
        assert AudioCodec().decode(payload).source_format == f"{kind}:PCM_24"

    @pytest.mark.parametrize("kind", ["wav", "flac"])
    @pytest.mark.parametrize("bits", [16, 24])
    @settings(max_examples=30, deadline=None)
    @given(shape=st.tuples(st.integers(1, 3), st.integers(1, 200)), data=st.data())
    def test_every_level_comes_back(self, kind: str, bits: int, shape: tuple[int, int], data: st.DataObject) -> None:
        full = 2 ** (bits - 1)
        drawn = data.draw(hnp.arrays(np.int32, shape, elements=st.integers(-full, full - 1)))
        samples = (drawn / full).astype(np.float32)
        value = decode(AudioCodec().encode(AudioValue(samples, RATE), f"{kind}:PCM_{bits}"))
        assert np.array_equal(value.samples, samples)

    @pytest.mark.parametrize("source", ["wav:PCM_16", "wav:PCM_24", "flac:PCM_16", "flac:PCM_24"])
    def test_decoded_and_encoded_again_gives_the_same_bytes(self, source: str) -> None:
        once = AudioCodec().encode(AudioValue(noise(2), RATE), source)
        assert AudioCodec().encode(decode(once), source) == once

    @pytest.mark.parametrize("source", ["wav:PCM_16", "flac:PCM_24"])
    def test_values_beyond_full_scale_are_clipped(self, source: str) -> None:
        samples = np.array([[-1e30, -1.5, -1.0, 0.0, 1.0, 1.5, 1e30]], np.float32)
        value = decode(AudioCodec().encode(AudioValue(samples, RATE), source))
        assert value.samples[0, :3].tolist() == [-1.0, -1.0, -1.0]
        assert (value.samples[0, 4:] > 0.9999).all()

    def test_views_are_taken_and_left_alone(self) -> None:
        base = noise(4)
        before = base.copy()
        view = base[::2, ::-1]
        view.flags.writeable = False
        payload = AudioCodec().encode(AudioValue(view, RATE), "flac:PCM_16")
        assert payload == AudioCodec().encode(AudioValue(view.copy(), RATE), "flac:PCM_16")
        assert np.array_equal(base, before)

    def test_full_circle_of_channels_and_rates(self) -> None:
        for kind, channels, rate in (("flac", 8, 655_350), ("flac", 1, 96_000), ("wav", 12, 1), ("wav", 1, 96_001)):
            value = decode(AudioCodec(format=kind).encode(AudioValue(noise(channels, 7), rate), ""))
            assert (value.samples.shape, value.sample_rate) == ((channels, 7), rate)

    @pytest.mark.parametrize(
        ("channels", "rate"), [(9, RATE), (1, 655_360), (1, 65_537), (1, 200_001), (1, 0), (1, -1)]
    )
    def test_what_flac_cannot_hold(self, channels: int, rate: int) -> None:
        assert refused(noise(channels, 10), rate) == "cannot_encode"

    def test_what_wav_cannot_hold(self) -> None:
        assert refused(noise(1025, 1), source="wav:PCM_16") == "cannot_encode"
        endless = np.broadcast_to(np.zeros((1, 1), np.float32), (1000, 3_000_000))
        assert endless.nbytes > 2**32
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(np, "isfinite", lambda _: np.True_)
            assert refused(endless, source="wav:PCM_16") == "cannot_encode"

    @pytest.mark.parametrize("samples", [np.zeros((1, 9)), np.zeros(9, np.float32), np.zeros((1, 9), np.int16)])
    def test_what_is_no_sound(self, samples: np.ndarray) -> None:
        assert refused(samples) == "cannot_encode"

    def test_no_samples(self) -> None:
        assert refused(np.zeros((1, 0), np.float32)) == "empty_audio"
        assert refused(np.zeros((0, 5), np.float32)) == "empty_audio"

    @pytest.mark.parametrize("odd", [np.nan, np.inf])
    def test_non_finite(self, odd: float) -> None:
        assert refused(np.array([[0.0, odd]], np.float32)) == "non_finite"

    def test_a_text_is_no_sound(self) -> None:
        with pytest.raises(CodecError, match="expected audio"):
            AudioCodec().encode(TextValue("a"), "wav:PCM_16")

    def test_bad_format_is_named(self) -> None:
        with pytest.raises(ValueError, match="'mp3'"):
            AudioCodec(format="mp3")


SCRIPT = """
import hashlib
import numpy as np
from pipeline.modalities.codecs.audio.codec import AudioCodec
from transforms.values import AudioValue
samples = np.random.default_rng(5).normal(0, 0.3, (2, 20_001)).astype(np.float32)
for source in ("wav:PCM_16", "wav:FLOAT", "flac:PCM_16", "flac:PCM_24"):
    payload = AudioCodec().encode(AudioValue(samples, 44_100), source)
    decoded = AudioCodec().decode(payload).value.samples
    print(hashlib.sha256(payload).hexdigest(), hashlib.sha256(decoded.tobytes()).hexdigest())
"""


def test_same_bytes_twice_and_in_other_processes(capsys: pytest.CaptureFixture[str]) -> None:
    exec(SCRIPT, {})
    exec(SCRIPT, {})
    here = capsys.readouterr().out
    there = ""
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", SCRIPT]
        there += subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    assert here == there


def test_codec_survives_a_process_boundary() -> None:
    codec = AudioCodec(format="wav", max_samples=5)
    assert pickle.loads(pickle.dumps(codec)) == codec
