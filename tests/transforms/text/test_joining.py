"""Texts put together again, each expected one written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.text.joining import Slot, joined, merged
from transforms.text.words import split


def without(text: str, *words: str) -> str:
    found = split(text)
    slots = [Slot(n, "" if word in words else word) for n, word in enumerate(found.strings())]
    return joined(found, slots).text


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("the quick fox", ["quick"], "the fox"),
        ("the quick fox", ["the"], "quick fox"),
        ("the quick fox", ["fox"], "the quick"),
        (" the  quick   fox\n", ["quick"], " the  fox\n"),
        ("I like it.", ["it"], "I like."),
        ("a (good dog) here", ["good"], "a (dog) here"),
        ("a (good dog) here", ["dog"], "a (good) here"),
        ("well, however, I came", ["however"], "well, I came"),
        ("It is. Yes. No, never.", ["Yes"], "It is. No, never."),
        ("He came, slowly. She left", ["slowly"], "He came. She left"),
        ("one\ntwo three", ["two"], "one\nthree"),
        ("one two\nthree", ["two"], "one\nthree"),
        ("one\n\ntwo\nthree", ["two"], "one\n\nthree"),
        ("我非常喜欢北京。", ["非常"], "我喜欢北京。"),
        ("他（北京）说", ["北京"], "他（）说"),
        ("it [SEP] is so", ["is"], "it [SEP] so"),
        ("c’est long\u00a0!", ["long"], "c’est\u00a0!"),
        ("one two", ["one", "two"], ""),
    ],
)
def test_what_is_left_where_a_word_went(text: str, words: list[str], expected: str) -> None:
    assert without(text, *words) == expected


def test_new_words_come_before_their_place() -> None:
    found = split("(good) dogs, 北京。")
    slots = [Slot(None, "very"), Slot(0, "good"), Slot(None, "big"), Slot(1, "dogs"), Slot(None, "大"), Slot(2, "北京")]
    assert joined(found, [*slots, Slot(None, "here")]).text == "(very good) big dogs, 大北京。here"


def test_words_change_places_and_separators_stay() -> None:
    found = split("one,  two\nthree!")
    assert joined(found, [Slot(1, "two"), Slot(0, "one"), Slot(2, "three")]).text == "two,  one\nthree!"


@given(st.text())
def test_a_text_in_which_nothing_changed_is_the_same(text: str) -> None:
    found = split(text)
    result = joined(found, [Slot(n, word) for n, word in enumerate(found.strings())])
    assert result.text == text
    assert all(piece.same and (piece.begin, piece.end) == (piece.start, piece.stop) for piece in result.pieces)
    assert "".join(text[piece.begin : piece.end] for piece in result.pieces) == text


@given(st.text(alphabet="ab ,.()\n字", max_size=30), st.data())
def test_each_piece_that_stayed_is_where_it_says(text: str, data: st.DataObject) -> None:
    found = split(text)
    words = found.strings()
    order = data.draw(st.permutations(range(len(words))))
    slots = [Slot(n, data.draw(st.sampled_from([words[n], "", "x y"]))) for n in order]
    result = joined(found, slots)
    for piece in result.pieces:
        if piece.same:
            assert result.text[piece.start : piece.stop] == text[piece.begin : piece.end]
    assert "".join(text[piece.begin : piece.end] for piece in result.pieces) == text


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [(", ", ", ", ", "), (". ", ", ", ". "), (", ", ".", "."), (".\n", ", ", ".\n"), (" — ", " ", " — ")],
)
def test_two_separators_become_one(left: str, right: str, expected: str) -> None:
    before, between, after = merged(left, right)
    assert left[:before] + between + right[len(right) - after :] == expected
