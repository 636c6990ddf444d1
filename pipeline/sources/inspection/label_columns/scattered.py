"""Labels that no binding can take: coordinates in columns of their own, and lists that are written as text. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa

from pipeline.sources.inspection.column_roles import words_of_name
from pipeline.sources.inspection.findings import LabelFound, Modality
from pipeline.sources.inspection.label_columns.content import Content
from pipeline.sources.inspection.label_columns.in_images import BOXES, POINTS
from pipeline.sources.inspection.label_columns.outlines import OUTLINES
from pipeline.sources.inspection.label_columns.parts import Cells, is_number, named, numbers_in, plain
from pipeline.sources.inspection.label_columns.segments import ENDS, STARTS, Stretches, segments, spans
from pipeline.sources.inspection.payload_columns import is_text

_ACROSS = frozenset({"x", "xmin", "xmax", "minx", "maxx", "cx", "xc", "xcenter", "xcentre", "left", "right"})
_DOWN = frozenset({"y", "ymin", "ymax", "miny", "maxy", "cy", "yc", "ycenter", "ycentre", "top", "bottom"})
_AFTER_AXIS = frozenset({"min", "max", "center", "centre", "c", "px", "pixel", "pixels"})
_WRITTEN = frozenset({"bbox", "bboxes", "box", "boxes", "points", "keypoints", "polygon", "segmentation", "landmarks"})
_ANNOTATION = re.compile(r"<bndbox>|<polygon", re.I)
_YOLO_LINES = re.compile(r"(?:^\s*\d+(?:\s+-?\d*\.?\d+){4,}\s*$)", re.M)
_SHARE = 0.9


def in_numbers(
    columns: Mapping[str, pa.DataType], cells: Mapping[str, Cells], sides: Sequence[tuple[int, ...]]
) -> list[LabelFound]:
    """Columns of one number each that are called like coordinates, and lie within the pictures."""
    numeric = [name for name, kind in columns.items() if is_number(plain(kind))]
    across, down = axes_of(numeric)
    across = [name for name in across if _within(cells[name], [s[-1] for s in sides])]
    down = [name for name in down if _within(cells[name], [s[-2] for s in sides])]
    if not across or not down:
        return []
    names = [name for name in numeric if name in {*across, *down}]
    why = f"coordinates in columns of their own ({', '.join(names)}); write them as one list of lists"
    return [LabelFound(names[0], "coordinates", why, columns=tuple(names))]


def sizes_in(
    columns: Mapping[str, pa.DataType], cells: Mapping[str, Cells], sides: Sequence[tuple[int, ...]]
) -> list[LabelFound]:
    """Columns `width` and `height` that state how large each picture is."""
    wide, high = cells.get("width"), cells.get("height")
    if wide is None or high is None or not all(pa.types.is_integer(plain(columns[n])) for n in ("width", "height")):
        return []
    if list(zip(high, wide, strict=True)) != [tuple(pair) for pair in sides]:
        return []
    binding = (("width", "width"), ("height", "height"))
    return [LabelFound("width", "sizes", "copies state their own", "size", binding, ("width", "height"))]


def in_bounds(
    columns: Mapping[str, pa.DataType], cells: Mapping[str, Cells], contents: Sequence[Content], modality: Modality
) -> list[LabelFound]:
    """Two columns of one number each, a start and an end, that lie within the sound or text."""
    numeric = [name for name, kind in columns.items() if is_number(plain(kind))]
    start = next((name for name in STARTS if name in numeric), None)
    end = next((name for name in ENDS if name in numeric), None)
    if start is None or end is None:
        return []
    cell_pairs = zip(cells[start], cells[end], strict=True)
    pairs = [[(float(low), float(high))] if low is not None and high is not None else [] for low, high in cell_pairs]
    if not any(pairs):
        return []
    found = Stretches(start, pairs, ())
    label = spans(found, contents) if modality == "text" else segments(found, contents)
    if label is None or not label.kind:
        return []
    why = f"start and end in columns of their own ({start}, {end}); write them as one list of structs"
    return [LabelFound(start, label.kind, why, columns=(start, end))]


def axes_of(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of columns of numbers that are called like places across a picture, and down it."""
    return [n for n in names if _axis(n) in _ACROSS], [n for n in names if _axis(n) in _DOWN]


def _axis(name: str) -> str:
    """The word of a name that says which axis it is on: `x` of `left_eye_x1` and of `bbox_x_min`."""
    words = [word for word in words_of_name(name) if not word.isdigit()]
    while len(words) > 1 and words[-1] in _AFTER_AXIS:
        words.pop()
    return words[-1] if words else ""


def _within(cells: Cells, sides: Sequence[int]) -> bool:
    pairs = [(float(cell), side) for cell, side in zip(cells, sides, strict=True) if cell is not None]
    inside = sum(-2 <= number <= 1.01 * side + 2 for number, side in pairs)
    return bool(pairs) and inside >= _SHARE * len(pairs)


def in_words(column: str, kind: pa.DataType, cells: Cells) -> LabelFound | None:
    """Boxes, points or outlines that are written as text: JSON, XML, lines of numbers."""
    if not is_text(kind):
        return None
    texts = [cell for cell in cells if cell]
    telling = named(column, BOXES | POINTS | OUTLINES)
    held = sum(_is_written(text, telling) for text in texts)
    if not texts or held < _SHARE * len(texts):
        return None
    why = "they are written as text; a binding needs a column of lists of numbers"
    return LabelFound(column, "boxes, points or outlines", why, columns=(column,))


def _is_written(text: str, telling: bool) -> bool:
    if _ANNOTATION.search(text) or _YOLO_LINES.search(text):
        return True
    if text.lstrip()[:1] not in ("[", "{", "("):
        return telling and len(re.findall(r"-?\d+(?:\.\d+)?", text)) >= 2
    value = _parsed(text)
    if telling:
        return value is None or len(list(numbers_in(value))) >= 2 or isinstance(value, dict)
    return _has_places(value)


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text.replace("(", "[").replace(")", "]").replace("'", '"'))
    except orjson.JSONDecodeError:
        return None


def _has_places(value: Any) -> bool:
    """Whether an object has a member that is called like boxes or points, or a list holds lists of two or four."""
    if isinstance(value, dict):
        return bool(_WRITTEN & {str(key).lower() for key in value}) or any(map(_has_places, value.values()))
    if not isinstance(value, list) or not value:
        return False
    if all(isinstance(entry, list) and len(list(numbers_in(entry))) == len(entry) in (2, 4) for entry in value):
        return True
    return any(map(_has_places, value))
