"""The contact sheet of `fanbeam preview`: a few training records, their copies beside them, and what was done."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np
from PIL import Image, ImageDraw

from pipeline.config.copies import told
from pipeline.errors import UsageError
from pipeline.escaping.url_credentials import masked
from pipeline.planning.job import Job, Task
from pipeline.planning.survey import Survey
from pipeline.preview import drawing
from pipeline.preview.cells import SHOWN_COPIES, Cell, beside, cells_of, drawn_cells, stacked
from pipeline.preview.drawing import BODY, LINE, SMALL, TITLE
from pipeline.preview.fonts import missing
from pipeline.preview.label_colours import Colours, colours_of
from pipeline.preview.panels import WIDTH
from pipeline.records import Gated, Record, Shard

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
COPIES_PER_LINE = 4
MARGIN, GAP, PADDING = 32, 20, 20

_LONGEST_SIDE = {"PNG": 2**31 - 1, "JPEG": 65_535, "WEBP": 16_383}
_NARROWEST = 2 * WIDTH + GAP
_MAX_LABELS = 3
_CHIP = "#e4ecf8"
_LEGEND, _LOOKED_AT = 160, 1000
_NO_FONT = "Empty boxes: no installed font has these characters. A font such as Noto Sans (CJK) would show them."


def preview_tasks(surveyed: Survey, records: int) -> tuple[Task, ...]:
    """Tasks of one training record each, spread over the input: of different blocks, then evenly within blocks.

    At most `records`, fewer if the train split is smaller.
    """
    held = surveyed.blocks.of_split("train")
    training = np.flatnonzero(held).tolist()
    counts = held[training].tolist()
    chosen = [
        (surveyed.blocks.block(place).alone(), number * count // share)
        for place, count, share in zip(training, counts, _shares(counts, records), strict=True)
        for number in range(share)
    ]
    return tuple(Task(Shard("train", n, (block,)), only=record) for n, (block, record) in enumerate(chosen))


def preview_job(job: Job) -> Job:
    """The job with no more copies than a sheet shows; they are those of the whole job, since no seed counts copies."""
    return replace(job, counted=replace(job.copies, most=SHOWN_COPIES))


def contact_sheet(job: Job, families: Sequence[Gated], title: str = "") -> Image.Image:
    """A row per record, in input order: the original at the left, its copies beside it, the steps below each.

    `title` is the config's name; without one, the dataset's. Anything that a record may hold is drawn or told.
    """
    ordered = sorted(families, key=lambda g: (g.record.file, g.record.row))
    cells = [cells_of(job, gated) for gated in ordered]
    colours = colours_of([names for of_record in cells for cell in of_record for names in cell.names.values()])
    cards = [_card(job, g, c, colours) for g, c in zip(ordered, cells, strict=True)] or [_nothing()]
    if any(_has_boxes(g.record) for g in ordered):
        cards.append(_note(_NO_FONT, SMALL))
    width = max(_NARROWEST, *(card.width for card in cards))
    parts = [_header(job, len(ordered), title, width + 2 * PADDING), *(_framed(card, width) for card in cards)]
    height = sum(p.height for p in parts) + GAP * (len(parts) - 1) + 2 * MARGIN
    sheet = Image.new("RGB", (parts[0].width + 2 * MARGIN, height), drawing.PAGE)
    y = MARGIN
    for part in parts:
        sheet.paste(part, (MARGIN, y))
        y += part.height + GAP
    return sheet


def sheet_bytes(image: Image.Image, name: str) -> bytes:
    """The picture as a file of the kind that the name's ending says. Raises UsageError for another ending."""
    ending = PurePath(name).suffix.lower()
    kind = FORMATS.get(ending)
    if kind is None:
        known = ", ".join(sorted(FORMATS))
        raise UsageError(f"{name}: cannot write a picture with the ending {ending!r}. Use one of {known}")
    if max(image.size) > _LONGEST_SIDE[kind]:
        size = f"{image.width} x {image.height}"
        raise UsageError(f"{name}: {size} pixels are too many for {kind}. Use .png, or show fewer records")
    file = io.BytesIO()
    image.save(file, kind, **({} if kind == "PNG" else {"quality": 92}))
    return file.getvalue()


