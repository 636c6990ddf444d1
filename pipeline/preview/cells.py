"""One family as cells of the contact sheet: the original, its copies, and what could not be made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from PIL import Image, ImageDraw

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.of_field import codec_of
from pipeline.planning.job import Job
from pipeline.preview import drawing
from pipeline.preview.bound_labels import Names, labeled
from pipeline.preview.captions import Caption, captions
from pipeline.preview.drawing import BODY, LINE, SMALL
from pipeline.preview.drawn_labels import told_by_legend
from pipeline.preview.label_colours import Colours, legend
from pipeline.preview.panels import (
    WIDTH,
    Panel,
    clip_panels,
    picture_panels,
    refusal_panel,
    sound_panels,
    volume_panels,
)
from pipeline.preview.text_panels import text_panels
from pipeline.records import Gated, Payload, Record, Refusal, Sample
from transforms.interface import Applied
from transforms.values import AudioValue, ImageValue, TextValue, Value, VideoValue, VolumeValue

SHOWN_COPIES = 8
_BAND_GAP, _STEP_LINES, _INDENT, _DOT = 14, 2, 12, " · "
_REFUSAL_HEIGHT = 160
_UNSAFE_STAGES = ("read", "decode", "render")

_Steps = Mapping[str, tuple[Applied, ...]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A sample to show: a value with its labels, and the applied steps per field; or the refusal instead."""

    title: str
    values: dict[str, Value] = field(default_factory=dict)
    steps: dict[str, tuple[Caption, ...]] = field(default_factory=dict)
    same: tuple[str, ...] = ()
    refusal: Refusal | None = None
    names: dict[str, Names] = field(default_factory=dict)
    """What the labels of each field's value are called."""


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
    title = "original" if first else "original (not kept)"
    steps = {n: captions(a) for n, a in prepared.items()}
    cells = [_cell(job, title, original, steps, first or gated.record)]
    for copy in sorted({*samples, *refusals} - {0})[:SHOWN_COPIES]:
        if copy in samples:
            cells.append(_copy_cell(job, samples[copy], original, prepared))
        else:
            cells.append(Cell(f"copy {copy}", refusal=refusals[copy]))
    return tuple(cells)


def drawn_cells(job: Job, cells: Sequence[Cell], colours: Colours) -> list[Image.Image]:
    """The cells of one record, all WIDTH wide; the same field stands at the same height in all of them.

    `colours` are those of the names of labels.
    """
    named = len(job.config.fields) > 1
    bands = [_bands(cells, name, named, colours) for name in job.config.fields]
    tallest = max((b.height for of_field in bands for b in of_field.values()), default=0)
    return [_drawn(cell, [of_field[n] for of_field in bands if n in of_field], tallest) for n, cell in enumerate(cells)]


def stacked(images: Sequence[Image.Image], gap: int = 0) -> Image.Image:
    """Images below each other, left edges aligned, on white."""
    height = sum(i.height for i in images) + gap * (len(images) - 1)
    out = Image.new("RGB", (max(i.width for i in images), height), drawing.CARD)
    y = 0
    for image in images:
        out.paste(image, (0, y))
        y += image.height + gap
    return out


def beside(images: Sequence[Image.Image], gap: int) -> Image.Image:
    """Images beside each other, top edges aligned, on white."""
    width = sum(i.width for i in images) + gap * (len(images) - 1)
    out = Image.new("RGB", (width, max(i.height for i in images)), drawing.CARD)
    x = 0
    for image in images:
        out.paste(image, (x, 0))
        x += image.width + gap
    return out


def _failed_whole(job: Job, gated: Gated, refusal: Refusal) -> tuple[Cell, ...]:
    """A record without samples. A payload that failed or killed its decoder is not decoded here again."""
    if refusal.stage in _UNSAFE_STAGES:
        return (Cell("original", refusal=refusal),)
    return _cell(job, "original", gated.record.payloads, {}, gated.record), Cell("no copies", refusal=refusal)


def _cell(
    job: Job,
    title: str,
    payloads: Mapping[str, Payload | None],
    steps: dict[str, tuple[Caption, ...]],
    source: Sample | Record,
) -> Cell:
    """`source` is what the payloads are of, and the labels with them."""
    values: dict[str, Value] = {}
    names: dict[str, Names] = {}
    for name, config in job.config.fields.items():
        payload = payloads.get(name)
        if payload is None:
            continue
        try:
            value = codec_of(config).decode(payload).value
        except CodecError as error:
            return Cell(title, refusal=Refusal("failed", name, "decode", error.reason, message=str(error)))
        values[name], names[name] = labeled(config, source, job.schema, value)
    return Cell(title, values, steps, names=names)


