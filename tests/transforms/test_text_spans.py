from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import nlpaug_library as adapter
from transforms.interface import LabelLost
from transforms.text_spans import aligned, moved
from transforms.values import Spans, TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")
OLD = "The quick brown fox jumps over the lazy dog."
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]


def marked(text: str, *words: str) -> Spans:
    places = [(text.index(word), text.index(word) + len(word)) for word in words]
    return Spans(np.array(places, np.int64).reshape(-1, 2), np.arange(len(words), dtype=np.int64))


def read(spans: Spans, text: str) -> list[str]:
    return [text[begin:end] for begin, end in spans.bounds.tolist()]


@pytest.mark.parametrize(
    ("new", "span", "expected"),
    [
        (OLD, "brown fox", "brown fox"),
        ("The quick brwon fox jumps over the lazy dog.", "brown fox", "brwon fox"),
        ("The quick dark brown fox jumps over the lazy dog.", "quick brown", "quick dark brown"),
        ("The brown fox jumps over the lazy dog.", "quick brown fox", "brown fox"),
        ("Quick the brown fox jumps over the lazy dog.", "quick", "Quick"),
        ("The quick brown fox jumps over the dog. lazy", "dog", "dog"),
        ("The quick brown fox jumps over the lazy hound.", "dog", "hound"),
        ("The quick brown fox ju mps over the lazy dog.", "jumps", "ju mps"),
        ("The  quick\nbrown fox jumps over the lazy dog .", "quick brown", "quick\nbrown"),
        ("The quick fox brown jumps over the lazy dog.", "brown fox", "fox brown"),
        ("The quick brown fox jumps over the lazy dug.", "og", "ug"),
        ("Τhe quick brown 🦊 jumps over the lazy dog.", "fox", "🦊"),
    ],
)
def test_a_span_stays_on_its_words(new: str, span: str, expected: str) -> None:
    assert read(moved(marked(OLD, span), OLD, new), new) == [expected]


@pytest.mark.parametrize(
    ("new", "span"),
    [
        ("The quick brown jumps over the lazy dog.", "fox"),
        ("", "fox"),
        ("The brown fox quick jumps over the lazy dog.", "quick brown"),
    ],
)
def test_a_span_whose_words_are_gone_is_lost(new: str, span: str) -> None:
    with pytest.raises(LabelLost) as caught:
        moved(marked(OLD, span), OLD, new)
    assert caught.value.reason == "span_lost"


@given(st.lists(st.sampled_from(WORDS), unique=True, min_size=2), st.data())
def test_deleting_and_swapping_never_moves_a_span_to_other_words(words: list[str], data: st.DataObject) -> None:
    old = " ".join(words)
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    kept = data.draw(st.permutations(words).map(lambda ws: ws[: data.draw(st.integers(0, len(ws)))]))
    new = " ".join(kept)
    span = " ".join(words[first : last + 1])
    try:
        (found,) = read(moved(marked(old, span), old, new), new)
    except LabelLost:
        return
    left = [word for word in kept if word in words[first : last + 1]]
    assert set(found.split()) <= set(words[first : last + 1]) or not left
    assert set(left) == set(found.split()) or len(kept) < 2


@given(st.text(), st.text())
def test_alignment_covers_every_word_once(old: str, new: str) -> None:
    pieces = aligned(old, new)
    covered = [place for piece in pieces for place in range(piece.begin, piece.end)]
    assert len(covered) == len(set(covered))
    assert "".join(old[place] for place in covered).split() == old.split() or set(covered) >= {
        place for place, character in enumerate(old) if not character.isspace()
    }


CLASSES: list[tuple[str, dict[str, Any]]] = [
    ("KeyboardAug", {}), ("OcrAug", {}), ("RandomCharAug", {}), ("RandomWordAug", {"action": "swap"}),
    ("RandomWordAug", {"action": "delete"}), ("RandomWordAug", {"action": "substitute", "target_words": ["so", "it"]}),
    ("SplitAug", {}), ("SpellingAug", {}), ("SynonymAug", {}), ("AntonymAug", {}),
    ("ReservedAug", {"reserved_tokens": [["quick", "fast"], ["dog", "hound"]]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "params"), CLASSES)
@pytest.mark.usefixtures("wordnet_installed")
def test_the_classes_of_nlpaug_keep_unchanged_words_or_reject(name: str, params: dict[str, Any]) -> None:
    step = adapter.build(name, params)
    value = TextValue(OLD, marked(OLD, "quick", "lazy dog"))
    outcomes = set()
    for number in range(30):
        try:
            result, drawn = step(value, bytes([number]) * 16)
        except LabelLost as error:
            outcomes.add(error.reason)
            continue
        assert isinstance(result, TextValue)
        assert result.spans is not None
        assert drawn is not None
        touched = {old for old, _ in drawn.get("words", ())}
        for word, found in zip(("quick", "lazy dog"), read(result.spans, result.text), strict=True):
            outcomes.add("kept" if found == word else "changed")
            if not touched & set(word.split()) and drawn["action"] not in ("swap", "delete"):
                assert found == word
        assert result.spans.rows.tolist() == [0, 1]
    assert outcomes & {"kept", "changed"}
