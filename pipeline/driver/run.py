"""Run a job from config to committed version: the order of events, on the submitting machine."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pipeline.config.loader import ConfigText
from pipeline.dataset.commit import Expected, announce, check_limits, complete
from pipeline.dataset.completeness import refuse_incomplete
from pipeline.dataset.leak_certificate import check_leaks, kept_leaks, leak_warnings
from pipeline.dataset.manifest import read_manifest
from pipeline.dataset.run_log import write_log
from pipeline.dataset.totals import Tally, machine_warnings
from pipeline.driver.cleanup import finish, tidy
from pipeline.driver.donors import with_donors
from pipeline.driver.held_out_changes import moving_notes
from pipeline.driver.jobs import job_of
from pipeline.driver.payload_survey import OnEngine, remove_surveys, seeker_for
from pipeline.driver.run_options import RunOptions, RunResult
from pipeline.driver.submission import Submission, Submitted, load_beam, settings_for, submit
from pipeline.driver.survey_warnings import classes_of, survey_notes
from pipeline.engines.local import pool as workers
from pipeline.engines.local.payload_survey import InPool
from pipeline.engines.options import engine_of, leaves_template
from pipeline.engines.progress import Progress
from pipeline.errors import InputError, RunFailed
from pipeline.modalities.labels.counts import label_warnings
from pipeline.planning.checks.check import checked, telling_recipes, with_problems
from pipeline.planning.class_names import refuse_unknown_classes
from pipeline.planning.copies.counts import Counted, count_copies
from pipeline.planning.donors.blends import refuse_large_shelf
from pipeline.planning.donors.selection import keep
from pipeline.planning.job import Job
from pipeline.planning.plan import Plan, Probe, make_plan
from pipeline.planning.probe import combine, probe_tasks, remember, remembered
from pipeline.planning.survey import Survey, survey
from pipeline.rendering.held_out.digests import with_held_out
from pipeline.rendering.reuse.earlier_version import earlier_version, reuse_notes
from pipeline.sources import Listing
from pipeline.splitting.decision import Decision, decide, is_decided, settle
from pipeline.splitting.diagnostics.number_classes import refuse_numbers
from pipeline.splitting.diagnostics.shares import refuse_empty_train
from pipeline.splitting.duplicates.backends import Seeker
from pipeline.splitting.history.ledger import descent_of
from pipeline.storage.lock import guarded


def run_job(text: ConfigText, options: RunOptions) -> RunResult:
    """Make the dataset version that a config describes, or find that it is there.

    Raises ConfigError and InputError before anything is written, LimitsExceeded, RunFailed.
    """
    started = time.monotonic()
    options.progress.say("reading the input")
    engine = engine_of(options.runner)
    config, listing = checked(text, with_recipes=False)
    with telling_recipes(text):
        own = job_of(config, listing)
    job = descended(own)
    options.progress.identify(job.version, job.dataset.url)
    tidy(job)
    remove_surveys(job.output)
    manifest = read_manifest(job.dataset)
    if manifest is not None and not leaves_template(options.beam):
        refuse_incomplete(job.dataset, manifest)
        finish(job)
        return RunResult(job.version, job.dataset.url, manifest, time.monotonic() - started, True, 0)
    with _swept(job), guarded(own.dataset) as warnings:
        for warning in warnings:
            options.progress.warn(warning)
        job, plan, submitted = _made(own, listing, text, options)
    seconds, resumed, handed = time.monotonic() - started, submitted.there, submitted.handed_over
    if handed is not None:
        return RunResult(job.version, job.dataset.url, {}, seconds, False, resumed, handed, (*warnings, *plan.notes))
    manifest = _outcome(job, plan, listing)
    announce(job)
    tidy(job)
    remove_surveys(job.output, own.version)
    told = (*warnings, *plan.notes, *_warned(job, manifest, options.progress))
    seconds = time.monotonic() - started
    result = RunResult(job.version, job.dataset.url, manifest, seconds, False, resumed, None, told)
    count = options.workers or (workers.default_count() if engine.local else 0)
    return _logged(job, result, options, count)


def _logged(job: Job, result: RunResult, options: RunOptions, count: int) -> RunResult:
    """The result, with a warning if its run log cannot be written: the version is committed and whole without it."""
    try:
        write_log(job, result.seconds, result.samples, options.runner, count)
    except RunFailed as error:
        warning = f"the dataset is committed, but has no log of this run (verify and replay need --input): {error}"
        options.progress.warn(f"warning: {warning}")
        return replace(result, warnings=(*result.warnings, warning))
    return result


def _warned(job: Job, manifest: dict[str, Any], progress: Progress) -> list[str]:
    of_labels = label_warnings(manifest.get("labels", {}))
    warnings = [*leak_warnings(job.config, manifest["leaks"]), *of_labels, *machine_warnings(manifest)]
    for warning in warnings:
        progress.warn(f"warning: {warning}")
    return warnings


def _made(job: Job, listing: Listing, text: ConfigText, options: RunOptions) -> tuple[Job, Plan, Submitted]:
    """Survey, plan, and have the engine render and commit. Returns the plan, and what came of it."""
    engine = engine_of(options.runner)
    settings = None if engine.local else settings_for(engine, job, options.beam, options.debug)
    threading.Thread(target=load_beam, args=(options.debug,), daemon=True).start()
    with ExitStack() as stack:
        pool = stack.enter_context(workers.pool_for(job, options.workers or workers.default_count(), options.debug))
        stack.enter_context(workers.in_use(pool))
        engine_of_survey = OnEngine(settings, options.attempts, options.progress, options.workers) if settings else None
        seeker = seeker_for(job, listing.units, pool, engine_of_survey)

        def surveyed() -> Surveyed:
            return survey_job(job, listing, pool, text, options.progress, seeker)

        found = surveyed()
        settings = settings or settings_for(engine, found.job, options.beam, options.debug)  # writes nothing yet
        version = _told(job.version, found, options.progress)  # as well
        found = _settled(job, found, surveyed)
        if found.job.version != version:
            _told(version, found, options.progress)
        job = found.job
        job.dataset.make()
        if job.candidates is not None and job.candidates.donors:
            options.progress.say("reading the records to blend with")
            job = with_donors(job, pool)
        keep(job.dataset, job.candidates)
        job = with_held_out(job, listing.units, found.decision, seeker)
        pool.adopt(job)
        found = replace(found, decision=found.decision and found.decision.settled())
        plan = planned(found, remember(job.dataset, found.probe))
        for note in reuse_notes(job.earlier):
            options.progress.say(note)
        if not engine.local:
            stack.close()  # the engine's workers render
        expected = expected_of(plan, listing, found.decision)
        made = Submission(
            job, plan, expected, settings, options.workers, options.attempts, options.progress, options.debug
        )
        return job, plan, submit(made)


@contextmanager
def _swept(job: Job) -> Iterator[None]:
    """Nothing that killed workers were writing stays behind, however the run ends."""
    try:
        yield
    finally:
        job.output.remove_leftovers()


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What is known before anything is written; `job` knows what the survey decided."""

    job: Job
    survey: Survey
    counted: Counted | None
    probe: Probe
    decision: Decision | None = None
    notes: tuple[str, ...] = ()
    """What people should know of the input."""


