from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.modalities.labels import cells
from pipeline.modalities.labels.cells import BadLabels, Layout, layout_of

LISTS = pa.list_(pa.list_(pa.int32()))
STRUCTS = pa.list_(pa.struct([("name", pa.string()), ("bbox", pa.list_(pa.float32(), 4)), ("id", pa.int64())]))
COLUMNS = pa.struct(
    [("bbox", pa.large_list(pa.list_(pa.float64()))), ("category", pa.list_(pa.int8())), ("w", pa.int32())]
)
PAIRS = pa.list_(pa.struct([("start", pa.float32()), ("end", pa.int16()), ("label", pa.string())]))
BBOX = (("bbox",),)
BOXES = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
NEW = np.array([[10.4, 20.6, 30.5, 40.0], [1.0, 2.0, 3.0, 4.0]])


def test_a_list_of_lists() -> None:
    column = pa.array([BOXES, None, []], LISTS)
    layout = layout_of(LISTS, 4, BBOX)
    assert layout == Layout(4)
    found = cells.read(column, 0, layout)
    assert found is not None
    assert found.tolist() == BOXES
    assert cells.read(column, 1, layout) is None
    assert cells.read(column, 2, layout).shape == (0, 4)  # type: ignore[union-attr]
    moved = cells.moved(column, 0, [2, 0], layout, NEW)
    assert moved.type == LISTS
    assert moved.to_pylist() == [[[10, 21, 30, 40], [1, 2, 3, 4]]]
    assert cells.moved(column, 1, [], layout, NEW[:0]).to_pylist() == [None]


def test_a_list_of_structs() -> None:
    rows = [{"name": f"n{n}", "bbox": box, "id": 100 + n} for n, box in enumerate(BOXES)]
    column = pa.array([rows], STRUCTS)
    layout = layout_of(STRUCTS, 4, BBOX)
    assert cells.read(column, 0, layout).tolist() == BOXES  # type: ignore[union-attr]
    moved = cells.moved(column, 0, [2, 0], layout, NEW)
    assert moved.type == STRUCTS
    (entries,) = moved.to_pylist()
    assert [e["name"] for e in entries] == ["n2", "n0"]
    assert [e["id"] for e in entries] == [102, 100]
    assert entries[0]["bbox"] == pytest.approx(NEW[0])


def test_a_struct_of_lists() -> None:
    column = pa.array([{"bbox": BOXES, "category": [7, 8, 9], "w": 640}, None], COLUMNS)
    layout = layout_of(COLUMNS, 4, BBOX)
    assert cells.read(column, 0, layout).tolist() == BOXES  # type: ignore[union-attr]
    assert cells.length(column, 0) == 3
    assert cells.length(column, 1) is None
    moved = cells.moved(column, 0, [1], layout, NEW[:1])
    assert moved.type == COLUMNS
    assert moved.to_pylist() == [{"bbox": [NEW[0].tolist()], "category": [8], "w": 640}]


def test_two_members_for_two_numbers() -> None:
    column = pa.array([[{"start": 0.5, "end": 2, "label": "a"}, {"start": 1.5, "end": 3, "label": "b"}]], PAIRS)
    layout = layout_of(PAIRS, 2, (("start", "end"),))
    assert cells.read(column, 0, layout).tolist() == [[0.5, 2], [1.5, 3]]  # type: ignore[union-attr]
    moved = cells.moved(column, 0, [1, 1], layout, np.array([[0.25, 1.6], [4.0, 5.0]]))
    assert moved.to_pylist() == [[{"start": 0.25, "end": 2, "label": "b"}, {"start": 4.0, "end": 5, "label": "b"}]]


def test_numbers_after_the_coordinates_follow() -> None:
    kind = pa.list_(pa.list_(pa.float32()))
    column = pa.array([[[1, 2, 0], [3, 4, 2]]], kind)
    moved = cells.moved(column, 0, [1], layout_of(kind, 2, ()), np.array([[8.0, 9.0]]))
    assert moved.to_pylist() == [[[8.0, 9.0, 2.0]]]


