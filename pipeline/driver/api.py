"""The same from Python: for notebooks and schedulers. The command line is a thin shell around this."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.loader import ConfigText, read_config, validate
from pipeline.config.schema import JobConfig
from pipeline.driver.jobs import job_of
from pipeline.driver.run import planned, run_job, survey_job
from pipeline.driver.run_options import RunOptions, RunResult
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
    """Read a YAML config and check its form: keys, types and ranges. The input is not looked at.

    Args:
        path: The YAML file, local or any URL that fsspec reads.
        overrides: Replaced keys as `key.path=value`, the value as YAML, like `--set` of the command line.

    Returns:
        The frozen config. Change it with `config.model_copy(update=…)`.

    Raises:
        ConfigError: The file cannot be read, is no YAML, or has wrong keys; `problems` lists all of them with lines.

    Examples:
        >>> config = load_config("birds.yaml", ["copies=8", "output.path=out/birds8"])  # doctest: +SKIP
    """
    text = read_config(os.fspath(path), overrides)
    config, problems = validate(text)
    if config is None:
        raise ConfigError(f"{text.name}: {len(problems)} problems", problems)
    return config


def plan(config: Config, workers_count: int | None = None) -> Planned:
    """Show what a run would make: splits, classes, samples, shards, bytes. Writes nothing.

    Args:
        config: A path, a `JobConfig`, or a `ConfigText`.
        workers_count: Processes to estimate the time for; None: one.

    Returns:
        The plan, the version that it would make, and what a few rendered records weighed.

    Raises:
        ConfigError: The config is wrong; `problems` lists everything with its line.
        InputError: The input is missing, empty, damaged, or has other columns than the config names.
        UsageError: The path of the config or of the input cannot be one.

    Examples:
        >>> planned = plan("birds.yaml")  # doctest: +SKIP
        >>> planned.plan.samples  # doctest: +SKIP
        5200
    """
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
    """Make the dataset version that a config describes, or find that it is already there.

    The same config, data and library versions give the same version and the same bytes. Run it again after a crash:
    it resumes from the finished shards.

    Args:
        config: A path, a `JobConfig`, or a `ConfigText`.
        options: Engine, number of workers, Beam options, progress. None of them changes a byte.

    Returns:
        Where the version is, its manifest, and what the run did.

    Raises:
        ConfigError: The config is wrong; nothing was written.
        InputError: The input cannot be used; nothing was written.
        LimitsExceeded: More records failed, copies were rejected or rows leak than the config allows. Nothing is
            committed; finished shards are kept for the next run.
        RunFailed: The run could not finish: disk full, store unreachable, input changed, engine failed.

    Examples:
        >>> result = run("birds.yaml", RunOptions(workers=4))  # doctest: +SKIP
        >>> result.path, result.samples  # doctest: +SKIP
        ('out/birds/8760c73016c0093f', 5200)
    """
    return run_job(as_text(config), options or RunOptions())


def as_text(config: Config) -> ConfigText:
    """Any of the accepted forms as values with places."""
    if isinstance(config, ConfigText):
        return config
    if isinstance(config, JobConfig):
        return ConfigText("config", config.model_dump(mode="json"))
    return read_config(os.fspath(config))
