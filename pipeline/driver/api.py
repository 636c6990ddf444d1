"""The same from Python: for notebooks and schedulers. The command line is a thin shell around this."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.loader import ConfigText, read_config, validate
from pipeline.config.schema import JobConfig
from pipeline.driver.jobs import job_of
from pipeline.driver.run import RunOptions, RunResult, planned, run_job, survey_job
from pipeline.engines.local import pool as workers
from pipeline.engines.progress import Silent
from pipeline.errors import ConfigError
from pipeline.planning.checks.check import checked, telling_recipes
from pipeline.planning.plan import Plan, Probe
from pipeline.sources import Listing

Config = str | os.PathLike[str] | JobConfig | ConfigText


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it was made of."""

    version: str
    plan: Plan
    probe: Probe
    listing: Listing
    config: JobConfig
    donors: int = 0
    """Training records on the donor shelf of blends."""
    rows_from: str = ""
    """The version whose rows are taken where they are the same; empty: all are rendered."""


def load_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> JobConfig:
    """Read and check the shape of a YAML config; `overrides` are `key.path=value`. Raises ConfigError."""
    text = read_config(os.fspath(path), overrides)
    config, problems = validate(text)
    if config is None:
        raise ConfigError(f"{text.name}: {len(problems)} problems", problems)
    return config


def plan(config: Config, workers_count: int | None = None) -> Planned:
    """Splits, classes, samples and shards that a run would make. Writes nothing. Raises ConfigError, InputError."""
    text = as_text(config)
    checked_config, listing = checked(text, with_recipes=False)
    with telling_recipes(text):
        job = job_of(checked_config, listing)
    with workers.pool_for(job, workers_count or 1) as pool:
        found = survey_job(job, listing, pool, text, Silent())
    donors = len(found.job.candidates.donors) if found.job.candidates is not None else 0
    made = planned(found, found.probe)
    return Planned(found.job.version, made, found.probe, listing, job.config, donors, found.job.earlier)


def run(config: Config, options: RunOptions | None = None) -> RunResult:
    """Make the dataset version of a config: a path, a JobConfig or a ConfigText. See `run_job` for errors."""
    return run_job(as_text(config), options or RunOptions())


def as_text(config: Config) -> ConfigText:
    """Any of the accepted forms as values with places."""
    if isinstance(config, ConfigText):
        return config
    if isinstance(config, JobConfig):
        return ConfigText("config", config.model_dump(mode="json"))
    return read_config(os.fspath(config))
