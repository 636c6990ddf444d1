"""What nlpaug's classes do to texts as people write them: nothing is torn, and what is unchanged is exactly so."""

import re
import unicodedata
from typing import Any

import pytest
import regex

from transforms.nlpaug import adapter
from transforms.text.words import split
from transforms.values import TextValue

pytestmark = pytest.mark.usefixtures("quiet_process", "wordnet_installed")

TEXTS = {
    "contractions": "I don't think we've got it, but she's sure it isn't ours.",
    "addresses": "See https://example.org/a-b/c_d?x=1&y=2#top or write to info@example.org today.",
    "post": "@anna loving the new #summer_vibes playlist!!! 😍🔥 cc @bob_92 :-) <3",
    "numbers": "Version 2.0.16 costs $1,299.99 (20% off) at 10:45 on 2024-05-06, IP 192.168.1.1.",
    "code": "def f(x):\n    if x > 0:\n        return x * 2\n    return None",
    "dialogue": "A: Where are you going?\nB: To the market - why?\n\nA: Nothing.",
    "quotes": 'He said: "It\'s over" (and left) — then came back…',
    "French": "Qu'est-ce que c'est ? L'été, j'aime l'eau : c'est frais !",
    "Hindi": "हिन्दी में यह एक वाक्य है और मुझे यह बहुत पसंद है।",
    "Tamil": "இது ஒரு தமிழ் வாக்கியம், எனக்கு மிகவும் பிடிக்கும்.",
    "Thai": "ฉันชอบกินข้าวผัดที่ร้านนี้มาก",
    "Arabic": "هٰذَا كِتَابٌ جَدِيدٌ عَنِ التَّارِيخِ.",
    "Hebrew": "שָׁלוֹם לְכֻלָּם, אֲנִי לוֹמֵד עִבְרִית",
    "Chinese": "我非常喜欢这家餐厅的服务，菜也很好吃。",
    "Japanese": "この映画はとても面白かったです。また見たい！",
    "Korean": "이 영화는 정말 재미있었어요. 또 보고 싶어요.",
    "Turkish": "İstanbul'da ışıl ışıl bir İlkbahar günüydü.",
    "German": "Die Straße ist naß; Herr Groß weiß es nicht.",
    "decomposed": "Cafe\u0301 re\u0301sume\u0301 nai\u0308ve facade",
    "markup": "<b>Great</b> product&nbsp;&amp; fast [SEP] delivery {name} %s",
    "special": "[CLS] premise text [SEP] hypothesis text [SEP]",
    "blanks": "10\u00a0000\u00a0km à pied,  c\u2019est long\u00a0!\t",
    "families": "family 👨‍👩‍👧‍👦 and flag 🇩🇪 ok",
}
CLASSES: list[tuple[str, dict[str, Any]]] = [
    ("KeyboardAug", {}), ("OcrAug", {}), *(("RandomCharAug", {"action": action, "min_char": 2}) for action in
    ("insert", "substitute", "swap", "delete")), *(("RandomWordAug", {"action": action}) for action in
    ("substitute", "swap", "delete", "crop")), ("SplitAug", {}), ("SpellingAug", {}), ("SynonymAug", {}),
    ("AntonymAug", {}), ("ReservedAug", {"reserved_tokens": [["delivery", "shipping"], ["Straße", "Gasse"]]}),
    ("RandomSentAug", {}),
]  # fmt: skip
FIXED = re.compile(r"\[[A-Z]+\]|</?b>|&\w+;|\{name\}|%s|:-\)|<3|[😍🔥]|👨‍👩‍👧‍👦|🇩🇪")
FORMS = re.compile(r"https?://\S+|\w+@\w+\.org|[@#]\w+|\$[\d,.]+\d|\d+%|\d+:\d+|\d+-\d+-\d+|\d+\.\d+\.[\d.]*\d")


def copies(name: str, params: dict[str, Any], text: str, count: int = 12) -> list[tuple[str, dict[str, Any]]]:
    step = adapter.build(name, params)
    found = []
    for number in range(count):
        result, drawn = step(TextValue(text), bytes([number, 7]) * 8)
        assert isinstance(result, TextValue)
        assert drawn is not None
        found.append((result.text, drawn))
    return found


@pytest.mark.parametrize(("name", "params"), CLASSES)
def test_no_mark_loses_its_letter(name: str, params: dict[str, Any]) -> None:
    for text in TEXTS.values():
        known = set(regex.findall(r"\X", text))
        for copy, _ in copies(name, params, text):
            for cluster in regex.findall(r"\X", copy):
                if any(unicodedata.category(character) in ("Mn", "Mc") for character in cluster):
                    assert unicodedata.normalize("NFC", cluster).lower() in {
                        unicodedata.normalize("NFC", other).lower() for other in known
                    }, copy


def in_order(parts: list[str], text: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at) + len(part)
        if at < len(part):
            return False
    return True


@pytest.mark.parametrize(("name", "params"), CLASSES)
def test_special_tokens_markup_and_emoji_are_left_alone(name: str, params: dict[str, Any]) -> None:
    for text in TEXTS.values():
        for copy, _ in copies(name, params, text):
            assert in_order(FIXED.findall(text), copy), copy


