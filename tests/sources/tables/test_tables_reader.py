import csv
import datetime
import io
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import put, rows_of

from pipeline.errors import InputError
from pipeline.sources.interface import Listing
from pipeline.sources.tables import reader, text_lines
from pipeline.sources.tables.reader import Columns, list_tables
from pipeline.storage.folder import expand

KNOWN = Columns(frozenset({"id", "text"}))


def listed(path: Path, known: Columns = KNOWN) -> Listing:
    kind: Any = "jsonl" if path.suffix == ".jsonl" or any(path.glob("*.jsonl")) else "csv"
    return list_tables(*expand(str(path)), kind, known)


def rows(path: Path, known: Columns = KNOWN) -> list[dict[str, Any]]:
    listing = listed(path, known)
    found = list(rows_of(listing.reader, listing.units))
    assert len(found) == sum(u.rows for u in listing.units)
    return found


def complaints(path: Path, known: Columns = KNOWN) -> list[str]:
    with pytest.raises(InputError) as caught:
        rows(path, known)
    found = [str(p) for p in caught.value.problems]
    assert found
    assert not any("\n" in line for line in found)
    return found


def complaint(path: Path, known: Columns = KNOWN) -> str:
    (found,) = complaints(path, known)
    return found


# CSV


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"id,x\na,1\nb,2\n", [("a", 1), ("b", 2)]),
        (b"id,x\na,1\nb,2", [("a", 1), ("b", 2)]),
        (b"id,x\r\na,1\r\nb,2\r\n", [("a", 1), ("b", 2)]),
        (b"\xef\xbb\xbfid,x\na,1\n", [("a", 1)]),
        (b'\xef\xbb\xbf"id","x"\na,1\n', [("a", 1)]),
        (b"id,x\n\na,1\n\n\r\nb,2\n\n", [("a", 1), ("b", 2)]),
        (b'id,x\n"a\nb\r\nc",1\n', [("a\nb\r\nc", 1)]),
        (b'id,x\n"say ""hi"", now",1\n', [('say "hi", now', 1)]),
        (b'id,x\n"",1\n,2\n', [("", 1), (None, 2)]),
        (b'id,x\na,""\nb,\n', [("a", ""), ("b", None)]),
        (b"id,x\n007,1\n7,2\n1e3,3\n", [("007", 1), ("7", 2), ("1e3", 3)]),
        (b"id,x\nNULL,1\nNA,2\nnan,3\n", [("NULL", 1), ("NA", 2), ("nan", 3)]),
        (b"id,x\nTrue,1\n2024-01-01,2\n", [("True", 1), ("2024-01-01", 2)]),
        (b'id,x\na"b,1\n', [('a"b', 1)]),
        (b"id,x\n' a ,1\n", [("' a ", 1)]),
        (b"id,x\na,1\nb,2.5\n", [("a", 1), ("b", 2.5)]),
        (b"id,x\na,1\nb,two\n", [("a", "1"), ("b", "two")]),
        (b"id,x\na,\nb,\n", [("a", None), ("b", None)]),
        (b"id,x\na\x00b,1\n", [("a\x00b", 1)]),
        ("id,x\nü \U0001f426 \u2028 \x85,1\n".encode(), [("ü \U0001f426 \u2028 \x85", 1)]),
        (b"id,x\n", []),
        (b"id,x", []),
    ],
)
def test_csv(tmp_path: Path, data: bytes, wanted: list[tuple[Any, Any]]) -> None:
    found = [(r["id"], r["x"]) for r in rows(put(tmp_path / "a.csv", data))]
    assert [tuple(map(str, r)) for r in found] == [tuple(map(str, r)) for r in wanted]
    assert [r[0] for r in found] == [r[0] for r in wanted]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "a.csv:1: the file is empty"),
        (b"\xef\xbb\xbf", "a.csv:1: the first line is empty"),
        (b"\nid,x\na,1\n", "a.csv:1: the first line is empty"),
        (b"id,x\na\n", "a.csv:2: 1 values, but the header has 2."),
        (
            b'id,x\n"l1\nl2",1\nb,"open\nc,1\n',
            "a.csv:4: its quote is not closed, and line 2 has a cell of several lines",
        ),
        (b"id,x\n  \n", "a.csv:2: 1 values, but the header has 2."),
        (b"id,id\na,b\n", "a.csv:1: the header has empty or repeated names: ['id']."),
        (b"id,\na,b\n", "a.csv:1: the header has empty or repeated names: ['']."),
        (b"id,x\n\xff,2\n", "a.csv:2: not UTF-8 text."),
        ("id,x\na,1\n".encode("utf-16"), "a.csv:1: not UTF-8 text."),
        (b"id,x\rb,1\rc,2\r", "a.csv:1: "),
        (b"id,x\na\rb,1\n", "a.csv:2: "),
        (b'id,x\n"a"b,1\n', "a.csv:2: "),
        (b'id,x\n"a\\"b",1\n', "a.csv:2: "),
    ],
)
def test_csv_that_cannot_be_read(tmp_path: Path, data: bytes, said: str) -> None:
    """Each with its line."""
    assert complaint(put(tmp_path / "a.csv", data)).startswith(said)


