"""Language models of nlpaug: what comes out is what nlpaug makes on its own, with the models that the tests make."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nlpaug_direct import SEED, seeded_globals

from scripts import example_models as language_models
from transforms.interface import MissingLibrary, RecipeError
from transforms.isolation.torch_random import torch_seed
from transforms.nlpaug import adapter, files
from transforms.nlpaug import models as nlpaug_models
from transforms.recipe import build_recipe
from transforms.values import AudioValue, Spans, TextValue

pytestmark = [pytest.mark.usefixtures("quiet_process"), pytest.mark.slow]

TEXT = "the quick brown fox jumps over the lazy dog because it was hungry. it was a good day."
SHORT = ("", " ", "a", "quick", "Zwölf 猫 🐈!", ".", "the lazy\nfox")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    language_models.masked(folder / "bert")
    language_models.roberta(folder / "roberta")
    language_models.causal(folder / "gpt2")
    language_models.xlnet(folder / "xlnet")
    language_models.sequence(folder / "t5")
    language_models.sequence(folder / "t5-back", start=6)
    return folder


@pytest.fixture
def old_tokenizer_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The call that nlpaug makes and transformers 5 does not have."""
    base = import_module("transformers").PreTrainedTokenizerBase
    monkeypatch.setattr(base, "_convert_token_to_id", base.convert_tokens_to_ids, raising=False)
    yield


def direct(name: str, params: dict[str, Any]) -> str:
    import torch

    modules = [import_module(f"nlpaug.augmenter.{kind}") for kind in ("word", "sentence")]
    augmenter = next(vars(module)[name] for module in modules if hasattr(module, name))(**params, force_reload=True)
    before = torch.default_generator.get_state()
    torch.manual_seed(torch_seed(SEED))
    try:
        with seeded_globals():
            return str(augmenter.augment(TEXT)[0])
    finally:
        torch.default_generator.set_state(before)


@pytest.mark.usefixtures("old_tokenizer_calls")
@pytest.mark.filterwarnings("ignore:.past_key_values.:FutureWarning")
@pytest.mark.parametrize(
    ("name", "model", "params"),
    [
        ("ContextualWordEmbsForSentenceAug", "gpt2", {"top_k": 20, "temperature": 0.7}),
        ("AbstSummAug", "t5", {"min_length": 5, "max_length": 30}),
    ],
)
def test_the_result_is_that_of_the_library_called_directly(
    name: str, model: str, params: dict[str, Any], models: Path
) -> None:
    params = {**params, "model_path": str(models / model)}
    result, drawn = adapter.build(name, params)(TextValue(TEXT), SEED)
    assert result == TextValue(direct(name, params))
    assert drawn is not None
    assert (drawn["changed"] > 0) == (result != TextValue(TEXT))


CASES: list[tuple[str, dict[str, Any]]] = [
    ("ContextualWordEmbsAug", {"model_path": "bert", "use_custom_api": False}),
    ("ContextualWordEmbsAug", {"model_path": "bert", "top_k": None, "stopwords_regex": "q.*"}),
    ("ContextualWordEmbsAug", {"model_path": "roberta", "use_custom_api": False, "top_k": 50}),
    ("ContextualWordEmbsForSentenceAug", {"model_path": "xlnet"}),
    (
        "ContextualWordEmbsForSentenceAug",
        {"model_path": "gpt2", "use_custom_api": False, "min_length": 30, "max_length": 40},
    ),
    ("AbstSummAug", {"model_path": "t5", "min_length": 5, "max_length": 30}),
    (
        "AbstSummAug",
        {"model_path": "t5", "tokenizer_path": "t5", "use_custom_api": False, "min_length": 5, "max_length": 30},
    ),
    ("BackTranslationAug", {"from_model_name": "t5", "to_model_name": "t5-back", "max_length": 30}),
]
PLACES = ("model_path", "tokenizer_path", "from_model_name", "to_model_name")


def with_folders(params: dict[str, Any], models: Path) -> dict[str, Any]:
    return {key: str(models / value) if key in PLACES else value for key, value in params.items()}


@pytest.mark.parametrize(("name", "params"), CASES)
def test_every_kind_of_model_runs_and_repeats(name: str, params: dict[str, Any], models: Path) -> None:
    params = with_folders(params, models)
    assert adapter.problems(name, params) == []
    step = adapter.build(name, params)
    first = step(TextValue(TEXT), SEED)
    step(TextValue("another good day."), bytes(16))
    assert step(TextValue(TEXT), SEED) == first
    assert adapter.build(name, params)(TextValue(TEXT), SEED) == first
    for text in SHORT:
        assert isinstance(step(TextValue(text), SEED)[0], TextValue)
    drawing = name.startswith("Contextual") and first[0] != TextValue(TEXT)
    results = {step(TextValue(TEXT), bytes([n]) * 16)[0].text for n in range(6)}  # type: ignore[union-attr]
    assert (len(results) > 1) == drawing


