"""A worker elsewhere sees the output and has the same libraries, or says what differs; what stops it arrives."""

from dataclasses import replace
from pathlib import Path

import pytest
from small_inputs import config_of, parquet, planned, text_columns

from pipeline.engines.worker_environment import Surroundings, look_around, other_cpus, telling, told
from pipeline.errors import InputError, Problem, RunFailed
from pipeline.planning.job import Job
from pipeline.planning.plan import Probe
from pipeline.planning.probe import remember


@pytest.fixture
def job(tmp_path: Path) -> Job:
    parquet(tmp_path / "in" / "texts.parquet", text_columns(6))
    return planned(config_of(tmp_path / "in", tmp_path / "out"))[0]


def test_the_same_surroundings_are_silent(job: Job) -> None:
    remember(job.dataset, Probe())
    look_around(job, Surroundings.here(job.config, "s"))
    assert other_cpus(job, "s") == []


def test_a_worker_that_does_not_see_the_output_says_so(job: Job) -> None:
    with pytest.raises(RunFailed, match=r"does not see .*out"):
        look_around(job, Surroundings.here(job.config, "s"))


def test_other_library_versions_are_listed(job: Job) -> None:
    remember(job.dataset, Probe())
    here = Surroundings.here(job.config, "s")
    other = replace(here, libraries={**here.libraries, "numpy": "0.1", "nlpaug": "0.2"})
    with pytest.raises(RunFailed, match="same versions") as caught:
        look_around(job, other)
    assert [p.where.split()[0] for p in caught.value.problems] == ["nlpaug", "numpy"]


def test_a_worker_with_another_cpu_is_noted(job: Job) -> None:
    remember(job.dataset, Probe())
    here = Surroundings.here(job.config, "s-1")
    look_around(job, replace(here, cpu={"machine": "other"}))
    assert len(other_cpus(job, "s-1")) == 1
    assert other_cpus(job, "s-2") == []


def test_an_error_in_a_worker_arrives_with_its_problems_once(job: Job) -> None:
    with pytest.raises(InputError), telling(job, "s"):
        raise InputError("odd", (Problem("a", "b", "c"),))
    error = told(job, "s")
    assert isinstance(error, InputError)
    assert (error.message, error.problems) == ("odd", (Problem("a", "b", "c"),))
    assert told(job, "s") is None


def test_an_error_of_another_kind_leaves_no_word(job: Job) -> None:
    with pytest.raises(ZeroDivisionError), telling(job, "s"):
        raise ZeroDivisionError
    assert told(job, "s") is None
