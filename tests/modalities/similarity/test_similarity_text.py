import os
import subprocess
import sys

import pytest

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.similarity.text import TextMeasure, normalised

MEASURE = TextMeasure()
TEXT = "The quick brown fox jumps over the lazy dog, and then it runs away from the hounds of the old baron's men."


def apart(one: str, other: str) -> float:
    details = [MEASURE.signature(text).detail for text in (one, other)]
    assert MEASURE.distance(*details) == MEASURE.distance(*reversed(details))
    return MEASURE.distance(*details)


def meet(one: str, other: str) -> bool:
    bands = [set(MEASURE.signature(text).bands.tolist()) for text in (one, other)]
    return bool(bands[0] & bands[1])


@pytest.mark.parametrize(
    "changed",
    [
        TEXT.upper(), TEXT.title(), TEXT.replace(",", " ;").replace("'", ""), "  ".join(TEXT.split()) + "\n…",
        TEXT.replace("fi", "ﬁ").replace("q", "ｑ"), TEXT.replace(" ", "\u00a0"), TEXT.replace(" ", ""),
    ],
)  # fmt: skip
def test_case_punctuation_and_white_space_make_no_difference(changed: str) -> None:
    assert apart(TEXT, changed) == 0
    assert MEASURE.signature(TEXT).bands.tolist() == MEASURE.signature(changed).bands.tolist()


def test_one_word_in_ten_is_alike() -> None:
    changed = TEXT.replace("brown", "elephantine").replace("hounds", "if")
    assert 0 < apart(TEXT, changed) <= MEASURE.threshold
    assert meet(TEXT, changed)


def test_words_in_another_order_and_other_texts_are_not() -> None:
    assert apart(TEXT, " ".join(reversed(TEXT.split()))) > MEASURE.threshold
    other = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of folly."
    assert apart(TEXT, other) > 2 * MEASURE.threshold
    assert not meet(TEXT, other)


@pytest.mark.parametrize(
    ("one", "other"), [("dog 17", "dog 18"), ("yes", "yet"), ("3 + 4 = 7", "3 + 5 = 8"), ("", "a")]
)
def test_short_texts_are_alike_only_if_equal(one: str, other: str) -> None:
    assert apart(one, other) == 1
    assert not meet(one, other)


def test_short_texts_that_are_equal_meet_in_their_one_band() -> None:
    assert apart("Yes!", "yes") == 0
    assert MEASURE.signature("Yes!").bands.tolist() == MEASURE.signature("yes").bands.tolist()
    assert len(MEASURE.signature("yes").bands) == 1


@pytest.mark.parametrize("text", ["", "   \n", "…!?", "\u200b"])
def test_texts_without_a_letter_are_found_by_nothing(text: str) -> None:
    signature = MEASURE.signature(text)
    assert signature.detail == b""
    assert not len(signature.bands)
    assert apart(text, text) == 0


def test_signs_count_as_letters_and_vowel_signs_stay() -> None:
    assert apart("3 + 4", "3 = 4") == 1
    assert normalised("हिन्दी") == "हिन्दी"
    assert apart("🙂", "🙁") == 1


def test_other_scripts() -> None:
    chinese = "月出惊山鸟时鸣春涧中人闲桂花落夜静春山空独坐幽篁里弹琴复长啸"
    assert apart(chinese, chinese[:10] + "，" + chinese[10:]) == 0
    assert 0 < apart(chinese, chinese.replace("惊", "动")) <= MEASURE.threshold


def test_long_texts_are_compared_by_their_beginning_and_bounded() -> None:
    book = " ".join(f"word{number}" for number in range(5000))
    signature = MEASURE.signature(book)
    assert len(signature.detail) == 4096
    assert len(signature.bands) == 32
    assert apart(book, book + " and an end") == 0
    assert meet(book, book + " and an end")


def test_bytes_are_utf8_and_anything_else_is_a_codec_error() -> None:
    assert MEASURE.signature(TEXT.encode()).detail == MEASURE.signature(TEXT).detail
    with pytest.raises(CodecError):
        MEASURE.signature(b"\xff\xfe\x00")


SCRIPT = """
from pipeline.modalities.similarity.text import TextMeasure
signature = TextMeasure().signature("The quick brown fox jumps over the lazy dog, and then it runs away.")
print(signature.bands.tolist(), TextMeasure().distance(signature.detail, b"the quick brown fox jumps over a lazy cat"))
"""


def test_the_same_in_another_process() -> None:
    def printed(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True, timeout=120
        )
        return done.stdout

    assert printed("1") == printed("2") != ""
