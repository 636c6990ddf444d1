"""Every storage operation fails once, or kills its process: the run or the next one ends with the same bytes."""

import json
from pathlib import Path

import pytest
import workdata
from conftest import Trouble, run, text_rows

from pipeline.cli.program import main

ROWS = text_rows(24, 1200)
SHARD_SIZE = "128KiB"
OPERATIONS = 25  # of the run below; a test checks that these are all


@pytest.fixture(scope="module")
def unhurt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unhurt")


def config_in(trouble: Trouble, home: Path) -> Path:
    """A few shards: every operation of each is tried."""
    return trouble.config(home, ROWS, output={"path": str(home / "out"), "shard_size": SHARD_SIZE})


def expected(trouble: Trouble, home: Path) -> dict[str, str]:
    """The contents of a run that was never hurt."""
    known = home / "contents.json"
    if not known.exists():
        trouble.set_fault(1_000_000, "full")
        assert run(config_in(trouble, home)) == 0
        assert trouble.clear_fault() == OPERATIONS
        known.write_text(json.dumps(workdata.contents(workdata.version_folder(home / "out"))))
    found: dict[str, str] = json.loads(known.read_text())
    return found


def same_input(trouble: Trouble, home: Path, unhurt: Path) -> Path:
    config = config_in(trouble, home)
    (home / "in.parquet").write_bytes((unhurt / "in.parquet").read_bytes())
    return config


def is_whole(output: Path, contents: dict[str, str]) -> None:
    assert workdata.contents(workdata.version_folder(output)) == contents
    assert workdata.leftovers(output) == []


@pytest.mark.parametrize("how", ["full", "error-after"])
@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=pytest.mark.slow if n % 5 else ()) for n in range(1, OPERATIONS + 1)]
)
def test_an_operation_that_fails(
    number: int, how: str, trouble: Trouble, unhurt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = expected(trouble, unhurt)
    config = same_input(trouble, tmp_path, unhurt)
    trouble.set_fault(number, how)
    capsys.readouterr()
    code = run(config)
    answer = json.loads(capsys.readouterr().out)
    trouble.clear_fault()
    if number == OPERATIONS:  # the run log, after the commit
        assert (code, len(answer["warnings"])) == (0, 1)
        assert workdata.leftovers(tmp_path) == []
        is_whole(tmp_path / "out", contents)
        return
    assert code == 4
    assert answer["error"]["kind"] == "run"
    assert str(tmp_path / "out") in answer["error"]["message"]
    if how == "full":
        assert "the disk is full" in answer["error"]["message"]
    assert "while running" not in answer["error"]["message"]
    assert workdata.leftovers(tmp_path) == []
    assert run(config) == 0
    is_whole(tmp_path / "out", contents)


@pytest.mark.parametrize("how", ["kill-before", "kill-half", "kill-after"])
@pytest.mark.parametrize("number", [1, 2, 7])
def test_a_worker_killed_at_an_operation(number: int, how: str, trouble: Trouble, unhurt: Path, tmp_path: Path) -> None:
    contents = expected(trouble, unhurt)
    config = same_input(trouble, tmp_path, unhurt)
    trouble.set_fault(number, how, "worker")
    assert run(config) == 0
    assert trouble.clear_fault() >= number
    is_whole(tmp_path / "out", contents)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill-before", "kill-half", "kill-after"])
@pytest.mark.parametrize("number", range(1, 14))
def test_the_run_killed_at_an_operation(number: int, how: str, trouble: Trouble, unhurt: Path, tmp_path: Path) -> None:
    """The parent's own operations.

    Descent, placed records, contents of held-out rows, plan, tasks, what the commit must find, leaks, card, metadata,
    manifest, LATEST, the mark that the placed records count, log.
    """
    contents = expected(trouble, unhurt)
    config = same_input(trouble, tmp_path, unhurt)
    trouble.set_fault(number, how, "parent")
    hurt = workdata.run("run", config, "--json", "--workers", "1", PYTHONPATH=trouble.path)
    assert hurt.returncode == -9
    trouble.clear_fault()
    assert run(config) == 0
    is_whole(tmp_path / "out", contents)
    assert main(["verify", str(tmp_path / "out"), "--samples", "2"]) == 0
