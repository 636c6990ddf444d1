"""What the next run does for one that was killed: remove what it left, and bring its commit to an end."""

from contextlib import suppress

from pipeline.dataset.commit import announce
from pipeline.dataset.publishing import is_committed
from pipeline.dataset.run_log import allowed_places, newest_log, write_log
from pipeline.engines.work_files import dismiss_all
from pipeline.errors import RunFailed
from pipeline.planning.job import Job
from pipeline.storage.scratch import remove_abandoned


def tidy(job: Job) -> None:
    """Temporary files, temporary folders of libraries, and of a committed version the work of its submissions."""
    remove_abandoned()
    job.output.remove_leftovers()
    with suppress(RunFailed, OSError):
        if is_committed(job.dataset):
            dismiss_all(job.dataset)


def finish(job: Job) -> None:
    """What a run that was killed right after its commit did not come to: LATEST, and where its sources are.

    They may have moved since: the newest log tells verify and replay where to look.
    """
    announce(job)
    log = newest_log(job.dataset)
    root = job.reader.root
    here = root.url, [list(part) for part in root.parts], allowed_places(job)
    if log is None or here != (log["input_root"], log.get("input_parts", []), log.get("allowed", {})):
        with suppress(RunFailed):  # the dataset is whole without it
            write_log(job, 0.0, 0, "none", 0)