KINDS = [("bert", {}), ("roberta", {}), ("bert", {"use_custom_api": False}), ("roberta", {"use_custom_api": False})]
MIXED = 'Zwölf 猫 "Quick" dogs, don\'t! [MASK] x@y.org\n  the  lazy fox: $1,299.99'


@pytest.mark.parametrize(("model", "params"), KINDS)
def test_a_masked_model_writes_words_into_the_text_as_it_is(model: str, params: dict[str, Any], models: Path) -> None:
    """Outside of the words that the lineage names, every character is the original's; the words are the model's."""
    step = adapter.build("ContextualWordEmbsAug", {**params, "model_path": str(models / model), "aug_p": 0.4})
    known = {word.casefold() for word in language_models.WORDS}
    seen = set()
    for number in range(8):
        result, drawn = step(TextValue(MIXED), bytes([number]) * 16)
        assert isinstance(result, TextValue)
        assert drawn is not None
        rest, at = MIXED, 0
        for old, new in drawn.get("words", ()):
            at = rest.index(old, at)
            rest = rest[:at] + new + rest[at + len(old) :]
            at += len(new)
            seen.add(new.casefold())
        assert result.text == rest
        assert "[MASK]" in result.text
        assert (drawn["changed"] > 0) == (result.text != MIXED)
    assert seen
    assert model != "bert" or seen <= known


@pytest.mark.parametrize("model", ["bert", "roberta"])
def test_a_masked_model_inserts_words(model: str, models: Path) -> None:
    step = adapter.build("ContextualWordEmbsAug", {"model_path": str(models / model), "action": "insert"})
    result, drawn = step(TextValue(MIXED), SEED)
    assert isinstance(result, TextValue)
    assert drawn is not None
    assert drawn["changed"] > 0
    assert all(old == "" for old, _ in drawn["words"])
    at = 0
    for _, new in drawn["words"]:
        at = result.text.index(f"{new} ", at) + len(new) + 1
    assert "".join(result.text.split()) != "".join(MIXED.split())


def test_of_a_text_longer_than_the_model_reads_the_beginning_changes(models: Path) -> None:
    text = "the quick brown fox jumps over the lazy dog. " * 200
    step = adapter.build("ContextualWordEmbsAug", {"model_path": str(models / "bert"), "aug_max": None, "aug_p": 0.05})
    result, drawn = step(TextValue(text), SEED)
    assert isinstance(result, TextValue)
    assert drawn is not None
    assert drawn["changed"] > 0
    assert result.text.endswith(text[-3000:])


@pytest.mark.parametrize("action", ["substitute", "insert"])
def test_stopwords_stay_in_place_among_words_that_the_model_does_not_know(action: str, models: Path) -> None:
    text = "猫 the quick Zwölf fox 🐈 jumps over dog"
    words = [word for word in text.split() if word in language_models.WORDS]
    params = {"model_path": str(models / "bert"), "stopwords": [*words, "jumps"], "aug_p": 1, "action": action}
    result, _ = adapter.build("ContextualWordEmbsAug", params)(TextValue(text), SEED)
    assert isinstance(result, TextValue)
    assert [word for word in result.text.split() if word in words] == words


def test_two_models_of_one_type_and_name_are_kept_apart(tmp_path: Path) -> None:
    there = language_models.sequence(tmp_path / "one" / "t5")
    other = language_models.sequence(tmp_path / "two" / "t5", start=9)
    results = set()
    for folder in (there, other):
        params = {"from_model_name": str(folder), "to_model_name": str(folder), "max_length": 20}
        results.add(adapter.build("BackTranslationAug", params)(TextValue(TEXT), SEED)[0])
    assert len(results) == 2


def test_two_steps_that_share_a_model_keep_their_settings(models: Path) -> None:
    path = {"model_path": str(models / "bert"), "aug_p": 1}
    alone = adapter.build("ContextualWordEmbsAug", {**path, "top_k": 2})
    before = alone(TextValue(TEXT), SEED)
    adapter.build("ContextualWordEmbsAug", {**path, "top_k": 40})(TextValue(TEXT), SEED)
    assert alone(TextValue(TEXT), SEED) == before


def test_torch_and_python_draw_as_before_afterwards(models: Path) -> None:
    import torch

    torch.manual_seed(3)
    expected = torch.rand(3).tolist()
    torch.manual_seed(3)
    adapter.build("ContextualWordEmbsAug", {"model_path": str(models / "bert")})(TextValue(TEXT), SEED)
    assert torch.rand(3).tolist() == expected