@pytest.mark.parametrize(
    ("data", "wanted", "line", "said"),
    [
        (b"id,x\na,1\nb,1,2\nc,3\n", ["a", None, "c"], 3, "3 values, but the header has 2"),
        (b"id,x\na,1\n\nb\nc,3\n", ["a", None, "c"], 4, "1 values, but the header has 2"),
        (b"id,x\na,1\n\xff,2\nc,3\n", ["a", None, "c"], 3, "not UTF-8 text"),
        (b'id,x\na,1\nb,"open\nc,2\nd,3\n', ["a", None, "c", "d"], 3, "unexpected end of data"),
        (b'id,x\na,1\nb,"open\nc,"2"\nd,3\n', ["a", None, "c", "d"], 3, ""),
        (b'id,x\na,1\n"b"c,2\nd,3\n', ["a", None, "d"], 3, ""),
        (b'id,x\n"a\nb",1\n"c\nd",2,3\ne,4\n', ["a\nb", None, "e"], 4, "3 values, but the header has 2"),
        (b"id,x\n\xff,2\nc,3", [None, "c"], 2, "not UTF-8 text"),
        (b"id,x\na,1\nb", ["a", None], 3, "1 values, but the header has 2"),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_one_broken_line_of_csv_is_one_row_of_nulls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, wanted: list[Any], line: int, said: str, size: int
) -> None:
    monkeypatch.setattr(reader, "UNIT_BYTES", size)
    listing = listed(put(tmp_path / "a.csv", data))
    found = list(rows_of(listing.reader, listing.units))
    assert [row["id"] for row in found] == wanted
    (place,) = [n for n, row in enumerate(found) if row["x"] is None]
    ((number, broken),) = [(u.first_row + b.row, b) for u in listing.units for b in u.broken]
    assert (number, broken.line) == (place, line)
    assert broken.why.startswith(said)
    (note,) = listing.notes
    assert f"a.csv:{line}: {said}" in note


def test_one_unit_of_broken_lines_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "UNIT_BYTES", 1)
    found = rows(put(tmp_path / "a.csv", b"id,x\na,1\nb\nc\nd,2\n"))
    assert [row["id"] for row in found] == ["a", None, None, "d"]


def test_very_many_broken_lines_are_no_table(tmp_path: Path) -> None:
    data = "id,x\na,1\n" + "b\n" * 10_001
    assert complaint(put(tmp_path / "a.csv", data)).startswith("a.csv:3: more than 10,000 lines cannot be read")


def test_a_quote_that_is_not_closed_does_not_hold_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "LONGEST_RECORD", 1_000)
    data = 'id,x\na,"open\n' + "b,2\n" * 1_000
    found = rows(put(tmp_path / "a.csv", data))
    assert [row["id"] for row in found] == [None, *["b"] * 1_000]


def test_columns_of_csv_are_text_byte_for_byte(tmp_path: Path) -> None:
    cells = ["00137", "2E2", "12345678901234567890", "0x1F", "1.10", "true", "2024-01-01", " 7", "NaN", "-0", "1_000"]
    data = "id,x\n" + "".join(f"r{n},{cell}\n" for n, cell in enumerate(cells))
    path = put(tmp_path / "a.csv", data)
    assert [row["x"] for row in rows(path)] == cells
    assert listed(path).schema.field("x").type == pa.string()


