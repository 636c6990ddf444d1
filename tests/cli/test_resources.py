import json
from pathlib import Path

import pytest

from pipeline.cli.program import main
from pipeline.cli.resources import resources
from transforms import registry
from transforms.interface import MissingLibrary

STATES = {"present", "missing", "yours"}


def test_every_row_says_what_needs_it_and_how_to_get_it() -> None:
    rows = resources().as_json()["resources"]
    assert {row["state"] for row in rows} <= STATES
    for row in rows:
        assert row["needed_by"]
        assert row["online"]
        assert row["offline"]
        assert (row["found"] is not None) == (row["state"] == "present")
    names = {row["name"] for row in rows}
    assert {"WordNet", "part-of-speech tagger", "model bert-base-uncased", "package torch"} <= names
    assert all(n.partition(".")[0] in registry.libraries() for row in rows for n in row["needed_by"])


def test_the_table_through_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resources"]) == 0
    text = capsys.readouterr().out
    for part in ("WordNet", "python -m nltk.downloader wordnet", "wordnet-base", "hf download gpt2", "fanbeam[nlp]"):
        assert part in text
    assert main(["resources", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == resources().as_json()


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resources", "--help"]) == 0
    assert "fanbeam resources --json" in capsys.readouterr().out


def test_wordnet_is_seen_when_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transforms.nlpaug import wordnet

    monkeypatch.setattr(wordnet, "_nltk_data", lambda place: None)
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    assert state_of("WordNet") == "missing"
    for name in wordnet._FILES:
        (tmp_path / name).write_text("")
    assert state_of("WordNet") == "present"


def state_of(name: str) -> str:
    rows = resources().as_json()["resources"]
    return str(next(row["state"] for row in rows if row["name"] == name))


def test_a_library_that_is_not_installed_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(library: str) -> None:
        raise MissingLibrary("not here", name=library)

    monkeypatch.setattr(registry, "adapter", missing)
    rows = {row["name"]: row for row in resources().as_json()["resources"]}
    assert rows["package nlpaug"]["state"] == "missing"
    assert rows["package nlpaug"]["online"] == "pip install 'fanbeam[text]'"
