"""What can be known of the image without building it."""

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.engines.image_folders import steps

ROOT = Path(__file__).parents[2]
STEPS = steps(ROOT / "Dockerfile")
LAST = max(number for number, (instruction, _) in enumerate(STEPS) if instruction == "FROM")


def values(instruction: str, begin: int = 0) -> list[str]:
    return [value for name, value in STEPS[begin:] if name == instruction]


def copied() -> list[str]:
    """Sources out of the context."""
    return [source for value in values("COPY") if "--from=" not in value for source in value.split()[:-1]]


def test_every_base_is_pinned() -> None:
    defaults = dict(value.split("=", 1) for value in values("ARG"))
    for image in (value.split()[0] for value in values("FROM")):
        name, _, tag = re.sub(r"\$\{(\w+)\}", lambda m: defaults[m[1]], image).rpartition(":")
        assert name and re.search(r"\d", tag), image


def test_beam_and_python_are_those_of_the_project() -> None:
    pinned = re.search(r"^apache-beam==(.+)$", (ROOT / "constraints.txt").read_text(), re.M)
    programs = re.search(r"^BEAM_VERSION=(\S+)", (ROOT / "scripts/engines/fetch.sh").read_text(), re.M)
    assert pinned and programs
    assert f"BEAM={pinned[1]}" in values("ARG")
    assert programs[1] == pinned[1]
    (python,) = {v.partition("=")[2].split("-")[0] for v in values("ARG") if v.startswith("PYTHON=")}
    assert {f"apache/beam_python{python}_sdk:${{BEAM}}"} == {v.split()[0] for v in values("FROM") if "beam_python" in v}
    assert f"python{python.replace('.', '')}-template-launcher-base" in " ".join(values("FROM"))


def test_what_is_copied_is_there_and_not_ignored() -> None:
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "*"
    for source in copied():
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, line[1:]) or source.startswith(f"{line[1:]}/") for line in lines if line[0] == "!")


def test_all_that_is_packaged_is_copied() -> None:
    setup = (ROOT / "setup.py").read_text()
    packages = {
        name.split(".")[0] for name in re.findall(r"find_packages\(include=\[([^\]]*)", setup)[0].split('"')[1::2]
    }
    modules = re.findall(r'py_modules=\["(\w+)"\]', setup)
    assert packages and modules
    assert {*packages, *(f"{name}.py" for name in modules)} <= {*copied()}


@pytest.mark.parametrize("run", values("RUN"))
def test_shell_steps_are_clean(run: str) -> None:
    command = [str(Path(sys.executable).with_name("shellcheck")), "--shell", "sh", "--exclude", "SC2154", "-"]
    found = subprocess.run(command, input=f"{run}\n", capture_output=True, text=True, timeout=60)
    assert found.stdout == ""


def test_what_is_installed_is_pinned_and_nothing_installs_in_the_last_stage() -> None:
    (install,) = [run for run in values("RUN") if "pip install" in run]
    assert "--constraint constraints.txt" in install
    assert "--no-cache-dir" in install
    assert not re.search(r"\b(apt|apt-get|pip|gcc|curl|wget)\b", " ".join(values("RUN", LAST)))
    assert values("ADD") == []


def test_it_starts_beams_worker_and_knows_the_launchers_program() -> None:
    assert values("ENTRYPOINT") == ['["/opt/apache/beam/boot"]']
    environment = dict(word.split("=", 1) for value in values("ENV", LAST) for word in value.split())
    assert environment["RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT"] == "1"
    program = environment["FLEX_TEMPLATE_PYTHON_PY_FILE"]
    assert f"scripts/engines/flex_template/main.py {program}" in values("COPY", LAST)


def test_nothing_secret_is_baked_in() -> None:
    names = {word.split("=")[0] for kind in ("ARG", "ENV") for value in values(kind) for word in value.split()}
    assert not [name for name in names if re.search("SECRET|TOKEN|PASSWORD|KEY|CREDENTIAL", name, re.I)]
