from pathlib import Path

import numpy as np
from made_splits import committed, config, decided, texts

from pipeline.splitting.decision import settle
from pipeline.splitting.history.ledger import (
    Descent,
    committed_versions,
    descent_of,
    keep_descent,
    known_rows,
    settings_digest,
)
from pipeline.storage.folder import Folder

HELD = {"by": "stratified", "validation": 0.2}


def test_the_first_word_on_a_descent_stands(tmp_path: Path) -> None:
    output = Folder.at(str(tmp_path))
    assert descent_of(output, "f") is None
    first = Descent("v", ("a", "b"))
    assert keep_descent(output, "f", first) == first
    assert keep_descent(output, "f", Descent("w")) == first
    assert descent_of(output, "f") == first


def test_a_version_counts_once_it_is_committed(tmp_path: Path) -> None:
    made = config(tmp_path, **HELD)
    texts(tmp_path / "in/a.parquet", 20)
    job, _, found = decided(made)
    settle(job, found, job.version)
    settings = settings_digest(made)
    assert committed_versions(job.output, settings) == ()
    job.output.put(f"{job.version}/manifest.json", b"{}")
    assert committed_versions(job.output, settings) == (job.version,)  # killed between its manifest and its mark
    job.output.remove(f"{job.version}/manifest.json")
    committed(made)
    assert committed_versions(job.output, settings) == (job.version,)  # though the version itself is removed


def test_only_new_rows_are_written_and_all_are_known(tmp_path: Path) -> None:
    made = config(tmp_path, **HELD)
    texts(tmp_path / "in/a.parquet", 20)
    first = committed(made)
    texts(tmp_path / "in/b.parquet", 5, 50)
    second = committed(made)
    assert len(first[2].rows) == 20
    assert len(second[2].rows) == 5
    settings = settings_digest(made)
    known = known_rows(first[0].output, settings, committed_versions(first[0].output, settings))
    assert len(known) == 25
    assert set(known.relations) == {"id", "exact:text"}
    assert len(known_rows(first[0].output, settings, (first[0].version,))) == 20
    assert len(known_rows(first[0].output, settings, ())) == 0


def test_of_a_record_that_two_versions_placed_the_first_word_counts(tmp_path: Path) -> None:
    made = config(tmp_path, **HELD)
    texts(tmp_path / "in/a.parquet", 20)
    job, _, found = committed(made)
    settings = settings_digest(made)
    name = f"_splits/{settings}/{job.version}-00000.parquet"
    job.output.put(f"_splits/{settings}/zz-00000.parquet", job.output.read(name))
    job.output.put(f"_splits/{settings}/zz.json", b"{}")
    known = known_rows(job.output, settings, committed_versions(job.output, settings))
    assert sorted(known.relations["id"].tolist()) == sorted(found.relations["id"].tolist())
    assert np.array_equal(np.bincount(known.parts), np.bincount(found.rows))
