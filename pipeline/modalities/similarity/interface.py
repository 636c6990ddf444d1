"""What a measure of likeness offers: a small signature of each payload, and a distance of two of them.

Signatures propose candidates cheaply, by nearest neighbours of embeddings or by bands in common (neighbours.py);
`distance` of their details decides. Both fit the columns of a table: see `Signature`.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs import Payload

Embeddings = NDArray[np.int8]
"""(views, width) or stacked (records, views, width). Whole numbers, so that float32 products of them are exact and
neighbours are the same on every machine. A row of zeros is no view."""

LENGTH = 1000.0
"""Euclidean norm of an embedding before it is rounded: the square of twice as much is below 2**24."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Of one payload; all bytes, of fixed width within a measure but for `detail`.

    `embeddings`: (views, width), views 0 where the measure has bands. `bands`: (count,) uint64, payloads that share one
    are candidates; count 0 where the measure has embeddings or the payload nothing to go by. `detail`: what `distance`
    compares.
    """

    embeddings: Embeddings
    bands: NDArray[np.uint64]
    detail: bytes


class Measure(Protocol):
    """One modality's likeness; a frozen dataclass of settings."""

    threshold: ClassVar[float]
    """Two payloads are near duplicates if their distance is at most this, unless the user says otherwise."""

    def signature(self, payload: Payload) -> Signature:
        """Of an encoded payload. Raises CodecError."""
        ...

    def distance(self, left: bytes, right: bytes) -> float:
        """Of two details: 0 the same .. 1 unrelated. Symmetric."""
        ...


NO_EMBEDDINGS: Embeddings = np.zeros((0, 0), np.int8)
NO_BANDS: NDArray[np.uint64] = np.zeros(0, np.uint64)


def embedding(features: NDArray[np.floating]) -> NDArray[np.int8]:
    """Features (width,) at the length LENGTH, rounded; peaks are cut. Zeros for features that are all alike."""
    norm = float(np.linalg.norm(features))
    scaled = features * (LENGTH / norm) if norm > 0 else features
    rounded: NDArray[np.int8] = np.rint(np.clip(scaled, -127, 127)).astype(np.int8)
    return rounded
