"""Labels of a field as lines of its config: what is bound, and a loud note on what is not."""

from collections.abc import Iterator, Sequence

from pipeline.sources.inspection.findings import FieldFound, LabelFound, bound_text


def unbound_text(label: LabelFound) -> str:
    """`column 'objects' looks like boxes, and is not bound: …`; of files beside the data what lies there."""
    if not label.column:
        return f"{label.what} lie beside the data, and do not follow: {label.note}"
    return f"column {label.column!r} looks like {label.what}, and is not bound: {label.note}"


def label_lines(found: FieldFound) -> Iterator[tuple[str, str]]:
    """Lines below `type:` with what to say behind them; lines that are comments begin with `#`."""
    for label in found.labels:
        if label.kind:
            yield bound_text(label), label.note
    for label in found.unbound:
        yield f"# ATTENTION: {unbound_text(label)}.", ""


def told(fields: Sequence[FieldFound]) -> list[str]:
    """What to tell people who asked for a config."""
    lines = [f"Bound to {f.column}: {bound_text(label)}" for f in fields for label in f.labels if label.kind]
    for found in fields:
        lines += [f"ATTENTION: {unbound_text(label)}" for label in found.unbound]
        if found.unbound:
            lines.append(f"Steps that move {found.column!r} are commented out, since those labels would stay behind.")
    return lines