@pytest.mark.parametrize(("name", "params"), [c for c in CLASSES if c[0] not in ("RandomWordAug", "RandomSentAug")])
def test_addresses_prices_and_the_like_stay_as_they_are_written(name: str, params: dict[str, Any]) -> None:
    for text in (TEXTS["addresses"], TEXTS["post"], TEXTS["numbers"]):
        assert FORMS.findall(text)
        for copy, _ in copies(name, params, text):
            assert in_order(FORMS.findall(text), copy), copy


IN_PLACE = [c for c in CLASSES if c[1].get("action") not in ("delete", "crop") and c[0] != "RandomSentAug"]


@pytest.mark.parametrize(("name", "params"), IN_PLACE)
def test_separators_stay_exactly(name: str, params: dict[str, Any]) -> None:
    for text in TEXTS.values():
        separators = [text[begin:end] for begin, end in split(text).gaps()]
        pattern = "(.+?)".join(re.escape(separator) for separator in separators)
        for copy, _ in copies(name, params, text):
            assert re.fullmatch(pattern, copy, re.DOTALL), (copy, text)


@pytest.mark.parametrize(("name", "params"), CLASSES)
def test_a_copy_says_that_it_is_changed_exactly_if_it_is(name: str, params: dict[str, Any]) -> None:
    for text in TEXTS.values():
        for copy, drawn in copies(name, params, text):
            assert (drawn["changed"] > 0) == (copy != text), (copy, drawn)
            assert len(drawn.get("words", ())) == (0 if name == "RandomSentAug" else drawn["changed"])
            for old, new in drawn.get("words", ()):
                assert old in text
                assert new in copy


def test_line_breaks_and_indentation_stay() -> None:
    for key in ("code", "dialogue"):
        for name, params in CLASSES:
            if name == "RandomSentAug" or params.get("action") in ("delete", "crop"):
                continue
            for copy, _ in copies(name, params, TEXTS[key]):
                lines = [re.match(r"\s*", line) for text in (copy, TEXTS[key]) for line in text.split("\n")]
                indents = [match.group() for match in lines if match]
                assert indents[: len(indents) // 2] == indents[len(indents) // 2 :]


def test_words_change_places_only_with_words_beside_them() -> None:
    for copy, _ in copies(
        "RandomWordAug", {"action": "swap", "aug_p": 0.9}, "one two, [SEP] three four.\nfive six", 40
    ):
        first, second, third = copy.casefold().replace("\n", ", [sep] ").split(", [sep] ")
        assert sorted(first.split()) == ["one", "two"]
        assert sorted(second.rstrip(".").split()) == ["four", "three"]
        assert sorted(third.split()) == ["five", "six"]


def test_contractions_are_words() -> None:
    whole = {word.casefold() for word in TEXTS["contractions"].strip(".").replace(",", "").split()}
    for copy, _ in copies("RandomWordAug", {"action": "delete"}, TEXTS["contractions"], 30):
        assert {word.casefold() for word in copy.replace(",", " ").replace(".", " ").split()} <= whole


@pytest.mark.parametrize(
    "word", ["or", "it", "us", "he", "in", "as", "at", "am", "no", "I", "a", "OR", "IT", "US", "He", "As", "In"]
)
@pytest.mark.parametrize("name", ["SynonymAug", "AntonymAug"])
def test_words_that_hold_a_sentence_together_are_no_names(name: str, word: str) -> None:
    text = f"{word} came {word} quickly {word}"
    for copy, drawn in copies(name, {"aug_p": 1}, text, 20):
        assert [old for old, _ in drawn.get("words", ()) if old == word] == [], copy


def test_small_letters_are_no_signs() -> None:
    for word in ("co", "ca", "mg", "id"):
        for _, drawn in copies("SynonymAug", {"aug_p": 1}, f"the {word} company", 20):
            news = {new for old, new in drawn.get("words", ()) if old == word}
            assert not news & {"colorado", "cobalt", "calcium", "california", "magnesium", "idaho"}


def test_reserved_phrases_are_found_as_they_are_written() -> None:
    groups = {"reserved_tokens": [["Best Regards", "Sincerely"], ["C++", "Rust"], ["北京", "上海"]], "aug_p": 1}
    text = "He likes C++, 我在北京。 Best Regards, NotBest Regardsx, best regards"
    step = adapter.build("ReservedAug", groups)
    assert {step(TextValue(text), bytes([n]) * 16)[0] for n in range(9)} == {
        TextValue("He likes Rust, 我在上海。 Sincerely, NotBest Regardsx, best regards")
    }
    loose = adapter.build("ReservedAug", {**groups, "case_sensitive": False})
    found = loose(TextValue("best regards"), bytes(16))[0]
    assert found == TextValue("Sincerely")


def test_texts_without_words_stay_as_they_are() -> None:
    for name, params in CLASSES:
        for text in ("?!... --- !!!", "   ", "", "\n", "😍", "[SEP]", "\u0301"):
            for copy, drawn in copies(name, params, text, 3):
                assert copy == text
                assert drawn["changed"] == 0
