import os
import shutil
import threading
import zipfile
from pathlib import Path

import nltk
import pytest

from transforms.nlpaug import wordnet

pytestmark = pytest.mark.usefixtures("wordnet_installed")


def test_synonyms_and_antonyms() -> None:
    synonyms, antonyms = wordnet.WordNet(is_synonym=True), wordnet.WordNet(is_synonym=False)
    assert {"quick", "speedy", "fast"} <= set(synonyms.predict("quick", "a"))
    assert "bad" in antonyms.predict("good")
    assert synonyms.predict("zzzzqq") == []
    assert synonyms.predict("dogs") == synonyms.predict("dogs", "n") + synonyms.predict("dogs", "v")


def test_results_may_be_changed_without_changing_the_next() -> None:
    model = wordnet.WordNet(is_synonym=True)
    model.predict("dog").clear()
    assert model.predict("dog")


def test_tags() -> None:
    tags = wordnet.WordNet(is_synonym=True).pos_tag(["The", "dog", "jumps"])
    assert [word for word, _ in tags] == ["The", "dog", "jumps"]
    assert [tag for _, tag in tags][:2] == ["DT", "NN"]


def test_threads_read_the_same_words() -> None:
    words = ["dog", "run", "happy", "light", "set", "go", "well", "house", "green", "quickly"] * 3
    model = wordnet.WordNet(is_synonym=True)
    wordnet._related.cache_clear()
    found: list[list[list[str]]] = []
    threads = [threading.Thread(target=lambda: found.append([model.predict(word) for word in words])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(result == [model.predict(word) for word in words] for result in found)


def test_a_folder_without_lexnames_and_sense_index_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(os.environ.get("WNSEARCHDIR", wordnet.SYSTEM_FOLDER))
    if not source.is_dir():
        pytest.fail("this test copies WordNet's own files; unset NLTK_DATA to let the fixture fetch them")
    for file in wordnet._FILES:
        shutil.copy(source / file, tmp_path / file)
    monkeypatch.setattr(wordnet, "_nltk_data", lambda place: None)
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    wordnet._reader.cache_clear()
    assert wordnet.problems() == []
    assert wordnet._reader().synsets("dog")[0].name() == "dog.n.01"
    assert wordnet._reader().synsets("dog")[0].lexname() == "noun.animal"
    (tmp_path / "data.noun").unlink()
    assert wordnet.problems() == [wordnet.INSTALL_WORDNET]
    wordnet._reader.cache_clear()


def test_the_zip_of_nltk_s_downloader_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(os.environ.get("WNSEARCHDIR", wordnet.SYSTEM_FOLDER))
    (tmp_path / "corpora").mkdir()
    with zipfile.ZipFile(tmp_path / "corpora" / "wordnet.zip", "w") as archive:
        archive.writestr("wordnet/lexnames", wordnet.LEXNAMES)
        for file in wordnet._FILES:
            archive.write(source / file, f"wordnet/{file}")
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path / "nowhere"))
    wordnet._reader.cache_clear()
    assert wordnet.problems() == []
    assert wordnet._reader().synsets("dog")[0].lexname() == "noun.animal"
    wordnet._reader.cache_clear()


def test_lexnames_are_those_of_the_man_page() -> None:
    lines = wordnet.LEXNAMES.splitlines()
    assert len(lines) == 45
    assert lines[0] == "00\tadj.all\t3"
    assert lines[5] == "05\tnoun.animal\t1"
    assert lines[44] == "44\tadj.ppl\t3"


def test_versions_name_the_files_and_the_tagger() -> None:
    versions = wordnet.versions()
    assert len(versions["wordnet"]) == 16
    assert versions["part-of-speech tagger"] in ("textblob lexicon", "nltk averaged_perceptron_tagger_eng")
