import os
import platform
import threading
import time
from collections.abc import Iterator

import orjson
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from pipeline.errors import RunFailed
from pipeline.storage import lock as exclusive
from pipeline.storage.folder import Folder
from pipeline.storage.layout import LOCK
from pipeline.storage.lock import guarded, held, probe_put_if_absent

HOME = Folder("memory://bucket/version")


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    MemoryFileSystem.store.clear()
    monkeypatch.setattr(exclusive, "SETTLE_SECONDS", 0.05)
    yield
    assert HOME.names() == []


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that ignores the condition, as some copies of S3 do."""

    def put(self: Folder, name: str, data: bytes) -> bool:
        self.put(name, data)
        return True

    monkeypatch.setattr(Folder, "put_if_absent", put)


def lock(**changes: object) -> None:
    now = time.time()
    there = {"host": "elsewhere", "pid": 1, "started": now, "renewed": now, **changes}
    HOME.put(LOCK, orjson.dumps(there))


def test_a_store_that_can_is_not_locked() -> None:
    assert probe_put_if_absent(HOME)
    with guarded(HOME) as warnings, guarded(HOME):
        assert warnings == []
        assert HOME.names() == []


@pytest.mark.usefixtures("careless")
def test_a_store_that_cannot_is_named_and_locked() -> None:
    assert not probe_put_if_absent(HOME)
    with guarded(HOME) as warnings:
        (warning,) = warnings
        assert "ignores put-if-absent" in warning
        holder = orjson.loads(HOME.read(LOCK))
        assert (holder["host"], holder["pid"]) == (platform.node(), os.getpid())
        with pytest.raises(RunFailed, match=rf"process {os.getpid()} on {platform.node()}.*remove"), guarded(HOME):
            pass
        assert HOME.names() == [LOCK]


def test_another_living_run_is_refused_and_its_lock_stays() -> None:
    lock()
    with pytest.raises(RunFailed, match="process 1 on elsewhere"), held(HOME):
        pass
    assert HOME.names() == [LOCK]
    HOME.remove(LOCK)


@pytest.mark.parametrize("left", [{"renewed": 0.0}, {"host": platform.node(), "pid": 2**22 - 1}])
def test_what_the_dead_left_is_taken_over_with_a_word(left: dict[str, object]) -> None:
    lock(**left)
    with held(HOME) as word:
        assert "no longer runs" in word


def test_what_is_no_lock_is_replaced() -> None:
    HOME.put(LOCK, b"{half")
    with held(HOME) as word:
        assert word == ""


def test_one_of_many_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is written by all, so the last one has it."""
    monkeypatch.setattr(exclusive, "SETTLE_SECONDS", 0.5)
    start, got, refused = threading.Barrier(6), [], []
    clock, now = iter(range(6)), time.time()
    monkeypatch.setattr(exclusive.time, "time", lambda: now + next(clock, 0) / 1000)

    def race() -> None:
        start.wait()
        try:
            with held(HOME):
                got.append(1)
                time.sleep(0.6)
        except RunFailed as error:
            refused.append(error)

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 5)


def test_it_is_renewed_and_a_loss_is_noticed() -> None:
    with pytest.raises(RunFailed, match="another run"), held(HOME, renew=0.02):
        first = orjson.loads(HOME.read(LOCK))
        time.sleep(0.15)
        second = orjson.loads(HOME.read(LOCK))
        assert second["renewed"] > first["renewed"] == first["started"] == second["started"]
        lock()
        time.sleep(0.15)
    assert orjson.loads(HOME.read(LOCK))["host"] == "elsewhere"
    HOME.remove(LOCK)


def test_a_probe_whose_first_answer_was_lost_is_no_careless_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The put was tried again and found its own object there."""
    put, answers = Folder.put_if_absent, iter([False])
    monkeypatch.setattr(Folder, "put_if_absent", lambda *given: put(*given) and next(answers, True))
    assert probe_put_if_absent(HOME)
