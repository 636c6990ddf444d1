"""The same files byte for byte, however they are made; the same samples, however the input is cut."""

import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import workdata

from pipeline.cli.program import main

Rows = list[dict[str, Any]]
COUNT = 60


def mixed_rows(count: int = COUNT) -> Rows:
    return [{**r, "caption": workdata.sentence(n)} for n, r in enumerate(workdata.image_rows(count))]


def mixed_config(data: Path, output: Path, **changes: Any) -> dict[str, Any]:
    fields = {
        "image": {"type": "image", "augment": workdata.IMAGE_STEPS, "quality": {"reject_identical": True}},
        "caption": {"type": "text", "augment": workdata.TEXT_STEPS},
    }
    return workdata.image_config(data, output, fields=fields, limits={"rejected": 1, "failed": 1}, **changes)


def make(home: Path, name: str, rows: Iterable[dict[str, Any]], workers: int = 2, per_group: int = 10) -> Path:
    """Run over one file of some rows; the version's folder."""
    data = workdata.write_parquet(home / name / "in.parquet", list(rows), per_group)
    return run(home / name, data, workers)


def run(home: Path, data: Path, workers: int = 2) -> Path:
    config = workdata.write_config(home / "c.yaml", mixed_config(data, home / "out"))
    assert main(["run", str(config), "--json", "--workers", str(workers)]) == 0
    return workdata.version_folder(home / "out")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One poisoned record among them, so that dropped files are compared too."""
    rows = mixed_rows()
    rows[11]["image"] = rows[11]["image"][:300]
    home = tmp_path_factory.mktemp("reference")
    version = make(home, "one", rows, workers=1)
    assert len(list((version / "train").iterdir())) > 3
    assert workdata.dropped(version)
    return version


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_and_any_output_folder(reference: Path, tmp_path: Path, workers: int) -> None:
    version = run(tmp_path, reference.parents[1] / "in.parquet", workers)
    assert version.name == reference.name
    assert workdata.contents(version) == workdata.contents(reference)


def test_the_input_folder_has_no_say(reference: Path, tmp_path: Path) -> None:
    data = tmp_path / "moved" / "in.parquet"
    data.parent.mkdir()
    shutil.copy2(reference.parents[1] / "in.parquet", data)  # a file that was written again is another input
    assert workdata.contents(run(tmp_path, data)) == workdata.contents(reference)


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_another_process_with_another_hash_seed(reference: Path, tmp_path: Path, hash_seed: str) -> None:
    data = reference.parents[1] / "in.parquet"
    config = workdata.write_config(tmp_path / "c.yaml", mixed_config(data, tmp_path / "out"))
    threads = {"OMP_NUM_THREADS": "3", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    done = workdata.run("run", config, "--workers", "2", PYTHONHASHSEED=hash_seed, **threads)
    assert done.returncode == 0, done.stderr
    assert workdata.contents(workdata.version_folder(tmp_path / "out")) == workdata.contents(reference)


def test_limits_are_no_part_of_the_version(reference: Path, tmp_path: Path) -> None:
    tree = mixed_config(reference.parents[1] / "in.parquet", tmp_path / "out")
    tree["limits"] = {"failed": 0.5, "rejected": 0.9}
    config = workdata.write_config(tmp_path / "c.yaml", tree)
    assert main(["run", str(config), "--json", "--workers", "1"]) == 0
    assert workdata.contents(workdata.version_folder(tmp_path / "out")) == workdata.contents(reference)


def test_another_seed_is_another_version_with_the_same_splits(reference: Path, tmp_path: Path) -> None:
    tree = mixed_config(reference.parents[1] / "in.parquet", tmp_path / "out", seed=18)
    assert main(["run", str(workdata.write_config(tmp_path / "c.yaml", tree)), "--json", "--workers", "2"]) == 0
    version = workdata.version_folder(tmp_path / "out")
    assert version.name != reference.name
    mine, theirs = workdata.samples(version), workdata.samples(reference)
    assert {i: s[0] for i, s in mine.items()} == {i: s[0] for i, s in theirs.items()}
    assert all(s[1] != theirs[i][1] for i, s in mine.items() if not i.endswith("/0"))


def seen(version: Path) -> dict[str, tuple[Any, ...]]:
    return workdata.samples(version, ("image", "caption"))


def rechunked(home: Path, rows: Rows) -> Path:
    workdata.write_parquet(home / "in" / "b.parquet", rows[:7], 3)
    workdata.write_parquet(home / "in" / "sub" / "c.parquet", rows[7:50], 17)
    workdata.write_parquet(home / "in" / "a.parquet", rows[50:], 50)
    return home / "in"


def reordered(home: Path, rows: Rows) -> Path:
    random.Random(5).shuffle(rows)
    return workdata.write_parquet(home / "in.parquet", rows, 11)


def as_struct_with_other_types(home: Path, rows: Rows) -> Path:
    """Large types and a struct payload: other containers of the same values."""
    table = pa.Table.from_pylist([{**r, "image": {"bytes": r["image"], "path": None}} for r in rows])
    table = table.set_column(table.schema.get_field_index("id"), "id", table["id"].cast(pa.large_string()))
    home.mkdir(exist_ok=True)
    pq.write_table(table, home / "in.parquet", row_group_size=13)
    return home / "in.parquet"


@pytest.mark.parametrize("cut", [rechunked, reordered, as_struct_with_other_types])
def test_the_same_samples_however_the_input_is_cut(
    cut: Callable[[Path, Rows], Path], tmp_path: Path, keyed: Path
) -> None:
    version = run(tmp_path, cut(tmp_path, mixed_rows()))
    assert seen(version) == seen(keyed)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("keyed"), "one", mixed_rows())


def test_rows_added_and_removed_move_no_other_sample(tmp_path: Path, keyed: Path) -> None:
    rows = [r for n, r in enumerate(mixed_rows()) if n % 10 != 3]
    added = [{**r, "id": f"new{n}", "image": workdata.picture(500 + n)} for n, r in enumerate(mixed_rows(9))]
    version = make(tmp_path, "more", [*added[:5], *rows[:30], *added[5:], *rows[30:]])
    there, before = seen(version), seen(keyed)
    gone = {f"r{n:03d}" for n in range(3, COUNT, 10)}
    assert {i for i in there if not i.startswith("new")} == {i for i in before if i.split("/")[0] not in gone}
    assert all(there[i] == before[i] for i in there if not i.startswith("new"))


def test_integer_ids_are_their_decimals(tmp_path: Path) -> None:
    plain = [{**r, "id": n} for n, r in enumerate(mixed_rows(12))]
    text = [{**r, "id": str(n)} for n, r in enumerate(mixed_rows(12))]
    assert seen(make(tmp_path, "plain", plain)) == seen(make(tmp_path, "text", text))


@pytest.mark.parametrize("shard_size", ["8KiB", "2MiB"])
def test_the_shard_size_changes_no_sample(shard_size: str, tmp_path: Path, keyed: Path) -> None:
    data = keyed.parents[1] / "in.parquet"
    tree = mixed_config(data, tmp_path / "out")
    tree["output"]["shard_size"] = shard_size
    assert main(["run", str(workdata.write_config(tmp_path / "c.yaml", tree)), "--json", "--workers", "2"]) == 0
    assert seen(workdata.version_folder(tmp_path / "out")) == seen(keyed)


@pytest.mark.slow
def test_sounds_in_other_chunks(tmp_path: Path) -> None:
    rows = [{"id": f"a{n}", "label": "x", "audio": workdata.sound(n)} for n in range(30)]
    found = []
    for name, cut, per_group, workers in (("one", rows, 30, 1), ("two", rows[::-1], 4, 3)):
        data = workdata.write_parquet(tmp_path / name / "in.parquet", cut, per_group)
        fields = {"audio": {"type": "audio", "augment": workdata.AUDIO_STEPS}}
        tree = workdata.image_config(data, tmp_path / name / "out", fields=fields)
        config = workdata.write_config(tmp_path / name / "c.yaml", tree)
        assert main(["run", str(config), "--json", "--workers", str(workers)]) == 0
        found.append(workdata.samples(workdata.version_folder(tmp_path / name / "out"), ("audio",)))
    assert found[0] == found[1]
