"""Remove what runs that were killed left behind: the next run does."""

from contextlib import suppress

from pipeline.assignment import dismiss_all
from pipeline.errors import RunFailed
from pipeline.job import Job
from pipeline.scratch import remove_abandoned
from pipeline.versions.publishing import is_committed


def tidy(job: Job) -> None:
    """Temporary files, temporary folders of libraries, and of a committed version the work of its submissions."""
    remove_abandoned()
    job.output.remove_leftovers()
    with suppress(RunFailed, OSError):
        if is_committed(job.dataset):
            dismiss_all(job.dataset)
