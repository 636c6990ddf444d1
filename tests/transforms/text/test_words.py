"""Which words a text has: written down by hand for texts as people write them, in many scripts."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.text.words import clusters, split

TEXTS = [
    ("I don't think we've got it, it's ours.", "I|don't|think|we've|got|it|it's|ours"),
    ("Qu'est-ce que c’est ? L'été, l'eau !", "Qu'est-ce|que|c’est|L'été|l'eau"),
    ("See https://example.org/a-b/c_d?x=1&y=2#top, or (www.x.org).", "See|https://example.org/a-b/c_d?x=1&y=2#top|or|www.x.org"),
    ("en.wikipedia.org/wiki (see http://x.org/a_(b))", "en.wikipedia.org|wiki|see|http://x.org/a_(b)"),
    ("write to info+a@example.org today", "write|to|info+a@example.org|today"),
    ("@anna loving #summer_vibes cc @bob_92 :-) <3", "@anna|loving|#summer_vibes|cc|@bob_92"),
    ("2.0.16 for $1,299.99 (20% off) at 10:45 on 2024-05-06", "2.0.16|for|$1,299.99|20%|off|at|10:45|on|2024-05-06"),
    ("Price:$9.99/kg;was $12", "Price|$9.99|kg|was|$12"),
    ("-5 degrees, 10-year-old, 3rd, 100mg, +1-202-555-0100", "-5|degrees|10-year-old|3rd|100mg|+1-202-555-0100"),
    ("Jean-Luc O'Neill of AT&T is well-known", "Jean-Luc|O'Neill|of|AT&T|is|well-known"),
    ("The U.S. and, e.g., Dr. Who at 5 p.m.", "The|U.S.|and|e.g.|Dr|Who|at|5|p.m."),
    ("[CLS] premise text [SEP] a <unk> b <|end|> {name} %s", "premise|text|a|b"),
    ('<b>Great</b> <a href="x">fast</a>&nbsp;&amp; good', "Great|fast|good"),
    ("a < b and c > d", "a|b|and|c|d"),
    ("हिन्दी में यह एक वाक्य है।", "हिन्दी|में|यह|एक|वाक्य|है"),
    ("இது ஒரு தமிழ் வாக்கியம்,", "இது|ஒரு|தமிழ்|வாக்கியம்"),
    ("هٰذَا كِتَابٌ جَدِيدٌ؟", "هٰذَا|كِتَابٌ|جَدِيدٌ"),
    ("שָׁלוֹם לְכֻלָּם", "שָׁלוֹם|לְכֻלָּם"),
    ("Cafe\u0301 re\u0301sume\u0301", "Cafe\u0301|re\u0301sume\u0301"),
    ("我非常喜欢北京。", "我|非常|喜欢|北京"),
    ("ฉันชอบกินข้าว", "ฉัน|ชอบ|กิน|ข้าว"),
    ("이 영화는 정말", "이|영화는|정말"),
    ("family 👨‍👩‍👧‍👦 and flag 🇩🇪 ok", "family|and|flag|ok"),
    ("10\u00a0000\u00a0km", "10|000|km"),
    ("?!... --- \u0301 😍🔥", ""),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), TEXTS)
def test_the_words_of_a_text(text: str, words: str) -> None:
    assert "|".join(split(text).strings()) == words


def test_words_that_make_sense_only_as_they_are_written_are_known() -> None:
    found = split("at 2024 see x@y.org #tag @me $5 10:45 U.S. http://a.b well-known 100mg")
    forms = [word for number, word in enumerate(found.strings()) if number in found.forms]
    assert forms == ["x@y.org", "#tag", "@me", "$5", "10:45", "U.S.", "http://a.b"]


def test_what_is_to_be_left_alone_has_no_words() -> None:
    text = "The quick brown fox jumps"
    begin = text.index("ick br")
    assert split(text, fixed=[(begin, begin + 6)]).strings() == ["The", "fox", "jumps"]
    assert split(text, units=[(4, 15)]).strings() == ["The", "quick brown", "fox", "jumps"]


@given(st.text())
def test_words_and_separators_are_the_text(text: str) -> None:
    found = split(text)
    gaps = [text[begin:end] for begin, end in found.gaps()]
    words = found.strings()
    assert "".join(a + b for a, b in zip(gaps, [*words, ""], strict=True)) == text
    assert all(words)
    letters = sum(character.isalnum() for character in text)
    fixed = sum(character.isalnum() for gap in gaps for character in gap)
    assert sum(character.isalnum() for word in words for character in word) == letters - fixed
    assert split(text) == found


@given(st.text(alphabet="ab1@#:/.<>[]{}&%$-+' \n字ก\u0301", max_size=60))
def test_any_mixture_of_signs_is_split(text: str) -> None:
    places = split(text).words
    assert all(begin < end for begin, end in places)
    assert all(a[1] <= b[0] for a, b in pairwise(places))


def test_letters_keep_their_marks() -> None:
    assert clusters("re\u0301sume\u0301") == ["r", "e\u0301", "s", "u", "m", "e\u0301"]
    assert clusters("هٰذَا") == ["هٰ", "ذَ", "ا"]
    assert "".join(clusters("हिन्दी")) == "हिन्दी"
    assert len(clusters("👨‍👩‍👧‍👦")) == 1


@pytest.mark.parametrize("part", ["a", "<a ", "1,", "@", "a.b.", "字", "http://", "a@a.", "#a", "a'", "a-", "&a", "ก"])
def test_the_time_grows_with_the_length_alone(part: str) -> None:
    lengths = (20_000, 80_000)
    seconds = []
    for length in lengths:
        text = part * (length // len(part))
        best = min(_seconds(text) for _ in range(3))
        seconds.append(best)
    assert seconds[1] < 12 * seconds[0] + 0.05


def _seconds(text: str) -> float:
    begin = time.process_time()
    split(text)
    return time.process_time() - begin
