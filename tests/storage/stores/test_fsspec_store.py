"""What any file system of fsspec may do, shown by one that does it on request."""

import errno
from datetime import UTC, datetime
from json import JSONDecodeError
from typing import Any

import pytest

from pipeline.storage.stores import retries
from pipeline.storage.stores.fsspec_store import FsspecStore, found_of
from pipeline.storage.stores.store_errors import StoreFailed


class HttpError(Exception):
    """As gcsfs has it."""

    def __init__(self, code: int) -> None:
        super().__init__("no")
        self.code = code


class Odd:
    """Raises what it is given, one after another, and then answers."""

    def __init__(self, *errors: Exception, data: bytes = b"12345", size: int = 5) -> None:
        self.errors, self.data, self.size, self.calls = list(errors), data, size, 0

    def _answer(self) -> bytes:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.data

    def cat_file(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        return self._answer()[start:end]

    def pipe_file(self, path: str, data: bytes, mode: str = "overwrite") -> None:
        self._answer()

    def info(self, path: str) -> dict[str, Any]:
        return {"name": path, "size": self.size, "type": "file"}

    def invalidate_cache(self, path: str | None = None) -> None:
        pass


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_FIRST_SECONDS", 0.001)


@pytest.mark.parametrize(
    "error",
    [
        HttpError(503),
        HttpError(429),
        HttpError(500),
        ConnectionResetError(),
        TimeoutError(),
        JSONDecodeError("Unterminated string", '{"name": "', 9),
    ],
)
def test_what_passes_is_tried_again(error: Exception) -> None:
    odd = Odd(error, error)
    assert FsspecStore("odd://x", odd).read("a") == b"12345"
    assert odd.calls == 3


@pytest.mark.parametrize("error", [HttpError(403), PermissionError("no"), ValueError("odd")])
def test_what_does_not_pass_is_told_at_once(error: Exception) -> None:
    odd = Odd(error)
    with pytest.raises(StoreFailed):
        FsspecStore("odd://x", odd).read("a")
    assert odd.calls == 1


def test_attempts_end() -> None:
    odd = Odd(*[HttpError(503)] * 100)
    with pytest.raises(StoreFailed, match="too busy"):
        FsspecStore("odd://x", odd).read("a")
    assert odd.calls == 5


def test_a_short_answer_is_no_answer() -> None:
    odd = Odd(data=b"12", size=5)
    with pytest.raises(StoreFailed):
        FsspecStore("odd://x", odd).read_range("a", 0, 4)
    assert odd.calls == 5
    assert FsspecStore("odd://x", Odd(size=5)).read_range("a", 3, 9) == b"45"


@pytest.mark.parametrize("error", [FileExistsError(), OSError(errno.EINVAL, "precondition")])
def test_a_lost_race_is_no_error(error: Exception) -> None:
    assert not FsspecStore("odd://x", Odd(error)).put_if_absent("a", b"1")
    assert FsspecStore("odd://x", Odd()).put_if_absent("a", b"1")


@pytest.mark.parametrize("error", [HttpError(403), TimeoutError()])
def test_a_dead_link_is_a_failed_record(error: Exception) -> None:
    with pytest.raises(OSError, match="http://x/a"):
        FsspecStore("http://x", Odd(*[error] * 9)).read("http://x/a")


def test_the_best_tag_of_a_store_is_taken() -> None:
    found = found_of("a", {"size": 3, "ETag": '"abc"', "LastModified": "now"})
    assert (found.size, found.tag) == (3, "etag:abc")
    assert found_of("a", {"size": None}).tag == "none"
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert found_of("a", {"created": moment}).tag == found_of("a", {"created": moment.timestamp()}).tag
