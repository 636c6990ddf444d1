import json
import re
from pathlib import Path
from typing import Any

import nlpaug.augmenter.char as nac
import nlpaug.augmenter.sentence as nas
import nlpaug.augmenter.word as naw
import numpy as np
import pytest
import word_files
from nlpaug_direct import SEED, seeded_globals

from transforms.nlpaug import adapter, wordnet
from transforms.values import AudioValue, TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")

TEXT = "The quick brown fox jumps over the lazy dog because it was hungry and the good day was young"
SENTENCES = "One came. Two went! Was it three? Four stayed. Nobody left. All slept. Then day broke."
DIRECT: list[tuple[str, dict[str, Any]]] = [
    ("KeyboardAug", {}),
    ("KeyboardAug", {"aug_char_p": 0.9, "include_special_char": False}),
    ("OcrAug", {}),
    *(("RandomCharAug", {"action": action}) for action in ("insert", "substitute", "swap", "delete")),
    ("RandomCharAug", {"action": "swap", "swap_mode": "random"}),
    *(("RandomWordAug", {"action": action}) for action in ("substitute", "swap", "delete", "crop")),
    ("RandomSentAug", {}),
    ("RandomSentAug", {"mode": "random", "aug_p": 0.9}),
    ("ReservedAug", {"reserved_tokens": [["quick", "fast", "rapid"], ["good", "nice", "fine"]]}),
    ("SpellingAug", {}),
    ("SplitAug", {}),
    ("SynonymAug", {}),
    ("SynonymAug", {"aug_p": 0.8, "stopwords": ["good"]}),
    ("AntonymAug", {}),
]
SHORT = ("", " ", "\n", "a", "word", "two words", "three short words", ".", "?!", "good.", "Hm… so?")


def direct(name: str, params: dict[str, Any]) -> str:
    module = next(module for module in (nac, nas, naw) if hasattr(module, name))
    own: dict[str, Any] = {}
    if name == "RandomSentAug":
        own = {"tokenizer": lambda text: re.findall(r"[A-Z][^.!?]*[.!?]", text)}
    if name == "TfIdfAug":  # the scores of the tests know "." as a word
        own = {"reverse_tokenizer": " ".join}
    augmenter = vars(module)[name](**params, **own)
    if name == "SpellingAug":
        augmenter.model.dict = {word: sorted(others) for word, others in augmenter.model.dict.items()}
    with seeded_globals():
        return str(augmenter.augment(text_for(name))[0])


def text_for(name: str) -> str:
    return SENTENCES if name == "RandomSentAug" else TEXT