def _settled(job: Job, found: Surveyed, again: Callable[[], Surveyed]) -> Surveyed:
    """What was surveyed, and is written down; surveyed again if another run of this input came first."""
    while found.decision is not None and not settle(found.job, found.decision, job.version):
        found = again()
    return found


def _told(version: str, found: Surveyed, progress: Progress) -> str:
    """The version that was surveyed; people hear of it, if it is another one, and of its splits."""
    if found.job.version != version:
        progress.identify(found.job.version, found.job.dataset.url)
    for note in survey_notes(found):
        progress.warn(note)
    return found.job.version


def survey_job(
    job: Job, listing: Listing, pool: workers.Pool, text: ConfigText, progress: Progress, seeker: Seeker | None = None
) -> Surveyed:
    """Survey, check the recipes (in a worker, which has the libraries), probe. Writes nothing.

    `seeker` looks at all payloads where the split asks for that; by default the pool.
    """
    progress.say("surveying the input")
    if isinstance(seeker, OnEngine):
        pool.check_recipes(text)  # before a job starts
    try:
        decision = decide(job, listing.units, seeker or InPool(pool), job.version)
        if decision is not None:
            job = replace(job, decided=decision.table, version=decision.descent.version)
        surveyed = survey(job, listing.units)
        refuse_empty_train(job.config, surveyed.counts(), decision.joined if decision else {})
        settled, counted = counted_out(job, listing, surveyed)
        refuse_numbers(job.config, {label for _, label in surveyed.classes}, classes_of(counted))
    except InputError as error:
        problems = pool.recipe_problems(text)
        raise with_problems(text, error, problems) if problems else error from error
    pool.check_recipes(text)
    pool.adopt(settled)
    probe = remembered(job.dataset) or combine(list(pool.run("probe", probe_tasks(surveyed))))
    settled = replace(settled, earlier=earlier_version(settled))  # the pool renders the probe without it
    notes = (*listing.notes, *moving_notes(settled, listing))
    return Surveyed(settled, surveyed, counted, probe, decision, notes)


def counted_out(job: Job, listing: Listing, surveyed: Survey) -> tuple[Job, Counted | None]:
    """The job with what depends on all records: which others a step may look at, and copies by class.

    Raises InputError for a shelf that they do not fill, and for classes that no record has.
    """
    refuse_large_shelf(job.config, surveyed.of_split("train"))
    if isinstance(job.config.copies, int):
        return (job if surveyed.candidates is None else replace(job, candidates=surveyed.candidates)), None
    refuse_unknown_classes(job.config, (label for _, label in surveyed.classes), job.schema)
    counted = count_copies(job, listing.units, surveyed.blocks)
    return replace(job, candidates=surveyed.candidates, counted=counted.table), counted


def planned(found: Surveyed, probe: Probe) -> Plan:
    """The plan of what was surveyed."""
    return replace(make_plan(found.job, found.survey, probe, found.counted), notes=survey_notes(found))


def descended(job: Job) -> Job:
    """The job with the version that an earlier run of the same input found, where more than the input decides it."""
    descent = descent_of(job.output, job.version) if is_decided(job.config) else None
    return job if descent is None else replace(job, version=descent.version)


def expected_of(plan: Plan, listing: Listing, decision: Decision | None = None) -> Expected:
    """What the commit must find."""
    split = {} if decision is None else decision.as_json()
    return Expected(tuple(s.name for s in plan.shards), plan.records, listing.files, split)


def _outcome(job: Job, plan: Plan, listing: Listing) -> dict[str, Any]:
    """The manifest that the graph committed. Raises what kept it from committing."""
    manifest = read_manifest(job.dataset)
    if manifest is not None:
        return manifest
    tally = complete(job.dataset, expected_of(plan, listing), Tally())
    check_limits(job, tally)
    leaks = kept_leaks(job, tally)
    if leaks is not None:
        check_leaks(job, leaks)
    raise RunFailed(f"{job.dataset.url}: all shards are written, but there is no manifest; run the same command again")
