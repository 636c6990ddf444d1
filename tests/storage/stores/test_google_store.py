"""Google Cloud Storage: what answers prove, and what is known before anything is asked."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.storage.stores import retries
from pipeline.storage.stores.google_store import GoogleStore, google_file_system, proven
from pipeline.storage.stores.store_errors import StoreFailed

DATA = b"0123456789" * 10
HASH = "crc32c=kM3zbg==,md5=egiwfoRkFwPl8sg2qlmhcA=="


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_FIRST_SECONDS", 0.001)


class Fake:
    """A file system that answers what it is given, one after another."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), []  # type: ignore[var-annotated]

    def url(self, key: str) -> str:
        return f"http://store/{key}"

    def call(self, method: str, path: str, *more: str, headers: Any = None, **limits: Any) -> Any:
        self.asked.append((path, headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_whole_answer_is_held_against_its_checksum() -> None:
    headers = {"x-goog-hash": HASH, "x-goog-stored-content-encoding": "identity"}
    assert proven(DATA, headers) == DATA
    for wrong in (DATA[:50], b"x" + DATA[1:]):
        with pytest.raises(TimeoutError):
            proven(wrong, headers)


def test_a_part_is_held_against_its_length() -> None:
    headers = {"content-range": "bytes 5-9/100", "x-goog-hash": HASH}
    assert proven(DATA[5:10], headers) == DATA[5:10]
    with pytest.raises(TimeoutError):
        proven(DATA[5:8], headers)


def test_what_was_unpacked_on_the_way_or_says_nothing_is_taken() -> None:
    assert proven(b"1", {"x-goog-hash": HASH, "x-goog-stored-content-encoding": "gzip"}) == b"1"
    assert proven(b"1", {"x-goog-hash": "md5=abc"}) == b"1"
    assert proven(b"1", {}) == b"1"


def test_a_short_answer_is_asked_for_again() -> None:
    headers = {"X-Goog-Hash": HASH}
    fake = Fake((headers, DATA[:9]), (headers, DATA))
    assert GoogleStore("gs://b", fake).read("b/a") == DATA
    part = Fake(({"Content-Range": "bytes 0-9/100"}, DATA[:3]), ({"Content-Range": "bytes 0-9/100"}, DATA[:10]))
    assert GoogleStore("gs://b", part).read_range("b/a", 0, 10) == DATA[:10]
    assert [headers for _, headers in part.asked] == [{"Range": "bytes=0-9"}] * 2


def test_one_that_is_short_several_times_is_asked_for_as_often_as_any_other() -> None:
    """gcsfs does not see it, so none of its own requests makes up for it."""
    headers = {"X-Goog-Hash": HASH}
    fake = Fake(*[(headers, DATA[:9])] * 4, (headers, DATA))
    assert GoogleStore("gs://b", fake).read("b/a") == DATA


def test_what_stays_short_is_refused() -> None:
    with pytest.raises(StoreFailed, match="failed through every attempt"):
        GoogleStore("gs://b", Fake(*[({"X-Goog-Hash": HASH}, DATA[:9])] * 20)).read("b/a")


def test_a_missing_bucket_is_told_and_an_empty_one_is_fine() -> None:
    GoogleStore("gs://b", Fake(({}, b"{}"))).reach()
    with pytest.raises(StoreFailed, match="no such bucket"):
        GoogleStore("gs://b", Fake(FileNotFoundError("b"))).reach()


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), (b"{x", "no JSON"), (b"[1]", "no credentials")]
)
def test_a_broken_key_file_is_told_before_anything_is_asked(
    content: bytes | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    if content is not None:
        (tmp_path / "key.json").write_bytes(content)
    with pytest.raises(StoreFailed, match=said):
        google_file_system("gs://b/x")
