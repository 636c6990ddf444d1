import pyarrow as pa
import pytest

from pipeline.records import Family, Record, Refusal, Rendered, Variant
from pipeline.rendering.gate import gate, sort_out

FAILED = Refusal("failed", "a", "augment", "augment_error")
REJECTED = Refusal("rejected", "b", "gate", "blank")
OTHER = Refusal("rejected", "a", "gate", "too_small")


def family(*rendered: dict[str, Rendered], refusal: Refusal | None = None) -> Family:
    record = Record("key", "f", 0, (), {}, pa.record_batch({"x": [1]}), 0)
    fields = {name: tuple(r[name] for r in rendered) for name in (rendered[0] if rendered else {})}
    return Family(record, tuple(Variant(n, b"") for n in range(len(rendered))), fields, refusal)


def test_everything_is_kept_or_dropped_with_a_reason() -> None:
    fine, bad = Rendered(b"1"), Rendered(None, refusal=FAILED)
    gated = sort_out(family({"a": fine}, {"a": bad}, {"a": fine}))
    assert [s.variant.copy for s in gated.samples] == [0, 2]
    assert [(d.copy, d.refusal) for d in gated.dropped] == [(1, FAILED)]


def test_a_family_that_failed_whole_is_one_dropped_record() -> None:
    gated = sort_out(family({"a": Rendered(b"1")}, refusal=FAILED))
    assert gated.samples == ()
    assert [(d.copy, d.refusal) for d in gated.dropped] == [(None, FAILED)]


@pytest.mark.parametrize(
    ("refusals", "wanted"),
    [
        ((None, None), None),
        ((OTHER, REJECTED), OTHER),
        ((REJECTED, OTHER), REJECTED),
        ((REJECTED, FAILED), FAILED),
        ((FAILED, REJECTED), FAILED),
        ((None, REJECTED), REJECTED),
    ],
)
def test_one_reason_a_copy(refusals: tuple[Refusal | None, ...], wanted: Refusal | None) -> None:
    gated = sort_out(family({name: Rendered(b"1", refusal=r) for name, r in zip("ab", refusals, strict=True)}))
    assert [d.refusal for d in gated.dropped] == [wanted] * (wanted is not None)
    assert len(gated.samples) == (wanted is None)


def test_each_sample_has_all_its_fields() -> None:
    gated = sort_out(family({"a": Rendered(b"1"), "b": Rendered("2")}, {"a": Rendered(b"3"), "b": Rendered("4")}))
    assert [{n: r.payload for n, r in s.rendered.items()} for s in gated.samples] == [
        {"a": b"1", "b": "2"}, {"a": b"3", "b": "4"},
    ]  # fmt: skip


def test_order_is_kept() -> None:
    families = [family({"a": Rendered(b"1")}) for _ in range(3)]
    assert [g.record for g in gate(iter(families))] == [f.record for f in families]
