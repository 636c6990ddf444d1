"""Distinct real payloads: crops of photos out of Python packages, drawings, texts and sounds out of Debian packages."""

import re
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.audio.codec import AudioCodec
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.similarity.text import normalised
from transforms.values import AudioValue

Pixels = NDArray[np.uint8]

PACKAGES = (
    "openclipart-png", "sonic-pi-samples", "hydrogen-drumkits", "fortunes", "fortunes-min", "fortunes-de",
    "fortunes-es", "fortunes-it", "fortunes-ru", "fortunes-pl", "fortunes-cs", "fortunes-br", "fortunes-bg",
    "fortunes-zh", "fortunes-ga", "fortunes-eo",
)  # fmt: skip
CROP, STEP = 256, 192
_LARGEST_DRAWING = 4_000_000
_SECOND_EYE = "motorcycle_right"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ENTRIES = re.compile(r"(?m)^%[ \t]*$")


def photo_crops() -> list[Pixels]:
    """Crops of 256 pixels, overlapping by a quarter, of every photo in scikit-image's and scikit-learn's packages.

    But for the second of a stereo pair.
    """
    import skimage
    from sklearn.datasets import load_sample_images

    files = sorted((Path(skimage.__file__).parent / "data").glob("*"))
    photos = [picture for file in files if _SECOND_EYE not in file.name for picture in _decoded(file)]
    photos += load_sample_images().images
    crops = [
        np.ascontiguousarray(photo[y : y + CROP, x : x + CROP])
        for photo in photos
        for y in range(0, photo.shape[0] - CROP + 1, STEP)
        for x in range(0, photo.shape[1] - CROP + 1, STEP)
    ]
    return _distinct(crops)


def drawings(folder: Path, count: int) -> list[Pixels]:
    """The first `count` distinct ones, in an order that mixes the categories; alpha over white."""
    files = sorted(file for file in folder.rglob("openclipart/png/**/*.png") if not file.is_symlink())
    Random(0).shuffle(files)
    found: dict[bytes, Pixels] = {}
    for file in files:
        for pixels in _decoded(file, _LARGEST_DRAWING):
            found.setdefault(_digest(pixels), pixels)
        if len(found) == count:
            break
    return list(found.values())


def texts(folder: Path, count: int) -> list[str]:
    """The first `count` whose letters differ, in an order that mixes languages and topics."""
    entries = [entry for file in _fortunes(folder) for entry in _ENTRIES.split(_text(file))]
    Random(0).shuffle(entries)
    found: dict[str, str] = {}
    for entry in entries:
        text = _COLOURS.sub("", entry).strip()
        letters = normalised(text).replace(" ", "")
        if letters:
            found.setdefault(letters, text)
        if len(found) == count:
            break
    return list(found.values())


def sounds(folder: Path) -> list[AudioValue]:
    """All distinct ones that are not silent."""
    found: dict[bytes, AudioValue] = {}
    for file in sorted(file for ending in ("flac", "wav") for file in folder.rglob(f"*.{ending}")):
        try:
            sound: Any = AudioCodec().decode(file.read_bytes()).value
        except CodecError:
            continue
        if sound.samples.any():
            found.setdefault(_digest(sound.samples), sound)
    return list(found.values())


def _decoded(file: Path, max_pixels: int = 2**26) -> Iterator[Pixels]:
    """One picture, or none."""
    try:
        picture: Any = ImageCodec(max_pixels=max_pixels).decode(file.read_bytes()).value
    except (CodecError, IsADirectoryError):
        return
    yield picture.pixels


def _distinct(pictures: list[Pixels]) -> list[Pixels]:
    return list({_digest(pixels): pixels for pixels in pictures}.values())


def _digest(values: NDArray[Any]) -> bytes:
    return blake2b(repr(values.shape).encode() + values.tobytes()).digest()


def _fortunes(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("games/fortunes/**/*") if file.is_file() and not file.is_symlink())
    return sorted(file for file in files if file.suffix not in (".dat", ".u8"))


def _text(file: Path) -> str:
    data = file.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
