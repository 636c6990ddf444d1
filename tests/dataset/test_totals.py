from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from totals_and_keys import tallied

from pipeline.dataset.totals import Tally
from pipeline.records import SPLITS, FileReceipt, Receipt

COUNTS = st.dictionaries(st.sampled_from(["", "owl", "ü"]), st.integers(0, 9), max_size=3)


@st.composite
def receipt_lists(draw: st.DrawFn) -> list[Receipt]:
    """Receipts of different shards, in any order."""
    places = draw(st.lists(st.tuples(st.sampled_from(SPLITS), st.integers(0, 99_999)), unique=True, max_size=8))
    made = []
    for split, index in places:
        classes = {label: (n, n + 1) for label, n in draw(COUNTS).items()}
        files = [FileReceipt(f"{split}/{index}/{n}", n, n * 7, "0f") for n in range(draw(st.integers(0, 3)))]
        made.append(
            Receipt(
                split, index, draw(st.integers(0, 9)), draw(st.integers(0, 9)), 0, files[0] if files else None,
                tuple(files[1:]), draw(COUNTS), draw(COUNTS), draw(st.integers(0, 9)), classes,
            )
        )  # fmt: skip
    return made


def straightforward(receipts: list[Receipt]) -> dict[str, Any]:
    """The definition, over a list."""
    ordered = sorted(receipts, key=lambda r: r.key)
    splits = {}
    for split in SPLITS:
        mine = [r for r in ordered if r.split == split]
        classes = {c: [sum(r.classes.get(c, (0, 0))[n] for r in mine) for n in (0, 1)] for r in mine for c in r.classes}
        if mine:
            splits[split] = {
                "records": sum(r.records for r in mine),
                "samples": sum(r.samples for r in mine),
                "bytes": sum(r.data.bytes for r in mine if r.data),
                "classes": {c: {"records": n[0], "samples": n[1]} for c, n in classes.items()},
            }
    files = [(r.split, f) for r in ordered for f in r.dropped_files]
    return {
        "splits": splits,
        "dropped": {kind: dict(sum((Counter(getattr(r, kind)) for r in ordered), Counter())) for kind in
                    ("failed", "rejected")},
        "shards": [entry(r.split, r.data) for r in ordered if r.data],
        "dropped_shards": [entry(split, f) for split, f in files],
    }  # fmt: skip


def entry(split: str, file: FileReceipt) -> dict[str, Any]:
    return {"path": file.path, "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256, "split": split}


def without_zeros(stated: dict[str, Any]) -> dict[str, Any]:
    dropped = {kind: {reason: n for reason, n in found.items() if n} for kind, found in stated["dropped"].items()}
    return {**stated, "dropped": dropped}


@given(receipt_lists(), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_order_or_on_who_adds(receipts: list[Receipt], random: Any) -> None:
    wanted = straightforward(receipts)
    whole = tallied(receipts)
    assert without_zeros(whole.as_json()) == wanted
    assert whole.records == sum(r.records for r in receipts)
    assert whole.failed_records == sum(r.failed_records for r in receipts)
    shuffled = random.sample(receipts, len(receipts))
    middle = len(shuffled) // 2
    apart = Tally().merge(tallied(shuffled[middle:])).merge(tallied(shuffled[:middle]))
    assert apart.as_json() == whole.as_json()
    assert apart.names == {r.name for r in receipts}


def test_a_shard_counts_once() -> None:
    one = Receipt("train", 3, 5, 10, 5, FileReceipt("a", 10, 100, "0f"), classes={"x": (5, 10)})
    assert tallied([one, one]).as_json() == tallied([one]).as_json()


def test_what_is_listed_is_in_the_order_of_indices_not_of_names() -> None:
    def data(index: int) -> Receipt:
        return Receipt("test", index, 1, 1, 1, FileReceipt(f"test/part-{index:05d}.parquet", 1, 1, "0f"))

    listed = tallied([data(100_000), data(99_999)]).as_json()["shards"]
    assert [entry["path"] for entry in listed] == ["test/part-99999.parquet", "test/part-100000.parquet"]


def test_sums_leave_the_receipts_alone() -> None:
    one = Receipt("train", 0, 1, 2, 1, None, classes={"x": (1, 2)}, failed={"corrupt": 1})
    tallied([one]).merge(tallied([Receipt("train", 1, 1, 2, 1, None, classes={"x": (1, 2)}, failed={"corrupt": 1})]))
    assert (one.classes, one.failed) == ({"x": (1, 2)}, {"corrupt": 1})
    with pytest.raises(AttributeError):
        one.records = 2  # type: ignore[misc]
