import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import nlpaug.augmenter.word as naw
import numpy as np
import pytest
import word_files
from hypothesis import given
from hypothesis import strategies as st
from nlpaug_direct import SEED, seeded_globals

from transforms.nlpaug import adapter
from transforms.nlpaug.embeddings import WordVectors, word_vectors
from transforms.values import TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")

TEXT = "The quick brown fox jumps over the lazy dog because it was hungry and it was a good day"
FORMATS = {"glove": word_files.glove, "fasttext": word_files.fasttext, "word2vec": word_files.word2vec}


class Plain:
    """All words searched at every call, as gensim does."""

    def __init__(self, top_k: int) -> None:
        self.top_k = top_k
        rows = word_files.vectors()
        self.units = rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))

    def get_vocab(self) -> list[str]:
        return word_files.WORDS

    def predict(self, word: str, n: int = 1) -> list[str]:
        own = word_files.WORDS.index(word)
        order = np.argsort(-(self.units @ self.units[own]))
        found = [word_files.WORDS[n] for n in order if n != own][: self.top_k + 1]
        return [other for other in found if other.lower() != word.lower()][: self.top_k]


@pytest.mark.parametrize("action", ["substitute", "insert"])
@pytest.mark.parametrize("model_type", FORMATS)
def test_the_result_is_that_of_the_library_called_directly(model_type: str, action: str, tmp_path: Path) -> None:
    params: dict[str, Any] = {"model_type": model_type, "action": action, "top_k": 4, "aug_p": 0.5}
    place = str(FORMATS[model_type](tmp_path))
    result, drawn = adapter.build("WordEmbsAug", {**params, "model_path": place})(TextValue(TEXT), SEED)
    with seeded_globals():
        expected = naw.WordEmbsAug(**params, model=Plain(4)).augment(TEXT)[0]
    assert result == TextValue(expected)
    assert result != TextValue(TEXT)
    assert drawn is not None
    assert drawn["changed"] > 0
    assert adapter.problems("WordEmbsAug", {**params, "model_path": place}) == []


def test_the_three_formats_hold_the_same(tmp_path: Path) -> None:
    first, *others = [word_vectors(str(make(tmp_path)), "", kind) for kind, make in FORMATS.items()]
    assert first.words == word_files.WORDS
    for other in others:
        assert other.rows == first.rows
        assert np.allclose(other.units, first.units, atol=1e-7)


@given(st.sampled_from(word_files.WORDS), st.integers(1, 40))
def test_neighbours_are_those_of_a_whole_search(word: str, count: int) -> None:
    vectors = kept_vectors()
    assert vectors.nearest(word, count) == Plain(count).predict(word)
    assert vectors.nearest(word, count) is vectors.nearest(word, count)
    assert vectors.nearest(word, None) == Plain(99).predict(word)


@cache
def kept_vectors() -> WordVectors:
    with tempfile.TemporaryDirectory() as folder:
        return word_vectors(str(word_files.glove(Path(folder))), "kept", "glove")


def test_two_files_of_one_type_are_kept_apart(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("quick 1 0\nfast 1 0.1\n")
    two.write_text("quick 1 0\nswift 1 0.1\n")
    step = {"model_type": "glove", "aug_p": 1}
    results = [
        adapter.build("WordEmbsAug", {**step, "model_path": str(path)})(TextValue("a quick fox"), SEED)[0]
        for path in (one, two)
    ]
    assert results == [TextValue("a fast fox"), TextValue("a swift fox")]
    one.write_text("quick 1 0\nrapid 1 0.1\n")
    again = adapter.build("WordEmbsAug", {**step, "model_path": str(one)})(TextValue("a quick fox"), SEED)[0]
    assert again == TextValue("a rapid fox")


def test_words_with_spaces_repeated_words_and_zeros(tmp_path: Path) -> None:
    path = tmp_path / "v.vec"
    path.write_text("4 2\n. . . 1 2\nword 0 0\nword 5 5\nother 1 1\n")
    vectors = word_vectors(str(path), "", "fasttext")
    assert list(vectors.rows) == [". . .", "word", "other"]
    assert vectors.units[1].tolist() == [0, 0]
    assert vectors.nearest("word", 1) == [". . ."]


@pytest.mark.parametrize(
    ("model_type", "content", "message"),
    [
        ("glove", b"", "holds no word vectors"),
        ("glove", b"word 1 2\nother 1\n", "line 2: not a word and 2 numbers"),
        ("glove", b"word 1 2\nother 1 x\n", "line 2: not a word and 2 numbers"),
        ("glove", b"word\n", "line 1: not a word and some numbers"),
        ("fasttext", b"word 1 2\n", "the first line is not the number of words and of dimensions"),
        ("word2vec", b"2 2\nword 12345678", "ends at word 2 of 2"),
        ("word2vec", b"word 1 2\n", "the first line is not the number of words and of dimensions"),
    ],
)
def test_a_file_of_another_format(model_type: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(content)
    (problem,) = adapter.problems("WordEmbsAug", {"model_type": model_type, "model_path": str(path)})
    assert message in problem.message


@pytest.mark.parametrize(
    ("params", "path", "message"),
    [
        ({"model_type": "glove"}, (), "nlpaug.WordEmbsAug needs the parameter 'model_path'"),
        ({"model_path": "x"}, (), "nlpaug.WordEmbsAug needs the parameter 'model_type'"),
        ({"model_type": "glvoe", "model_path": "."}, ("model_type",), "model_type: 'glvoe' is not one of word2vec"),
        ({"model_type": "glove", "model_path": "/no/such"}, ("model_path",), "model_path: no such path: /no/such"),
        ({"model_type": "glove", "model_path": ".", "top_k": 0}, ("top_k",), "top_k: 0 is less than 1"),
        ({"model_type": "glove", "model": 1}, ("model",), "model needs an object"),
    ],
)
def test_bad_parameters(params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    problem = adapter.problems("WordEmbsAug", params)[0]
    assert (problem.path, problem.message[: len(message)]) == (path, message)
