"""Which words a copy changed."""

from pipeline.preview.word_diff import MAX_CHARACTERS, Word, changes, from_first_change, marked_words, words_of


def marks(original: str, copy: str) -> list[tuple[str, str]]:
    return [(w.text, w.mark) for w in marked_words(original, copy) if not w.text.isspace()]


def test_same_texts_have_no_marks():
    assert {mark for _, mark in marks("a b c", "a b c")} == {"same"}


def test_replaced_words_are_changed_and_dropped_words_removed():
    assert marks("the cat sat", "the dog sat") == [("the", "same"), ("dog", "changed"), ("sat", "same")]
    assert marks("the cat sat", "the sat") == [("the", "same"), ("cat", "removed"), ("sat", "same")]
    assert marks("the cat", "the") == [("the", "same"), ("cat", "removed")]


def test_white_space_is_not_compared():
    assert {mark for _, mark in marks("a  b\n\nc", "a b c")} == {"same"}


def test_punctuation_moved_apart_is_no_change():
    assert words_of('"yes, (no)."') == ['"', "yes", ",", " ", "(", "no", ")", ".", '"']
    assert {mark for _, mark in marks("So, done.", "So , done .")} == {"same"}


def test_punctuation_inside_words_stays():
    assert words_of("it's ty@n a-b") == ["it's", " ", "ty@n", " ", "a-b"]


def test_scripts_without_spaces_are_compared_by_character():
    assert marks("机器学习", "机体学习") == [("机", "same"), ("体", "changed"), ("学", "same"), ("习", "same")]


def test_a_mark_runs_through_the_space_between_two_marked_words():
    assert marked_words("a b", "x y") == [Word("x", "changed"), Word(" ", "changed"), Word("y", "changed")]


def test_changes_are_counted_without_punctuation():
    assert changes(marked_words("a b, c.", "a x! c.")) == 1


def test_empty_texts():
    assert marked_words("", "") == []
    assert marks("", "a") == [("a", "changed")]
    assert marks("a b", "") == [("a", "removed"), ("b", "removed")]


def test_what_is_shown_begins_before_a_late_change():
    words = marked_words("w " * 200 + "old end", "w " * 200 + "new end")
    shown = from_first_change(words, 50)
    assert shown[0] == Word("… ")
    assert len(shown) < 20
    assert from_first_change(words, 10_000) == words
    assert from_first_change(marked_words("a", "a"), 0) == [Word("a")]


def test_long_texts_are_compared_up_to_a_bound():
    assert sum(len(w.text) for w in marked_words("ab " * 9000, "ab " * 9000)) == MAX_CHARACTERS
