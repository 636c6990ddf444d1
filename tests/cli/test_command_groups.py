"""`fanbeam --help` names every command, each with a whole line, in its group."""

import subprocess
import sys

import pytest
from typer.main import get_command

from pipeline.cli.app import app
from pipeline.cli.command_groups import GROUPS

PROGRAM = "import sys; from pipeline.cli.program import main; sys.exit(main())"


def told(*words: str) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True)
    return done.stdout


def test_every_command_is_in_one_group() -> None:
    named = [name for names in GROUPS.values() for name in names]
    commands = get_command(app)
    assert sorted(named) == sorted(commands.commands)  # type: ignore[attr-defined]
    assert len(named) == len({*named})


def test_lines_are_whole_and_fit() -> None:
    text = told("--help")
    assert "..." not in text.split("Start:")[1]
    assert all(len(line) <= 80 for line in text.splitlines())
    assert [line.rstrip(":") for line in text.splitlines() if line in ("Start:", "Inspect:", "Reference:")] == [*GROUPS]
    for name in (name for names in GROUPS.values() for name in names):
        (line,) = (line for line in text.splitlines() if line.startswith(f"  {name} "))
        assert line.endswith("."), line


@pytest.mark.parametrize("name", [name for names in GROUPS.values() for name in names])
def test_help_of_a_command_opens_with_that_line(name: str) -> None:
    (line,) = (line for line in told("--help").splitlines() if line.startswith(f"  {name} "))
    assert line.removeprefix(f"  {name}").strip() in told(name, "--help")
