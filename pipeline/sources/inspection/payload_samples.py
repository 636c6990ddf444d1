"""A few payloads -> their modality by their first bytes, and what the config's author should know of them."""

import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from statistics import median
from typing import TypeVar

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.audio.codec import AudioCodec
from pipeline.modalities.codecs.audio.containers import sniff_sound
from pipeline.modalities.codecs.image.codec import ImageCodec, depth_of, sniff
from pipeline.modalities.codecs.video import library
from pipeline.modalities.codecs.video.codec import VideoCodec
from pipeline.modalities.codecs.video.containers import sniff_clip
from pipeline.modalities.codecs.volume.codec import VolumeCodec, sniff_volume
from pipeline.modalities.codecs.volume.nifti import is_nifti
from pipeline.modalities.codecs.volume.tiff import pages
from pipeline.sources.inspection.findings import Modality, Payloads
from pipeline.sources.inspection.original_differences import unlike
from transforms.text.words import split
from transforms.values import AudioValue, ImageValue, VideoValue, VolumeValue

T = TypeVar("T")
DECODED = 12
_decoding = ContextVar("decoding", default=True)
_DECODED_CLIPS = 4
_ERROR_CHARACTERS = 80
_LOOKED_AT = 2000
_SNIFFERS: tuple[tuple[Modality, Callable[[bytes], str]], ...] = (
    ("image", sniff),
    ("audio", sniff_sound),
    ("video", sniff_clip),
)


def modality_of(payloads: Sequence[bytes]) -> Modality | None:
    """Image, audio, video or volume, by the first bytes of most payloads; None for anything else."""
    kinds = Counter(kind for p in payloads if (kind := _sniffed(bytes(p))))
    kind, count = kinds.most_common(1)[0] if kinds else (None, 0)
    return kind if 2 * count > len(payloads) else None


def examine(payloads: Sequence[bytes], modality: Modality) -> tuple[Payloads, tuple[str, ...]]:
    """Decode a few payloads; those that cannot be decoded become a note."""
    looks = {"image": _examine_images, "video": _examine_clips, "volume": _examine_volumes}
    look = looks.get(modality, _examine_sounds)
    chosen = spread(payloads, DECODED if modality != "video" else _DECODED_CLIPS)
    if not _decoding.get():
        return Payloads(seen=len(chosen)), ()
    found, errors = look(chosen)
    if not errors:
        return found, ()
    shortened = errors[0] if len(errors[0]) <= _ERROR_CHARACTERS else f"{errors[0][:_ERROR_CHARACTERS]}…"
    note = f"{len(errors)} of {len(chosen)} looked at cannot be decoded: {shortened}"
    return replace(found, broken=len(errors) / len(chosen)), (note,)


def decoding() -> bool:
    """Whether payloads may be decoded."""
    return _decoding.get()


@contextmanager
def undecoded() -> Iterator[None]:
    """Look at payloads without decoding any: what they hold is not asked for, and some end their decoder."""
    before = _decoding.set(False)
    try:
        yield
    finally:
        _decoding.reset(before)


def examine_texts(texts: Sequence[str]) -> Payloads:
    """Words and letters of some texts."""
    counts = [len(split(t[:_LOOKED_AT]).words) for t in texts] or [0]
    letters = Counter(_is_latin(c) for t in texts[:200] for c in t[:500] if c.isalpha())
    return Payloads(
        seen=len(texts),
        words=float(median(counts)),
        short=sum(c < 3 for c in counts) / len(counts),
        latin=letters[True] >= letters[False],
    )


def looks_like(head: bytes, modality: Modality) -> bool:
    """Whether the first 352 bytes may be those of a payload of this modality."""
    if modality == "volume":
        return _volume_kind(head) != ""
    return _sniffed(head) == modality


def is_stack(data: bytes) -> bool:
    """Whether a TIFF has several pages."""
    return _volume_kind(data) == "tiff" and pages(data) > 1


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most `most` items, evenly over all of them."""
    return [items[n * len(items) // most] for n in range(most)] if len(items) > most else list(items)


def _sniffed(data: bytes) -> Modality | None:
    if _is_volume(data):
        return "volume"
    for kind, look in _SNIFFERS:
        try:
            look(data)
        except CodecError:
            continue
        return kind
    return None


def _is_volume(data: bytes) -> bool:
    """Whether a payload is a volume: a TIFF of several pages, numpy's files, NIfTI."""
    kind = _volume_kind(data)
    if kind == "npz":
        return b".npy" in data[30:286]
    if kind == "nii.gz":
        return is_nifti(_unzipped_head(data))
    return is_stack(data) if kind == "tiff" else bool(kind)


