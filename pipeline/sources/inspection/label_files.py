"""Files and folders that label the files of a folder from beside: text of YOLO, XML, JSON, TextGrid; folders of masks.

A run does not read them, so they would stay as they are while copies move.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from pipeline.sources.folder import label_of
from pipeline.sources.inspection.column_roles import words_of_name
from pipeline.sources.inspection.findings import LabelFound, Modality
from pipeline.sources.inspection.label_columns.masks import MASKS
from pipeline.sources.inspection.payload_samples import spread
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found

_HEAD_BYTES, _OPENED = 65_536, 8
_SHARE = 0.5
_PLACES = re.compile(
    rb"(?:[\"'<,;]|^)(?:bndbox|bbox(?:es)?|bounding_?box(?:es)?|boxes|segmentation|keypoints|landmarks|polygons?|points|"
    rb"[xy]_?min|shape_type)\b",
    re.I | re.M,
)
_NUMBERS = re.compile(rb"\A\s*(?:\d+(?:[ \t]+-?\d*\.?\d+(?:e-?\d+)?){4,}[ \t]*\r?\n?)+", re.I)
_PICTURES = frozenset({".txt", ".xml", ".json", ".jsonl", ".csv", ".yaml", ".yml"})
_OF_TIME = frozenset({".textgrid", ".lab", ".srt", ".vtt", ".rttm", ".eaf", ".ctm"})
_BESIDE: Mapping[Modality, frozenset[str]] = {
    "image": _PICTURES,
    "video": _PICTURES | _OF_TIME,
    "volume": _PICTURES,
    "audio": _OF_TIME,
    "text": frozenset({".ann"}),
}
_FOLDERS = frozenset({*MASKS, "label", "depth", "normal"})


def label_files(
    root: Folder, found: Sequence[Found], used: Sequence[Found], modality: Modality
) -> Iterator[LabelFound]:
    """What lies beside the files that would be read, and places something in them; none of it can be bound."""
    payloads = {file.path for file in used}
    others = [f for f in found if f.path not in payloads and f.size and _ending(f.path) in _BESIDE[modality]]
    told = [f for f in spread(others, _OPENED) if _ending(f.path) in _OF_TIME | {".ann"} or _has_places(root, f.path)]
    if others and len(told) >= _SHARE * min(len(others), _OPENED):
        example = told[0].path
        why = f"{len(others):,} files such as {example}, which are not read; put them into columns of a table"
        yield LabelFound("", "labels", why)
    yield from _folders(used)


def _folders(used: Sequence[Found]) -> Iterator[LabelFound]:
    """Class folders that are called like masks, with files that are called like those of another folder."""
    stems: dict[str, set[str]] = {}
    for file in used:
        stems.setdefault(label_of(file.path) or "", set()).add(PurePosixPath(file.path).stem)
    for name, own in sorted(stems.items()):
        others = set[str]().union(*(held for other, held in stems.items() if other != name))
        if _FOLDERS & {w.removesuffix("s") for w in words_of_name(name)} and len(own & others) >= _SHARE * len(own):
            why = f"the folder {name!r}, whose files are called like others; it would be taken for a class"
            yield LabelFound("", "masks", f"{why}: put both into columns of a table")


def _has_places(root: Folder, path: str) -> bool:
    head = root.read_range(path, 0, _HEAD_BYTES)
    return bool(_NUMBERS.match(head)) if _ending(path) == ".txt" else bool(_PLACES.search(head))


def _ending(path: str) -> str:
    return PurePosixPath(path).suffix.lower()