@pytest.mark.parametrize(("name", "params"), DIRECT)
@pytest.mark.usefixtures("wordnet_installed")
def test_the_result_is_that_of_the_library_called_directly(
    name: str, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in ("AntonymAug", "SynonymAug"):  # the library's own reader needs NLTK's data and its downloader
        monkeypatch.setattr(naw.synonym.nmw, "WordNet", lambda lang, is_synonym: wordnet.WordNet(is_synonym))
    result, drawn = adapter.build(name, params)(TextValue(text_for(name)), SEED)
    assert result == TextValue(direct(name, params))
    assert result != TextValue(text_for(name))
    assert drawn is not None
    assert drawn["changed"] > 0


@pytest.mark.parametrize(("name", "params"), DIRECT)
@pytest.mark.usefixtures("wordnet_installed")
def test_short_texts_work(name: str, params: dict[str, Any]) -> None:
    step = adapter.build(name, params)
    for text in SHORT:
        for number in range(6):
            result, drawn = step(TextValue(text), bytes([number]) * 16)
            assert isinstance(result, TextValue)
            assert drawn is not None
            if not text.strip():
                assert result.text == text


def test_what_changed_is_recorded() -> None:
    step = adapter.build("ReservedAug", {"reserved_tokens": [["quick", "fast"]], "aug_p": 1})
    result, drawn = step(TextValue(" A quick fox,  a quick dog."), SEED)
    assert result == TextValue(" A fast fox,  a fast dog.")
    assert drawn == {"action": "substitute", "changed": 2, "words": [("quick", "fast")] * 2}
    assert step(TextValue("nothing here"), SEED)[1] == {"action": "substitute", "changed": 0}


def test_swapped_sentences_are_counted() -> None:
    step = adapter.build("RandomSentAug", {"mode": "right", "aug_max": 1})
    result, drawn = step(TextValue("One. Two. Three. Four."), SEED)
    assert isinstance(result, TextValue)
    assert sorted(result.text.split()) == ["Four.", "One.", "Three.", "Two."]
    assert drawn is not None
    assert drawn["changed"] == 2
    assert [["One.", "Two.", "Three.", "Four."][n] for n in drawn["sentences"]] == result.text.split()
    assert step(TextValue("One only."), SEED) == (TextValue("One only."), {"action": "swap", "changed": 0})


def test_the_two_spelling_dictionaries_are_kept_apart() -> None:
    both = adapter.build("SpellingAug", {"include_reverse": True})._step.model  # type: ignore[attr-defined]
    one = adapter.build("SpellingAug", {"include_reverse": False})._step.model  # type: ignore[attr-defined]
    assert len(one.dict) < len(both.dict)
    assert all(words == sorted(words) for words in both.dict.values())


@pytest.mark.parametrize(
    ("name", "params", "path", "message"),
    [
        ("KeyboardAug", {"aug_char_p": 3}, ("aug_char_p",), "aug_char_p: 3 is not a number in 0..1"),
        ("KeyboardAug", {"aug_char_pp": 1}, ("aug_char_pp",), "nlpaug.KeyboardAug has no parameter 'aug_char_pp'"),
        ("KeyboardAug", {"tokenizer": "x"}, ("tokenizer",), "tokenizer needs a function"),
        ("KeyboardAug", {"model_path": "x"}, ("model_path",), "model_path: no such path"),
        ("KeyboardAug", {"lang": "xx"}, (), "Only support en and th now."),
        ("KeyboardAug", {"aug_char_min": True}, ("aug_char_min",), "aug_char_min: True is not of type int"),
        ("KeyboardAug", {"aug_word_max": -1}, ("aug_word_max",), "aug_word_max: -1 is less than 0"),
        ("KeyboardAug", {"p": 0.5}, ("p",), "nlpaug.KeyboardAug has no parameter 'p'"),
        ("OcrAug", {"stopwords": "the"}, ("stopwords",), "stopwords: 'the' is not of type list"),
        ("OcrAug", {"stopwords_regex": "("}, (), "missing ), unterminated subpattern"),
        ("RandomWordAug", {"action": "insert"}, ("action",), "action: 'insert' is not one of substitute, swap, delete"),
        ("RandomSentAug", {"mode": "rihgt"}, ("mode",), "mode: 'rihgt' is not one of neighbor, left, right, random"),
        ("ReservedAug", {}, (), "nlpaug.ReservedAug needs the parameter 'reserved_tokens'"),
        ("SplitAug", {"min_char": 2}, ("min_char",), "min_char: 2 is less than 3"),
        ("SynonymAug", {"aug_src": "ppdb"}, (), "nlpaug.SynonymAug with aug_src ppdb needs the parameter 'model_path'"),
        ("SynonymAug", {"aug_src": "wrodnet"}, ("aug_src",), "aug_src: 'wrodnet' is not one of wordnet, ppdb"),
        ("SpellingAug", {"dict_path": 3}, ("dict_path",), "dict_path: 3 is not of type str"),
        ("TfIdfAug", {}, (), "nlpaug.TfIdfAug needs the parameter 'model_path'"),
        ("SynonymAug", {"lang": "fra"}, ("lang",), "lang: 'fra' is not one of eng"),
    ],
)
@pytest.mark.usefixtures("wordnet_installed")
def test_bad_parameters(name: str, params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (problem,) = adapter.problems(name, params)
    assert problem.path == path
    assert problem.message.startswith(message)


def test_without_wordnet_the_check_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    monkeypatch.setattr(wordnet, "_nltk_data", lambda place: None)
    monkeypatch.setattr(wordnet, "_has_textblob", lambda: False)
    messages = [problem.message for problem in adapter.problems("SynonymAug", {})]
    assert messages == [f"nlpaug.SynonymAug: {text}" for text in (wordnet.INSTALL_WORDNET, wordnet.INSTALL_TAGGER)]
    with pytest.raises(LookupError, match=r"python -m nltk\.downloader wordnet"):
        adapter.build("SynonymAug", {})


@pytest.mark.usefixtures("wordnet_installed")
def test_the_data_of_wordnet_is_part_of_the_versions() -> None:
    assert adapter.resources("OcrAug", {}) == {}
    assert set(adapter.resources("SynonymAug", {})) == {"wordnet", "part-of-speech tagger"}


def test_a_sound_is_refused() -> None:
    with pytest.raises(TypeError, match="works on text, not on AudioValue"):
        adapter.build("OcrAug", {})(AudioValue(np.zeros((1, 1), np.float32), 1), SEED)


def test_describe_takes_kinds_from_the_docstring() -> None:
    description = adapter.describe("SplitAug")
    found = {parameter.name: (parameter.default, parameter.kind) for parameter in description.parameters}
    assert found["aug_p"] == ("0.3", "float")
    assert found["min_char"] == ("4", "int")
    assert "tokenizer" not in found


def test_a_keyboard_and_ocr_errors_of_ones_own(tmp_path: Path) -> None:
    keyboard = tmp_path / "keys.json"
    keyboard.write_text(json.dumps({"o": ["0"], "u": ["7"]}))
    errors = tmp_path / "errors.json"
    errors.write_text(json.dumps({"o": ["0", "Q"], "c": ["(", "<"]}))
    for name, params in (
        ("KeyboardAug", {"model_path": str(keyboard), "aug_word_p": 1}),
        ("OcrAug", {"dict_of_path": str(errors), "aug_word_p": 1}),
        ("OcrAug", {"dict_of_path": {"c": ["(", "<"], "o": ["0", "Q"]}, "aug_word_p": 1}),
    ):
        result, drawn = adapter.build(name, params)(TextValue(TEXT), SEED)
        assert result == TextValue(direct(name, params))
        assert drawn is not None
        assert drawn["changed"] > 0
        assert adapter.problems(name, params) == []


def test_the_order_of_a_mapping_does_not_matter_and_it_is_not_changed() -> None:
    forwards = {"c": ["(", "o"], "o": ["0", "Q"], "e": ["c"]}
    backwards = {"e": ["c"], "o": ["Q", "0"], "c": ["o", "("]}
    results = [adapter.build("OcrAug", {"dict_of_path": m})(TextValue(TEXT), SEED) for m in (forwards, backwards)]
    assert results[0] == results[1]
    assert forwards == {"c": ["(", "o"], "o": ["0", "Q"], "e": ["c"]}


def test_two_dictionaries_of_misspellings_are_kept_apart(tmp_path: Path) -> None:
    results = []
    for number, line in enumerate(("quick qiuck", "brown borwn")):
        path = tmp_path / f"{number}.txt"
        path.write_text(f"{line}\n")
        params = {"dict_path": str(path), "aug_p": 1}
        results.append(adapter.build("SpellingAug", params)(TextValue(TEXT), SEED)[0].text)  # type: ignore[union-attr]
        path.write_text("fox fxo\n")
        results.append(adapter.build("SpellingAug", params)(TextValue(TEXT), SEED)[0].text)  # type: ignore[union-attr]
    assert results == [TEXT.replace(*pair) for pair in (("quick", "qiuck"), ("fox", "fxo"), ("brown", "borwn"))] + [
        TEXT.replace("fox", "fxo")
    ]


def test_ppdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"aug_src": "ppdb", "model_path": str(word_files.ppdb(tmp_path)), "aug_p": 1}
    result, drawn = adapter.build("SynonymAug", params)(TextValue(TEXT), SEED)
    monkeypatch.setattr("nltk.pos_tag", wordnet.pos_tag)
    assert result == TextValue(direct("SynonymAug", params))
    assert drawn is not None
    assert {("fox", "vixen"), ("dog", "hound")} <= set(drawn["words"])
    assert adapter.problems("SynonymAug", params) == []
    assert set(adapter.resources("SynonymAug", params)) == {f"nlpaug {params['model_path']}", "part-of-speech tagger"}


@pytest.mark.parametrize("action", ["substitute", "insert"])
def test_tfidf(action: str, tmp_path: Path) -> None:
    params = {"model_path": str(word_files.tfidf(tmp_path)), "action": action, "aug_p": 0.5}
    result, drawn = adapter.build("TfIdfAug", params)(TextValue(TEXT), SEED)
    naw.tfidf.TFIDF_MODEL = {}
    assert result == TextValue(direct("TfIdfAug", params))
    assert drawn is not None
    assert drawn["changed"] > 0
    assert adapter.problems("TfIdfAug", params) == []
    for text in SHORT:
        assert isinstance(adapter.build("TfIdfAug", params)(TextValue(text), SEED)[0], TextValue)


def test_a_folder_without_scores_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("")
    with pytest.raises(FileNotFoundError):
        adapter.build("TfIdfAug", {"model_path": str(tmp_path)})
    (problem,) = adapter.problems("TfIdfAug", {"model_path": str(tmp_path)})
    assert "tfidfaug_w2idf.txt" in problem.message