@pytest.mark.parametrize(
    ("kind", "cells", "wanted"),
    [
        (pa.int64(), ["007", "-3", ""], [7, -3, None]),
        (pa.float64(), ["2E2", "1", ""], [200.0, 1.0, None]),
        (pa.bool_(), ["true", "0", ""], [True, False, None]),
        (pa.date32(), ["2024-01-02", ""], [datetime.date(2024, 1, 2), None]),
        (pa.timestamp("us"), ["2024-01-02 03:04:05"], [datetime.datetime(2024, 1, 2, 3, 4, 5)]),
        (pa.string(), ["7", ""], ["7", None]),
    ],
)
def test_columns_of_csv_have_the_type_that_is_asked_for(
    tmp_path: Path, kind: pa.DataType, cells: list[str], wanted: list[Any]
) -> None:
    path = put(tmp_path / "a.csv", "id,x\n" + "".join(f"r,{cell}\n" for cell in cells))
    assert [row["x"] for row in rows(path, Columns(frozenset({"id"}), {"x": kind}))] == wanted


def test_a_cell_that_is_not_of_the_type_asked_for_is_named(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "id,x\na,1\nb,two\n")
    said = complaint(path, Columns(frozenset({"id"}), {"x": pa.float64()}))
    assert said.startswith("a.csv: column 'x', rows 0..2: ")
    assert "'two'" in said
    assert "input.columns: {x: string}" in said


@pytest.mark.parametrize(
    ("data", "delimiter"),
    [
        (b"id;x;y\na;1,5;q\nb;2,5;r\n", ";"),
        (b"id;x\na;1,5\n", ";"),
        (b"id\tx\na\t1;2\n", "\t"),
        (b"id|x\na|1\n", "|"),
        (b"id,x\na;b,1\nc;d,2\n", ","),
        (b"id,x\na,b;c;d\ne,f;g;h\n", ","),
        (b"id\na;b\n", ","),
        (b'id;x\n"a;b\n";2\n', ";"),
        (b"id;x", ";"),
    ],
)
def test_what_separates_columns_is_recognised(tmp_path: Path, data: bytes, delimiter: str) -> None:
    path = put(tmp_path / "a.csv", data)
    wanted = list(csv.DictReader(io.StringIO(data.decode()), delimiter=delimiter))
    assert rows(path) == wanted
    notes = listed(path).notes
    assert (notes == ()) == (delimiter == ",")


def test_what_separates_columns_can_be_given(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", b"id;a,x\n1;2,3\n")
    assert rows(path) == [{"id;a": "1;2", "x": "3"}]
    assert rows(path, replace(KNOWN, delimiter=";")) == [{"id": "1", "a,x": "2,3"}]


def test_numbers_are_seen_where_a_table_is_only_looked_at(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "id,x,y\n1,1,1\n2,2.5,q\n")
    assert rows(path, replace(KNOWN, guessed=True)) == [
        {"id": "1", "x": 1.0, "y": "1"},
        {"id": "2", "x": 2.5, "y": "q"},
    ]


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    """The csv module refuses cells of more than 128 KiB, with a traceback."""
    before = csv.field_size_limit()
    data = b"id,text\na," + b"y" * 3_000_000 + b'\nb,"' + b"z\n" * 1_000_000 + b'"\n'
    assert [len(r["text"]) for r in rows(put(tmp_path / "a.csv", data))] == [3_000_000, 2_000_000]
    assert csv.field_size_limit() == before


def test_tabs(tmp_path: Path) -> None:
    for name in ("a.tsv", "b.TAB"):
        assert rows(put(tmp_path / name[0] / name, b'id\tx\na,b\t"1\t2"\n')) == [{"id": "a,b", "x": "1\t2"}]


def test_files_share_a_header_and_types(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", b"id,x,y,z\na,1,,true\n")
    put(tmp_path / "b.csv", b"id,x,y,z\r\nb,2.5,q,1\r\n")
    put(tmp_path / "c.csv", b"id,x,y,z\n")
    listing = listed(tmp_path)
    assert listing.schema.types == [pa.string()] * 4
    assert rows(tmp_path) == [
        {"id": "a", "x": "1", "y": None, "z": "true"},
        {"id": "b", "x": "2.5", "y": "q", "z": "1"},
    ]


def test_all_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", b"id,x\na,1\n")
    put(tmp_path / "b.csv", b"id,y\na,1\n")
    put(tmp_path / "c.csv", b"id,x\na\n")
    put(tmp_path / "d.csv", b"")
    assert [line.split(":")[0] for line in complaints(tmp_path)] == ["b.csv", "c.csv", "d.csv"]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6) | st.sampled_from(
    ["", '"', '""', "\n", "\r\n", ",", "a,b", "007", " ", "\ufeff", "NULL", '\n"', "\r"]
)


@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.integers(8, 40),
)
def test_what_a_csv_writer_wrote_is_read(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, str]], end: str, quoting: Any, size: int
) -> None:
    sink = io.StringIO()
    if any("\r" in cell for row in made for cell in row):
        quoting = csv.QUOTE_ALL  # Python 3.11 forgets to quote them
    writer = csv.writer(sink, lineterminator=end, quoting=quoting)
    writer.writerows([("id", "text"), *made])
    path = put(tmp_path_factory.mktemp("csv") / "a.csv", sink.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "UNIT_BYTES", size)
        found = [(r["id"] or "", r["text"] or "") for r in rows(path)]
    assert found == made


