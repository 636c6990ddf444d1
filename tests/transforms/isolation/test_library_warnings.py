import gc
import sys
import threading
import types
import warnings
from collections.abc import Iterator

import pytest

from transforms.isolation.library_warnings import capture, collected, loaded_modules

SOURCE = """
import warnings
from warnings import warn
def one(): warnings.warn("one")
def two(): warn("two", UserWarning)
"""


@pytest.fixture
def library() -> Iterator[types.ModuleType]:
    module = types.ModuleType("noisy_library")
    exec(SOURCE, vars(module))
    sys.modules["noisy_library"] = module
    capture("noisy_library")
    capture("noisy_library")
    yield module
    del sys.modules["noisy_library"]


def test_collected_warnings_go_nowhere_else(library: types.ModuleType) -> None:
    with collected() as messages:
        library.one()
        library.two()
    assert messages == ["one", "two"]


def test_outside_they_are_warnings_as_ever(library: types.ModuleType) -> None:
    with pytest.warns(UserWarning, match="one"):
        library.one()
    with pytest.warns(UserWarning, match="two"):
        library.two()
    assert library.warnings.catch_warnings is warnings.catch_warnings


def test_nesting_and_errors_give_back_what_was(library: types.ModuleType) -> None:
    with collected() as outer:
        with pytest.raises(RuntimeError), collected() as inner:
            library.one()
            raise RuntimeError
        library.two()
    assert (outer, inner) == (["two"], ["one"])


def test_other_threads_are_not_collected(library: types.ModuleType) -> None:
    seen: list[str] = []

    def other() -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            library.one()
        seen.extend(str(w.message) for w in caught)

    with collected() as messages:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert (messages, seen) == ([], ["one"])


def test_modules_may_be_imported_meanwhile() -> None:
    """By another thread, while this one waits for the garbage collector; here by the collector itself."""
    imported: list[str] = []

    def imports(phase: str, info: dict[str, int]) -> None:
        imported.append(f"passing_{len(imported)}")
        sys.modules[imported[-1]] = types.ModuleType("passing")

    before = gc.get_threshold()
    gc.callbacks.append(imports)
    gc.set_threshold(5)
    try:
        assert loaded_modules("passing_none") == []
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(imports)
        for name in imported:
            del sys.modules[name]
    assert imported
