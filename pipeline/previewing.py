"""Render a few training records for looking at; nothing is written."""

from dataclasses import replace

from pipeline import workers
from pipeline.check import checked
from pipeline.config_file import ConfigText
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.preview import preview_tasks
from pipeline.records import Gated
from pipeline.running import job_of
from pipeline.survey import survey

_MAX_COPIES = 5


def preview_families(text: ConfigText, records: int) -> tuple[Job, list[Gated]]:
    """A few training records with at most five copies each. Raises ConfigError, InputError."""
    config, listing = checked(text, with_recipes=False)
    job = job_of(config, listing)
    shown = replace(job, config=config.model_copy(update={"copies": min(_MAX_COPIES, config.copies)}))
    with workers.Pool(shown, 1) as pool:
        pool.check_recipes(text)
        tasks = preview_tasks(survey(job, listing.units), records)
        families = [family for found in pool.run("collect", tasks) for family in found]
    if not families:
        raise InputError("there is no training record to show: see `split` in the config")
    return shown, families
