import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from pipeline.dataset.rows import dropped_table
from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.text import TextCodec
from pipeline.planning.seeds import field_seed, variant_seed
from pipeline.records import Family, Record, Refusal, Variant
from pipeline.rendering.augment import RETRY, augment
from pipeline.rendering.fan_out import ORIGINAL
from pipeline.rendering.field_processor import FieldTools
from pipeline.rendering.gate import sort_out
from pipeline.rendering.guards import clean_message
from pipeline.rendering.quality import TextQuality
from transforms.interface import Applied
from transforms.values import TextValue

Step = Callable[[str, bytes], str]


class Steps:
    """A recipe of plain functions that notes the seeds that it is given."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        self.seeds: list[bytes] = []

    def __len__(self) -> int:
        return len(self.steps)

    def apply(self, value: TextValue, seed: bytes) -> tuple[TextValue, tuple[Applied, ...]]:
        self.seeds.append(seed)
        text = value.text
        for step in self.steps:
            text = step(text, seed)
        return TextValue(text), tuple(Applied(s.__name__, "{}") for s in self.steps)


def mark(text: str, seed: bytes) -> str:
    return f"{text} {seed.hex()[:4]}"


def upper(text: str, _: bytes) -> str:
    return text.upper()


def tools(
    prepare: Any = None, augment: Any = None, gate: Any = None, retries: int = 0, name: str = "text"
) -> FieldTools:
    return FieldTools(name, "text", TextCodec(), prepare or Steps(), augment or Steps(), gate, retries)


VARIANTS = (ORIGINAL, *(Variant(n, variant_seed(17, "key", n)) for n in (1, 2)))


def family(payload: Any = "words", variants: Any = VARIANTS, refusal: Any = None, **more: Any) -> Family:
    batch = pa.record_batch({"x": [1]})
    return Family(Record("key", "file", 0, (), {"text": payload, **more}, batch, 0), variants, refusal=refusal)


def rendered(fields: Any, of: Family | None = None) -> Family:
    (found,) = augment(fields if isinstance(fields, tuple) else (fields,), 17, iter([of or family()]))
    return found


def payloads(found: Family, name: str = "text") -> list[Any]:
    return [r.payload for r in found.rendered[name]]


def test_copy_0_is_untouched_and_copies_are_drawn_from_their_seeds() -> None:
    steps = Steps(mark)
    found = rendered(tools(augment=steps))
    wanted = [field_seed(v.seed, "text", "augment", 0) for v in VARIANTS[1:]]
    assert steps.seeds == wanted
    assert payloads(found) == ["words", *(f"words {s.hex()[:4]}" for s in wanted)]
    assert [len(r.applied) for r in found.rendered["text"]] == [0, 1, 1]


def test_prepare_is_done_once_for_all_variants() -> None:
    steps = Steps(upper)
    found = rendered(tools(prepare=steps, augment=Steps(mark)))
    assert len(steps.seeds) == 1
    assert [p.split()[0] for p in payloads(found)] == ["WORDS"] * 3
    assert [[a.name for a in r.applied] for r in found.rendered["text"]] == [["upper"], *[["upper", "mark"]] * 2]


def test_without_augment_steps_copies_repeat_the_original() -> None:
    assert payloads(rendered(tools())) == ["words"] * 3
    assert payloads(rendered(tools(prepare=Steps(upper)))) == ["WORDS"] * 3


def test_without_the_original() -> None:
    assert len(payloads(rendered(tools(augment=Steps(mark)), family(variants=VARIANTS[1:])))) == 2


def test_each_field_draws_apart() -> None:
    one, two = Steps(mark), Steps(mark)
    found = rendered((tools(augment=one), tools(augment=two, name="other")), family(other="more"))
    assert set(one.seeds).isdisjoint(two.seeds)
    assert list(found.rendered) == ["text", "other"]


def test_order_and_company_do_not_matter() -> None:
    alone = payloads(rendered(tools(augment=Steps(mark))))
    other = Family(Record("zzz", "f", 1, (), {"text": "zzz"}, pa.record_batch({"x": [1]}), 0), VARIANTS)
    together = list(augment((tools(augment=Steps(mark)),), 17, iter([other, family(), other])))
    assert payloads(together[1]) == alone


def test_a_null_payload_fails_whole() -> None:
    found = rendered(tools(augment=Steps(mark)), family(None))
    assert found.refusal is not None
    assert (found.refusal.stage, found.refusal.reason) == ("read", "null_payload")


@pytest.mark.parametrize("prepare", [Steps(), Steps(upper)])
def test_what_cannot_be_decoded_fails_whole_in_every_split(prepare: Steps) -> None:
    for variants in (VARIANTS, (ORIGINAL,)):
        found = rendered(tools(prepare=prepare), family(b"\xff", variants))
        assert found.refusal is not None
        assert (found.refusal.kind, found.refusal.stage, found.refusal.reason) == ("failed", "decode", "not_text")


def test_a_step_that_raises_in_prepare_fails_whole() -> None:
    def breaks(*_: object) -> str:
        raise KeyError("odd")

    found = rendered(tools(prepare=Steps(breaks)))
    assert found.refusal == Refusal("failed", "text", "prepare", "prepare_error", "KeyError", "'odd'")


def test_a_copy_that_raises_fails_alone() -> None:
    def breaks_once(text: str, seed: bytes) -> str:
        if seed == field_seed(VARIANTS[1].seed, "text", "augment", 0):
            raise MemoryError
        return text + "!"

    gated = sort_out(rendered(tools(augment=Steps(breaks_once))))
    assert [s.variant.copy for s in gated.samples] == [0, 2]
    (dropped,) = gated.dropped
    assert (dropped.copy, dropped.refusal.reason, dropped.refusal.error) == (1, "out_of_memory", "MemoryError")


def test_a_copy_that_cannot_be_encoded_fails_alone() -> None:
    def half(*_: object) -> str:
        return "\ud800"

    gated = sort_out(rendered(tools(augment=Steps(half))))
    assert [d.refusal.stage for d in gated.dropped] == ["encode", "encode"]
    assert [s.variant.copy for s in gated.samples] == [0]


def test_what_stops_the_process_is_not_caught() -> None:
    def stops(*_: object) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rendered(tools(augment=Steps(stops)))


def test_a_refused_family_passes() -> None:
    refusal = Refusal("failed", "id", "read", "null_id")
    steps = Steps(mark)
    found = rendered(tools(augment=steps), family(refusal=refusal))
    assert (found.refusal, found.rendered, steps.seeds) == (refusal, {}, [])


def test_a_field_that_fails_spares_the_next_ones_the_work() -> None:
    steps = Steps(mark)
    found = rendered((tools(), tools(augment=steps, name="other")), family(None, other="more"))
    assert found.refusal is not None
    assert steps.seeds == []


UNCHANGED = TextQuality(reject_unchanged=True)


def changes_at(attempt: int) -> Step:
    """A step that changes nothing before its retry of this number."""
    wanted = {field_seed(v.seed, "text", "augment", attempt) for v in VARIANTS}

    def sometimes(text: str, seed: bytes) -> str:
        return text + "!" if seed in wanted else text

    return sometimes


def test_a_retry_has_its_own_seed_and_stands_in_the_lineage() -> None:
    found = rendered(tools(augment=Steps(changes_at(2)), gate=UNCHANGED, retries=3))
    assert payloads(found) == ["words", "words!", "words!"]
    first = found.rendered["text"][1].applied[0]
    assert first.name == RETRY
    assert json.loads(first.params) == {"attempt": 2, "refused": ["unchanged", "unchanged"]}


def test_no_retry_no_mention() -> None:
    found = rendered(tools(augment=Steps(mark), gate=UNCHANGED, retries=3))
    assert [a.name for r in found.rendered["text"] for a in r.applied] == ["mark", "mark"]


@pytest.mark.parametrize("retries", [0, 1])
def test_when_all_retries_are_refused_the_copy_is_rejected(retries: int) -> None:
    steps = Steps(changes_at(2))
    gated = sort_out(rendered(tools(augment=steps, gate=UNCHANGED, retries=retries)))
    assert [s.variant.copy for s in gated.samples] == [0]
    assert [(d.copy, d.refusal.kind, d.refusal.stage, d.refusal.reason) for d in gated.dropped] == [
        (1, "rejected", "gate", "unchanged"), (2, "rejected", "gate", "unchanged"),
    ]  # fmt: skip
    assert len(steps.seeds) == len(set(steps.seeds)) == 2 * (retries + 1)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ValueError("a picture of 80x60"), "a picture of 80x60"),
        (ValueError("<Foo object at 0x7F3d238db920>"), "<Foo object at <address>>"),
        (OSError(2, "No such file", "/tmp/abc123/x.wav"), "[Errno 2] No such file: '<temporary path>'"),
        (ValueError("in /dev/shm/x: bad, /var/folders/ab/cd"), "in <temporary path>: bad, <temporary path>"),
        (ValueError("a mask of 20x10 on 30x20 pixels"), "a mask of 20x10 on 30x20 pixels"),
        (ValueError(" \n padded \n"), "padded"),
        (ValueError(), ""),
        (ValueError("x" * 501), "x" * 500 + "…"),
        (CodecError("corrupt", "half"), "half"),
    ],
)
def test_messages_are_reproducible(raised: Exception, said: str) -> None:
    assert clean_message(raised) == said


def test_a_message_names_the_step() -> None:
    error = ValueError("odd")
    error.add_note("in step lib.Step#0")
    assert clean_message(error) == "odd in step lib.Step#0"


def test_any_message_can_be_written() -> None:
    """A lone surrogate in a library's message used to end the shard."""

    def breaks(*_: object) -> str:
        raise ValueError("odd \ud800")

    gated = sort_out(rendered(tools(prepare=Steps(breaks))))
    (row,) = dropped_table(gated.dropped, "train").to_pylist()
    assert row["message"].startswith("odd ")
