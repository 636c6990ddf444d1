"""Packages that a library imports if they are there, and that nothing here needs of it: left out, for they are slow."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder


@contextmanager
def left_out(package: str) -> Iterator[None]:
    """Make `import package` fail in this thread while a library loads, unless the process has it already."""
    if package in sys.modules:
        yield
        return
    refusal = _Refusal(package, threading.get_ident())
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)


class _Refusal(MetaPathFinder):
    def __init__(self, package: str, thread: int) -> None:
        self._package, self._thread = package, thread

    def find_spec(self, fullname: str, *_: object) -> None:
        """Raise ImportError for the package; other modules, and other threads, are for other finders."""
        if fullname == self._package and threading.get_ident() == self._thread:
            raise ImportError(fullname)
