"""Run a job from config to committed version: the order of events, on the submitting machine."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline import workers
from pipeline.candidates import keep
from pipeline.check import checked, with_problems
from pipeline.commit import Expected, check_limits, complete, finished, point_latest, read_manifest
from pipeline.config import JobConfig
from pipeline.config_file import ConfigText
from pipeline.errors import FanbeamError, InputError, RunFailed
from pipeline.fingerprint import fingerprint
from pipeline.job import Job, Task
from pipeline.planning import Plan, Probe, make_plan
from pipeline.probe import combine, probe_tasks, remember, remembered
from pipeline.progress import Progress, Silent
from pipeline.run_log import newest_log, write_log
from pipeline.runners import engine_of
from pipeline.sources import Listing
from pipeline.storage import Folder
from pipeline.survey import Survey, survey


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run, none of which changes a byte: engine, processes, Beam's own options, who watches."""

    runner: str = "direct"
    workers: int | None = None
    beam: tuple[str, ...] = ()
    debug: bool = False
    progress: Progress = field(default_factory=Silent)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A committed version: where it is, its manifest, and what the run did."""

    version: str
    path: str
    manifest: dict[str, Any]
    seconds: float
    already_there: bool
    resumed_shards: int

    @property
    def samples(self) -> int:
        """Samples of all splits."""
        return sum(s["samples"] for s in self.manifest["splits"].values())


def run_job(text: ConfigText, options: RunOptions) -> RunResult:
    """Make the dataset version that a config describes, or find that it is there.

    Raises ConfigError and InputError before anything is written, LimitsExceeded, RunFailed.
    """
    started = time.monotonic()
    options.progress.say("reading the input")
    engine_of(options.runner)
    config, listing = checked(text, with_recipes=False)
    job = job_of(config, listing)
    job.output.remove_leftovers()
    manifest = read_manifest(job.dataset)
    if manifest is not None:
        _finish(job)
        return RunResult(job.version, job.dataset.url, manifest, time.monotonic() - started, True, 0)
    count = options.workers or workers.default_count()
    threading.Thread(target=_load_beam, args=(options.debug,), daemon=True).start()
    with _swept(job), workers.Pool(job, count, options.debug) as pool, workers.in_use(pool):
        surveyed, probe = survey_job(job, listing, pool, text, options.progress)
        job = replace(job, candidates=surveyed.candidates)
        engine = _engine(options)
        job.dataset.make()
        keep(job.dataset, job.candidates)
        plan = make_plan(job, surveyed, remember(job.dataset, probe))
        resumed = _render(job, plan, listing, engine, options.progress)
    manifest = _outcome(job, plan, listing)
    point_latest(job.output, job.version)
    result = RunResult(job.version, job.dataset.url, manifest, time.monotonic() - started, False, resumed)
    write_log(job, result.seconds, result.samples, options.runner, count)
    return result


@contextmanager
def _swept(job: Job) -> Iterator[None]:
    """Nothing that killed workers were writing stays behind, however the run ends."""
    try:
        yield
    finally:
        job.output.remove_leftovers()


def _finish(job: Job) -> None:
    """What a run that was killed right after its commit did not come to: LATEST, and where its sources are."""
    point_latest(job.output, job.version)
    if newest_log(job.dataset) is None:
        with suppress(RunFailed):  # the dataset is whole without it
            write_log(job, 0.0, 0, "none", 0)


def job_of(config: JobConfig, listing: Listing) -> Job:
    """A config that met its input."""
    external = [n for n, f in config.fields.items() if f.uri or listing.kind == "folder"]
    return Job(
        config=config,
        reader=listing.reader,
        schema=listing.schema,
        external=tuple(external),
        version=fingerprint(config, listing),
        output=Folder.at(config.output.path),
    )


def survey_job(
    job: Job, listing: Listing, pool: workers.Pool, text: ConfigText, progress: Progress
) -> tuple[Survey, Probe]:
    """Survey, check the recipes (in a worker, which has the libraries), probe. Writes nothing."""
    progress.say("surveying the input")
    try:
        surveyed = survey(job, listing.units)
    except InputError as error:
        problems = pool.recipe_problems(text)
        raise with_problems(text, error, problems) if problems else error from error
    pool.check_recipes(text)
    if surveyed.candidates is not None:
        pool.adopt(replace(job, candidates=surveyed.candidates))
    return surveyed, remembered(job.dataset) or combine(list(pool.run("probe", probe_tasks(surveyed))))


def expected_of(plan: Plan, listing: Listing) -> Expected:
    """What the commit must find."""
    return Expected(tuple(s.name for s in plan.shards), plan.records, listing.files)


def _render(job: Job, plan: Plan, listing: Listing, engine: "_Engine", progress: Progress) -> int:
    """Render what has no receipt yet. Returns how many shards were there already."""
    done = finished(job.dataset)
    tasks = [Task(s) for s in plan.shards if s.name not in done]
    resumed = len(plan.shards) - len(tasks)
    progress.begin(_samples_of(plan, tasks), resumed)
    try:
        _run_beam(job, tasks, expected_of(plan, listing), engine)
    finally:
        progress.end()
    return resumed


def _samples_of(plan: Plan, tasks: Sequence[Task]) -> int:
    """Samples that the tasks will make, in proportion to their shards."""
    total = 0.0
    for split, totals in plan.splits.items():
        mine = sum(t.shard.split == split for t in tasks)
        total += totals.samples * mine / max(1, totals.shards)
    return round(total)


_loading_beam = threading.Lock()


def _load_beam(debug: bool) -> None:
    """Import Beam. One thread at a time: its modules import one another, and a second thread would see halves."""
    with _loading_beam:
        before = logging.root.manager.disable
        logging.disable(logging.NOTSET if debug else logging.WARNING)
        try:
            import pipeline.build  # noqa: F401
        finally:
            logging.disable(before)


@dataclass(frozen=True, slots=True)
class _Engine:
    """Beam's options for a run, and whether this machine's pool renders."""

    settings: Any
    local: bool


def _engine(options: RunOptions) -> _Engine:
    """Raises UsageError for a runner or an option that nobody knows."""
    _load_beam(options.debug)
    from pipeline.runners import hush, options_of

    hush(options.debug)
    engine = engine_of(options.runner)
    return _Engine(options_of(engine, options.beam), engine.local)


def _run_beam(job: Job, tasks: Sequence[Task], expected: Expected, engine: _Engine) -> None:
    from pipeline.build import run_graph

    try:
        run_graph(engine.settings, job, tasks, expected, engine.local)
    except Exception as error:
        raise _told(error) from error


def _told(error: BaseException) -> BaseException:
    """The error that was meant for the user, dug out of what the engine made of it: the first one of the chain."""
    told: BaseException | None = None
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, FanbeamError | KeyboardInterrupt):
            told = seen
        seen = seen.__cause__ or seen.__context__
    if told is not None:
        return told
    lines = [line for line in str(error).splitlines() if line.strip()]
    return RunFailed(f"the engine gave up: {lines[-1] if lines else type(error).__name__}")


def _outcome(job: Job, plan: Plan, listing: Listing) -> dict[str, Any]:
    """The manifest that the graph committed. Raises what kept it from committing."""
    manifest = read_manifest(job.dataset)
    if manifest is not None:
        return manifest
    receipts = complete(job.dataset, expected_of(plan, listing), ())
    check_limits(job, receipts)
    raise RunFailed(f"{job.dataset.url}: all shards are written, but there is no manifest; run the same command again")
