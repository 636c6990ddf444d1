"""Warnings of a library, kept apart per thread: errors while a recipe is checked, silence while it runs.

`warnings.catch_warnings` changes the whole process and is not safe in threads (Python 3.11), so the names `warnings`
and `warn` in the library's own modules are replaced. Outside of `collected` they behave as ever.
"""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, TracebackType
from typing import Any

import numpy as np


class _Thread(threading.local):
    messages: list[str] | None = None


_thread = _Thread()


def _warn(message: Any, category: Any = None, stacklevel: int = 1, *args: Any, **kwargs: Any) -> None:
    if _thread.messages is None:
        warnings.warn(message, category, stacklevel + 1, *args, **kwargs)
    else:
        _thread.messages.append(str(message))


class collected:  # noqa: N801 - used as a context manager, like a function
    """Collect this thread's warnings of captured libraries: `with collected() as messages: ...`."""

    __slots__ = ("_before",)

    def __enter__(self) -> list[str]:
        """Begin to collect."""
        self._before = _thread.messages
        messages: list[str] = []
        _thread.messages = messages
        return messages

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Go back to what was before."""
        _thread.messages = self._before


@contextmanager
def quiet() -> Iterator[None]:
    """Around the steps of a recipe: this thread's library warnings and numpy's floating-point warnings go nowhere."""
    with collected(), np.errstate(all="ignore"):
        yield


def capture(package: str) -> None:
    """Route the warnings of all loaded modules of `package` through this module. May be called again."""
    for module in loaded_modules(package):
        names = vars(module)
        if names.get("warnings") is warnings:
            names["warnings"] = _module
        if names.get("warn") is warnings.warn:
            names["warn"] = _warn


def loaded_modules(package: str) -> list[ModuleType]:
    """Every module of `package` that has been imported so far."""
    return [
        module
        for name, module in sys.modules.copy().items()  # in one go: other threads import
        if module is not None and (name == package or name.startswith(f"{package}."))
    ]


_module = ModuleType("warnings")
vars(_module).update(vars(warnings), warn=_warn)
