"""Bytes <-> decoded values, one codec per modality: `image`, `audio`, `text`, `video`, `volume`. No storage, no Beam.

A codec is a frozen dataclass of settings. `decode` takes an untrusted payload and answers a value or raises
`CodecError`, never another exception; `encode` gives the same bytes for the same value with the same libraries.
The reason slugs are listed with their remedies in docs/reasons.md.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from transforms.values import Value

Payload = bytes | str

FULL_SCALE = 1 + 2**-15
"""The greatest sample of a sound that is not too loud: 1, and what rounding to 16 bit may leave above it."""

REASONS = (
    "cannot_encode",
    "corrupt",
    "empty_audio",
    "empty_payload",
    "non_finite",
    "not_a_video",
    "not_a_volume",
    "not_an_image",
    "not_audio",
    "not_text",
    "too_long",
    "too_loud",
    "too_many_pixels",
    "too_many_voxels",
    "truncated",
    "unsupported_format",
)

DISTRIBUTIONS = {
    "image": ("numpy", "opencv-python-headless", "pillow", "simplejpeg"),
    "audio": ("numpy", "soundfile"),
    "text": (),
    "video": ("av", "numpy"),
    "volume": ("nibabel", "numpy", "pillow", "tifffile"),
}
"""By modality: packages whose versions decide a codec's bytes; they enter the dataset's fingerprint."""

EXTRAS = {
    "video": ("video", ("av",)),
    "volume": ("volumes", ("nibabel", "tifffile")),
}
"""By modality: the extra that brings what its codec needs beside fanbeam's own requirements, and the packages."""

_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>")


class CodecError(ValueError):
    """A payload that cannot be decoded, or a value that cannot be encoded.

    `reason` is one of REASONS; the message is stable: it holds no address, path or time, so that files
    that quote it are reproducible.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[1])


@dataclass(frozen=True, slots=True)
class Decoded:
    """A value and the format it came in, e.g. `jpeg`, `flac:PCM_24`, `text`; `encode` takes the format back."""

    value: Value
    source_format: str


class Codec(Protocol):
    """What the pipeline needs of a modality."""

    def decode(self, payload: Payload) -> Decoded:
        """Decode one payload; `CodecError` if it is damaged, too big or of another kind."""
        ...

    def encode(self, value: Value, source_format: str) -> Payload:
        """Encode a value in the codec's format, or else in the one it came in; `CodecError` if it cannot be."""
        ...


def as_bytes(payload: Payload, otherwise: str) -> bytes:
    """Take a payload of a binary modality as `bytes`; text fails with the reason `otherwise`."""
    if not isinstance(payload, bytes | bytearray | memoryview):
        raise CodecError(otherwise, f"expected bytes, found {type(payload).__name__}")
    if len(payload) == 0:
        raise CodecError("empty_payload", "the payload has no bytes")
    return bytes(payload)


def stable_message(error: BaseException) -> str:
    """Give a decoder's own words without what differs between two runs."""
    return _ADDRESS.sub("the payload", str(error)).strip() or type(error).__name__
