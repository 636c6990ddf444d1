import math
from pathlib import Path
from typing import Any

import pytest
from small_inputs import config_of, jpeg, opened, parquet, text_columns, words

from pipeline.planning.job import Job
from pipeline.planning.plan import Probe
from pipeline.planning.probe import (
    PROBED_COPIES,
    PROBED_RECORDS,
    combine,
    probe_job,
    probe_tasks,
    remember,
    remembered,
    weigh,
)
from pipeline.planning.survey import Survey, survey
from pipeline.records import Gated
from pipeline.rendering.stages import families
from pipeline.storage.folder import Folder


def job_and_survey(home: Path, count: int = 200, **changes: Any) -> tuple[Job, Survey]:
    path = parquet(home / "a.parquet", text_columns(count), per_group=10)
    job, listing = opened(config_of(path, home / "out", **changes))
    return job, survey(job, listing.units)


@pytest.mark.parametrize("count", [1, 10, 70, 200])
def test_a_few_records_spread_over_the_input(tmp_path: Path, count: int) -> None:
    job, surveyed = job_and_survey(tmp_path, count, split={})
    tasks = probe_tasks(surveyed)
    assert len(tasks) == min(PROBED_RECORDS, math.ceil(count / 10))
    found = [[g.record.row for g in families(probe_job(job), task)] for task in tasks]
    assert all(len(rows) == 1 for rows in found)
    assert found == sorted(found)
    assert probe_tasks(surveyed) == tasks


def test_only_training_records_are_probed(tmp_path: Path) -> None:
    job, surveyed = job_and_survey(tmp_path, split={"test": 0.9})
    for task in probe_tasks(surveyed):
        for gated in families(probe_job(job), task):
            assert gated.samples[0].variant.copy == 0
            assert len(gated.samples) == 3


def test_no_training_record_no_probe(tmp_path: Path) -> None:
    _, surveyed = job_and_survey(tmp_path, split={"test": 1})
    assert probe_tasks(surveyed) == ()


@pytest.mark.parametrize(("copies", "keep", "wanted"), [(0, True, 0), (1, False, 1), (2, True, 2), (50, False, 2)])
def test_few_copies_beside_the_original(tmp_path: Path, copies: int, keep: bool, wanted: int) -> None:
    job, _ = job_and_survey(tmp_path, 5, copies=copies, keep_original=keep)
    light = probe_job(job).config
    assert (light.copies, light.keep_original) == (wanted, True)
    assert light.seed == job.config.seed
    assert wanted <= PROBED_COPIES


def test_weights(tmp_path: Path) -> None:
    job, surveyed = job_and_survey(tmp_path, 5, split={})
    (gated,) = families(probe_job(job), probe_tasks(surveyed)[0])
    probe = weigh(gated, 0.6)
    assert (probe.records, probe.payload_in, probe.payload_original) == (1, len(words(0)), len(words(0)))
    assert probe.seconds_per_sample == pytest.approx(0.2)
    assert probe.payload_copy == pytest.approx(len(words(0)), rel=0.2)


def test_a_dropped_record_weighs_nothing(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", {"id": ["a"], "label": ["x"], "image": [b"no picture"]})
    job, listing = opened(config_of(path, tmp_path / "out", fields={"image": {"type": "image"}}, split={}))
    (gated,) = families(probe_job(job), probe_tasks(survey(job, listing.units))[0])
    assert weigh(gated, 1.0) == Probe()


def test_pictures_that_shrink(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", {"id": ["a"], "label": ["x"], "image": [jpeg(1, 256)]})
    field = {"image": {"type": "image", "prepare": [{"albumentations.Resize": {"height": 16, "width": 16, "p": 1}}]}}
    job, listing = opened(config_of(path, tmp_path / "out", fields=field, split={}))
    (gated,) = families(probe_job(job), probe_tasks(survey(job, listing.units))[0])
    probe = weigh(gated, 1.0)
    assert probe.payload_in == len(jpeg(1, 256)) > 2 * probe.payload_original


def test_means_leave_out_what_was_dropped() -> None:
    assert combine([]) == combine([Probe(), Probe()]) == Probe()
    assert combine([Probe(1, 2, 4, 6, 8), Probe(), Probe(1, 4, 8, 10, 0)]) == Probe(2, 3, 6, 8, 4)


def test_weigh_of_nothing_kept(tmp_path: Path) -> None:
    job, surveyed = job_and_survey(tmp_path, 2, split={})
    (gated,) = families(probe_job(job), probe_tasks(surveyed)[0])
    assert weigh(Gated(gated.record, gated.samples[1:], ()), 1.0) == Probe()


def test_the_first_probe_is_kept(tmp_path: Path) -> None:
    """Every run of a version cuts the same shards, also two at the same time and one after a crash."""
    dataset = Folder(str(tmp_path / "v"))
    assert remembered(dataset) is None
    first = remember(dataset, Probe(2, 1 / 3, 2.5, 1e-9, 0.7))
    assert first == Probe(2, 1 / 3, 2.5, 1e-9, 0.7)
    second = remember(dataset, Probe(5, 9, 9, 9, 9))
    assert second == remembered(dataset) == Probe(2, 1 / 3, 2.5, 1e-9, 0.0)
