import json

import numpy as np
import pytest
from blend_values import SEEDS, SOURCE, blended, with_donors

from transforms.text.sentences import sentences
from transforms.values import Spans, TextValue

OWN = TextValue("One owl sat. Two owls flew! Did three sing? Four slept.")
OTHER = TextValue("A tit came. A wren left. A crow called.")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello there. How are you? Fine", ["Hello there.", "How are you?", "Fine"]),
        ('"Hi." he said. It is 3.5 m.', ['"Hi."', "he said.", "It is 3.5 m."]),
        ("猫がいる。犬もいる！はい", ["猫がいる。", "犬もいる！", "はい"]),
        ("first line\nsecond\n\nthird", ["first line", "second", "third"]),
        ("Wait... what?!", ["Wait...", "what?!"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text: str, found: list[str]) -> None:
    assert [text[begin:end] for begin, end in sentences(text)] == found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_of_sentences_gives_way_to_one_of_the_partner(seed: bytes) -> None:
    result, applied = blended(with_donors(OWN, {"other": OTHER}), "SentenceMix", seed)
    drawn = json.loads(applied.params)
    own, theirs = ([text[b:e] for b, e in sentences(text)] for text in (OWN.text, OTHER.text))
    found = [result.text[b:e] for b, e in sentences(result.text)]
    mine = [s for s in found if s in own]
    taken = [s for s in found if s in theirs]
    assert (len(mine), len(taken)) == (drawn["kept"], drawn["taken"])
    assert len(mine) >= 2  # the larger share
    assert taken
    assert len(mine) + len(taken) == len(found)
    assert mine == [s for s in own if s in mine]
    assert " ".join(taken) in OTHER.text
    assert " ".join(taken) in result.text
    assert drawn["parents"]["other"] == pytest.approx(len(" ".join(taken)) / len(result.text), abs=0.05)
    assert drawn["weight"] + drawn["parents"]["other"] == pytest.approx(1)


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_spans_stay_on_their_words_or_go_with_their_sentence(seed: bytes) -> None:
    words = ["One", "flew", "three", "slept"]
    own_bounds = [[OWN.text.index(w), OWN.text.index(w) + len(w)] for w in words]
    across = [OWN.text.index("sat."), OWN.text.index("Two") + 3]
    own = TextValue(OWN.text, Spans(np.array([*own_bounds, across]), np.arange(5)))
    names = ["tit", "wren", "crow"]
    their_bounds = [[OTHER.text.index(w), OTHER.text.index(w) + len(w)] for w in names]
    other = TextValue(OTHER.text, Spans(np.array(their_bounds), np.arange(3) + SOURCE))
    result, _ = blended(with_donors(own, {"other": other}), "SentenceMix", seed)
    assert result.spans is not None
    named = dict(enumerate([*words, "sat. Two"])) | {SOURCE + n: name for n, name in enumerate(names)}
    found = {
        row: result.text[b:e]
        for row, (b, e) in zip(result.spans.rows.tolist(), result.spans.bounds.tolist(), strict=True)
    }
    assert found == {row: text for row, text in named.items() if text in result.text}


def test_scripts_without_spaces_get_none() -> None:
    value = with_donors(TextValue("猫がいる。犬もいる。"), {"other": TextValue("鳥が来た。")})
    texts = {blended(value, "SentenceMix", seed)[0].text for seed in SEEDS}
    assert not any(" " in text for text in texts)
    assert any("鳥が来た。" in text for text in texts)


def test_one_sentence_each_makes_two() -> None:
    value = with_donors(TextValue("mine"), {"empty": TextValue(" "), "other": TextValue("theirs")})
    texts = {blended(value, "SentenceMix", seed)[0].text for seed in SEEDS}
    assert texts == {"mine theirs", "theirs mine"}
    result, applied = blended(with_donors(TextValue(" "), {"other": TextValue("x")}), "SentenceMix", SEEDS[0])
    assert result.text == " "
    assert json.loads(applied.params)["not_applied"] == "the text has no sentence"
