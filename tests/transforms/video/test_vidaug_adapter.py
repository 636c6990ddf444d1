"""What vidaug's operations mean, on tiny clips whose frames, sound and labels tell where they came from."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from transforms import registry
from transforms.recipe import check_steps
from transforms.values import AudioValue, Boxes, ImageValue, Segments, VideoValue
from transforms.video import vidaug_adapter as adapter

SEED = bytes(range(16))
SEEDS = [bytes([n]) * 16 for n in range(12)]
SOUND_RATE = 8_000


def numbered(count: int = 10, height: int = 20, width: int = 24) -> VideoValue:
    """Each frame is as bright as its number; the sound's level is the number of its frame, in hundredths."""
    frames = np.repeat(np.arange(count, dtype=np.uint8), height * width * 3).reshape(count, height, width, 3)
    samples = np.repeat(np.arange(count, dtype=np.float32) / 100, SOUND_RATE // 10)[np.newaxis]
    corners = np.tile([[2.0, 2, 8, 8]], (count, 1))
    boxes = Boxes(corners, np.arange(count), frames=np.arange(count))
    return VideoValue(frames, Fraction(10), AudioValue(samples, SOUND_RATE), boxes, segments((0.2, 0.5)))


def segments(*bounds: tuple[float, float]) -> Segments:
    return Segments(np.array(bounds), np.arange(len(bounds)))


def marked(height: int = 20, width: int = 24) -> VideoValue:
    """A bright box at the same place of three frames, and its label."""
    frames = np.zeros((3, height, width, 3), np.uint8)
    frames[:, 4:10, 6:14] = 200
    corners = np.array([[6.0, 4, 14, 10]] * 3)
    return VideoValue(frames, Fraction(10), boxes=Boxes(corners, np.arange(3), frames=np.arange(3)))


def run(name: str, clip: VideoValue | None = None, seed: bytes = SEED, **params: Any) -> VideoValue:
    result, drawn = adapter.build(name, params)(numbered() if clip is None else clip, seed)
    assert drawn is not None
    assert isinstance(result, VideoValue)
    return result


def order(clip: VideoValue) -> list[int]:
    """Which frame each frame was."""
    return [int(n) for n in clip.frames[:, 0, 0, 0]]


def heard(clip: VideoValue) -> list[int]:
    """The sound in the middle of each frame, as the number of its frame."""
    assert clip.audio is not None
    step = clip.audio.sample_rate / float(clip.rate)
    return [round(100 * float(clip.audio.samples[0, int((n + 0.5) * step)])) for n in range(len(clip.frames))]


def bounds(clip: VideoValue) -> list[list[float]]:
    assert clip.segments is not None
    return np.round(clip.segments.bounds, 3).tolist()


def boxed(clip: VideoValue) -> list[tuple[int, int]]:
    """Frame and row of each box."""
    assert clip.boxes is not None
    assert clip.boxes.frames is not None
    return sorted(zip(clip.boxes.frames.tolist(), clip.boxes.rows.tolist(), strict=True))


class TestTime:
    def test_begin(self) -> None:
        clip = run("TemporalBeginCrop", size=4)
        assert order(clip) == heard(clip) == [0, 1, 2, 3]
        assert bounds(clip) == [[0.2, 0.4]]
        assert boxed(clip) == [(n, n) for n in range(4)]

    def test_center(self) -> None:
        clip = run("TemporalCenterCrop", size=4)
        assert order(clip) == heard(clip) == [3, 4, 5, 6]
        assert bounds(clip) == [[0.0, 0.2]]
        assert boxed(clip) == [(n, n + 3) for n in range(4)]

    def test_random(self) -> None:
        firsts = set()
        for seed in [bytes([a, b]) * 8 for a in range(12) for b in range(10)]:
            clip = run("TemporalRandomCrop", seed=seed, size=4)
            first = order(clip)[0]
            assert order(clip) == heard(clip) == list(range(first, first + 4))
            firsts.add(first)
        assert firsts == set(range(7))

    @pytest.mark.parametrize("name", ["TemporalBeginCrop", "TemporalCenterCrop", "TemporalRandomCrop"])
    def test_short_clips_are_repeated(self, name: str) -> None:
        clip = run(name, numbered(3), size=8)
        assert order(clip) == heard(clip) == [0, 1, 2, 0, 1, 2, 0, 1]
        assert bounds(clip) == [[0.2, 0.3], [0.5, 0.6]]
        assert boxed(clip) == [(0, 0), (1, 1), (2, 2), (3, 0), (4, 1), (5, 2), (6, 0), (7, 1)]

    def test_inverse(self) -> None:
        clip = run("InverseOrder")
        assert order(clip) == heard(clip) == list(range(9, -1, -1))
        assert bounds(clip) == [[0.5, 0.8]]
        assert boxed(clip) == [(n, 9 - n) for n in range(10)]
        before = numbered().audio
        assert before is not None
        assert clip.audio is not None
        assert np.array_equal(clip.audio.samples, before.samples[:, ::-1])

    def test_down_and_up_and_fit(self) -> None:
        assert order(run("Downsample", ratio=0.5)) == [0, 2, 4, 6, 9]
        assert order(run("Downsample", ratio=0)) == [0]
        assert order(run("TemporalFit", size=4)) == [0, 3, 6, 9]
        clip = run("Upsample", ratio=2)
        assert len(clip.frames) == 20
        assert order(clip) == sorted(order(clip))
        assert clip.rate == 10
        assert bounds(clip) == [[0.4, 1.0]]
        assert clip.audio is not None
        assert clip.audio.samples.shape == (1, 2 * SOUND_RATE)
        assert [row for frame, row in boxed(clip)] == order(clip)
        assert bounds(run("Downsample", ratio=0.5)) == [[0.1, 0.25]]

    def test_sound_keeps_its_pitch_and_its_place(self) -> None:
        time = np.arange(SOUND_RATE * 2) / SOUND_RATE
        tone = np.where((time > 1) & (time < 1.5), 0.5 * np.sin(2 * np.pi * 500 * time), 0).astype(np.float32)
        value = VideoValue(numbered(20).frames, Fraction(10), AudioValue(tone[np.newaxis], SOUND_RATE))
        for ratio, name in ((0.7, "Downsample"), (1.5, "Upsample"), (3.0, "Upsample")):
            clip = run(name, value, ratio=ratio)
            assert clip.audio is not None
            samples = clip.audio.samples[0]
            assert len(samples) == len(clip.frames) * SOUND_RATE // 10
            loud = np.flatnonzero(np.abs(samples) > 0.1) / SOUND_RATE
            assert abs(loud[0] - 1 * ratio) < 0.1
            assert abs(loud[-1] - 1.5 * ratio) < 0.1
            spectrum = np.abs(np.fft.rfft(samples))
            assert abs(spectrum.argmax() * SOUND_RATE / len(samples) - 500) < 10

    def test_elastic_time(self) -> None:
        seen = set()
        for seed in SEEDS:
            result, drawn = adapter.build("TemporalElasticTransformation", {})(numbered(40), seed)
            assert isinstance(result, VideoValue)
            assert drawn is not None
            frames = order(result)
            assert len(frames) == 40
            assert (frames[0], frames[-1]) == (0, 39)
            assert frames == sorted(frames)
            assert max(abs(a - b) for a, b in zip(frames, heard(result), strict=True)) <= 1
            at_start, in_middle = frames[8], frames[24] - frames[16]
            assert (at_start < 8, in_middle > 8) == ((False, False) if drawn["inverse"] else (False, True)) or (
                at_start > in_middle if drawn["inverse"] else at_start < in_middle
            )
            ((low, high),) = bounds(result)
            assert abs(frames[min(39, int(low * 10))] - 2) <= 1
            assert abs(frames[min(39, int(high * 10))] - 5) <= 2
            seen.add(drawn["inverse"])
        assert seen == {True, False}

    def test_silent_and_unlabeled_clips(self) -> None:
        bare = VideoValue(numbered().frames, Fraction(10))
        for name in adapter.names():
            if name.startswith("Temporal") or name in ("Upsample", "Downsample", "InverseOrder"):
                params = {"size": 4} if "Crop" in name or name == "TemporalFit" else {}
                clip = run(name, bare, **params)
                assert clip.audio is clip.boxes is clip.segments is None


class TestPlace:
    def test_crops(self) -> None:
        clip = run("CenterCrop", marked(), size=[10, 12])
        assert np.array_equal(clip.frames, marked().frames[:, 5:15, 6:18])
        assert clip.boxes is not None
        assert clip.boxes.corners[0].tolist() == [0, 0, 8, 5]
        assert run("CornerCrop", marked(), size=8, crop_position="tr").frames.shape == (3, 8, 8, 3)
        assert not run("CornerCrop", marked(), size=8, crop_position="br").frames.any()
        positions = {
            drawn["crop_position"]
            for seed in [bytes([a]) * 16 for a in range(60)]
            if (drawn := adapter.build("CornerCrop", {"size": 8})(marked(), seed)[1])
        }
        assert positions == {"c", "tl", "tr", "bl", "br"}
        with pytest.raises(ValueError, match=r"vidaug.RandomCrop, 3 frames of 24 x 20: a crop of 30 x 30 exceeds"):
            run("RandomCrop", marked(), size=30)

    def test_flips(self) -> None:
        assert np.array_equal(run("HorizontalFlip", marked()).frames, marked().frames[:, :, ::-1])
        assert np.array_equal(run("VerticalFlip", marked()).frames, marked().frames[:, ::-1])

    @pytest.mark.parametrize(
        ("name", "params"),
        [
            ("HorizontalFlip", {}),
            ("VerticalFlip", {}),
            ("RandomCrop", {"size": [16, 20]}),
            ("RandomRotate", {"degrees": [90, 90]}),
            ("RandomRotate", {"degrees": 15}),
            ("RandomResize", {"rate": 0.5}),
            ("RandomTranslate", {"x": 4, "y": 3}),
            ("RandomShear", {"x": 0.2, "y": 0.1}),
            ("ElasticTransformation", {"alpha": 10, "sigma": 3, "order": 1}),
            (
                "PiecewiseAffineTransform",
                {"displacement": 4, "displacement_kernel": 2, "displacement_magnification": 1},
            ),
        ],
    )
    def test_boxes_stay_around_what_they_mark(self, name: str, params: dict[str, Any]) -> None:
        for seed in SEEDS:
            clip = run(name, marked(), seed, **params)
            assert clip.boxes is not None
            for frame, corners in zip(clip.frames, clip.boxes.corners, strict=True):
                rows, columns = np.nonzero(frame[:, :, 0] > 100)
                around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert np.abs(np.array(around) - corners).max() <= 2.1
            assert all(np.array_equal(frame, clip.frames[0]) for frame in clip.frames)

    def test_rotation_is_counterclockwise(self) -> None:
        square = replace(marked(20, 20), boxes=None)
        clip = run("RandomRotate", square, degrees=[90, 90])
        assert np.array_equal(clip.frames[0], np.rot90(square.frames[0]))

    def test_boxes_that_leave_are_dropped_with_their_frames(self) -> None:
        value = marked()
        assert value.boxes is not None
        corners = value.boxes.corners.copy()
        corners[1] = [20, 15, 24, 20]
        clip = run("CenterCrop", replace(value, boxes=replace(value.boxes, corners=corners)), size=[10, 12])
        assert boxed(clip) == [(0, 0), (2, 2)]


class TestColour:
    def test_levels(self) -> None:
        clip = marked()
        assert np.array_equal(run("InvertColor", clip).frames, 255 - clip.frames)
        assert np.array_equal(run("Add", clip, value=100).frames, np.where(clip.frames, 255, 100))
        assert np.array_equal(run("Add", clip, value=-50).frames, np.where(clip.frames, 150, 0))
        assert np.array_equal(run("Multiply", clip, value=0.5).frames, clip.frames // 2)

    @pytest.mark.parametrize(("name", "level"), [("Pepper", 0), ("Salt", 255)])
    def test_speckles(self, name: str, level: int) -> None:
        grey = VideoValue(np.full((4, 100, 100, 3), 99, np.uint8), Fraction(10))
        clip = run(name, grey, ratio=10)
        changed = (clip.frames != 99).any(axis=3)
        assert 0.08 < changed.mean() < 0.12
        assert (clip.frames[changed] == level).all()
        assert not np.array_equal(clip.frames[0], clip.frames[1])

    def test_blur_and_superpixels(self) -> None:
        rng = np.random.default_rng(2)
        noise = VideoValue(rng.integers(0, 256, (3, 64, 64, 3), np.uint8), Fraction(10))
        assert run("GaussianBlur", noise, sigma=2).frames.std() < noise.frames.std() / 2
        assert np.array_equal(run("GaussianBlur", noise, sigma=0).frames, noise.frames)
        pixels = run("Superpixel", noise, p_replace=1, n_segments=16).frames
        assert len(np.unique(pixels[0].reshape(-1, 3), axis=0)) <= 40
        assert np.array_equal(run("Superpixel", noise, n_segments=16).frames, noise.frames)
        assert abs(pixels.mean() - noise.frames.mean()) < 2
        assert run("Superpixel", noise, p_replace=1, n_segments=16, max_size=16).frames.shape == noise.frames.shape


def test_everything_carries_everything() -> None:
    assert all(registry.carries(f"vidaug.{name}") == {"boxes", "segments"} for name in adapter.names())


def test_ranges_are_drawn_and_recorded() -> None:
    drawn = [adapter.build("Add", {"value": [10, 20]})(numbered(), seed)[1] for seed in SEEDS]
    values = [found["value"] for found in drawn if found is not None]
    assert all(10 <= value <= 20 for value in values)
    assert len(set(values)) == len(SEEDS)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"vidaug.Downsample": {"ratio": 2}}, "ratio: 2 is not within 0..1"),
        ({"vidaug.Upsample": {"ratio": 0.5}}, "ratio: 0.5 is not within 1..100"),
        ({"vidaug.RandomRotate": {"degrees": -5}}, "degrees: -5 is negative: write x for [-x, x]"),
        ({"vidaug.RandomRotate": {"degrees": [5, -5]}}, "degrees: [5, -5] ends before it begins"),
        ({"vidaug.RandomRotate": None}, "vidaug.RandomRotate needs the parameter 'degrees'"),
        ({"vidaug.CornerCrop": {"size": 8, "crop_position": "top"}}, "is not one of c, tl, tr, bl, br"),
        ({"vidaug.CenterCrop": {"size": [1, 2, 3]}}, "is neither pixels nor [height, width]"),
        ({"vidaug.TemporalFit": {"size": 0}}, "size: 0 is not within 1..100000"),
        ({"vidaug.TemporalFit": {"size": 1.5}}, "size: 1.5 is no whole number"),
        ({"vidaug.Add": {"value": True}}, "value: True is no number"),
        ({"vidaug.Add": {"valu": 3}}, "vidaug.Add has no parameter 'valu'"),
        ("vidaug.Sometimes", "write the groups one_of, some_of or sometimes instead"),
        ("vidaug.InverseOder", "vidaug has no transform 'InverseOder'"),
    ],
)
def test_wrong_recipes_are_refused(step: Any, message: str) -> None:
    problems = check_steps([step], "video")
    assert len(problems) == 1, problems
    assert message in problems[0].message


def test_a_clip_is_not_an_image() -> None:
    with pytest.raises(TypeError, match="works on videos, not on ImageValue"):
        adapter.build("InvertColor", {})(ImageValue(np.zeros((4, 4, 3), np.uint8)), SEED)
    assert "works on videos; this field is image" in check_steps(["vidaug.InvertColor"], "image")[0].message