def test_units_are_runs_of_whole_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "UNIT_BYTES", 30)
    path = put(tmp_path / "a.csv", "id,x\n" + "".join(f'"r\n{n}",{n}\n' for n in range(40)))
    listing = listed(path)
    assert len(listing.units) > 5
    assert [u.begin for u in listing.units[1:]] == [u.end for u in listing.units[:-1]]
    assert [u.first_row for u in listing.units] == [
        sum(u.rows for u in listing.units[:n]) for n in range(len(listing.units))
    ]
    assert [r["x"] for r in rows_of(listing.reader, listing.units)] == list(map(str, range(40)))
    assert listing.reader.locate(listing.units[2], 1) == ("a.csv", listing.units[2].first_row + 1)
    again: Any = pickle.loads(pickle.dumps(listing.reader))
    (batch,) = again.read(listing.units[1], ["x"], 1, 2)
    assert batch.to_pylist() == [{"x": str(listing.units[1].first_row + 1)}]


def test_types_are_wide_enough_for_all_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "UNIT_BYTES", 8)
    data = "id,x,y\n" + "".join(f"r{n},{n if n < 9 else 0.5},{n if n != 9 else 'odd'}\n" for n in range(10))
    found = rows(put(tmp_path / "a.csv", data), replace(KNOWN, guessed=True))
    assert [r["x"] for r in found] == [*map(float, range(9)), 0.5]
    assert [r["y"] for r in found] == [*map(str, range(9)), "odd"]


