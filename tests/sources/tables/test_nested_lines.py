"""Lines of JSON that are nested too deep for any table: the record fails, and no other."""

from pathlib import Path

import orjson
import pytest
from small_inputs import config_of, put, ran, words


def nested(depth: int, inner: str = "1", kind: str = "[]") -> str:
    opening = "[" if kind == "[]" else '{"a":'
    return opening * depth + inner + kind[1] * depth


def lines(metas: list[str]) -> str:
    return "".join(f'{{"id":"r{n}","label":"x","text":"{words(n)}","meta":{meta}}}\n' for n, meta in enumerate(metas))


@pytest.mark.parametrize("kind", ["[]", "{}"])
def test_a_line_nested_200_deep_fails_alone(kind: str, tmp_path: Path) -> None:
    source = put(tmp_path / "t.jsonl", lines(["null", "null", nested(200, kind=kind), "null"]))
    made = ran(config_of(source, tmp_path / "out", split={}, copies=0, limits__failed=1))
    assert made.table().column("id").to_pylist() == ["r0", "r1", "r3"]
    (row,) = made.dropped()
    assert row["source_row"] == 2
    assert "nested more than 48 deep" in row["message"]


def test_what_arrow_takes_is_kept(tmp_path: Path) -> None:
    text = '"' + "[{" * 300 + '\\"]"'
    metas = [nested(45), nested(45), "null", nested(45)]
    source = put(tmp_path / "t.jsonl", lines(metas).replace("word1a", orjson.loads(text).replace('"', '\\"')))
    made = ran(config_of(source, tmp_path / "out", split={}, copies=0, limits__failed=1))
    assert made.dropped() == []
    found = made.table().column("meta").to_pylist()
    assert found == [orjson.loads(meta) for meta in metas]