def _copy_cell(job: Job, sample: Sample, original: Mapping[str, Payload | None], prepared: _Steps) -> Cell:
    """A copy; steps that `prepare` applied to every sample are told with the original alone."""
    rendered = sample.rendered
    steps = {name: captions(r.applied, prepared.get(name, ())) for name, r in rendered.items()}
    cell = _cell(job, f"copy {sample.variant.copy}", {name: r.payload for name, r in rendered.items()}, steps, sample)
    return replace(cell, same=tuple(n for n, r in rendered.items() if r.payload == original.get(n)))


def _bands(cells: Sequence[Cell], name: str, named: bool, colours: Colours) -> dict[int, Image.Image]:
    """One field of all cells that show it, by the cell's number; all of one height."""
    shown = [n for n, cell in enumerate(cells) if name in cell.values]
    called = [cells[n].names.get(name, {}) for n in shown]
    panels = _panels([cells[n].values[name] for n in shown], called, colours, cells[0].values.get(name))
    drawn = {n: _band(panel, cells[n], name, named, colours) for n, panel in zip(shown, panels, strict=True)}
    height = max((band.height for band in drawn.values()), default=0)
    return {n: _padded(band, height) for n, band in drawn.items()}


def _panels(values: Sequence[Value], names: Sequence[Names], colours: Colours, original: Value | None) -> list[Panel]:
    """Panels for the values of one field, which are all of one modality, with what their labels are called."""
    images = [v for v in values if isinstance(v, ImageValue)]
    sounds = [v for v in values if isinstance(v, AudioValue)]
    texts = [v for v in values if isinstance(v, TextValue)]
    volumes = [v for v in values if isinstance(v, VolumeValue)]
    clips = [v for v in values if isinstance(v, VideoValue)]
    if images:
        return picture_panels(images, names, colours)
    if clips:
        return clip_panels(clips, names, colours)
    if sounds:
        return sound_panels(sounds, names, colours)
    if volumes:
        return volume_panels(volumes, names, colours)
    return text_panels(texts, original if isinstance(original, TextValue) else None, names, colours) if texts else []


def _band(panel: Panel, cell: Cell, name: str, named: bool, colours: Colours) -> Image.Image:
    """One field of one cell: its name where there are several, the panel, its measures, a legend, the steps."""
    picture, measures = panel
    measures += " · same as the original" if name in cell.same else ""
    parts = [_line(name, drawing.MUTED)] if named else []
    lines = _measure_lines(measures)
    parts += [picture, _blank(6), *(_line(line, drawing.MUTED) for line in lines)]
    told = legend(told_by_legend(cell.values[name], cell.names.get(name, {})), colours, WIDTH)
    parts += [_blank(4)] if told is None else [told, _blank(4)]
    return stacked([*parts, *(_step(caption) for caption in cell.steps.get(name, ()))])


def _measure_lines(measures: str) -> list[str]:
    """Measures in lines that fit, broken between two of them."""
    lines = [""]
    for part in measures.split(_DOT):
        longer = f"{lines[-1]}{_DOT}{part}" if lines[-1] else part
        if lines[-1] and drawing.width_of(longer, SMALL) > WIDTH:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines


def _step(caption: Caption) -> Image.Image:
    """A step's name in ink, its parameters muted: behind it if they fit, else below it."""
    name = drawing.shortened(caption.name, SMALL, WIDTH)
    end = drawing.width_of(name, SMALL) + 8
    inline = end + drawing.width_of(caption.parameters, SMALL) <= WIDTH
    below = [] if inline else drawing.wrapped(caption.parameters, SMALL, WIDTH - _INDENT, _STEP_LINES)
    image = _blank(LINE[SMALL] * (1 + len(below)))
    draw = ImageDraw.Draw(image)
    drawing.draw_line(draw, (0, 0), name, SMALL)
    if inline:
        drawing.draw_line(draw, (end, 0), caption.parameters, SMALL, drawing.MUTED)
    for number, line in enumerate(below, 1):
        drawing.draw_line(draw, (_INDENT, number * LINE[SMALL]), line, SMALL, drawing.MUTED)
    return image


def _drawn(cell: Cell, bands: Sequence[Image.Image], tallest: int) -> Image.Image:
    parts = [_line(cell.title, drawing.INK, BODY), _blank(4)]
    if cell.refusal is not None:
        return stacked([*parts, refusal_panel(cell.refusal, min(tallest, _REFUSAL_HEIGHT))])
    return stacked([*parts, stacked(bands, _BAND_GAP)] if bands else parts)


def _line(text: str, ink: str, size: int = SMALL) -> Image.Image:
    image = _blank(LINE[size])
    drawing.draw_line(ImageDraw.Draw(image), (0, 0), drawing.shortened(text, size, WIDTH), size, ink)
    return image


def _blank(height: int) -> Image.Image:
    return Image.new("RGB", (WIDTH, height), drawing.CARD)


def _padded(image: Image.Image, height: int) -> Image.Image:
    return stacked([image, _blank(height - image.height)]) if image.height < height else image
