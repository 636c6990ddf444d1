"""Records that kill or hang whoever reads them are no donors: others come out as if they were not there."""

import json
from typing import Any

import pyarrow.dataset as pads
import pytest
import workdata
from conftest import Trouble, run, text_rows

MARKS = {2: "EXIT", 7: "RAISE", 16: "HANG"}


@pytest.mark.slow
def test_only_the_bad_ones_are_missing(trouble: Trouble, tmp_path: Any) -> None:
    rows = [{**row, "text": f"{row['text']}. {MARKS.get(n, 'Fine')}."} for n, row in enumerate(text_rows(24, 60))]
    fields = {"text": {"type": "text", "prepare": ["trouble.Act"], "augment": ["fanbeam.SentenceMix"]}}
    config = trouble.config(tmp_path, rows, split={}, fields=fields, limits={"failed": 1}, copies=6)
    assert run(config) == 0
    version = workdata.version_folder(tmp_path / "out")
    bad = {rows[n]["id"] for n in MARKS}
    assert {row["source_id"] for row in workdata.dropped(version)} == bad
    assert {d[0] for d in json.loads((version / "_references.json").read_text())["donors"]} == {
        row["id"] for row in rows
    } - bad
    found = pads.dataset(sorted(map(str, (version / "train").glob("*.parquet")))).to_table().to_pylist()
    assert len(found) == 7 * (len(rows) - len(bad))
    parents = {p["source_id"] for row in found for p in row["lineage"]["parents"]}
    assert len(parents) > 15
    assert not parents & bad
