"""The survey of payloads on Beam finds what the local pool finds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_splits import decided, here, split_of, texts
from small_inputs import SWAP, config_of, jpeg, opened, parquet, put, text_columns, words

from pipeline.config.schema import JobConfig
from pipeline.driver.payload_survey import LARGE_BYTES, OnEngine, seeker_for
from pipeline.engines.beam.settings import settings_of
from pipeline.engines.options import engine_of
from pipeline.engines.progress import Silent
from pipeline.errors import RunFailed
from pipeline.planning.job import Job
from pipeline.rendering.held_out.digests import held_out_pieces
from pipeline.sources import Listing
from pipeline.splitting.duplicates import near
from pipeline.splitting.facts import facts_of
from pipeline.storage.folder import Folder
from pipeline.storage.layout import WORK


def on_beam() -> OnEngine:
    """Beam's in-process runner, with children as on a cluster."""
    return OnEngine(settings_of(engine_of("direct"), (), Folder("/nowhere")), 1, Silent())


def made(folder: Path, field: str, kind: str, payloads: list[Any]) -> JobConfig:
    ids = [f"r{n}" for n in range(len(payloads))]
    parquet(folder / "in/a.parquet", {"id": ids, "label": ["owl"] * len(ids), field: payloads}, 16)
    split = {"validation": 0.3, "keep_together": {"near_duplicates": {field: {}}}}
    return config_of(folder / "in", folder / "out", fields={field: {"type": kind}}, split=split)


def same(found: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> bool:
    return found.keys() == others.keys() and all(np.array_equal(found[name], others[name]) for name in found)


def left(job: Job) -> list[str]:
    return job.output.names(WORK)


def test_contents_of_rows(tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 40, text=[words(n % 30) for n in range(39)] + [None])
    texts(tmp_path / "in/b.parquet", 9, 50)
    job, listing = opened(config_of(str(tmp_path / "in/*.parquet"), tmp_path / "out"))
    assert same(on_beam().contents(job, listing.units), here(job).contents(job, listing.units))
    assert left(job) == []


def test_contents_of_files(tmp_path: Path) -> None:
    for number in range(12):
        put(tmp_path / f"in/owl/{number}.txt", words(number % 7))
    put(tmp_path / "in/owl/long.txt", words(1) * 2)
    job, listing = opened(config_of(tmp_path / "in", tmp_path / "out", input__id=..., input__label=...))
    found = on_beam().contents(job, listing.units)
    assert same(found, here(job).contents(job, listing.units))
    assert len(np.unique(found["text"])) == 8  # seven contents, and none for the file that has no other of its size


@pytest.mark.parametrize("by", [{"column": "part"}, {"validation": 0.3, "test": 0.2}])
def test_what_will_be_written_of_held_out_rows(by: dict[str, Any], tmp_path: Path) -> None:
    parts = ["train", "validation", "test", "train"] * 10
    parquet(tmp_path / "in/a.parquet", {**text_columns(40), "part": parts}, 16)
    parquet(tmp_path / "in/b.parquet", {**text_columns(1, id=["none"], text=[None]), "part": ["test"]})
    config = config_of(str(tmp_path / "in/*.parquet"), tmp_path / "out", split=by, fields__text__prepare=[SWAP])
    job, listing = decided(config)[:2] if "validation" in by else opened(config)
    pieces_of = held_out_pieces(job, listing.units)
    found, others = on_beam().written(job, pieces_of), here(job).written(job, held_out_pieces(job, listing.units))
    assert same(*({name: np.sort(np.concatenate(parts)) for name, parts in one.items()} for one in (found, others)))
    held = [key for key, split in split_of(job, listing).items() if split in ("validation", "test") and key != "none"]
    assert sum(map(len, found["text"])) == len(held) > 10
    assert left(job) == []


@pytest.mark.parametrize("bucket", [4_096, 8])
def test_near_duplicates(bucket: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "BUCKET", bucket)
    payloads = [*(jpeg(n, 64) for n in range(40)), *(jpeg(n, 80) for n in range(3)), b"none", None]
    job, listing = opened(made(tmp_path, "image", "image", payloads))
    ranks = facts_of(job, listing.units).keys
    found = on_beam().near(job, listing.units, "image", ranks)
    assert found.tolist() == here(job).near(job, listing.units, "image", ranks).tolist() == [[0, 40], [1, 41], [2, 42]]
    assert left(job) == []


def test_near_duplicates_of_texts_and_of_nothing(tmp_path: Path) -> None:
    same_texts = ["the quick brown fox jumps over the lazy dog", "The quick, brown fox jumps over the lazy dog!"]
    job, listing = opened(made(tmp_path / "one", "text", "text", [*same_texts, words(1)]))
    assert on_beam().near(job, listing.units, "text", facts_of(job, listing.units).keys).tolist() == [[0, 1]]
    job, listing = opened(made(tmp_path / "two", "text", "text", [None, None]))
    assert on_beam().near(job, listing.units, "text", facts_of(job, listing.units).keys).tolist() == []


def test_an_input_that_changes_is_told(tmp_path: Path) -> None:
    path = texts(tmp_path / "in/a.parquet", 10)
    job, listing = opened(config_of(tmp_path / "in", tmp_path / "out"))
    path.write_bytes(b"nothing")
    with pytest.raises(RunFailed, match="the input changed during the run"):
        on_beam().contents(job, listing.units)
    assert left(job) == []


@pytest.mark.parametrize(("bytes_", "engine"), [(LARGE_BYTES - 1, False), (LARGE_BYTES, True)])
def test_an_engine_is_asked_for_what_is_large(bytes_: int, engine: bool, tmp_path: Path) -> None:
    texts(tmp_path / "in/a.parquet", 1)
    job, listing = opened(config_of(tmp_path / "in", tmp_path / "out"))
    chosen: Callable[[Listing], object] = lambda found: seeker_for(job, found.units, here(job).pool, on_beam())  # noqa: E731
    unit = type(listing.units[0])("f", 1, bytes_)
    large = Listing(listing.reader, listing.files, (unit,), listing.schema, listing.kind)
    assert isinstance(chosen(large), OnEngine) is engine
    assert not isinstance(seeker_for(job, large.units, here(job).pool, None), OnEngine)