def test_a_span_stays_on_its_word(models: Path) -> None:
    import numpy as np

    begin = TEXT.index("lazy")
    spans = Spans(np.array([[begin, begin + 4]]), np.arange(1))
    params = {"model_path": str(models / "bert"), "stopwords": [w for w in re.findall(r"\w+", TEXT) if w != "quick"]}
    result, _ = adapter.build("ContextualWordEmbsAug", params)(TextValue(TEXT, spans), SEED)
    assert isinstance(result, TextValue)
    assert result.spans is not None
    (bounds,) = result.spans.bounds.tolist()
    assert result.text[slice(*bounds)] == "lazy"


def test_a_model_is_part_of_the_version(models: Path, tmp_path: Path) -> None:
    params = {"model_path": str(models / "bert")}
    versions = adapter.resources("ContextualWordEmbsAug", params)
    assert set(versions) == {f"nlpaug {models}/bert", *files.PACKAGES}
    copy = tmp_path / "bert"
    language_models.masked(copy)
    (copy / "note.txt").write_text("changed")
    other = adapter.resources("ContextualWordEmbsAug", {"model_path": str(copy)})
    assert other[f"nlpaug {copy}"] != versions[f"nlpaug {models}/bert"]


def cached(home: Path, name: str, make: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model in a Hugging Face cache of its own, as `hf download` leaves it."""
    repository = home / f"models--{name.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    make(repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home))
    return commit


def test_a_name_of_the_hub_is_its_cached_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = cached(tmp_path, "tests/tiny-bert", language_models.masked, monkeypatch)
    params = {"model_path": "tests/tiny-bert"}
    assert adapter.problems("ContextualWordEmbsAug", params) == []
    assert adapter.resources("ContextualWordEmbsAug", params)["nlpaug tests/tiny-bert"] == commit
    assert adapter.build("ContextualWordEmbsAug", params)(TextValue(TEXT), SEED)[0] != TextValue(TEXT)


@pytest.mark.parametrize(
    ("name", "params", "path", "message"),
    [
        ("ContextualWordEmbsAug", {}, (), "model_path: no folder 'bert-base-uncased', and no model of that name"),
        ("AbstSummAug", {}, (), "model_path: no folder 't5-base', and no model of that name in the Hugging Face cache"),
        (
            "BackTranslationAug",
            {"from_model_name": "a/there"},
            ("from_model_name",),
            "from_model_name: no folder 'a/there', and no model of that name in the Hugging Face cache: "
            "run 'hf download a/there' once, or name a folder",
        ),
        ("ContextualWordEmbsAug", {"device": "cuda"}, ("device",), "device is always cpu"),
        ("ContextualWordEmbsAug", {"action": "swap"}, ("action",), "action: 'swap' is not one of insert, substitute"),
        ("AbstSummAug", {"temperature": 0}, ("temperature",), "temperature: 0 is not more than 0"),
    ],
)
def test_bad_parameters(
    name: str, params: dict[str, Any], path: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    found = {problem.path: problem.message for problem in adapter.problems(name, params)}
    assert found[path].startswith(message)


def test_the_type_of_a_model_that_its_name_does_not_say(models: Path, tmp_path: Path) -> None:
    folder = language_models.masked(tmp_path / "mine")
    (problem,) = adapter.problems("ContextualWordEmbsAug", {"model_path": str(folder)})
    assert problem.message.startswith("model_type: write one of bert, roberta")
    assert adapter.problems("ContextualWordEmbsAug", {"model_path": str(folder), "model_type": "bert"}) == []


@pytest.mark.parametrize("damage", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_model_is_a_problem(damage: str, tmp_path: Path) -> None:
    folder = language_models.masked(tmp_path / "bert")
    (folder / damage).write_bytes(b"damaged")
    (problem,) = adapter.problems("ContextualWordEmbsAug", {"model_path": str(folder)})
    assert problem.message


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "note.txt").write_text("nothing")
    assert adapter.problems("ContextualWordEmbsAug", {"model_path": str(tmp_path / "bert")})


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "util", SimpleNamespace(find_spec=lambda name: None))
    message = "nlpaug.ContextualWordEmbsAug needs torch and transformers: pip install 'fanbeam[nlp]'"
    assert [problem.message for problem in adapter.problems("ContextualWordEmbsAug", {})] == [message]
    with pytest.raises(MissingLibrary, match=r"fanbeam\[nlp\]"):
        adapter.build("BackTranslationAug", {})
    with pytest.raises(RecipeError, match=r"fanbeam\[nlp\]"):
        build_recipe(["nlpaug.ContextualWordEmbsAug"], "text")


def test_a_sound_is_refused(models: Path) -> None:
    import numpy as np

    step = nlpaug_models.build("ContextualWordEmbsAug", {"model_path": str(models / "bert")})
    with pytest.raises(TypeError, match="works on text"):
        step(AudioValue(np.zeros((1, 1), np.float32), 1), SEED)
