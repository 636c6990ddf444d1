import csv
import io
import json
import pickle
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import put, rows_of

from pipeline.errors import InputError
from pipeline.sources import tables
from pipeline.sources.interface import Listing
from pipeline.sources.tables import list_tables
from pipeline.storage import expand

STRINGS = frozenset({"id", "text"})


def listed(path: Path) -> Listing:
    kind: Any = "jsonl" if path.suffix == ".jsonl" or any(path.glob("*.jsonl")) else "csv"
    return list_tables(*expand(str(path)), kind, STRINGS)


def rows(path: Path) -> list[dict[str, Any]]:
    listing = listed(path)
    found = list(rows_of(listing.reader, listing.units))
    assert len(found) == sum(u.rows for u in listing.units)
    return found


def complaints(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        rows(path)
    found = [str(p) for p in caught.value.problems]
    assert found
    assert not any("\n" in line for line in found)
    return found


def complaint(path: Path) -> str:
    (found,) = complaints(path)
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
        (b"id,x\na,1\nb,2.5\n", [("a", 1.0), ("b", 2.5)]),
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
        (b"id,x\na,1\nb,1,2\n", "a.csv:3: 3 values, but the header has 2."),
        (b"id,x\na\n", "a.csv:2: 1 values, but the header has 2."),
        (b'id,x\n"l1\nl2",1\nb\n', "a.csv:4: 1 values, but the header has 2."),
        (b"id,x\n  \n", "a.csv:2: 1 values, but the header has 2."),
        (b"id,id\na,b\n", "a.csv:1: the header has empty or repeated names: ['id']."),
        (b"id,\na,b\n", "a.csv:1: the header has empty or repeated names: ['']."),
        (b"id,x\na,1\n\xff,2\n", "a.csv:3: not UTF-8 text."),
        ("id,x\na,1\n".encode("utf-16"), "a.csv:1: not UTF-8 text."),
        (b"id,x\rb,1\rc,2\r", "a.csv:1: "),
        (b"id,x\na\rb,1\n", "a.csv:2: "),
        (b'id,x\na,1\nb,"open\nc,2\nd,3\n', "a.csv:5: "),
        (b'id,x\n"a"b,1\n', "a.csv:2: "),
        (b'id,x\n"a\\"b",1\n', "a.csv:2: "),
    ],
)
def test_csv_that_cannot_be_read(tmp_path: Path, data: bytes, said: str) -> None:
    """Each with its line. An open quote used to swallow all rows after it without a word."""
    assert complaint(put(tmp_path / "a.csv", data)).startswith(said)


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
    assert listing.schema.types == [pa.string(), pa.float64(), pa.string(), pa.string()]
    assert rows(tmp_path) == [
        {"id": "a", "x": 1.0, "y": None, "z": "true"},
        {"id": "b", "x": 2.5, "y": "q", "z": "1"},
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
        patch.setattr(tables, "UNIT_BYTES", size)
        found = [(r["id"] or "", r["text"] or "") for r in rows(path)]
    assert found == made


def test_units_are_runs_of_whole_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "UNIT_BYTES", 30)
    path = put(tmp_path / "a.csv", "id,x\n" + "".join(f'"r\n{n}",{n}\n' for n in range(40)))
    listing = listed(path)
    assert len(listing.units) > 5
    assert [u.begin for u in listing.units[1:]] == [u.end for u in listing.units[:-1]]
    assert [u.first_row for u in listing.units] == [
        sum(u.rows for u in listing.units[:n]) for n in range(len(listing.units))
    ]
    assert [r["x"] for r in rows_of(listing.reader, listing.units)] == list(range(40))
    assert listing.reader.locate(listing.units[2], 1) == ("a.csv", listing.units[2].first_row + 1)
    again: Any = pickle.loads(pickle.dumps(listing.reader))
    (batch,) = again.read(listing.units[1], ["x"], 1, 2)
    assert batch.to_pylist() == [{"x": listing.units[1].first_row + 1}]


def test_types_are_wide_enough_for_all_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "UNIT_BYTES", 8)
    data = "id,x,y\n" + "".join(f"r{n},{n if n < 9 else 0.5},{n if n != 9 else 'odd'}\n" for n in range(10))
    found = rows(put(tmp_path / "a.csv", data))
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
        ('{"x":9007199254740993}\n{"x":0.5}\n', [{"x": 9007199254740992.0}, {"x": 0.5}]),
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
        ('{"id":"a"}\n{"id":\n{"id":"b"}\n', "a.jsonl:2: not valid JSON"),
        ('{"id":"a"}\n{"id":"b"', "a.jsonl:2: not valid JSON"),
        ('{"id":"a"}{"id":"b"}\n', "a.jsonl:1: not valid JSON"),
        ("{'id':'a'}\n", "a.jsonl:1: not valid JSON"),
        ('{"x":NaN}\n', "a.jsonl:1: not valid JSON"),
        ('{"x":1e400}\n', "a.jsonl:1: not valid JSON"),
        ('[{"id":"a"}]\n', "a.jsonl:1: a list, not an object"),
        ('"a"\n', "a.jsonl:1: a str, not an object"),
        ("null\n", "a.jsonl:1: "),
        ('{"id":"a"}\n\u00a0\n', "a.jsonl:2: not valid JSON"),
        ('{"id":"a"}\n\x1c\n', "a.jsonl:2: not valid JSON"),
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


def test_jsonl_that_is_not_utf_8(tmp_path: Path) -> None:
    assert complaint(put(tmp_path / "a.jsonl", b'{"id":"a"}\n{"id":"\xff"}\n')).startswith("a.jsonl:2: not UTF-8")


def test_jsonl_kinds_that_differ_between_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "UNIT_BYTES", 4)
    assert "x" in complaint(put(tmp_path / "a.jsonl", '{"x":1}\n{"x":"a"}\n'))
    widened = put(tmp_path / "b.jsonl", '{"x":9007199254740993}\n{"x":0.5}\n{"x":null}\n{"y":[]}\n{"y":["a"]}\n')
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
            patch.setattr(tables, "UNIT_BYTES", size)
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
