"""Word vectors in the formats that nlpaug's WordEmbsAug reads, and the words nearest to a word.

- `glove`: text, a line per word: the word and its numbers (https://nlp.stanford.edu/projects/glove);
- `fasttext`: the same after a line with the number of words and of dimensions (https://fasttext.cc);
- `word2vec`: binary: that line, then per word its bytes, a space, and its numbers as float32, little-endian.

nlpaug reads them with gensim and searches all words at every call; here the neighbours of a word are kept. The words
and their order are those of gensim's `most_similar`: by cosine, in float32; of equal ones the first in the file first.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MOST_KEPT = 65_536


class Vocabulary(list[str]):
    """The words of a file in its order; asking whether a word is there takes no search."""

    def __init__(self, rows: dict[str, int]) -> None:
        super().__init__(rows)
        self._rows = rows

    def __contains__(self, word: object) -> bool:
        return word in self._rows


@dataclass(frozen=True, slots=True)
class WordVectors:
    """`units` is (words, dimensions) float32, each row of length 1 (or 0); `rows` says which row a word has."""

    rows: dict[str, int]
    units: NDArray[np.float32]
    words: Vocabulary
    kept: dict[tuple[str, int | None], list[str]] = field(default_factory=dict)

    def nearest(self, word: str, count: int | None) -> list[str]:
        """The words nearest to `word`, nearest first; all if `count` is None; itself, in any case, left out."""
        key = word, count
        if key not in self.kept:
            if len(self.kept) >= _MOST_KEPT:
                self.kept.clear()
            self.kept[key] = self._search(word, count)
        return self.kept[key]

    def _search(self, word: str, count: int | None) -> list[str]:
        own = self.rows[word]
        likeness = self.units @ self.units[own]
        likeness[own] = -np.inf
        most = len(self.words) - 1 if count is None else min(count + 1, len(self.words) - 1)
        if most < len(self.words) - 1:
            least = np.partition(likeness, -most)[-most]
            candidates = np.flatnonzero(likeness >= least)
        else:
            candidates = np.delete(np.arange(len(self.words)), own)
        order = candidates[np.argsort(-likeness[candidates], kind="stable")][:most]
        found = [self.words[n] for n in order.tolist()]
        return [other for other in found if other.lower() != word.lower()][:count]


class Neighbours:
    """What nlpaug expects of its own `nlpaug.model.word_embs` models."""

    def __init__(self, vectors: WordVectors, top_k: int | None) -> None:
        self._vectors = vectors
        self.top_k = top_k

    def get_vocab(self) -> Vocabulary:
        """Every word."""
        return self._vectors.words

    def predict(self, word: str, n: int = 1) -> list[str]:
        """The `top_k` words nearest to one; the word itself where the file has no other."""
        return self._vectors.nearest(word, self.top_k) or [word]


@lru_cache(maxsize=2)
def word_vectors(path: str, digest: str, model_type: str) -> WordVectors:
    """Read a file of vectors. Raises ValueError, with the line, for one of another format."""
    pairs = _binary(path) if model_type == "word2vec" else _text(path, header=model_type == "fasttext")
    rows: dict[str, int] = {}
    vectors: list[NDArray[np.float32]] = []
    for word, vector in pairs:
        if word not in rows:
            rows[word] = len(vectors)
            vectors.append(vector)
    if not vectors:
        raise ValueError(f"{path} holds no word vectors")
    table = np.stack(vectors)
    lengths = np.sqrt(np.einsum("ij,ij->i", table, table))[:, np.newaxis]
    np.divide(table, lengths, out=table, where=lengths > 0)
    return WordVectors(rows, table, Vocabulary(rows))


def _text(path: str, header: bool) -> Iterator[tuple[str, NDArray[np.float32]]]:
    with Path(path).open("rb") as lines:
        dimensions = _counts(next(lines, b""), path)[1] if header else 0
        for number, line in enumerate(lines, 2 if header else 1):
            parts = line.rstrip().split(b" ")
            dimensions = dimensions or len(parts) - 1
            try:
                vector = np.array(parts[-dimensions:] if dimensions else [], np.float32)
            except ValueError:
                vector = np.empty(0, np.float32)
            if not 0 < dimensions < len(parts) or len(vector) != dimensions:
                raise ValueError(f"{path}, line {number}: not a word and {dimensions or 'some'} numbers")
            yield b" ".join(parts[:-dimensions]).decode("utf-8", "replace"), vector


def _binary(path: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    with Path(path).open("rb") as file:
        words, dimensions = _counts(file.readline(), path)
        place, size = file.tell(), dimensions * 4
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for number in range(words):
                end = content.find(b" ", place)
                data = content[end + 1 : end + 1 + size]
                if end < 0 or len(data) != size:
                    raise ValueError(f"{path} ends at word {number + 1} of {words}")
                yield content[place:end].lstrip(b"\n").decode("utf-8", "replace"), np.frombuffer(data, "<f4")
                place = end + 1 + size


def _counts(line: bytes, path: str) -> tuple[int, int]:
    """The two numbers of the first line: words and dimensions."""
    parts = line.split()
    if len(parts) != 2 or not all(part.isdigit() for part in parts) or not int(parts[1]):
        raise ValueError(f"{path}: the first line is not the number of words and of dimensions")
    return int(parts[0]), int(parts[1])
