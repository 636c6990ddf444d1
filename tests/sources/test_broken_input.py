"""Files that are not there and lines that cannot be read: failed records in their places, or a refusal by name."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_inputs import config_of, jpeg, opened, parquet, planned, put, ran, text_columns, text_of, values, words

from pipeline.driver.api import run
from pipeline.driver.run_options import RunOptions
from pipeline.engines.work_files import _tasks_bytes, assigned_tasks
from pipeline.errors import ExitCode, FanbeamError, InputError
from pipeline.planning.job import Task

PICTURES: dict[str, Any] = {"fields": {"image": {"type": "image"}}, "input__id": ..., "input__label": ..., "split": {}}


def lines(count: int, more: str = "") -> list[str]:
    return [f"r{n},x,{words(n)}{more}" for n in range(count)]


def csv_file(path: Path, rows: list[str], header: str = "id,label,text") -> Path:
    return put(path, "\n".join([header, *rows]) + "\n")


def pictures(home: Path) -> Path:
    for n in range(3):
        put(home / "cats" / f"{n}.jpg", jpeg(n))
    (home / "cats" / "gone.jpg").symlink_to("nowhere.jpg")
    (home / "cats" / "round.jpg").symlink_to("round.jpg")
    return home


@pytest.mark.parametrize("told", ["tag", "content"])
@pytest.mark.parametrize("pattern", ["", "**/*.jpg", "cats/*.jpg"])
def test_a_link_that_leads_nowhere_is_a_failed_record(tmp_path: Path, told: str, pattern: str) -> None:
    changes = {**PICTURES, "limits__failed": 0.5, "input__fingerprint": told}
    found = ran(config_of(pictures(tmp_path / "in") / pattern, tmp_path / "out", **changes))
    assert found.plan.records == 5
    dropped = {(row["source_id"].rpartition("/")[2], row["reason"]) for row in found.dropped()}
    assert dropped == {("gone.jpg", "missing_file"), ("round.jpg", "unreadable_file")}
    assert found.table().num_rows == 3 * 3


def test_a_file_that_comes_back_is_another_input(tmp_path: Path) -> None:
    config = config_of(pictures(tmp_path / "in"), tmp_path / "out", **PICTURES)
    before = opened(config)[0].version
    (tmp_path / "in" / "cats" / "gone.jpg").unlink()
    put(tmp_path / "in" / "cats" / "gone.jpg", jpeg(9))
    assert opened(config)[0].version != before


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_table_that_is_a_link_to_nothing_is_refused_by_name(tmp_path: Path, ending: str) -> None:
    if ending == "parquet":
        parquet(tmp_path / "a.parquet", text_columns(3))
    elif ending == "csv":
        csv_file(tmp_path / "a.csv", lines(3))
    else:
        put(tmp_path / "a.jsonl", '{"id":"a","label":"x","text":"t"}\n')
    (tmp_path / f"b.{ending}").symlink_to("/nowhere/b")
    with pytest.raises(InputError, match="is a link to a file that is not there") as caught:
        opened(config_of(tmp_path, "out"))
    (problem,) = caught.value.problems
    assert problem.where == str(tmp_path / f"b.{ending}")


AS_NOBODY = """
import os, sys
from pipeline.planning.checks.check import open_input
from pipeline.config.schema import JobConfig
from pipeline.errors import ExitCode, FanbeamError, InputError
import pipeline.sources.listing, pipeline.sources.references.file_references
if os.geteuid() == 0:
    os.seteuid(65534)
fields = {"text": {"type": "text"}}
config = JobConfig.model_validate({"input": {"path": sys.argv[1]}, "fields": fields, "output": {"path": "out"}})
try:
    open_input(config)
except InputError as error:
    print(error.problems[0])
"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that other users may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize(
    ("locked", "said"),
    [("in/deep", "deep: cannot be listed"), ("in/a.csv", "a.csv: cannot be read"), (".", "in: cannot be read")],
)
def test_what_may_not_be_read_is_named(open_to_all: Path, locked: str, said: str) -> None:
    csv_file(open_to_all / "in" / "a.csv", lines(2))
    csv_file(open_to_all / "in" / "deep" / "b.csv", lines(2))
    (open_to_all / locked).chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(open_to_all / "in")], capture_output=True, text=True, check=False
    )
    (open_to_all / locked).chmod(0o755)
    assert said in done.stdout, done.stderr
    assert "ermission" in done.stdout


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"input__id": ...},
        {"input__id": ..., "input__label": ..., "split": {}},
        {"split": {"column": "part"}},
        {"split": {"by": "time", "column": "at", "validation": 0.2}},
        {"split": {"by": "stratified", "validation": 0.2}},
        {"input__group": "part", "output__shard_size": 4096},
    ],
)
def test_a_broken_line_is_one_failed_record_with_its_line(tmp_path: Path, changes: dict[str, Any]) -> None:
    rows = [f"{row},{'train' if n % 4 else 'val'},2024-01-{n + 1:02}" for n, row in enumerate(lines(20))]
    rows[7] = "r7,x,too,many,values,here,and,there"
    path = csv_file(tmp_path / "in" / "a.csv", rows, "id,label,text,part,at")
    found = ran(config_of(path, tmp_path / "out", **{"limits__failed": 0.1, "copies": 1, **changes}))
    (row,) = found.dropped()
    assert (row["source_file"], row["source_row"], row["reason"]) == ("a.csv", 7, "broken_line")
    assert row["message"] == "line 9: 8 values, but the header has 5"
    texts = {
        row["text"]
        for split in found.dataset.splits
        for row in found.table(split).to_pylist()
        if "/0" in row["sample_id"]
    }
    assert texts == {words(n) for n in range(20) if n != 7}
    assert found.plan.records == 20


