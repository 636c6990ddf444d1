"""Who works on one machine, with local files, pays nothing for engines and stores: no package, no import, no Java."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import workdata

HEAVY = ("apache_beam", "obstore", "gcsfs", "s3fs", "adlfs", "boto3", "botocore", "google.cloud", "google.auth")
WATCH = """
import os, sys
class _Watch:
    def find_spec(self, name, path=None, target=None):
        if name in {extra!r} and not self._by_beam():
            with open({log!r}, "a") as file:
                file.write(name + "\\n")
        if name in {extra!r}[1:]:
            raise ModuleNotFoundError(name, name=name)
    def _by_beam(self):
        frame = sys._getframe()
        while frame and not frame.f_globals["__name__"].startswith("apache_beam"):
            frame = frame.f_back
        return frame is not None
sys.meta_path.insert(0, _Watch())
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH: processes note which of these they import, those that Beam tries left out."""
    (tmp_path / "sitecustomize.py").write_text(WATCH.format(extra=HEAVY, log=str(tmp_path / "imports")))
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho java >> {tmp_path}/imports\nexit 1\n")
    java.chmod(0o755)
    return tmp_path


def loaded(bare: Path, *arguments: object) -> set[str]:
    """What a command loads of the list, in any of its processes."""
    (bare / "imports").write_text("")
    path = f"{bare / 'bin'}:{os.environ['PATH']}"
    done = workdata.run(*arguments, PYTHONPATH=f"{bare}:{workdata.ROOT}", PATH=path)
    assert done.returncode == 0, done.stderr
    return set((bare / "imports").read_text().split())


@pytest.mark.slow
def test_local_commands_load_nothing_of_engines_and_stores(bare: Path) -> None:
    rows = [{"id": f"t{n}", "label": "x", "text": workdata.sentence(n)} for n in range(6)]
    data = workdata.write_parquet(bare / "in.parquet", rows)
    fields = {"text": {"type": "text", "augment": workdata.TEXT_STEPS}}
    config = workdata.write_config(bare / "c.yaml", workdata.image_config(data, bare / "out", fields=fields))
    for arguments in (["--help"], ["--version"], ["run", "--help"], ["check", config]):
        assert loaded(bare, *arguments) == set()
    assert loaded(bare, "run", config) == {"apache_beam"}
    assert loaded(bare, "verify", bare / "out") == set()


def test_the_watch_sees_what_a_process_imports(bare: Path) -> None:
    code = "import contextlib\nwith contextlib.suppress(ImportError):\n import obstore"
    subprocess.run([sys.executable, "-c", code], env=workdata.environment(PYTHONPATH=str(bare)), check=True, timeout=60)
    assert (bare / "imports").read_text() == "obstore\n"


def test_a_plain_install_brings_no_engine_and_no_store() -> None:
    tree = ast.parse((workdata.ROOT / "setup.py").read_text())
    (required,) = [n.value for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "install_requires"]
    names = {re.split(r"[<>=\[]", text)[0] for text in ast.literal_eval(required)}
    assert {"apache-beam", "fsspec"} <= names
    assert {"faiss-cpu", "rapidfuzz", "rensa"} <= names, "no certificate without a look for near duplicates"
    assert not names & {*HEAVY[1:], "apache-flink", "tensorflow-cpu", "torch"}
    assert not [text for text in ast.literal_eval(required) if "[" in text]  # an extra of another package
