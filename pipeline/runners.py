"""Engines: what each needs, in one table. Beam's own options pass through; one that nobody knows is an error."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.errors import UsageError, nearest

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions


@dataclass(frozen=True, slots=True)
class Engine:
    """How a runner is named to Beam, and whether it renders in this machine's process pool."""

    beam_name: str
    local: bool


ENGINES = {
    "direct": Engine("apache_beam.runners.portability.fn_api_runner.FnApiRunner", local=True),
}
ALIASES = {"directrunner": "direct", "fnapirunner": "direct"}
_IN_THE_POOL = ("--direct_num_workers=1", "--direct_running_mode=in_memory")  # Beam itself only waits for the pool
REFUSED = {
    "dask": "Beam's DaskRunner silently gives wrong results for graphs with several outputs",
    "daskrunner": "Beam's DaskRunner silently gives wrong results for graphs with several outputs",
}


def engine_of(name: str) -> Engine:
    """The engine of that name, or of Beam's own name for it. Raises UsageError."""
    key = name.lower()
    if key in REFUSED:
        raise UsageError(f"--runner {name} is refused: {REFUSED[key]}. Use one of: {', '.join(ENGINES)}")
    key = ALIASES.get(key, key)
    if key not in ENGINES:
        raise UsageError(f"unknown runner {name!r}. {nearest(key, list(ENGINES))}")
    return ENGINES[key]


def options_of(engine: Engine, arguments: Sequence[str]) -> "PipelineOptions":
    """Beam options from the command line. Raises UsageError for those that no Beam class knows."""
    from apache_beam.options.pipeline_options import PipelineOptions

    for before, word in pairwise(("", *arguments)):
        if not word.startswith("-") and (not before.startswith("-") or "=" in before):
            raise UsageError(f"unexpected argument {word!r}: `fanbeam run` takes one config")
    settled = _IN_THE_POOL if engine.local else ()
    options = PipelineOptions([*arguments, *settled, f"--runner={engine.beam_name}"])
    try:
        known = set(PipelineOptions([]).get_all_options())
        given = options.get_all_options(drop_default=True, retain_unknown_options=True)
    except SystemExit as error:
        raise UsageError(f"Beam cannot read these options: {' '.join(arguments)}") from error
    unknown = sorted(set(given) - known)
    if unknown:
        hint = nearest(unknown[0], sorted(known))
        raise UsageError(f"unknown option --{unknown[0]}. {hint} `fanbeam run --help` lists fanbeam's own options.")
    return options


def hush(debug: bool) -> None:
    """Silence Beam's own chatter."""
    if not debug:
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", module="apache_beam")