def test_a_broken_line_of_jsonl_is_one_failed_record_with_its_line(tmp_path: Path) -> None:
    rows = [f'{{"id":"r{n}","label":"x","text":"{words(n)}"}}' for n in range(20)]
    rows[0] = rows[0][:-4]
    path = put(tmp_path / "in" / "a.jsonl", "\n".join(rows))
    found = ran(config_of(path, tmp_path / "out", limits__failed=0.1, copies=1))
    (row,) = found.dropped()
    assert (row["source_row"], row["reason"]) == (0, "broken_line")
    assert row["message"].startswith("line 1: not valid JSON")
    assert found.plan.records == 20


def test_broken_lines_travel_to_workers(tmp_path: Path) -> None:
    rows = lines(6)
    rows[2] = "r2"
    path = csv_file(tmp_path / "a.csv", rows)
    job, _, plan = planned(config_of(path, tmp_path / "out"))
    tasks = [Task(shard) for shard in plan.shards]
    job.dataset.put("_runs/work/n-00000.json", _tasks_bytes(tasks))
    assert list(assigned_tasks(job.dataset, "n", 0)) == tasks
    assert any(block.unit.broken for task in tasks for block in task.shard.blocks)


def damaged(path: Path, **writing: Any) -> Path:
    """A table of pictures; in the second row group a page holds other bytes than were written."""
    count = 12
    columns = {"id": [f"r{n}" for n in range(count)], "label": ["x"] * count, "image": [jpeg(n) for n in range(count)]}
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table(columns), path, row_group_size=4, use_dictionary=False, **writing)
    chunk = pq.read_metadata(path).row_group(1).column(2)
    data = bytearray(path.read_bytes())
    at = chunk.data_page_offset + (chunk.total_compressed_size // 2 if "write_page_checksum" in writing else 0)
    data[at : at + 64] = bytes(byte ^ 0xFF for byte in data[at : at + 64])
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("split", [{"validation": 0.3}, {"validation": 0.3, "keep_together": {"exact": False}}])
@pytest.mark.parametrize("writing", [{"compression": "zstd"}, {"compression": "none", "write_page_checksum": True}])
def test_a_damaged_page_ends_the_run_with_file_and_row_group(
    tmp_path: Path, split: dict[str, Any], writing: dict[str, Any]
) -> None:
    path = damaged(tmp_path / "in" / "a.parquet", **writing)
    changes = {"fields": {"image": {"type": "image"}}, "split": split, "copies": 1}
    with pytest.raises(FanbeamError) as caught:
        run(text_of(values(path, tmp_path / "out", **changes)), RunOptions(workers=2))
    assert caught.value.exit_code == ExitCode.USAGE
    said = " ".join(map(str, caught.value.problems)) or caught.value.message
    assert "a.parquet row group 1, rows 4..8: cannot be read" in said
    assert "fetch or write it again" in said


def test_a_dataset_has_what_stands_in_a_csv_byte_for_byte(tmp_path: Path) -> None:
    cells = ["00137", "2E2", "12345678901234567890", "0x1F", "1.50", "true", " x ", "2024-01-01"]
    rows = [f"{row},{cell}" for row, cell in zip(lines(len(cells)), cells, strict=True)]
    path = csv_file(tmp_path / "in" / "a.csv", rows, "id,label,text,x")
    found = ran(config_of(path, tmp_path / "out", split={}, copies=1)).table()
    assert found.schema.field("x").type == pa.string()
    assert {(row["id"], row["x"]) for row in found.to_pylist()} == {(f"r{n}", cell) for n, cell in enumerate(cells)}
    priced = config_of(path, tmp_path / "typed", split={}, copies=1, input__columns={"x": "string", "label": "string"})
    assert ran(priced).table().column("x").to_pylist() == found.column("x").to_pylist()
