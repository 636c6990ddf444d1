import pyarrow as pa
import pytest

from pipeline.dataset.lineage import label_weights, parents_of
from pipeline.records import Record, Rendered, Sample, Variant
from transforms.interface import Applied, Mixed

LABELS = {"p": ("tit",), "q": ("owl", "wet"), "r": ()}


def sample(*mixed: Mixed | None, labels: tuple[str, ...] = ("owl",)) -> Sample:
    applied = tuple(Applied("fanbeam.MixUp", "{}", mixed=step) for step in mixed)
    record = Record("own", "a.parquet", 0, labels, {}, pa.record_batch([pa.nulls(1)], names=[""]), 0)
    return Sample(record, Variant(1, b""), {"image": Rendered(b"", applied)})


def weights(made: Sample) -> dict[str, float]:
    return label_weights(made, LABELS)


def test_what_is_not_blended_has_no_parents_and_its_own_label() -> None:
    for plain in (sample(), sample(None), sample(Mixed(()))):
        assert parents_of(plain) == {}
        assert weights(plain) == {"owl": 1.0}


def test_shares_of_two_blends() -> None:
    made = sample(Mixed((("p", 0.25),)), Mixed((("q", 0.2), ("p", 0.3))))
    assert parents_of(made) == pytest.approx({"own": 0.375, "p": 0.425, "q": 0.2})
    assert weights(made) == pytest.approx({"owl": 0.575, "tit": 0.425, "wet": 0.2})
    assert list(parents_of(made)) == ["own", "p", "q"]


def test_the_same_class_twice_is_whole() -> None:
    assert weights(sample(Mixed((("q", 0.4),)), labels=("owl",))) == {"owl": 1.0, "wet": 0.4}


def test_a_background_without_a_label_is_a_parent_all_the_same() -> None:
    made = sample(Mixed((("p", 0.1),), labels=False))
    assert parents_of(made) == {"own": 0.9, "p": 0.1}
    assert weights(made) == {"owl": 1.0}


def test_records_of_several_classes_or_none() -> None:
    made = sample(Mixed((("r", 0.5),)), labels=("owl", "owl", "red"))
    assert weights(made) == {"owl": 0.5, "red": 0.5}
