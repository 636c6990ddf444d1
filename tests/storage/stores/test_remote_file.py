import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.stores import remote_file
from pipeline.storage.stores.remote_file import RemoteFile

DATA = bytes(range(251)) * (20 * 2**20 // 251)
MIB = 2**20


class Requests:
    """Answers ranges of DATA and counts them."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def __call__(self, begin: int, end: int) -> bytes:
        self.asked.append((begin, end))
        return DATA[begin:end]


def test_reading_on_and_on_takes_few_large_requests() -> None:
    requests = Requests()
    file = RemoteFile(requests, len(DATA))
    read = b"".join(iter(lambda: file.read(1 << 16), b""))
    assert read == DATA
    assert len(requests.asked) < 12
    assert sum(end - begin for begin, end in requests.asked) == len(DATA)
    file.close()
    assert file.closed


def test_jumping_about_asks_for_no_more_than_is_read() -> None:
    requests = Requests()
    file = RemoteFile(requests, len(DATA))
    for place in (5_000_000, 100, 9_000_000, 77):
        file.seek(place)
        assert file.read(10) == DATA[place : place + 10]
    assert sum(end - begin for begin, end in requests.asked) == 40


def test_two_columns_in_turn_are_two_lanes() -> None:
    requests = Requests()
    file = RemoteFile(requests, len(DATA))
    places = [0, 10_000_000]
    for _ in range(100):
        for n, place in enumerate(places):
            file.seek(place)
            assert file.read(50_000) == DATA[place : place + 50_000]
            places[n] += 50_000
    assert len(requests.asked) < 20


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 900), st.booleans()), max_size=40))
def test_it_reads_what_a_file_reads(moves: list[tuple[int, int, bool]]) -> None:
    data = DATA[:2_500]
    file = RemoteFile(lambda begin, end: data[begin:end], len(data))
    at = 0
    for place, count, jump in moves:
        if jump:
            at = file.seek(place)
        assert file.read(count) == data[at : at + count]
        at = file.tell()
    assert file.seek(-5, 2) == 2_495
    assert file.read() == data[-5:]
    assert file.read() == b""


def test_one_long_read_is_a_few_large_requests_that_end_where_parts_of_uploads_do() -> None:
    """Though none is on its way before there is room for it."""
    data, asked, held, most = DATA * 3, [], [0], [0]
    changing = threading.Lock()

    def fetch(begin: int, end: int) -> memoryview:
        with changing:
            asked.append((begin, end))
            held[0] += end - begin
            most[0] = max(most[0], held[0])
        return memoryview(data)[begin:end]

    file = RemoteFile(fetch, len(data))
    file.seek(1_000)
    taken = file._piece

    def piece(*given: Any) -> memoryview:
        found = taken(*given)
        with changing:
            held[0] -= len(found)
        return found

    file._piece = piece  # type: ignore[method-assign]
    assert file.read(50 * MIB) == data[1_000 : 1_000 + 50 * MIB]
    assert sum(end - begin for begin, end in asked) == 50 * MIB
    assert all(end % (8 * MIB) == 0 for _, end in sorted(asked)[:-1])
    assert most[0] <= 5 * 8 * MIB


def test_what_fails_ahead_fails_when_it_is_read() -> None:
    def fetch(begin: int, end: int) -> bytes:
        if begin > 3 * 2**20:
            raise ConnectionError("gone")
        return DATA[begin:end]

    file = RemoteFile(fetch, len(DATA))
    with pytest.raises(ConnectionError):
        while file.read(1 << 20):
            pass


def test_an_object_that_shrank_is_noticed() -> None:
    file = RemoteFile(lambda begin, end: DATA[begin : min(end, 2_000_000)], len(DATA))
    with pytest.raises(EOFError):
        while file.read(1 << 20):
            pass


def test_threads_have_places_of_their_own() -> None:
    file, wrong = RemoteFile(lambda begin, end: DATA[begin:end], len(DATA)), []

    def read(start: int) -> None:
        for place in range(start, start + 200_000, 1_000):
            file.seek(place)
            if file.read(1_000) != DATA[place : place + 1_000]:
                wrong.append(place)

    threads = [threading.Thread(target=read, args=(n * 300_000,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert remote_file._pool() is remote_file._pool()
