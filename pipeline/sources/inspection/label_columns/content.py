"""What labels are compared with: the sizes, durations and texts of a few payloads, beside the cells of their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UsageError
from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.audio.codec import AudioCodec
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.codecs.video import library
from pipeline.modalities.codecs.video.codec import VideoCodec
from pipeline.modalities.codecs.volume.codec import VolumeCodec
from pipeline.sources import Listing
from pipeline.sources.inspection.findings import FieldFound, Modality
from pipeline.sources.inspection.payload_columns import Sampled
from pipeline.sources.inspection.payload_samples import spread
from pipeline.sources.payloads import BYTES
from pipeline.sources.references.file_references import References
from transforms.values import AudioValue, ImageValue, Value, VideoValue, VolumeValue

_LARGEST = 2**30
_LOOKED_AT: dict[Modality, int] = {"image": 32, "audio": 32, "text": 500, "video": 4, "volume": 8}


@dataclass(frozen=True, slots=True)
class Content:
    """One payload: `sides` in pixels or voxels (height, width; of volumes depth first), duration and rate, or text."""

    sides: tuple[int, ...] = ()
    seconds: float = 0.0
    rate: float = 0.0
    frames: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """Rows that were looked at: what their payload is, and where their other cells are."""

    contents: tuple[Content, ...]
    places: tuple[tuple[int, int], ...]
    samples: Sequence[Sampled]
    files: References
    """Reads what a column names."""

    def cells(self, column: str) -> list[Any]:
        """The cells of a column in these rows."""
        wanted: dict[int, list[int]] = {}
        for sample, row in self.places:
            wanted.setdefault(sample, []).append(row)
        taken = {n: self.samples[n].rows.column(column).take(rows).to_pylist() for n, rows in wanted.items()}
        return [taken[sample][wanted[sample].index(row)] for sample, row in self.places]

    def named(self, column: str) -> list[Any] | None:
        """The content of the files that a column, or its lists, name in these rows; None if any cannot be read."""
        found = []
        for cell, (sample, _) in zip(self.cells(column), self.places, strict=True):
            names = cell if isinstance(cell, list) else [cell]
            read = [None if name is None else _file(name, self.files, self.samples[sample]) for name in names]
            if any(name is not None and content is None for name, content in zip(names, read, strict=True)):
                return None
            found.append(read if isinstance(cell, list) else read[0])
        return found


def _file(cell: Any, files: References, sample: Sampled) -> bytes | None:
    if not isinstance(cell, str) or cell.startswith(("http://", "https://")):
        return None
    try:
        return files.read(cell, sample.unit.file)
    except (OSError, ValueError):
        return None


def look_at(found: FieldFound, listing: Listing, samples: Sequence[Sampled], files: References | None = None) -> Looked:
    """Some rows of a field whose payload can be decoded. `files` reads those that a column names."""
    files = files or References(listing.reader.root, (), (), _LARGEST)
    rows = [(n, row, cell) for n, s in enumerate(samples) for row, cell in _filled(s, found.column)]
    contents, places = [], []
    for number, row, cell in spread(rows, _LOOKED_AT[found.modality]):
        content = _content(found, cell, files, samples[number])
        if content is not None:
            contents.append(content)
            places.append((number, row))
    return Looked(tuple(contents), tuple(places), samples, files)


def _filled(sample: Sampled, column: str) -> list[tuple[int, Any]]:
    cells = enumerate(sample.rows.column(column))
    return [(row, cell) for row, cell in cells if cell.is_valid]


def _content(found: FieldFound, cell: Any, files: References, sample: Sampled) -> Content | None:
    value = cell.as_py()
    payload = value.get(BYTES) if isinstance(value, dict) else value
    try:
        if found.uri:
            payload = _file(value, files, sample)
        return _measured(payload, found.modality)
    except (CodecError, OSError, ValueError, UsageError):
        return None


def _measured(payload: Any, modality: Modality) -> Content | None:
    if payload is None:
        return None
    if modality == "text":
        words = payload if isinstance(payload, list) else [payload]
        return Content(text=" ".join(w if isinstance(w, str) else w.decode() for w in words if w is not None))
    if modality == "video" and not library.installed():
        return None
    return _content_of(_CODECS[modality].decode(payload).value)


def _content_of(value: Value) -> Content:
    if isinstance(value, ImageValue):
        height, width = value.pixels.shape[:2]
        return Content(sides=(height, width))
    if isinstance(value, AudioValue):
        return Content(seconds=value.samples.shape[1] / value.sample_rate, rate=value.sample_rate)
    if isinstance(value, VideoValue):
        frames, height, width = value.frames.shape[:3]
        return Content(sides=(height, width), seconds=float(frames / value.rate), frames=frames)
    if isinstance(value, VolumeValue):
        depth, height, width = value.voxels.shape[:3]
        return Content(sides=(depth, height, width))
    return Content()


_CODECS: dict[Modality, Any] = {
    "image": ImageCodec("keep", window=(0.0, 65535.0)),
    "audio": AudioCodec(peaks="normalize"),
    "video": VideoCodec(),
    "volume": VolumeCodec(),
}
