"""Beam's own options, as somebody types them, and those that fanbeam adds -> the settings of an engine."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pipeline.engines.adapters import worker_packages as bare_workers
from pipeline.engines.options import DETACHED, ENGINES, IN_THE_POOL, Engine, Settings, module_of
from pipeline.errors import Problem, UsageError, nearest
from pipeline.planning.job import Job
from pipeline.storage.folder import Folder


def settings_of(engine: Engine, arguments: Sequence[str], output: Folder, job: Job | None = None) -> Settings:
    """Everything that a submission needs. Raises UsageError for what nobody knows, and with all that is missing.

    `job`: what workers that come with nothing must be given.
    """
    if engine.local and not arguments:
        return Settings(engine, (*IN_THE_POOL, f"--runner={engine.beam_name}"), {})  # known without Beam
    _refuse_stray(arguments)
    given = _read(arguments, drop_default=True)
    module = module_of(engine)
    added = IN_THE_POOL if module is None else module.settled(given)
    bare = job if engine.bare_workers else None
    packages = bare_workers.packages(bare, given) if bare else []
    settled = (*arguments, *added, *packages, f"--runner={engine.beam_name}")
    options = _read(settled, drop_default=False)
    found = module.problems(options, output) if module is not None else []
    found += bare_workers.problems(bare, options) if bare else []
    found += [] if engine.detaches else _waited_for(options)
    if found:
        raise UsageError(f"--runner {engine.beam_name} cannot start: {found[0].message}", tuple(found))
    return Settings(engine, settled, options)


def _waited_for(options: Mapping[str, Any]) -> list[Problem]:
    able = ", ".join(name for name, engine in ENGINES.items() if engine.detaches)
    message = f"only these engines finish a job that nobody waits for: {able}."
    return [Problem(f"--{name}", message, "Leave it out.") for name in DETACHED if options.get(name)]


def _refuse_stray(arguments: Sequence[str]) -> None:
    for before, word in pairwise(("", *arguments)):
        if not word.startswith("-") and (not before.startswith("-") or "=" in before):
            raise UsageError(f"unexpected argument {word!r}: `fanbeam run` takes one config")


def _read(arguments: Sequence[str], drop_default: bool) -> dict[str, Any]:
    """Beam's options by name. Raises UsageError for one that no Beam class knows."""
    from apache_beam.options.pipeline_options import PipelineOptions  # loads Beam: the local engine does without

    try:
        known = set(PipelineOptions([]).get_all_options())
        options = PipelineOptions(list(arguments))
        found: dict[str, Any] = options.get_all_options(drop_default=drop_default, retain_unknown_options=True)
    except SystemExit as error:
        raise UsageError(f"Beam cannot read these options: {' '.join(arguments)}") from error
    unknown = sorted(set(found) - known)
    if unknown:
        hint = nearest(unknown[0], sorted(known))
        raise UsageError(f"unknown option --{unknown[0]}. {hint} `fanbeam run --help` lists fanbeam's own options.")
    return found
