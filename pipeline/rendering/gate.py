"""Families -> samples that are kept, and copies or whole records that are not, each with its reason."""

from collections.abc import Iterator

from pipeline.records import Dropped, Family, Gated, Refusal, Rendered, Sample


def gate(families: Iterator[Family]) -> Iterator[Gated]:
    """Sort out each family; nothing is lost: every variant is a sample or is dropped with a reason."""
    for family in families:
        yield sort_out(family)


def sort_out(family: Family) -> Gated:
    """One family: failed whole, or variant by variant."""
    record, copies = family.record, sum(variant.copy > 0 for variant in family.variants)
    if family.refusal is not None:
        return Gated(record, (), (Dropped(record, None, family.refusal),), copies)
    samples, dropped = [], []
    for number, variant in enumerate(family.variants):
        rendered = {name: results[number] for name, results in family.rendered.items()}
        refusal = _first_refusal(rendered)
        if refusal is None:
            samples.append(Sample(record, variant, rendered))
        else:
            dropped.append(Dropped(record, variant.copy, refusal))
    return Gated(record, tuple(samples), tuple(dropped), copies)


def _first_refusal(rendered: dict[str, Rendered]) -> Refusal | None:
    """A failure outranks a rejection; else the first field in config order."""
    first = None
    for one in rendered.values():
        if one.refusal is None:
            continue
        if one.refusal.kind == "failed":
            return one.refusal
        first = first or one.refusal
    return first
