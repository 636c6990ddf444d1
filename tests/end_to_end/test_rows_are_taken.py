"""A version that differs from the one before in its files, or some records, takes rows from there: the same bytes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import workdata

from pipeline.driver.api import plan, run
from pipeline.engines.local import pool as workers
from pipeline.rendering import augment

Rows = list[dict[str, Any]]
Config = Callable[..., Path]
BROKEN = "r005"


def rows(count: int) -> Rows:
    """Pictures with texts; one picture is none."""
    found = [
        {**row, "text": f"the quick brown fox number {n} jumps"} for n, row in enumerate(workdata.image_rows(count))
    ]
    return [{**row, "image": b"no picture"} if row["id"] == BROKEN else row for row in found]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Write the rows and a config for them; what is given is changed in it."""

    def written(out: str, given: Rows, **changes: dict[str, Any]) -> Path:
        data = workdata.write_parquet(tmp_path / "in.parquet", given)
        tree = workdata.image_config(data, tmp_path / out, limits={"failed": 0.1})
        tree["fields"]["text"] = {"type": "text", "augment": ["nlpaug.KeyboardAug"]}
        tree["input"]["fingerprint"] = "content"
        for name, value in changes.items():
            tree[name] = {**tree.get(name, {}), **value} if isinstance(value, dict) else value
        return workdata.write_config(tmp_path / f"{out}.yaml", tree)

    return written


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Keys of the records of which a field was rendered for a shard; all happens in this process."""
    seen: set[str] = set()
    render, ordered = augment._render_field, workers._Alone.run

    def noting(group: Any, seed: int, family: Any, peers: Any) -> Any:
        seen.add(family.record.key)
        return render(group, seed, family, peers)

    def forgetting(pool: workers._Alone, kind: str, tasks: Any) -> Iterator[Any]:
        yield from ordered(pool, kind, tasks)
        if kind == "probe":
            seen.clear()

    monkeypatch.setattr(augment, "_render_field", noting)
    monkeypatch.setattr(workers._Alone, "run", forgetting)
    monkeypatch.setattr(workers, "pool_for", lambda job, count, debug=False: workers._Alone(job, count, debug))
    return seen


def same_as_fresh(config: Config, given: Rows, **changes: Any) -> dict[str, Any]:
    """Run over what lies there, and in an empty folder: the same version with the same files. Its manifest."""
    made, fresh = run(config("out", given, **changes)), run(config("fresh", given, **changes))
    assert made.version == fresh.version
    assert workdata.contents(Path(made.path)) == workdata.contents(Path(fresh.path))
    return made.manifest


@pytest.mark.parametrize(
    "output", [{"shard_count": 3}, {"shard_size": "200KiB", "row_group_rows": 7}, {"order": "input"}], ids=str
)
def test_other_files_of_the_same_records(output: dict[str, Any], config: Config, rendered: set[str]) -> None:
    first = run(config("out", rows(60)))
    assert len(rendered) == 60
    assert plan(config("out", rows(60), output=output)).rows_from == first.version
    rendered.clear()
    run(config("out", rows(60), output=output))
    assert rendered <= {BROKEN}
    same_as_fresh(config, rows(60), output=output)


def test_a_week_later(config: Config, rendered: set[str]) -> None:
    """Some records are new, one has other pixels, one another text, one another label, one is gone, one is mended."""
    run(config("out", rows(60)))
    later, others = rows(66), rows(70)[66:]
    later[7]["image"], later[9]["text"], later[11]["label"] = others[0]["image"], "something else", "owl"
    later[5]["image"] = others[1]["image"]
    del later[13]
    rendered.clear()
    run(config("out", later))
    assert {"r007", "r009", BROKEN, *(f"r{n:03d}" for n in range(60, 66))} == rendered
    assert same_as_fresh(config, later)["dropped"]["failed"] == {}


@pytest.mark.parametrize(
    "change", [{"seed": 5}, {"fields": {"text": {"type": "text", "augment": ["nlpaug.OcrAug"]}}}], ids=str
)
def test_another_recipe_is_rendered(change: dict[str, Any], config: Config, rendered: set[str]) -> None:
    run(config("out", rows(12)))
    rendered.clear()
    run(config("out", rows(12), **change))
    assert len(rendered) == 12


@pytest.mark.parametrize("copies", [1, 4])
def test_another_number_of_copies(copies: int, config: Config, rendered: set[str]) -> None:
    run(config("out", rows(24)))
    rendered.clear()
    run(config("out", rows(24), copies=copies))
    assert (len(rendered) < 3) == (copies == 1)
    same_as_fresh(config, rows(24), copies=copies)


def test_what_is_damaged_or_gone_is_rendered_again(config: Config, rendered: set[str]) -> None:
    made = run(config("out", rows(24)))
    path = Path(made.path) / "train" / "part-00000.parquet"
    table = pq.read_table(path)
    edited = table.column("text").to_pylist()
    edited[0] = "somebody was here"
    damaged = table.column("lineage")[0].as_py()["source_id"]
    pq.write_table(table.set_column(table.schema.get_field_index("text"), "text", pa.array(edited)), path)
    files = sorted(Path(made.path).glob("train/*.parquet"))
    files[1].unlink()
    files[2].write_bytes(b"PAR1")
    rendered.clear()
    run(config("out", rows(24), output={"shard_count": 2}))
    assert damaged in rendered
    assert 2 < len(rendered) < 15
    same_as_fresh(config, rows(24), output={"shard_count": 2})
