"""Tutorials do what they say: their blocks are read out of the pages and run, in order, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import workdata

TUTORIALS = workdata.ROOT / "docs" / "tutorials"
_BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def carried_out(page: Path, folder: Path) -> str:
    """What all blocks of a page print; `fanbeam` is the command of this checkout."""
    command = folder / "bin" / "fanbeam"
    command.parent.mkdir()
    program = "import sys; from pipeline.cli.program import main; sys.exit(main())"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{program}" "$@"\n')
    command.chmod(0o755)
    paths = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": paths, "PYTHONPATH": str(workdata.ROOT), "OMP_NUM_THREADS": "1"}
    told = ""
    for kind, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        words = ["bash", "-euo", "pipefail", "-c", block] if kind == "bash" else [sys.executable, "-c", block]
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        told += done.stdout
    return told


def test_every_tutorial_is_tested_here() -> None:
    assert {page.stem for page in TUTORIALS.glob("*.md")} == {"photos"}


@pytest.mark.slow
def test_photos(tmp_path: Path) -> None:
    told = carried_out(TUTORIALS / "photos.md", tmp_path)
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    alone, with_copies = (float(found) for found in re.findall(r"(?:alone|each): (0\.\d+)", told))
    assert min(alone, with_copies) > 0.85  # of ten classes; which of them is better, one run cannot tell
