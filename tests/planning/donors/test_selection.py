from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.schema import JobConfig
from pipeline.planning.donors.selection import Candidates, Search, keep, kept, wanted
from pipeline.planning.keys import Key, digests, key_block, keys_at
from pipeline.records import InputFile, Record, Refusal, Split, Unit
from pipeline.sources.parquet.reader import ParquetReader
from pipeline.storage.folder import Folder

UNIT = Unit("a.parquet", rows=100, bytes=1000)


def config(*references: dict[str, Any]) -> JobConfig:
    steps = [{"albumentations.FDA": {"reference": reference}} for reference in references]
    fields = {"image": {"type": "image", "augment": steps}}
    return JobConfig.model_validate({"input": {"path": "x"}, "output": {"path": "y"}, "fields": fields})


def key(name: str, *labels: str, split: Split = "train", refusal: Refusal | None = None) -> Key:
    return Key(name, "a.parquet", 0, labels, split, True, refusal)


def found(keys: list[Key], scope: str = "same_class", count: int = 3) -> Candidates:
    search = Search(config({"records": scope, "count": count}))
    for row, one in enumerate(keys):
        search.see(replace(one, row=row), UNIT, row)
    candidates = search.found()
    assert candidates is not None
    return candidates


def record(name: str, *labels: str) -> Record:
    return Record(name, "a.parquet", 0, labels, {}, pa.record_batch([pa.nulls(1)], names=[""]), 0)


def test_the_most_demanding_step_decides() -> None:
    both = config({"records": "any", "count": 2}, {"records": "any", "count": 5}, {"records": "same_class"})
    assert wanted(both) == {"any": 5, "same_class": 32}
    assert wanted(config({"folder": "x"}, {"records": "nothing"})) == {}
    assert not Search(config()).asked
    assert Search(config()).found() is None


def test_only_training_records_without_fault_and_never_the_record_itself() -> None:
    fault = Refusal("failed", "label", "read", "null_label")
    keys = [key("a", "x"), key("b", "x", split="test"), key("c", "x", refusal=fault), key("d", "x"), key("e", "y")]
    candidates = found(keys)
    assert {c.key for c in candidates.classes["x"]} == {"a", "d"}
    assert [c.key for c in candidates.of(record("a", "x"), "same_class", 3)] == ["d"]
    assert candidates.of(record("e", "y"), "same_class", 3) == ()
    assert candidates.of(record("a"), "same_class", 3) == ()


def test_a_record_of_several_classes_has_the_candidates_of_all() -> None:
    keys = [key("a", "x", "y"), key("b", "x"), key("c", "y", "y"), key("d", "z")]
    assert {c.key for c in found(keys).of(record("a", "x", "y"), "same_class", 9)} == {"b", "c"}


@given(st.sets(st.text(max_size=6), min_size=1, max_size=60), st.integers(1, 8), st.randoms(use_true_random=False))
def test_candidates_do_not_depend_on_order_and_a_new_record_moves_at_most_one(
    names: set[str], count: int, random: Any
) -> None:
    keys = [key(name, "x") for name in sorted(names)]
    shuffled = random.sample(keys, len(keys))
    ordered = [c.key for c in found(keys, count=count).classes["x"]]
    assert [c.key for c in found(shuffled, count=count).classes["x"]] == ordered
    assert len(ordered) == min(len(names), count + 1)
    added = {c.key for c in found([*keys, key("a new one", "x")], count=count).classes["x"]}
    assert len(set(ordered) - added) <= 1
    everyone = found(keys, "any", count)
    assert [c.key for c in everyone.everyone] == ordered
    assert len(everyone.of(record(ordered[0]), "any", count)) == min(len(names) - 1, count)


def test_a_candidate_of_a_folder_takes_only_its_own_file_along() -> None:
    members = tuple(InputFile(f"x/{n}.png", n, "t") for n in range(50))
    search = Search(config({"records": "any", "count": 1}))
    for row in range(50):
        search.see(replace(key(f"x/{row}.png"), file=f"x/{row}.png"), Unit("x/0.png", 50, 9, members=members), row)
    candidates = search.found()
    assert candidates is not None
    for candidate in candidates.everyone:
        assert candidate.block is not None
        assert [m.path for m in candidate.block.unit.members] == [candidate.file]
        assert (candidate.block.start, candidate.block.stop) == (0, 1)


def test_what_is_kept_beside_the_plan_comes_back_without_blocks(tmp_path: Path) -> None:
    folder = Folder.at(str(tmp_path))
    assert kept(folder) is None
    keep(folder, None)
    assert kept(folder) is None
    candidates = found([key("a", "x"), key("b", "y")])
    keep(folder, candidates)
    back = kept(folder)
    assert back is not None
    assert {name: [(c.key, c.file, c.row) for c in cs] for name, cs in back.classes.items()} == {
        "x": [("a", "a.parquet", 0)],
        "y": [("b", "a.parquet", 1)],
    }
    assert all(c.block is None for cs in back.classes.values() for c in cs)


