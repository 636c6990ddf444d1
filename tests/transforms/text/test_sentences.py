"""Where sentences end, each expected one written by hand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.nlpaug import adapter
from transforms.text.sentences import sentences
from transforms.values import TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")

TEXTS = [
    "Dr. Smith left at 5 p.m. yesterday.|He took the bus.|It was late!|Nobody came.",
    "Mr. J. R. Tolkien, e.g. here, met Mrs. Brown of Acme Inc. in St. Louis.|So what?",
    "They met at 5 p.m.|He left.",
    "it was great.|would buy again.|no, really!",
    "See fig. 3 and vol. 2 of it.|Yes.",
    "Wait...|what?!",
    "It is 3.5 m, v2.0.16 of example.org.|OK",
    "1. First of all",
    "今天天气很好。|我们去公园散步。|孩子们很开心！|晚上回家吃饭？|好",
    "今日は晴れです。|公園へ行きました。|楽しかった！",
    "आज मौसम अच्छा है।|हम पार्क गए।|बच्चे खुश थे।",
    "الطقس جميل اليوم.|ذهبنا إلى الحديقة؟|نعم!",
    "Il fait beau !|On y va ?|Oui.",
    "Das ist z.B. so.|Nein, d.h. ja.",
    "Who am I?|It is I.|You know",
]


@pytest.mark.parametrize("marked", TEXTS)
def test_the_sentences_of_a_text(marked: str) -> None:
    unspaced = any("\u3000" <= character < "\ua000" for character in marked)
    text = marked.replace("|", "" if unspaced else " ")
    assert [text[begin:end] for begin, end in sentences(text)] == marked.split("|")


def test_lines_end_sentences_and_what_is_whole_does_not() -> None:
    text = "first line\nDr.\nsecond. Third one"
    assert [text[begin:end] for begin, end in sentences(text)] == ["first line", "Dr.", "second.", "Third one"]
    whole = (text.index("second"), len(text) - 3)
    assert [text[begin:end] for begin, end in sentences(text, [whole])] == ["first line", "Dr.", "second. Third one"]


@given(st.text(alphabet="aB. !?。।\n\"')1", max_size=60))
def test_sentences_are_all_of_a_text_but_white_space(text: str) -> None:
    found = sentences(text)
    assert "".join("".join(text[begin:end].split()) for begin, end in found) == "".join(text.split())
    assert all(a[1] <= b[0] for a, b in pairwise(found))


@pytest.mark.parametrize("marked", [text for text in TEXTS if text.count("|") > 1])
def test_whole_sentences_change_places_and_what_parts_them_stays(marked: str) -> None:
    unspaced = any("\u3000" <= character < "\ua000" for character in marked)
    text = marked.replace("|", "" if unspaced else " ")
    step = adapter.build("RandomSentAug", {"mode": "random", "aug_p": 0.6})
    found = set()
    for number in range(12):
        result, drawn = step(TextValue(text), bytes([number]) * 16)
        assert isinstance(result, TextValue)
        assert drawn is not None
        assert len(result.text) == len(text)
        rest = result.text
        for sentence in sorted(marked.split("|"), key=len, reverse=True):
            assert sentence in rest
            rest = rest.replace(sentence, "", 1)
        assert (drawn["changed"] > 0) == (result.text != text)
        found.add(result.text)
    assert len(found) > 1