def _volume_kind(data: bytes) -> str:
    """The kind of file; empty for none, and for PNG: what may be a picture is one unless the config says otherwise."""
    try:
        kind = sniff_volume(data)
    except CodecError:
        return ""
    return "" if kind == "png" else kind


def _unzipped_head(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data, 352)
    except zlib.error:
        return b""


def _examine_volumes(payloads: Sequence[bytes]) -> tuple[Payloads, list[str]]:
    sides: list[tuple[int, int]] = []
    formats, errors = set[str](), []
    for payload in payloads:
        try:
            decoded = VolumeCodec().decode(payload)
        except CodecError as error:
            errors.append(str(error))
            continue
        if isinstance(decoded.value, VolumeValue):
            shape = decoded.value.voxels.shape[:3]
            sides.append((min(shape), max(shape)))
            formats.add(" ".join(decoded.source_format.split(":")[:2]))
    if not sides:
        return Payloads(), errors
    shortest = [low for low, _ in sides]
    found = Payloads(
        seen=len(sides),
        smallest=min(shortest),
        largest=max(high for _, high in sides),
        typical=float(median(shortest)),
        formats=tuple(sorted(formats)),
    )
    return found, errors


def _examine_images(payloads: Sequence[bytes]) -> tuple[Payloads, list[str]]:
    shapes: list[tuple[int, ...]] = []
    formats, errors = Counter[str](), []
    deep, levels = depth_of(payloads)
    window = levels if levels[0] < levels[1] else None
    for payload in payloads:
        try:
            decoded = ImageCodec("keep", window=window).decode(payload)
        except CodecError as error:
            errors.append(str(error))
            continue
        if isinstance(decoded.value, ImageValue):
            shapes.append(decoded.value.pixels.shape)
            formats[decoded.source_format] += 1
    if not shapes:
        return Payloads(), errors
    channels = {shape[2] for shape in shapes}
    sides = [min(s[:2]) for s in shapes]
    found = Payloads(
        seen=len(shapes),
        smallest=min(sides),
        largest=max(max(s[:2]) for s in shapes),
        typical=float(median(sides)),
        grey=channels == {1},
        alpha=channels == {4},
        deep=deep,
        levels=levels,
        unlike=unlike(payloads, deep, Counter(shape[2] for shape in shapes)),
        formats=tuple(sorted(formats)),
    )
    return found, errors


def _examine_sounds(payloads: Sequence[bytes]) -> tuple[Payloads, list[str]]:
    seconds: list[float] = []
    rates, formats, errors, loud = set[int](), set[str](), [], False
    for payload in payloads:
        try:
            decoded = AudioCodec(peaks="normalize").decode(payload)
            AudioCodec().decode(payload)
        except CodecError as error:
            if error.reason != "too_loud":
                errors.append(str(error))
                continue
            loud = True
        if isinstance(decoded.value, AudioValue):
            seconds.append(decoded.value.samples.shape[1] / decoded.value.sample_rate)
            rates.add(decoded.value.sample_rate)
            formats.add(decoded.source_format.partition(":")[0])
    if not seconds:
        return Payloads(), errors
    formats_seen, rates_seen = tuple(sorted(formats)), tuple(sorted(rates))
    found = Payloads(len(seconds), min(seconds), max(seconds), formats=formats_seen, rates=rates_seen, loud=loud)
    return found, errors


def _examine_clips(payloads: Sequence[bytes]) -> tuple[Payloads, list[str]]:
    if not library.installed():
        return Payloads(), []
    shapes: list[tuple[int, ...]] = []
    formats, errors = set[str](), []
    for payload in payloads:
        try:
            decoded = VideoCodec().decode(payload)
        except CodecError as error:
            errors.append(str(error))
            continue
        if isinstance(decoded.value, VideoValue):
            shapes.append(decoded.value.frames.shape[1:3])
            formats.add(decoded.source_format.partition(":")[0])
    if not shapes:
        return Payloads(), errors
    sides = [min(shape) for shape in shapes]
    longest = max(max(shape) for shape in shapes)
    return Payloads(len(shapes), min(sides), longest, float(median(sides)), formats=tuple(sorted(formats))), errors


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")
