"""How to run, and what came of it."""

from dataclasses import dataclass, field
from typing import Any

from pipeline.engines.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run. None of it changes a byte of the dataset.

    Attributes:
        runner: `direct` (this machine), `flink`, `spark`, `dataflow` or `prism`.
        workers: Processes of this machine, or of each worker of the engine; None: one per core.
        beam: Beam's own options, as on the command line: `("--flink_master=localhost:8081",)`.
        debug: Show tracebacks and messages of the libraries.
        attempts: How often to submit what is missing before an engine that fails is given up.
        progress: Is told of phases, counts and warnings.
    """

    runner: str = "direct"
    workers: int | None = None
    beam: tuple[str, ...] = ()
    debug: bool = False
    attempts: int = 3
    progress: Progress = field(default_factory=Silent)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A committed version, and what the run did.

    Attributes:
        version: The fingerprint of config, input and libraries: the name of the version's folder.
        path: The version's folder or URL.
        manifest: What `manifest.json` says; empty for a job that was handed over.
        seconds: Wall-clock time of the run.
        already_there: The version had been committed before, and nothing was rendered.
        resumed_shards: Shards that an earlier run had finished.
        handed_over: The engine's id of a detached job, which commits by itself; None if it was waited for.
        warnings: What people should know though the dataset is whole.
    """

    version: str
    path: str
    manifest: dict[str, Any]
    seconds: float
    already_there: bool
    resumed_shards: int
    handed_over: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def samples(self) -> int:
        """Samples of all splits."""
        return sum(s["samples"] for s in self.manifest.get("splits", {}).values())
