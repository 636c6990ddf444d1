"""What `--runner dataflow` adds and asks for before anything is submitted; what its workers must install."""

import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from small_inputs import config_of, opened, parquet, text_columns

from pipeline.driver import run
from pipeline.engines.adapters import dataflow, worker_packages
from pipeline.engines.beam.settings import settings_of
from pipeline.engines.options import engine_of
from pipeline.errors import Problem, UsageError
from pipeline.planning.job import Job
from pipeline.storage.folder import Folder

OUT = Folder("gs://b/out")
GIVEN: dict[str, Any] = {"project": "p", "region": "r", "temp_location": "gs://b/tmp", "no_auth": True}


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "CLOUDSDK_COMPUTE_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(dataflow, "_installed", lambda: True)
    monkeypatch.setattr(Folder, "exists", lambda self, name="": "missing" not in self.url)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    source = parquet(tmp_path / "in" / "texts.parquet", text_columns(5))
    return opened(config_of(source, "gs://b/out"))[0]


def wheres(found: list[Problem]) -> list[str]:
    return [problem.where for problem in found]


def test_nothing_is_missing() -> None:
    assert dataflow.problems(GIVEN, OUT) == []


def test_all_that_is_missing_is_told_at_once() -> None:
    found = dataflow.problems({"no_auth": True}, Folder("/home/me/out"))
    assert wheres(found) == ["--project", "--region", "--temp_location", "output.path"]
    assert all(problem.suggestion for problem in found)


@pytest.mark.parametrize(
    ("changed", "output", "where", "word"),
    [
        ({"temp_location": "/tmp/x"}, OUT, "--temp_location", "not on Google Cloud Storage"),
        ({"staging_location": "s3://b/x"}, OUT, "--staging_location", "not on Google Cloud Storage"),
        ({"temp_location": "gs://missing/x"}, OUT, "--temp_location", "no bucket gs://missing"),
        ({}, Folder("memory://out"), "output.path", "on this machine"),
        ({"dry_run": True}, OUT, "--dry_run", "fanbeam plan"),
    ],
)
def test_what_is_wrong(changed: dict[str, Any], output: Folder, where: str, word: str) -> None:
    (problem,) = dataflow.problems({**GIVEN, **changed}, output)
    assert problem.where == where
    assert word in str(problem)


def test_other_stores_will_do_and_one_location_is_enough() -> None:
    only_staging = {**GIVEN, "temp_location": None, "staging_location": "gs://b/tmp"}
    assert dataflow.problems(only_staging, Folder("s3://bucket/out")) == []


def test_a_missing_package_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataflow, "_installed", lambda: False)
    assert "pip install 'fanbeam[dataflow]'" in str(dataflow.problems(GIVEN, OUT)[0])


def test_missing_credentials_are_told_before_beam_looks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataflow, "_has_credentials", lambda: False)
    (problem,) = dataflow.problems({**GIVEN, "no_auth": False}, OUT)
    assert "gcloud auth application-default login" in problem.suggestion


def test_given_options_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "from-the-environment")
    assert "--project=from-the-environment" in dataflow.settled({})
    given = {"project": "p", "number_of_worker_harness_threads": 3, "autoscaling_algorithm": "NONE"}
    added = dataflow.settled({**given, "save_main_session": True})
    assert added == ["--experiments=disable_logging_submission_environment"]


@pytest.mark.parametrize(
    ("text", "line"),
    [("", ""), ("Traceback:\n  x\nValueError: no.\n\n", "ValueError: no"), ("one line", "one line")],
)
def test_the_last_line_says_why(text: str, line: str) -> None:
    assert dataflow._last_line(text) == line


def test_workers_get_fanbeam_and_the_versions_of_this_machine(job: Job) -> None:
    setup, pins, cache = worker_packages.packages(job, {})
    assert setup == f"--setup_file={Path(worker_packages.__file__).parents[3] / 'setup.py'}"
    assert cache == "--requirements_cache=skip"
    lines = Path(pins.removeprefix("--requirements_file=")).read_text().splitlines()
    assert {f"numpy=={metadata.version('numpy')}", f"gcsfs=={metadata.version('gcsfs')}"} <= set(lines)
    assert not [line for line in lines if line.split("==")[0] in ("fanbeam", "apache-beam", "torch")]


def test_an_image_or_own_packages_are_left_alone(job: Job) -> None:
    assert worker_packages.packages(job, {"sdk_container_image": "i"}) == []
    assert worker_packages.packages(job, {"extra_packages": ["x.whl"], "requirements_file": "r.txt"}) == []


def test_an_installed_package_is_packed_again(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip leaves a wheel: packages, metadata, a script outside, caches."""
    for name, text in {
        "pipeline/__init__.py": "A = 1\n",
        "fanbeam-0.1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: fanbeam\nVersion: 0.1.0\n",
        "fanbeam-0.1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "fanbeam-0.1.0.dist-info/INSTALLER": "pip\n",
        "fanbeam-0.1.0.dist-info/RECORD": "pipeline/__init__.py,,\nfanbeam-0.1.0.dist-info/METADATA,,\n"
        "fanbeam-0.1.0.dist-info/WHEEL,,\nfanbeam-0.1.0.dist-info/RECORD,,\n"
        "fanbeam-0.1.0.dist-info/INSTALLER,,\n../../bin/fanbeam,,\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    installed = metadata.PathDistribution(tmp_path / "fanbeam-0.1.0.dist-info")
    monkeypatch.setattr(worker_packages.metadata, "distribution", lambda name: installed)
    wheel = Path(worker_packages._packed())
    assert wheel.name == "fanbeam-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as made:
        assert sorted(n.rpartition("/")[2] for n in made.namelist()) == ["METADATA", "RECORD", "WHEEL", "__init__.py"]
        assert "pipeline/__init__.py,sha256=" in made.read("fanbeam-0.1.0.dist-info/RECORD").decode()
    assert worker_packages._packed() == str(wheel)


def test_input_on_this_machine_is_told(job: Job) -> None:
    (problem,) = worker_packages.problems(job, {"sdk_container_image": "i"})
    assert problem.where == "input.path"


def test_a_version_that_nobody_can_download_asks_for_an_image(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_packages.metadata, "version", lambda name: "1.0+cpu")
    found = worker_packages.problems(job, {"requirements_cache": "skip"})
    assert "--sdk_container_image" in wheres(found)


def test_a_job_that_nobody_waits_for_is_refused_where_it_would_not_finish() -> None:
    with pytest.raises(UsageError, match="dataflow"):
        settings_of(engine_of("direct"), ["--no_wait_until_finish"], Folder("/nowhere"))


def test_a_handed_over_run_says_so() -> None:
    from pipeline.cli.report import run_json

    result = run.RunResult("v", "gs://b/out/v", {}, 1.0, False, 2, "2026-job")
    assert result.samples == 0
    assert run_json(result)["job"] == "2026-job"
    assert run_json(result)["handed_over"] is True
