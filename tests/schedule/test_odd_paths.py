"""Paths that YAML would read otherwise reach `fanbeam run` as they are, from each script that sets them."""

import json
import os
import subprocess
import sys
import types
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import SCRIPTS

from pipeline.config.loader import read_config

PATHS = ["/a b: c/x", "[in]/x", "/a #1/x", 'it\'s/"x"', "{a: b}", "'x'", "null", "&a *b", "/plain/*.parquet"]
PROGRAM = """#!{python}
import json, sys
from pathlib import Path
Path({record!r}).open("a").write(json.dumps(sys.argv[1:]) + "\\n")
print(json.dumps({{"path": "x"}}))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that writes down how it was called."""
    found = tmp_path / "fanbeam"
    found.write_text(PROGRAM.format(python=sys.executable, record=str(tmp_path / "calls")))
    found.chmod(0o755)
    return found


def places(program: Path) -> tuple[Any, Any]:
    """Input and output as the call of `run` sets them."""
    config = program.with_name("c.yaml")
    config.write_text("seed: 1\n")
    calls = [json.loads(line) for line in program.with_name("calls").read_text().splitlines()]
    (call,) = (call for call in calls if call[0] == "run")
    given = [value for option, value in pairwise(call) if option == "--set"]
    values = read_config(str(config), given).values
    return values["input"]["path"], values["output"]["path"]


@pytest.mark.parametrize("path", PATHS)
def test_cron(path: str, program: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "FANBEAM": str(program), "FANBEAM_LOGS": str(tmp_path / "logs")}
    command = ["bash", str(SCRIPTS / "cron.sh"), "c.yaml", path, f"{path}/out"]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True)
    assert places(program) == (path, f"{path}/out")


class Anything:
    """Stands for what the file of the DAG takes from Airflow."""

    def __init__(self, *_: object, **given: Any) -> None:
        self.given = given

    def __enter__(self) -> "Anything":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __rshift__(self, other: "Anything") -> "Anything":
        return other


@pytest.mark.parametrize("path", PATHS)
def test_airflow(path: str, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("airflow", "airflow.providers", "airflow.providers.standard", "airflow.providers.standard.operators"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    for name in ("airflow.providers.standard.operators.bash", "airflow.sdk", "airflow.timetables.interval"):
        module = types.ModuleType(name)
        vars(module).update(dict.fromkeys(("BashOperator", "DAG", "Asset", "CronDataIntervalTimetable"), Anything))
        monkeypatch.setitem(sys.modules, name, module)
    for name, value in {"fanbeam": program, "input": path, "output": f"{path}/out", "config": "c.yaml"}.items():
        monkeypatch.setenv(f"FANBEAM_WEEKLY_{name.upper()}", str(value))
    found: dict[str, Any] = {}
    exec(compile((SCRIPTS / "fanbeam_weekly.py").read_text(), "fanbeam_weekly.py", "exec"), found)
    task = found["run"].given
    environment = {**os.environ, **task["env"]}
    subprocess.run(["bash", "-c", task["bash_command"]], env=environment, cwd=tmp_path, check=True, capture_output=True)
    assert places(program) == (path, f"{path}/out")
