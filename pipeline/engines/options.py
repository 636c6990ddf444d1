"""Engines: what each needs, in one table. Beam's own options pass through; one that nobody knows is an error."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pipeline.engines.adapters.interface import EngineModule
from pipeline.errors import UsageError, nearest


@dataclass(frozen=True, slots=True)
class Engine:
    """How a runner is named to Beam, whether this process's own pool renders, and the file that knows the rest.

    `bare_workers`: they come with nothing, neither fanbeam nor this machine's files. `detaches`: a job needs nobody who
    waits for it. `labels`: of each submission.
    """

    beam_name: str
    local: bool = False
    module: str = ""
    bare_workers: bool = False
    detaches: bool = False
    labels: tuple[str, ...] = ()


ENGINES = {
    "direct": Engine("apache_beam.runners.portability.fn_api_runner.FnApiRunner", local=True),
    "flink": Engine("FlinkRunner", module="pipeline.engines.adapters.flink"),
    "dataflow": Engine(
        "DataflowRunner",
        module="pipeline.engines.adapters.dataflow",
        bare_workers=True,
        detaches=True,
        labels=("--labels=fanbeam_version={version}",),
    ),
    "prism": Engine("PrismRunner", module="pipeline.engines.adapters.prism"),
    "spark": Engine("SparkRunner", module="pipeline.engines.adapters.spark"),
}
ALIASES = {
    "directrunner": "direct",
    "fnapirunner": "direct",
    "flinkrunner": "flink",
    "dataflowrunner": "dataflow",
    "prismrunner": "prism",
    "sparkrunner": "spark",
}
DETACHED = ("no_wait_until_finish", "template_location")
IN_THE_POOL = ("--direct_num_workers=1", "--direct_running_mode=in_memory")  # Beam itself only waits for the pool
_DASK = "Beam's DaskRunner silently gives wrong results for graphs with several outputs"
REFUSED = {"dask": _DASK, "daskrunner": _DASK}


@dataclass(frozen=True, slots=True)
class Settings:
    """An engine with all its options: those given and those that fanbeam adds."""

    engine: Engine
    arguments: tuple[str, ...]
    options: dict[str, Any]

    def beam_arguments(self, job_name: str) -> list[str]:
        """Beam's arguments for one submission of that name."""
        if self.engine.local:
            return list(self.arguments)
        version = job_name.split("-")[1] if "-" in job_name else job_name
        labels = [label.format(version=version) for label in self.engine.labels]
        kept = self.options.get("template_location") and self.options.get("job_name")  # a launcher's own
        named = [] if kept else [f"--job_name={job_name}"]
        return [*self.arguments, *labels, *named]

    @property
    def detached(self) -> bool:
        """Whether the job is handed over and nobody waits for it."""
        return any(self.options.get(name) for name in DETACHED)

    @property
    def module(self) -> EngineModule | None:
        """What knows more of the engine; None for the local one."""
        return module_of(self.engine)


def engine_of(name: str) -> Engine:
    """The engine of that name, or of Beam's own name for it. Raises UsageError."""
    key = name.lower()
    if key in REFUSED:
        raise UsageError(f"--runner {name} is refused: {REFUSED[key]}. Use one of: {', '.join(ENGINES)}")
    key = ALIASES.get(key, key)
    if key not in ENGINES:
        raise UsageError(f"unknown runner {name!r}. {nearest(key, list(ENGINES))}")
    return ENGINES[key]


def leaves_template(arguments: Sequence[str]) -> bool:
    """Whether a job is to be left for others to start. They want one even if nothing is left to make."""
    return any(word.partition("=")[0] == "--template_location" for word in arguments)


def module_of(engine: Engine) -> EngineModule | None:
    """What knows more of an engine; None for the local one."""
    if not engine.module:
        return None
    module: Any = import_module(engine.module)
    loaded: EngineModule = module
    return loaded