def _shares(counts: Sequence[int], wanted: int) -> list[int]:
    """How many records each block gives: one of each of evenly chosen blocks, or several of each, as they have."""
    if wanted < len(counts):
        chosen = {n * len(counts) // wanted for n in range(wanted)}
        return [int(n in chosen) for n in range(len(counts))]
    left = min(wanted, sum(counts))
    shares = [0] * len(counts)
    while left:
        for number in [n for n, count in enumerate(counts) if shares[n] < count][:left]:
            shares[number] += 1
            left -= 1
    return shares


def _card(job: Job, gated: Gated, cells: Sequence[Cell], colours: Colours) -> Image.Image:
    """One record: its label and id, then the cells; copies that do not fit beside the original go below them."""
    original, *copies = drawn_cells(job, cells, colours)
    lines = [beside(copies[n : n + COPIES_PER_LINE], GAP) for n in range(0, len(copies), COPIES_PER_LINE)]
    body = beside([original, stacked(lines, GAP)], GAP) if lines else original
    return stacked([_heading(gated.record, max(body.width, _NARROWEST)), body], GAP // 2)


def _heading(record: Record, width: int) -> Image.Image:
    image = Image.new("RGB", (width, LINE[BODY] + 6), drawing.CARD)
    draw = ImageDraw.Draw(image)
    x = 0.0
    shown = record.labels[:_MAX_LABELS]
    more = (f"+{len(record.labels) - _MAX_LABELS}",) if len(record.labels) > _MAX_LABELS else ()
    for label in (*shown, *more):
        text = drawing.shortened(masked(label, False), BODY, width / (2 * _MAX_LABELS)) or "(empty)"
        x = _chip(draw, (x, 0), text, _CHIP) + 8
    name = drawing.shortened(masked(record.key, False), BODY, width - x - 4)
    drawing.draw_line(draw, (x + (4 if x else 0), 2), name, BODY, drawing.MUTED)
    return image


def _chip(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, ground: str) -> float:
    """A word on a coloured ground. Returns where it ends."""
    x, y = at
    end = x + drawing.width_of(text, BODY) + 16
    draw.rectangle((x, y, end, y + LINE[BODY] + 3), fill=ground)
    drawing.draw_line(draw, (x + 8, y + 2), text, BODY)
    return end


def _header(job: Job, records: int, title: str, width: int) -> Image.Image:
    """The name, what is shown, and for texts what the colours mean."""
    image = Image.new("RGB", (width, LINE[TITLE] + LINE[BODY] + 8), drawing.PAGE)
    draw = ImageDraw.Draw(image)
    name = title or PurePath(job.config.output.path).name or job.config.output.path
    drawing.draw_line(draw, (0, 0), drawing.shortened(name, TITLE, width), TITLE)
    summary = drawing.shortened(_summary(job, records), BODY, width)
    end = drawing.draw_line(draw, (0, LINE[TITLE] + 4), summary, BODY, drawing.MUTED)
    if any(field.type == "text" for field in job.config.fields.values()) and end + _LEGEND < width:
        x = _chip(draw, (width - _LEGEND, LINE[TITLE] + 2), "changed", drawing.CHANGED)
        _chip(draw, (x + 8, LINE[TITLE] + 2), "removed", drawing.REMOVED)
    return image


def _summary(job: Job, records: int) -> str:
    config = job.config
    shown = f", the first {SHOWN_COPIES} shown" if config.most_copies > SHOWN_COPIES else ""
    parts = [
        f"{records} training record{'' if records == 1 else 's'}",
        f"{told(config.copies)}{shown}",
        f"seed {config.seed}",
        f"input {config.input.path if isinstance(config.input.path, str) else ', '.join(config.input.path)}",
    ]
    return "  ·  ".join(parts)


def _framed(card: Image.Image, width: int) -> Image.Image:
    """A card on white with a thin border, all cards of one width."""
    out = Image.new("RGB", (width + 2 * PADDING, card.height + 2 * PADDING), drawing.CARD)
    out.paste(card, (PADDING, PADDING))
    ImageDraw.Draw(out).rectangle((0, 0, out.width - 1, out.height - 1), outline=drawing.BORDER)
    return out


def _nothing() -> Image.Image:
    return _note("No training record to show: the train split is empty.", BODY)


def _note(text: str, size: int) -> Image.Image:
    lines = drawing.wrapped(text, size, _NARROWEST, 3)
    image = Image.new("RGB", (_NARROWEST, LINE[size] * len(lines)), drawing.CARD)
    for number, line in enumerate(lines):
        drawing.draw_line(ImageDraw.Draw(image), (0, number * LINE[size]), line, size, drawing.MUTED)
    return image


def _has_boxes(record: Record) -> bool:
    """Whether a text of a record needs characters that no font has."""
    texts = (record.key, *record.labels, *record.payloads.values())
    return any(missing(text[:_LOOKED_AT]) for text in texts if isinstance(text, str))
