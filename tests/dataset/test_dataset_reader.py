from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from small_inputs import Ran, config_of, parquet, planned, put, ran, text_columns, words

from pipeline.dataset.reader import open_dataset
from pipeline.errors import FanbeamError, InputError
from pipeline.planning.job import Task
from pipeline.rendering.stages import render


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("dataset with ü")
    parquet(home / "in/a.parquet", text_columns(30), 10)
    return ran(config_of(home / "in", home / "out", split={"validation": 0.2, "test": 0.2}, output__shard_size="8KiB"))


def test_by_output_folder_or_version(made: Ran) -> None:
    by_root, by_version = open_dataset(made.job.output.url), open_dataset(made.job.dataset.url)
    assert by_root == by_version
    assert by_root.version == made.job.version
    assert by_root.path == made.job.dataset.url


def test_splits(made: Ran) -> None:
    counts = {name: split.count_rows() for name, split in made.dataset.splits.items()}
    assert counts == {s: t["samples"] for s, t in made.dataset.manifest["splits"].items()}
    assert set(made.dataset.splits) == {"train", "validation", "test"}
    ids = [i for s in made.dataset.splits for i in made.table(s).column("sample_id").to_pylist()]
    assert len(ids) == len(set(ids))


def test_only_files_of_the_manifest_are_read(made: Ran) -> None:
    before = made.table().num_rows
    stranger = Path(made.dataset.path) / "train" / "part-99999.parquet"
    stranger.write_bytes((Path(made.dataset.path) / made.dataset.files("train")[0]).read_bytes())
    try:
        assert open_dataset(made.dataset.path).splits["train"].count_rows() == before
    finally:
        stranger.unlink()


def test_one_sample_with_its_lineage(made: Ran) -> None:
    row = made.dataset.sample("r0003/0")
    assert (row["id"], row["text"], row["lineage"]["source_row"]) == ("r0003", words(3), 3)


@pytest.mark.parametrize("name", ["r0003", "r0003/77", "", "x'y\"z", "r0003/0 "])
def test_no_such_sample(made: Ran, name: str) -> None:
    with pytest.raises(InputError, match="no sample") as caught:
        made.dataset.sample(name)
    assert "Ids look like 'r0" in caught.value.message


def test_ids_with_slashes(tmp_path: Path) -> None:
    parquet(tmp_path / "in.parquet", {"id": ["a/b/1", "ü/#?"], "label": ["x", "y"], "text": [words(0), words(1)]})
    done = ran(config_of(tmp_path / "in.parquet", tmp_path / "out", split={}))
    assert done.dataset.sample("a/b/1/2")["lineage"]["copy"] == 2
    assert done.dataset.sample("ü/#?/0")["text"] == words(1)


def test_its_config(made: Ran) -> None:
    config = made.dataset.config("elsewhere/*.parquet", "away")
    wanted = made.job.config
    assert (config.input.path, config.output.path) == ("elsewhere/*.parquet", "away")
    assert config.fields == wanted.fields
    assert (config.seed, config.split, config.copies, config.input.id) == (
        wanted.seed,
        wanted.split,
        wanted.copies,
        "id",
    )


def test_the_order_of_its_fields(tmp_path: Path) -> None:
    """Sorted JSON keys do not keep it, and digests need it."""
    parquet(tmp_path / "in.parquet", text_columns(3, a=[words(n) for n in range(3)]))
    for fields in (
        {"text": {"type": "text"}, "a": {"type": "text"}},
        {"a": {"type": "text"}, "text": {"type": "text"}},
    ):
        done = ran(config_of(tmp_path / "in.parquet", tmp_path / "out", split={}, fields=fields))
        assert list(done.dataset.config("in", "out").fields) == list(fields)


def test_a_dataset_of_a_store(made: Ran) -> None:
    MemoryFileSystem.store.clear()
    for file in Path(made.job.output.url).rglob("*"):
        if file.is_file():
            name = file.relative_to(made.job.output.url).as_posix()
            MemoryFileSystem().pipe_file(f"/bucket/out/{name}", file.read_bytes())
    there = open_dataset("memory://bucket/out")
    assert there.version == made.job.version
    assert there.splits["train"].count_rows() == made.table().num_rows
    assert there.sample("r0003/0")["text"] == words(3)


def fails(path: Any) -> str:
    with pytest.raises(FanbeamError) as caught:
        open_dataset(str(path))
    assert "\n" not in caught.value.message
    return caught.value.message


def test_what_is_no_dataset(tmp_path: Path) -> None:
    assert "no such dataset" in fails(tmp_path / "gone")
    assert "neither manifest.json nor LATEST" in fails(tmp_path)
    assert "no dataset" in fails(put(tmp_path / "file", b"x"))


@pytest.mark.parametrize("latest", [b"gone\n", b"", b"\xff\xfe", b"../..\n", b"a\0b\n", b"[" * 5000])
def test_latest_that_leads_nowhere(tmp_path: Path, latest: bytes) -> None:
    put(tmp_path / "LATEST", latest)
    assert "LATEST" in fails(tmp_path)


@pytest.mark.parametrize(
    "manifest", [b'{"name": "My web app", "icons": []}', b"{}", b'{"format": 99, "version": "x"}', b'{"format": "1"}']
)
def test_the_manifest_of_something_else(tmp_path: Path, manifest: bytes) -> None:
    """Web apps have a manifest.json, too."""
    put(tmp_path / "manifest.json", manifest)
    assert "manifest.json" in fails(tmp_path)


def test_an_unfinished_version_is_named(tmp_path: Path) -> None:
    parquet(tmp_path / "in.parquet", text_columns(3))
    job, _, plan = planned(config_of(tmp_path / "in.parquet", tmp_path / "out", split={}))
    render(job, Task(plan.shards[0]))
    assert f"Version {job.version} is unfinished" in fails(tmp_path / "out")