def blending(shelf: int, *names: str) -> JobConfig:
    fields = {"image": {"type": "image", "augment": [f"fanbeam.{name}" for name in names]}}
    tree = {"input": {"path": "x"}, "output": {"path": "y"}, "fields": fields, "blends": {"shelf": shelf}}
    return JobConfig.model_validate(tree)


def donors(keys: list[Key], shelf: int) -> Candidates:
    search = Search(blending(shelf, "MixUp"))
    for row, one in enumerate(keys):
        search.see(replace(one, row=row), UNIT, row)
    candidates = search.found()
    assert candidates is not None
    return candidates


def test_donors_are_training_records_without_fault_spread_over_the_classes() -> None:
    fault = Refusal("failed", "label", "read", "null_label")
    many = [key(f"x{n}", "x") for n in range(40)]
    others = [key("b", "x", split="test"), key("c", "x", refusal=fault), key("d", "y"), key("e"), key("f", "y", "z")]
    shelf = donors([*many, *others], 8)
    assert len(shelf.donors) == 7  # a record of two classes takes two places
    found = {c.key for c in shelf.donors}
    assert {"d", "e", "f"} < found
    assert not found & {"b", "c"}
    assert [c.labels for c in shelf.donors if c.key == "f"] == [("y", "z")]
    assert shelf.classes == {}


def test_partners_by_class_and_never_the_record_itself() -> None:
    shelf = donors([key("a", "x"), key("b", "x", "y"), key("c", "y"), key("d", "z"), key("e")], 16)

    def partners(own: Record, scope: str) -> set[str]:
        return {c.key for c in shelf.partners(own, scope)}

    assert partners(record("a", "x"), "any") == {"b", "c", "d", "e"}
    assert partners(record("a", "x"), "same_class") == {"b"}
    assert partners(record("a", "x"), "other_class") == {"c", "d", "e"}
    assert partners(record("new", "y"), "same_class") == {"b", "c"}
    assert partners(record("d", "z"), "same_class") == set()
    assert shelf.labels() == {"a": ("x",), "b": ("x", "y"), "c": ("y",), "d": ("z",), "e": ()}


def test_donors_come_back_with_their_labels(tmp_path: Path) -> None:
    folder = Folder.at(str(tmp_path))
    shelf = donors([key("a", "x"), key("b", "x", "y")], 16)
    keep(folder, shelf)
    back = kept(folder)
    assert back is not None
    assert back.donors == tuple(replace(donor, block=None) for donor in shelf.donors)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
LABELED = st.lists(st.tuples(NAMES, st.none() | st.lists(st.sampled_from("xyz"), max_size=3)), max_size=40)


@given(
    LABELED,
    st.integers(1, 4),
    st.integers(1, 9),
    st.sampled_from([("any",), ("same_class",), ("any", "same_class"), ("blend",), ("any", "same_class", "blend")]),
)
def test_what_is_not_promising_is_never_a_candidate(
    rows: list[tuple[str, Any]], count: int, at_once: int, scopes: tuple[str, ...]
) -> None:
    """Looking only at the promising ones, block by block, finds what looking at each finds."""
    named = [(f"{key}{n}", labels) for n, (key, labels) in enumerate(rows)]
    tree = config(*({"records": scope, "count": count} for scope in scopes if scope != "blend")).model_dump(mode="json")
    tree["input"] |= {"id": "id", "label": "label"}
    if "blend" in scopes:
        tree["fields"]["image"]["augment"].append("fanbeam.MixUp")
        tree["blends"] = {"shelf": count + 1}
    looking = JobConfig.model_validate({**tree, "split": {"test": 0.3}})
    reader = ParquetReader(Folder("/in"), ())
    some, every = Search(looking), Search(looking)
    seen = 0
    for first in range(0, len(named), at_once):
        part = named[first : first + at_once]
        schema = pa.schema({"id": pa.string(), "label": pa.list_(pa.string())})
        batch = pa.RecordBatch.from_pylist([{"id": key, "label": labels} for key, labels in part], schema)
        block = key_block(looking, reader, UNIT, batch, first)
        places = some.promising(block, digests(block.keys.to_pylist()))
        assert places == sorted(set(places))
        seen += len(places)
        for place, one in zip(places, keys_at(looking, reader, block, places), strict=True):
            some.see(one, UNIT, first + place)
        for place, one in enumerate(keys_at(looking, reader, block, range(len(part)))):
            every.see(one, UNIT, first + place)
    assert some.found() == every.found()
    assert seen <= sum(labels is not None for _, labels in named)
