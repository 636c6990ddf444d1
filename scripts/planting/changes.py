"""What is done to a payload before it is planted on the other side."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import cv2
import numpy as np

from pipeline.modalities.codecs.image.codec import ImageCodec
from scripts.planting.material import Pixels
from transforms.values import AudioValue, ImageValue

Change = Callable[[Any, Random], Any]


def _resized(factor: float) -> Change:
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return lambda pixels, _: cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=method)


def _resized_at_random(pixels: Pixels, random: Random) -> Any:
    return _resized(2 ** random.uniform(-1, 1))(pixels, random)


def _jpeg(pixels: Pixels, _: Random) -> Pixels:
    value: Any = ImageCodec().decode(ImageCodec(format="jpeg", quality=30).encode(ImageValue(pixels), "png")).value
    decoded: Pixels = value.pixels
    return decoded


def _cropped(left: float, right: float) -> Change:
    """The same shares from above and from below."""

    def crop(pixels: Pixels, _: Random) -> Pixels:
        height, width = pixels.shape[:2]
        rows = slice(int(height * left), height - int(height * right))
        return np.ascontiguousarray(pixels[rows, int(width * left) : width - int(width * right)])

    return crop


def _brighter(factor: float) -> Change:
    return lambda pixels, _: np.rint(np.clip(pixels * factor, 0, 255)).astype(np.uint8)


def _flipped(pixels: Pixels, _: Random) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1])


PICTURES: dict[str, Change] = {
    "copy": lambda pixels, _: pixels,
    "resize 0.5": _resized(0.5),
    "resize 2": _resized(2),
    "resize 0.5–2": _resized_at_random,
    "JPEG q30": _jpeg,
    "crop 5 %, centred": _cropped(0.025, 0.025),
    "crop 5 %, at a corner": _cropped(0.05, 0),
    "crop 5 % of each side": _cropped(0.05, 0.05),
    "brightness 0.7": _brighter(0.7),
    "brightness 1.3": _brighter(1.3),
}
MIRRORED: dict[str, Change] = {"flip": _flipped, "copy": PICTURES["copy"]}


def words_changed(texts: list[str]) -> Change:
    """One word in ten, at least one, becomes a word of another text."""
    others = sorted({word for text in texts for word in text.split() if word.isalpha()})

    def change(text: str, random: Random) -> str:
        parts = re.split(r"(\s+)", text)
        places = [place for place, part in enumerate(parts) if any(c.isalpha() for c in part)]
        for place in random.sample(places, max(1, round(len(places) / 10))):
            parts[place] = random.choice(others)
        return "".join(parts)

    return change


def _punctuation(text: str, random: Random) -> str:
    """Without any, but for a new mark at the end."""
    return "".join(c for c in text if unicodedata.category(c)[0] != "P") + random.choice("!.?…")


TEXTS: dict[str, Change] = {
    "copy": lambda text, _: text,
    "upper case": lambda text, _: text.upper(),
    "title case": lambda text, _: text.title(),
    "punctuation": _punctuation,
    "white space": lambda text, _: "  ".join(text.split()),
}


def _gain(decibels: float) -> Change:
    return lambda sound, _: _with(sound, sound.samples * 10 ** (decibels / 20))


def _speed(factor: float) -> Change:
    """By linear interpolation: pitch and length change together."""

    def change(sound: AudioValue, _: Random) -> AudioValue:
        length = sound.samples.shape[1]
        times = np.arange(0, length - 1, factor) if length > 1 else np.zeros(1)
        return _with(sound, np.stack([np.interp(times, np.arange(length), channel) for channel in sound.samples]))

    return change


def _noise(decibels: float) -> Change:
    """White, so far below the sound's own mean power."""

    def change(sound: AudioValue, random: Random) -> AudioValue:
        level = np.sqrt((sound.samples.astype(np.float64) ** 2).mean() / 10 ** (decibels / 10))
        noise = np.random.Generator(np.random.Philox(random.getrandbits(64))).standard_normal(sound.samples.shape)
        return _with(sound, sound.samples + level * noise)

    return change


def _with(sound: AudioValue, samples: Any) -> AudioValue:
    return replace(sound, samples=np.asarray(samples, np.float32))


SOUNDS: dict[str, Change] = {
    "copy": lambda sound, _: sound,
    "gain -12 dB": _gain(-12),
    "gain +6 dB": _gain(6),
    "speed +1 %": _speed(1.01),
    "speed -1 %": _speed(0.99),
    "noise at 30 dB": _noise(30),
}
