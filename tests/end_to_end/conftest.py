import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import workdata
from wordnet_files import provide_wordnet

from pipeline.cli.program import main

Answer = tuple[int, dict[str, Any]]

with suppress(pytest.fail.Exception):  # the tests that need it fail themselves, and say why
    provide_wordnet()  # before workers are forked: it sets their environment
workdata.preload_libraries()


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run a command with --json: its exit code and its one JSON object."""

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([*map(str, arguments), "--json"])
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        answer = json.loads(shown.out)
        assert isinstance(answer, dict)
        return code, answer

    return call


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command for people: exit code, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*map(str, arguments)])
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err + shown.out
        return code, shown.out, shown.err

    return call


@pytest.fixture(scope="session")
def birds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A finished image dataset that no test changes: its config and its output folder."""
    home = tmp_path_factory.mktemp("birds")
    data = workdata.write_parquet(home / "data" / "birds.parquet", workdata.image_rows(48))
    config = workdata.write_config(home / "birds.yaml", workdata.image_config(data, home / "out"))
    assert main(["run", str(config), "--json", "--workers", "2"]) == 0
    return config, home / "out"
