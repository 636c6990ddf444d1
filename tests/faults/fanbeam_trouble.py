"""A third-party library of transforms that misbehave, found by fanbeam through its entry points.

The fixture `trouble` installs it beside a file `fault.txt`. What stands in that file decides which storage operation
goes wrong, in whichever process it happens, and how: `<number> <how> <whose>`.
"""

import errno
import os
import signal
import sys
import time
from collections.abc import Mapping
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import pipeline.storage.folder
from transforms.interface import Description, Parameter, StepProblem
from transforms.values import TextValue

DISTRIBUTIONS = ("fanbeam-trouble",)
FAULT = Path(__file__).with_name("fault.txt")
COUNT = Path(__file__).with_name("count.txt")

print("the library prints while it is imported")


def names() -> tuple[str, ...]:
    return ("Act", "DieOnce")


def modality(name: str) -> str:
    return "text"


def describe(name: str) -> Description:
    return Description(f"trouble.{name}", "text", (Parameter("value", "0"),), "Trouble.")


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    return [StepProblem((p,), f"unknown parameter {p!r}") for p in params if p != "value"]


def build(name: str, params: Mapping[str, Any]) -> Any:
    return _Act(float(params.get("value", 0))) if name == "Act" else _DieOnce(str(params["value"]))


class _Act:
    """Does what the text says; else appends some of its seed. `value`: seconds that each text takes."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, value: TextValue, seed: bytes) -> tuple[TextValue, dict[str, Any]]:
        print("the library prints while it works")
        os.write(1, b"on the raw descriptor too\n")
        os.write(2, b"and on the other one\n")
        if "RAISE" in value.text:
            raise ValueError(f"cannot bear it: {object()!r}")
        if "EXIT" in value.text:
            os._exit(7)
        if "SEGV" in value.text:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "KILL" in value.text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "MEMORY" in value.text:
            raise MemoryError
        while "BUSY" in value.text:
            pass
        while "HANG" in value.text:
            time.sleep(60)
        time.sleep(self._seconds)
        return TextValue(f"{value.text} {seed.hex()[:8]}"), {"tail": seed.hex()[:8]}


class _DieOnce:
    """Kills its process at one record, but only as often as a file has bytes."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, value: TextValue, seed: bytes) -> tuple[TextValue, dict[str, Any]]:
        left = Path(self._path).stat().st_size
        if "DIE" in value.text and left:
            os.truncate(self._path, left - 1)
            os.kill(os.getpid(), signal.SIGKILL)
        return TextValue(f"{value.text}!"), {}


def _publish(path: str, data: Any, replace: bool, root: str = "") -> bool:
    if FAULT.exists():
        number, how, whose = FAULT.read_text().split()
        mine = "worker" if parent_process() else "parent"
        if whose in (mine, "any") and _count() == int(number):
            return _go_wrong(how, path, data, replace, root)
    return _real_publish(path, data, replace, root)


def _count() -> int:
    """How many operations there were, this one included, in all processes."""
    handle = os.open(COUNT, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(handle, b".")
        return os.lseek(handle, 0, os.SEEK_CUR)
    finally:
        os.close(handle)


def _go_wrong(how: str, path: str, data: Any, replace: bool, root: str) -> bool:
    folder = root or os.path.split(path)[0]
    Path(folder).mkdir(parents=True, exist_ok=True)
    half = Path(folder, f"{pipeline.storage.folder.TEMPORARY}{os.getpid()}-0.tmp")
    if how == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if how == "error-after":
        _real_publish(path, data, replace, root)
        raise OSError(errno.EIO, "Input/output error")
    if how == "kill-after":
        _real_publish(path, data, replace, root)
    if how == "kill-half":
        half.write_bytes(bytes(data)[: len(bytes(data)) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("not reached")


_real_publish = pipeline.storage.folder.publish
if getattr(_real_publish, "__module__", "") != __name__:
    pipeline.storage.folder.publish = _publish
sys.stdout.flush()