def test_a_follower_of_any_type_keeps_it() -> None:
    kind = pa.list_(pa.struct([("when", pa.timestamp("ns")), ("tags", pa.list_(pa.string()))]))
    rows: list[Any] = [{"when": n, "tags": [str(n)] * n} for n in range(3)]
    column = pa.array([rows, []], kind)
    moved = cells.moved(column, 0, [2, 0], None, NEW[:0])
    assert moved.type == kind
    assert moved[0][0].as_py() == column[0][2].as_py()
    assert cells.moved(column.slice(1), 0, [], None, NEW[:0]).to_pylist() == [[]]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ([[1, 2, 3]], "has not 4 numbers"),
        ([[1, 2, 3, None]], "has not 4 numbers"),
        ([None], "has not 4 numbers"),
        ([[1, 2, 3, float("nan")]], "not finite"),
        ([[1, 2, float("inf"), 4]], "not finite"),
    ],
)
def test_entries_that_are_no_coordinates(cell: Any, message: str) -> None:
    column = pa.array([cell], pa.list_(pa.list_(pa.float64())))
    with pytest.raises(BadLabels, match=message):
        cells.read(column, 0, Layout(4))


def test_members_of_different_lengths() -> None:
    kind = pa.struct([("start", pa.list_(pa.float32())), ("end", pa.list_(pa.float32()))])
    column = pa.array([{"start": [1, 2], "end": [3]}], kind)
    with pytest.raises(BadLabels, match="start and end are not equally long"):
        cells.read(column, 0, layout_of(kind, 2, (("start", "end"),)))


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.list_(pa.int32()), pa.list_(pa.list_(pa.string())), pa.struct([("box", pa.int32())])]
)
def test_types_that_hold_no_boxes(kind: pa.DataType) -> None:
    with pytest.raises(ValueError, match=r"must be a list of lists of 4 numbers, a list of structs, .* with bbox"):
        layout_of(kind, 4, BBOX)


@pytest.mark.parametrize("kind", ["structs", "struct"])
def test_frames_stand_beside_boxes(kind: str) -> None:
    entries = [{"frame": 3, "bbox": [1.0, 2, 3, 4]}, {"frame": 9, "bbox": [5.0, 6, 7, 8]}]
    member = [("frame", pa.int16()), ("bbox", pa.list_(pa.float32()))]
    if kind == "structs":
        column = pa.array([entries], pa.list_(pa.struct(member)))
    else:
        lists = {name: [entry[name] for entry in entries] for name in ("frame", "bbox")}
        column = pa.array([lists], pa.struct([(name, pa.list_(of)) for name, of in member]))
    layout = cells.layout_of(column.type, 4, [("bbox",)], ("frame",))
    found = cells.read(column, 0, layout)
    assert found is not None
    assert found.tolist() == [[1, 2, 3, 4, 3], [5, 6, 7, 8, 9]]
    new = np.array([[0, 0, 1, 1, 4], [2, 2, 3, 3, 5.0]])
    moved = cells.moved(column, 0, [1, 1], layout, new)
    assert moved.type == column.type
    assert cells.read(moved, 0, layout).tolist() == new.tolist()  # type: ignore[union-attr]


def test_boxes_without_frames_are_refused() -> None:
    plain = pa.list_(pa.list_(pa.int32()))
    with pytest.raises(ValueError, match="it must be a list of structs, or a struct of lists with bbox/frame"):
        cells.layout_of(plain, 4, [("bbox",)], ("frame",))
    lists = pa.struct([("frame", pa.list_(pa.int16())), ("bbox", pa.list_(pa.list_(pa.int16())))])
    layout = cells.layout_of(lists, 4, [("bbox",)], ("frame",))
    short = pa.array([{"frame": [1], "bbox": [[1, 2, 3, 4], [1, 2, 3, 4]]}], lists)
    with pytest.raises(cells.BadLabels, match="frame is not given for each of 2 entries"):
        cells.read(short, 0, layout)
