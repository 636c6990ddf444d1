"""The whole graph."""

from collections.abc import Sequence
from typing import Any

import apache_beam as beam

from pipeline import stages
from pipeline.commit import Expected
from pipeline.job import Job, Task


def build(pipeline: beam.Pipeline, job: Job, tasks: Sequence[Task], expected: Expected, local: bool) -> Any:
    """Tasks in, one committed version out. `local`: render in this machine's process pool."""
    render = beam.ParDo(stages.RenderInPool()) if local else stages.Render(job)
    return (
        pipeline
        | "Shards" >> beam.Create(tasks, reshuffle=False)  # Task
        | "Spread" >> beam.Reshuffle()  # Task
        | "Render" >> render  # Receipt
        | "Gather" >> beam.combiners.ToList()  # list[Receipt], one element even if empty
        | "Commit" >> beam.ParDo(stages.Commit(job, expected))  # str
    )


def run_graph(settings: Any, job: Job, tasks: Sequence[Task], expected: Expected, local: bool) -> None:
    """Build the graph and run it to its end on the engine that `settings` (Beam's PipelineOptions) name."""
    with beam.Pipeline(options=settings) as pipeline:
        build(pipeline, job, tasks, expected, local)
