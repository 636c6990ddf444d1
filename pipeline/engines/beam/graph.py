"""The whole graph, and that of the survey of payloads which may go before it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import AsSingleton

from pipeline.dataset.totals import Tally
from pipeline.engines.beam import render_steps, survey_steps
from pipeline.engines.beam.audit_steps import Audit
from pipeline.engines.beam.lazy_step import Arrival
from pipeline.engines.beam.process import end_job_servers
from pipeline.engines.worker_environment import Surroundings
from pipeline.planning.job import Job
from pipeline.storage.scratch import claim


@dataclass(frozen=True, slots=True)
class Work:
    """What one submission is to do: `files` of tasks that stand beside the shards, see `work_files`.

    `local`: render in this process's pool; else in children of Beam's workers.
    """

    job: Job
    files: int
    around: Surroundings
    local: bool
    processes: int | None = None
    detached: bool = False
    """Nobody waits for the job: the graph itself points LATEST, and fails where a waiting run would tell."""
    small: bool = False
    """Little is written: one worker audits it, in a graph of few steps."""


def build(pipeline: beam.Pipeline, work: Work) -> Any:
    """Tasks in, one committed version out."""
    job, around = replace(work.job, candidates=None, decided=None), work.around
    render = beam.ParDo(render_steps.RenderInPool()) if work.local else render_steps.Render(job, around, work.processes)
    take = render_steps.Take(job, around, work.local)
    whole = (
        pipeline
        | "Assignment" >> beam.Create(range(work.files), reshuffle=False)  # int
        | "Shards" >> beam.ParDo(take if work.local else Arrival(take))  # Task
        | "Spread" >> beam.Reshuffle()  # Task
        | "Render" >> render  # Receipt
        | "Gather" >> beam.CombineGlobally(render_steps.Sums(Tally, Tally.add))  # Tally, one element even if empty
        | "Complete" >> beam.ParDo(render_steps.Complete(job, around))  # Tally, of earlier runs' shards too
    )
    audit = Audit(job, around, work.local, work.processes, work.small)
    found = whole | "Audit" >> audit  # Findings, one element even if nothing is to be done
    return whole | "Commit" >> beam.ParDo(render_steps.Commit(job, around, work.detached), AsSingleton(found))  # str


@dataclass(frozen=True, slots=True)
class Search:
    """What one survey is to do: `files` of pieces; near duplicates of `field` among `rows`, or else contents.

    `written`: contents of held-out rows as they will be written.
    """

    job: Job
    files: int
    around: Surroundings
    field: str | None = None
    rows: int = 0
    written: bool = False
    processes: int | None = None

    @property
    def local(self) -> bool:
        """The local pool needs no graph for that."""
        return False

    @property
    def detached(self) -> bool:
        """The plan waits for it."""
        return False


def build_search(pipeline: beam.Pipeline, search: Search) -> Any:
    """Pieces in, and what was found in files beside the versions."""
    job, around = replace(search.job, candidates=None, decided=None), search.around
    pieces = (
        pipeline
        | "Files" >> beam.Create(range(search.files), reshuffle=False)  # int
        | "Pieces" >> beam.ParDo(Arrival(survey_steps.TakePieces(job, around)))  # Piece
        | "Spread" >> beam.Reshuffle()  # Piece
    )
    if search.field is None:
        digest = survey_steps.Digest(job, around, search.written, search.processes)
        return pieces | "Digest" >> beam.ParDo(digest)  # int
    near = survey_steps.NearPairs(job, around, search.field, search.rows, search.processes)
    return pieces | "Near" >> near  # int


def run_graph(arguments: Sequence[str], work: Work | Search, cancel: Callable[[], None]) -> str:
    """Build the graph and run it to its end on the engine that Beam's `arguments` name.

    Returns Beam's word for the state it ended in; if nobody waits, the engine's name of the job. Raises what the engine
    raised; `cancel` ends the job on the engine if this process is interrupted.
    """
    pipeline = beam.Pipeline(options=PipelineOptions(list(arguments)))
    claim(str(pipeline.local_tempdir))
    if isinstance(work, Work):
        build(pipeline, work)
    else:
        build_search(pipeline, work)
    result = None
    try:
        result = pipeline.run()
        if work.detached:
            return _identity(result)
        return str(result.wait_until_finish() or result.state)
    except KeyboardInterrupt:
        with suppress(Exception):  # whatever the engine makes of it, its own door is tried next
            if result is not None:
                result.cancel()
        cancel()
        raise
    finally:
        if not work.local:
            end_job_servers()


def _identity(result: Any) -> str:
    """The engine's own name of a job; empty where it has none, as for a template that is only written."""
    if not getattr(result, "has_job", True):
        return ""
    known = getattr(result, "job_id", None) or getattr(result, "_job_id", "")
    return str(known() if callable(known) else known)
