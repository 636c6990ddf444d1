"""`import fanbeam`: what it offers, that it costs nothing, and that other packages of our names are told of."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import fanbeam
import pipeline


def python(code: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    words, environment = [sys.executable, "-c", code], {**os.environ, **environment}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", fanbeam.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(fanbeam, name) == getattr(fanbeam, name)
    assert name in dir(fanbeam)


def test_it_is_the_package_that_is_installed() -> None:
    assert fanbeam.__version__ == metadata.version("fanbeam")
    assert fanbeam.run is pipeline.run
    assert fanbeam.open_dataset is pipeline.open_dataset


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match="module 'fanbeam' has no attribute 'augment'"):
        fanbeam.augment  # noqa: B018


def test_nothing_heavy_is_loaded_with_it(tmp_path: Path) -> None:
    done = python(
        "import sys, fanbeam; print(*({'numpy', 'pyarrow', 'pydantic', 'apache_beam'} & {*sys.modules}))", tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


@pytest.mark.parametrize("name", ["pipeline", "transforms"])
@pytest.mark.parametrize("form", ["{}.py", "{}/__init__.py"])
def test_another_package_of_that_name_is_told_of(tmp_path: Path, name: str, form: str) -> None:
    other = tmp_path / form.format(name)
    other.parent.mkdir(exist_ok=True)
    other.write_text("")
    done = python("import fanbeam", tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("ImportError: fanbeam needs its own package ")
    assert str(Path(pipeline.__file__).parents[1] / name) in last
    assert str(other if form == "{}.py" else other.parent) in last
    assert "Rename yours" in last


def test_one_that_is_loaded_already_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "transforms.py").write_text("")
    code = "import sys, transforms; sys.path.pop(0); import fanbeam"
    assert f"Python finds {tmp_path / 'transforms.py'} under that name" in python(code, tmp_path).stderr


def test_a_folder_of_that_name_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "transforms").mkdir()
    (tmp_path / "transforms" / "mine.py").write_text("")
    top = str(Path(pipeline.__file__).parents[1])  # as where it is installed; an editable one comes after such a folder
    done = python("import fanbeam, transforms.registry; fanbeam.run", tmp_path, PYTHONPATH=top)
    assert done.returncode == 0, done.stderr
