"""Render a few training records for looking at; nothing is written."""

from dataclasses import replace

from pipeline.config.loader import ConfigText
from pipeline.driver.jobs import job_of
from pipeline.driver.run import counted_out
from pipeline.engines.local import pool as workers
from pipeline.engines.local.payload_survey import InPool
from pipeline.errors import InputError
from pipeline.planning.checks.check import checked, telling_recipes
from pipeline.planning.job import Job
from pipeline.planning.survey import survey
from pipeline.preview.sheet import preview_job, preview_tasks
from pipeline.records import Gated
from pipeline.splitting.decision import decide


def preview_families(text: ConfigText, records: int) -> tuple[Job, list[Gated]]:
    """The job and a few training records, with as many copies as a sheet shows. Raises ConfigError, InputError."""
    config, listing = checked(text, with_recipes=False)
    with telling_recipes(text):
        job = job_of(config, listing)
    with workers.pool_for(preview_job(job), 1) as pool:
        decision = decide(_hasty(job), listing.units, InPool(pool), job.version)
        job = replace(job, decided=decision.table) if decision else job
        surveyed = survey(job, listing.units)
        pool.check_recipes(text)
        pool.adopt(preview_job(counted_out(job, listing, surveyed)[0]))
        tasks = preview_tasks(surveyed, records)
        families = [family for found in pool.run("collect", tasks) for family in found]
    if not families:
        raise InputError("there is no training record to show: see `split` in the config")
    return job, families


def _hasty(job: Job) -> Job:
    """The job without what it takes a look at every payload for: a held-out relative on the sheet does no harm."""
    kept = job.config.split.keep_together.model_copy(update={"exact": False, "near_duplicates": False})
    split = job.config.split.model_copy(update={"keep_together": kept})
    return replace(job, config=job.config.model_copy(update={"split": split}))
