"""One family as cells of the contact sheet: the original, its copies, and what could not be made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from pipeline.captions import Caption, captions
from pipeline.job import Job
from pipeline.panels import refusal_panel
from pipeline.records import Gated, Refusal
from transforms.values import Value

SHOWN_COPIES = 8
_BAND_GAP, _STEP_LINES = 14, 2
_UNSAFE_STAGES = ("read", "decode", "render")


@dataclass(frozen=True, slots=True)
class Cell:
    """A sample to show: a value and the applied steps per field; or the refusal instead."""

    title: str
    values: dict[str, Value] = field(default_factory=dict)
    steps: dict[str, tuple[Caption, ...]] = field(default_factory=dict)
    same: tuple[str, ...] = ()
    refusal: Refusal | None = None


def cells_of(job: Job, gated: Gated) -> tuple[Cell, ...]:
    """The original, then the copies in order, at most SHOWN_COPIES; what was dropped stands in its place."""
    whole = next((d.refusal for d in gated.dropped if d.copy is None), None)
    if whole is not None:
        return _failed_whole(job, gated, whole)
    samples = {s.variant.copy: s for s in gated.samples}
    refusals = {d.copy: d.refusal for d in gated.dropped if d.copy is not None}
    first = samples.get(0)
    original = {n: r.payload for n, r in first.rendered.items()} if first else gated.record.payloads
    prepared = {n: r.applied for n, r in first.rendered.items()} if first else {}
    title = "original" if first or not job.config.keep_original else "original, as it came"
    cells = [_cell(job, title, original, {n: captions(a) for n, a in prepared.items()})]
    for copy in sorted({*samples, *refusals} - {0})[:SHOWN_COPIES]:
        if copy in samples:
            cells.append(_copy_cell(job, samples[copy], original, prepared))
        else:
            cells.append(Cell(f"copy {copy}", refusal=refusals[copy]))
    return tuple(cells)


def drawn_cells(job: Job, cells: Sequence[Cell]) -> list[Image.Image]:
    """The cells of one record, all WIDTH wide; the same field stands at the same height in all of them."""
    stacks: list[list[Image.Image]] = [[_title(cell.title)] for cell in cells]
    named = len(job.config.fields) > 1
    for name in job.config.fields:
        shown = [n for n, cell in enumerate(cells) if name in cell.values]
        panels = _panels([cells[n].values[name] for n in shown], cells[0].values.get(name)) if shown else []
        bands = [
            _band(panel, cells[n], name, named and n == shown[0]) for n, panel in zip(shown, panels, strict=True)
        ]
        height = max((b.height for b in bands), default=0)
        for n, band in zip(shown, bands, strict=True):
            stacks[n].append(_padded(band, height))
    tallest = max((p.height for p, _ in panels), default=0)
    for stack, cell in zip(stacks, cells, strict=True):
        if cell.refusal is not None:
            stack.append(refusal_panel(cell.refusal, tallest))
    return [stacked(stack, _BAND_GAP if len(stack) > 2 else 0) for stack in stacks]
