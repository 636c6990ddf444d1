from collections.abc import Iterable
from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from pipeline.planning.donors.sampling import LARGEST, Shelf

Records = dict[str, tuple[str | None, ...]]
RECORDS: st.SearchStrategy[Records] = st.dictionaries(
    st.text(max_size=4),
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=1).map(tuple),
    max_size=60,
)
SIZES = st.integers(1, 12)


def digest(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=2).digest(), "big")  # short: some are equal


def shelf_of(records: Records, size: int, order: Iterable[str] | None = None) -> Shelf[str]:
    shelf: Shelf[str] = Shelf(size)
    for key in records if order is None else order:
        for name in records[key]:
            shelf.add(name, digest(key), key, key)
    return shelf


def by_definition(records: Records, size: int) -> list[str]:
    """First of each class, second of each, and so on; in each round by digest."""
    places = []
    for name in {name for names in records.values() for name in names}:
        members = sorted((digest(key), key) for key, names in records.items() if name in names)
        places += [(rank, *member) for rank, member in enumerate(members)]
    return list(dict.fromkeys(key for _, _, key in sorted(places)[:size]))


@given(RECORDS, SIZES, st.randoms(use_true_random=False))
def test_the_shelf_is_its_definition_in_any_order_and_however_it_is_merged(
    records: Records, size: int, random: st.DataObject
) -> None:
    wanted = by_definition(records, size)
    shuffled = random.sample(list(records), len(records))  # type: ignore[attr-defined]
    assert shelf_of(records, size, shuffled).found() == wanted
    half = len(records) // 2
    parts = [shelf_of(records, size, part) for part in (shuffled[:half], shuffled[half:])]
    assert parts[1].merge(parts[0]).found() == wanted


@given(RECORDS, SIZES, st.sampled_from(["a", "b", "d"]))
def test_a_new_record_changes_at_most_two_places(records: Records, size: int, name: str) -> None:
    before = set(shelf_of(records, size).found())
    added = {**records, "a new one": (name,)}
    after = set(shelf_of(added, size).found())
    assert len(after) == min(size, len(added))
    assert len(before - after) <= 2
    assert len(after - before) <= 2


@given(RECORDS, SIZES)
def test_classes_get_places_alike_as_far_as_they_have_records(records: Records, size: int) -> None:
    found = shelf_of(records, size).found()
    counts = {name: sum(records[key] == (name,) for key in found) for name in ("a", "b", "c")}
    sizes = {name: sum(names == (name,) for names in records.values()) for name in counts}
    unfilled = [counts[name] for name in counts if counts[name] < sizes[name]]
    assert not unfilled or max(counts.values()) - min(unfilled) <= 1


@given(RECORDS, SIZES, st.randoms(use_true_random=False))
def test_what_lies_beyond_the_bound_need_not_be_shown(records: Records, size: int, random: st.DataObject) -> None:
    shelf: Shelf[str] = Shelf(size)
    for key in random.sample(list(records), len(records)):  # type: ignore[attr-defined]
        for name in records[key]:
            if digest(key) <= shelf.bound(name):
                shelf.add(name, digest(key), key, key)
    assert shelf.found() == by_definition(records, size)


def test_what_is_held_is_bounded_whatever_the_number_of_classes() -> None:
    shelf: Shelf[int] = Shelf(16)
    for number in range(5_000):
        shelf.add(f"class {number}", digest(f"r{number}") * 65_537, f"r{number}", number)
        assert sum(map(len, shelf._classes.values())) <= 32
    assert shelf.bound("unseen") < LARGEST / 2
    one: Shelf[int] = Shelf(16)
    for number in range(5_000):
        one.add(None, number, f"r{number}", number)
        assert sum(map(len, one._classes.values())) <= 32
    assert one.found() == list(range(16))


def test_a_record_of_several_classes_is_there_once() -> None:
    records: Records = {"x": ("a", "b"), "y": ("a",), "z": ("b",)}
    assert sorted(shelf_of(records, 4).found()) == ["x", "y", "z"]
