"""The closest pairs of a certificate, side by side: pictures, sounds, clips and volumes of both sides.

Part of a version's bytes, so nothing of it may depend on the fonts of a machine: names are written in ASCII.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image, ImageDraw

from pipeline.audit.contents import payload_columns
from pipeline.audit.digest_matching import Link, Place
from pipeline.audit.leaks import KINDS
from pipeline.audit.row_digests import Looked, Portion
from pipeline.audit.shard_audit import paths_of
from pipeline.audit.shard_reading import rows_at
from pipeline.audit.sides import texts_of
from pipeline.escaping.terminal import shown
from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.of_field import codec_of
from pipeline.planning.job import Job
from pipeline.preview import drawing
from pipeline.preview.cells import beside, stacked
from pipeline.preview.drawing import LINE, SMALL
from pipeline.preview.panels import WIDTH, Panel, clip_panels, picture_panels, sound_panels, volume_panels
from pipeline.records import SAMPLE_ID
from transforms.values import AudioValue, ImageValue, VideoValue, VolumeValue

MOST_PAIRS = 12
_GAP, _MARGIN = 16, 24
_SHOWN = (KINDS.index("near"), KINDS.index("exact"))

_PANELS: dict[type, Callable[[Sequence[Any]], list[Panel]]] = {
    ImageValue: picture_panels,
    AudioValue: sound_panels,
    VideoValue: clip_panels,
    VolumeValue: volume_panels,
}
_Row = tuple[str, Any]
"""A row's id and the value of the field; None where it cannot be decoded."""


def leak_sheet(job: Job, looked: Looked, portions: Sequence[Portion], links: Sequence[Link]) -> bytes | None:
    """A PNG of the pairs that are nearest, those that are near before those that are equal; None: nothing to show."""
    fields = {place: f for place, f in enumerate(looked.fields) if f.modality != "text"}
    shown = [(link, fields[place]) for link in links if (place := _field(looked, link)) in fields]
    shown.sort(key=lambda pair: (_SHOWN.index(pair[0].kind), pair[0]))
    cards = []
    for link, field in shown[:MOST_PAIRS]:
        rows = [_row(job, place, portions, field.name) for place in (link.train, link.held)]
        panels = _panels([value for _, value in rows])
        if panels is not None:
            cards.append(_card(link, field.name, [name for name, _ in rows], panels))
    return _png(cards) if cards else None


def _field(looked: Looked, link: Link) -> int:
    """The place of the field in which a link's rows are alike; -1: it is not of their content."""
    kind, name = looked.roles[link.role]
    names = [f.key for f in looked.fields]
    return names.index(name) if link.kind in _SHOWN and kind in ("near", "exact") and name in names else -1


def _row(job: Job, place: Place, portions: Sequence[Portion], name: str) -> _Row:
    path = paths_of(portions)[place[:2]]
    ((_, batch),) = rows_at(job.dataset, path, [place.row], [SAMPLE_ID, name])
    field = [f for f in portions[0].looked.fields if f.name == name]
    (payload,) = payload_columns(batch, field)[name]
    own = texts_of(batch.column(SAMPLE_ID))[0] or ""
    try:
        return own, None if payload is None else codec_of(job.config.fields[name]).decode(payload).value
    except CodecError:
        return own, None


def _panels(values: Sequence[Any]) -> list[Panel] | None:
    """Both values on one scale; None where one could not be read."""
    for kind, draw in _PANELS.items():
        if all(isinstance(value, kind) for value in values):
            return draw(values)
    return None


def _card(link: Link, field: str, names: Sequence[str], panels: Sequence[Panel]) -> Image.Image:
    distance = f", distance {link.distance:.2f}" if KINDS[link.kind] == "near" else ""
    sides = [
        stacked([_line(f"{side}: {name}"), panel, _line(told, drawing.MUTED)])
        for side, name, (panel, told) in zip(("train", "held out"), names, panels, strict=True)
    ]
    return stacked([_line(f"{KINDS[link.kind]}: {field}{distance}", width=2 * WIDTH + _GAP), beside(sides, _GAP)], 4)


def _line(text: str, ink: str = drawing.INK, width: int = WIDTH) -> Image.Image:
    image = Image.new("RGB", (width, LINE[SMALL]), drawing.CARD)
    plain = shown(text).replace("×", "x").replace("·", "-").encode("ascii", "backslashreplace").decode()
    drawing.draw_line(ImageDraw.Draw(image), (0, 0), drawing.shortened(plain, SMALL, width), SMALL, ink)
    return image


def _png(cards: Sequence[Image.Image]) -> bytes:
    column = stacked(cards, _GAP)
    sheet = Image.new("RGB", (column.width + 2 * _MARGIN, column.height + 2 * _MARGIN), drawing.CARD)
    sheet.paste(column, (_MARGIN, _MARGIN))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
