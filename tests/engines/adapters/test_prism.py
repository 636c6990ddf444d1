"""What `--runner prism` adds to Beam's options, and what it finds missing; no Prism needed."""

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.adapters import prism
from pipeline.errors import Problem
from pipeline.storage.folder import Folder

HERE = Folder.at("out")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FANBEAM_PRISM", raising=False)
    monkeypatch.setenv("PATH", "/bin")
    return tmp_path / "cache" / "fanbeam" / "engines"


def closed_port() -> int:
    with closing(socket.socket()) as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def only(found: list[Problem]) -> str:
    (problem,) = found
    assert "\n" not in str(problem)
    assert problem.suggestion
    return str(problem)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[Path, str], Path]:
    def write(path: Path, says: str = "-job_port int") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
        path.chmod(0o755)
        return path

    return write


def test_prism_that_is_at_hand(
    empty_cache: Path, program: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback = "--environment_type=LOOPBACK"
    assert prism.settled({}) == [loopback]
    program(tmp_path / "other" / "prism", "a syntax highlighter")
    monkeypatch.setenv("PATH", f"{tmp_path / 'other'}:{tmp_path / 'bin'}:/bin")
    assert prism.settled({}) == [loopback]
    installed = program(tmp_path / "bin" / "prism")
    assert prism.settled({}) == [f"--prism_location={installed}", loopback]
    program(empty_cache / "beam-prism-2.9.0" / "prism")
    built = program(empty_cache / "beam-prism-2.77.0" / "prism")
    assert prism.settled({}) == [f"--prism_location={built}", loopback]
    monkeypatch.setenv("FANBEAM_PRISM", "/named")
    assert prism.settled({}) == ["--prism_location=/named", loopback]
    assert prism.settled({"prism_location": "/given", "environment_type": "DOCKER"}) == []
    assert prism.settled({"job_endpoint": "localhost:1"}) == [loopback]


def test_what_prism_lacks(program: Callable[..., Path], tmp_path: Path) -> None:
    def told(**more: Any) -> str:
        return only(prism.problems({"environment_type": "LOOPBACK", **more}, HERE))

    assert prism.problems({"environment_type": "LOOPBACK"}, HERE) == []
    assert "--prism_location: /no: there is no such file." in told(prism_location="/no")
    assert "is not Beam's Prism" in told(prism_location=str(program(tmp_path / "p", "x")))
    mute = tmp_path / "mute"
    mute.write_bytes(b"\x7fELF")
    assert "cannot be started: permission denied" in told(prism_location=str(mute))
    assert prism.problems({"environment_type": "LOOPBACK", "prism_location": str(program(tmp_path / "q"))}, HERE) == []
    assert prism.problems({"environment_type": "LOOPBACK", "prism_location": "https://host/prism.zip"}, HERE) == []
    assert "no Prism at localhost:" in told(job_endpoint=f"localhost:{closed_port()}")
    assert "PROCESS needs the command" in only(prism.problems({"environment_type": "PROCESS"}, HERE))
    assert prism.cause({}, "job") == ""
    prism.cancel({}, "job")