# JSON Lines


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ('{"id":"a","x":1}\n{"id":"b"}\n', [{"id": "a", "x": 1}, {"id": "b", "x": None}]),
        ('{"id":"a"}\n{"x":1,"id":"b"}', [{"id": "a", "x": None}, {"id": "b", "x": 1}]),
        ('\n\n{"id":"a"}\r\n  \t\n{"id":"b"}\n\n', [{"id": "a"}, {"id": "b"}]),
        ('\ufeff{"id":"a"}\n', [{"id": "a"}]),
        ('{"id":7}\n{"id":"007"}\n{"id":1.5}\n{"id":true}\n{"id":null}\n',
         [{"id": "7"}, {"id": "007"}, {"id": "1.5"}, {"id": "true"}, {"id": None}]),
        ('{"x":1}\n{"x":2.5}\n', [{"x": 1.0}, {"x": 2.5}]),
        ('{"x":9007199254740993}\n', [{"x": 9007199254740993}]),
        ('{"m":{"a":1}}\n{"m":{"b":[1,null]}}\n{"m":null}\n',
         [{"m": {"a": 1, "b": None}}, {"m": {"a": None, "b": [1, None]}}, {"m": None}]),
        ('{"m":[]}\n{"m":null}\n', [{"m": []}, {"m": None}]),
        ('{"m":[]}\n{"m":["a"]}\n', [{"m": []}, {"m": ["a"]}]),
        ('{"id":"\\ud83d\\udc26 \u2028 \u00a0"}\n', [{"id": "\U0001f426 \u2028 \u00a0"}]),
        ('{"id":"a","":1}\n', [{"id": "a", "": 1}]),
        ('{"id":"a","x":null}\n', [{"id": "a", "x": None}]),
        ("", []),
        ("\n \n", []),
    ],
)  # fmt: skip
def test_jsonl(tmp_path: Path, data: str, wanted: list[dict[str, Any]]) -> None:
    assert rows(put(tmp_path / "a.jsonl", data)) == wanted


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('{"id":"a"}{"id":"b"}\n', "a.jsonl:1: not valid JSON"),
        ("{'id':'a'}\n", "a.jsonl:1: not valid JSON"),
        ('{"x":NaN}\n', "a.jsonl:1: not valid JSON"),
        ('{"x":1e400}\n', "a.jsonl:1: not valid JSON"),
        ('[{"id":"a"}]\n', "a.jsonl:1: a list, not an object"),
        ('"a"\n', "a.jsonl:1: a str, not an object"),
        ("null\n", "a.jsonl:1: "),
        ('{"x":"a"}\n{"x":1}\n', "a.jsonl: column 'x' mixes kinds of values"),
        ('{"x":9007199254740993}\n{"x":0.5}\n', "a.jsonl: column 'x' mixes kinds of values"),
        ('{"x":1}\n{"x":"a"}\n', "a.jsonl: column 'x' mixes kinds of values"),
        ('{"x":1}\n{"x":true}\n', "a.jsonl: column 'x' mixes kinds of values"),
        ('{"x":[1,"a"]}\n', "a.jsonl: column 'x' mixes kinds of values"),
        ('{"x":{"a":1}}\n{"x":3}\n', "a.jsonl: column 'x' mixes kinds of values"),
        ('{"x":18446744073709551615}\n', "a.jsonl: column 'x'"),
        ('{"id":"a","x":{}}\n', "a.jsonl: columns ['x'] hold only empty"),
        ('{"id":"a","x":[{"y":{}}]}\n', "a.jsonl: columns ['x'] hold only empty"),
    ],
)
def test_jsonl_that_cannot_be_read(tmp_path: Path, data: str, said: str) -> None:
    assert complaint(put(tmp_path / "a.jsonl", data)).startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id":', "not valid JSON"),
        (b'{"id":"\xff"}', "not UTF-8 text"),
        (b"[1]", "a list, not an object"),
        (b"\xc2\xa0", "not valid JSON"),
        (b"\x1c", "not valid JSON"),
        (b'{"x":NaN}', "not valid JSON"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_one_broken_line_of_jsonl_is_one_row_of_nulls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes, said: str, place: int, size: int
) -> None:
    monkeypatch.setattr(reader, "UNIT_BYTES", size)
    lines = [b'{"id":"a","n":1}', b'{"id":"b","n":2}']
    lines.insert(place, line)
    listing = listed(put(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + b"\n\n".join(lines)))
    found = [row["id"] for row in rows_of(listing.reader, listing.units)]
    wanted: list[str | None] = ["a", "b"]
    wanted.insert(place, None)
    assert found == wanted
    assert f"a.jsonl:{2 * place + 1}: {said}" in listing.notes[0]


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize(
    "values", [[1, "a"], [1, 2.5], [True, 1], [None, 3], [[], [1]], [{"a": 1}, {"b": 2.5}], [2**53 + 1, 0.5], [[1], 1]]
)
def test_types_of_jsonl_do_not_depend_on_the_order_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[Any], size: int
) -> None:
    monkeypatch.setattr(reader, "UNIT_BYTES", size)
    found = []
    for number, order in enumerate((values, values[::-1])):
        path = put(tmp_path / f"{number}.jsonl", "".join(json.dumps({"x": value}) + "\n" for value in order))
        try:
            kind = listed(path).schema.field("x").type
            found.append({f.name: f.type for f in kind} if pa.types.is_struct(kind) else kind)
        except InputError:
            found.append("refused")
    assert found[0] == found[1]


