"""Dictionaries, word vectors and TF-IDF scores for the tests, made on the spot."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_TEXT = (
    "the quick brown fox jumps over lazy dog because it was hungry a good day fast rapid red wolf hound nice fine bad "
    "Über größer naïve 猫 犬 🐈 New_York"
)
WORDS = _TEXT.split()
TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "It was a good day because the fox was quick.",
    "A hungry dog jumps over a good fox.",
)


def vectors() -> NDArray[np.float32]:
    """(words, 8) float32."""
    rng = np.random.Generator(np.random.Philox(key=3))
    return rng.standard_normal((len(WORDS), 8)).astype(np.float32)


def _lines() -> list[str]:
    return [f"{word} {' '.join(map(str, row))}" for word, row in zip(WORDS, vectors().tolist(), strict=True)]


def glove(folder: Path) -> Path:
    path = folder / "glove.txt"
    path.write_text("\n".join(_lines()) + "\n", encoding="utf-8")
    return path


def fasttext(folder: Path) -> Path:
    path = folder / "vectors.vec"
    path.write_text("\n".join([f"{len(WORDS)} 8", *_lines()]) + "\n", encoding="utf-8")
    return path


def word2vec(folder: Path) -> Path:
    path = folder / "vectors.bin"
    rows = [word.encode() + b" " + row.tobytes() for word, row in zip(WORDS, vectors(), strict=True)]
    path.write_bytes(f"{len(WORDS)} 8\n".encode() + b"\n".join(rows) + b"\n")
    return path


def tfidf(folder: Path) -> Path:
    """Trained as docs/libraries/nlpaug.md says."""
    from nlpaug.model.word_stats import TfIdf
    from nlpaug.util.text.tokenizer import Tokenizer

    model = TfIdf()
    model.train([Tokenizer.tokenizer(text) for text in TEXTS])
    model.save(str(folder))
    return folder


def ppdb(folder: Path) -> Path:
    pairs = [("NN", "fox", "vixen"), ("JJ", "quick", "swift"), ("NN", "dog", "hound"), ("JJ", "good", "fine")]
    lines = [f"[{tag}] ||| {word} ||| {other} ||| AGigaSim=0.9 ||| 0-0 ||| Equivalence" for tag, word, other in pairs]
    path = folder / "ppdb.txt"
    path.write_text("\n".join([*lines, "[JJ] ||| quick ||| fleet ||| AGigaSim=0.8 ||| 0-0 ||| Equivalence"]) + "\n")
    return path
