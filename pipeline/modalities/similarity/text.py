"""How alike two texts are: MinHash bands of their shingles propose pairs, edit distance decides.

Both look at letters, digits and symbols only, case folded (NFKC): case, punctuation and white space make no difference.
MinHash: Broder, On the resemblance and containment of documents, 1997; here by rensa, with its own fixed hashes.
"""

import unicodedata
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs import Codec, Payload
from pipeline.modalities.codecs.text import TextCodec
from pipeline.modalities.similarity.interface import NO_BANDS, NO_EMBEDDINGS, Signature

_LEFT_OUT = "CPZ"
"""Control characters, punctuation and separators, by the first letter of their Unicode category."""
_SHINGLE = 4
_BANDS, _ROWS = 32, 3
"""Texts that share 70 % of their shingles meet in a band with a probability of 0.999998, 40 %: 0.88, 10 %: 0.03."""
_SEED = 1
_SHORT = 24
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class TextMeasure:
    """Texts of less than 24 letters are alike only if these are equal: one letter makes another word."""

    codec: Codec = field(default_factory=TextCodec)
    threshold: ClassVar[float] = 0.15

    def signature(self, payload: Payload) -> Signature:
        """32 bands, 1 for a short text, 0 for one without a letter; the detail is the beginning of what is compared."""
        value: Any = self.codec.decode(payload).value
        words = normalised(value.text)
        letters, detail = words.replace(" ", ""), words[:_LONGEST].encode()
        if len(letters) < _SHORT:
            return Signature(NO_EMBEDDINGS, _hashed([letters.encode()]) if letters else NO_BANDS, detail)
        shingles = {letters[start : start + _SHINGLE] for start in range(len(letters) - _SHINGLE + 1)}
        return Signature(NO_EMBEDDINGS, _bands(sorted(shingles)), detail)

    def distance(self, left: bytes, right: bytes) -> float:
        """Letters, or words if these are fewer, to insert, delete or replace, as a share of the longer text.

        Of the first 4,096 characters: a pair of longer texts is a candidate only if the whole of them is alike too.
        """
        from rapidfuzz.distance import Levenshtein

        words = left.decode().split(), right.decode().split()
        letters = "".join(words[0]), "".join(words[1])
        if letters[0] == letters[1]:
            return 0.0
        if min(map(len, letters)) < _SHORT:
            return 1.0
        return min(float(Levenshtein.normalized_distance(*texts)) for texts in (letters, words))


def normalised(text: str) -> str:
    """Words of letters, digits and symbols, case folded, one space between two."""
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return " ".join(filter(None, map(_lettered, words)))


def _lettered(word: str) -> str:
    return word if word.isalnum() else "".join(c for c in word if unicodedata.category(c)[0] not in _LEFT_OUT)


def _bands(shingles: list[str]) -> NDArray[np.uint64]:
    from rensa import RMinHash

    minima = RMinHash(_BANDS * _ROWS, _SEED)
    minima.update(shingles)
    rows = np.array(minima.digest(), "<u4").reshape(_BANDS, _ROWS)
    return _hashed([bytes([band]) + row.tobytes() for band, row in enumerate(rows)])


def _hashed(keys: list[Any]) -> NDArray[np.uint64]:
    joined = b"".join(blake2b(key, digest_size=8).digest() for key in keys)
    return np.frombuffer(joined, "<u8")