def test_a_column_of_jsonl_that_mixes_kinds_is_text_where_that_is_asked_for(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", '{"x":1}\n{"x":"a"}\n{"x":[2.50]}\n{}\n')
    assert "input.columns: {x: string}" in complaint(path)
    assert [row["x"] for row in rows(path, Columns(types={"x": pa.string()}))] == ["1", "a", "[2.5]", None]


def test_jsonl_kinds_that_differ_between_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "UNIT_BYTES", 4)
    assert "x" in complaint(put(tmp_path / "a.jsonl", '{"x":1}\n{"x":"a"}\n'))
    assert "hold exactly" in complaint(put(tmp_path / "d.jsonl", '{"x":9007199254740993}\n{"x":0.5}\n'))
    widened = put(tmp_path / "b.jsonl", '{"x":9007199254740992}\n{"x":0.5}\n{"x":null}\n{"y":[]}\n{"y":["a"]}\n')
    assert [r["x"] for r in rows(widened)][:3] == [9007199254740992.0, 0.5, None]
    empty = put(tmp_path / "c.jsonl", '{"x":{}}\n{"x":{"a":1}}\n{"x":null}\n')
    assert rows(empty) == [{"x": {"a": None}}, {"x": {"a": 1}}, {"x": None}]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from(["id", "text", "x", "y"]), VALUES, max_size=4), max_size=6))
def test_any_jsonl_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, made: list[dict[str, Any]]) -> None:
    path = put(tmp_path_factory.mktemp("j") / "a.jsonl", b"".join(orjson.dumps(row) + b"\n" for row in made))
    for size in (8, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader, "UNIT_BYTES", size)
            try:
                found = rows(path)
            except InputError as error:
                assert error.problems
            else:
                assert len(found) == len(made)


def test_pass_through_of_jsonl_is_exact(tmp_path: Path) -> None:
    made = [{"id": f"r{n}", "n": n, "tags": ["a"] * n, "deep": {"x": {"y": n / 3}}, "ok": n > 1} for n in range(4)]
    assert rows(put(tmp_path / "a.jsonl", "\n".join(json.dumps(r) for r in made))) == made


def test_json_files_may_differ_in_columns(tmp_path: Path) -> None:
    put(tmp_path / "a.jsonl", '{"id":"a","x":1}\n')
    put(tmp_path / "b.jsonl", '{"id":"b","y":"q"}\n')
    assert rows(tmp_path) == [{"id": "a", "x": 1, "y": None}, {"id": "b", "x": None, "y": "q"}]


KEYED = Columns(frozenset({"id", "label", "text"}), keys=frozenset({"id", "label"}), label="label")
KEPT: list[tuple[list[Any], pa.DataType, list[Any]]] = [
    ([1, 0, None], pa.int64(), [1, 0, None]),
    ([["a", "b"], None, []], pa.list_(pa.string()), [["a", "b"], None, []]),
    ([True, False, None], pa.bool_(), [True, False, None]),
    ([0.5, 1, None], pa.float64(), [0.5, 1.0, None]),
    ([1, "a", None], pa.string(), ["1", "a", None]),
    ([["a"], "b", None], pa.string(), ['["a"]', "b", None]),
    ([2**60 + 1, 0.5, None], pa.string(), ["1152921504606846977", "0.5", None]),
    ([None, None, None], pa.string(), [None, None, None]),
]


@pytest.mark.parametrize(("values", "kind", "wanted"), KEPT)
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_labels_of_json_are_what_their_values_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[Any], kind: pa.DataType, wanted: list[Any],
    apart: bool, backwards: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(reader, "UNIT_BYTES", 1 if apart else 2**20)
    order = slice(None, None, -1 if backwards else 1)
    lines = [json.dumps({"id": n, "text": f"t{n}", "label": value}) for n, value in enumerate(values[order])]
    path = put(tmp_path / "a.jsonl", "\n".join(lines))
    found = listed(path, KEYED)
    assert len(found.units) == (3 if apart else 1)
    assert found.schema.field("label").type.equals(kind) or pa.types.is_list(kind)
    assert found.schema.field("id").type == pa.int64()
    assert [row["label"] for row in rows(path, KEYED)] == wanted[order]


def test_payloads_of_json_are_texts_or_lists_of_words(tmp_path: Path) -> None:
    lines = [{"id": "a", "text": ["some", "words"]}, {"id": 1.5, "text": None}]
    found = rows(put(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines))), KEYED)
    assert found == [{"id": "a", "text": ["some", "words"]}, {"id": "1.5", "text": None}]
    lines = [{"id": 1.5, "text": 12}, {"id": 2.5, "text": 13}]
    found = rows(put(tmp_path / "b.jsonl", "\n".join(map(json.dumps, lines))), KEYED)
    assert found == [{"id": "1.5", "text": "12"}, {"id": "2.5", "text": "13"}]
