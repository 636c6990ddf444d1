"""All shell scripts are clean."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(p.relative_to(ROOT).as_posix() for p in [*(ROOT / "scripts").rglob("*.sh"), ROOT / ".ci" / "run"])
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


def findings(script: str) -> str:
    command = [str(SHELLCHECK), "--external-sources", "--format", "gcc", script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60).stdout


def test_all_scripts_were_found() -> None:
    assert {"scripts/test.sh", "scripts/engines/dataflow.sh", "scripts/stores/server.sh", ".ci/run"} <= set(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_is_found(script: str) -> None:
    assert findings(script) == ""


def test_what_is_wrong_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "bad.sh").write_text("#!/usr/bin/env bash\necho $1\n")
    assert "SC2086" in findings(str(tmp_path / "bad.sh"))
