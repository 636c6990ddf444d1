"""Batch augmentation of labeled records: `import fanbeam`.

>>> import fanbeam
>>> result = fanbeam.run("birds.yaml")  # doctest: +SKIP
>>> dataset = fanbeam.open_dataset(result.path)  # doctest: +SKIP

`run`, `plan` and `load_config` do what the commands of these names do; `open_dataset` reads what was written. Nothing
heavy is imported before it is used.
"""

import sys
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from pipeline.config.schema import JobConfig
    from pipeline.dataset.reader import Dataset, open_dataset
    from pipeline.driver.api import Planned, load_config, plan, run
    from pipeline.driver.run_options import RunOptions, RunResult
    from pipeline.errors import (
        ConfigError,
        Damaged,
        FanbeamError,
        InputError,
        Interrupted,
        LimitsExceeded,
        Problem,
        RunFailed,
        UsageError,
    )

__all__ = [
    "ConfigError", "Damaged", "Dataset", "FanbeamError", "InputError", "Interrupted", "JobConfig", "LimitsExceeded",
    "Planned", "Problem", "RunFailed", "RunOptions", "RunResult", "UsageError", "__version__", "load_config",
    "open_dataset", "plan", "run",
]  # fmt: skip
_HOMES = {
    "JobConfig": "pipeline.config.schema",
    "Dataset": "pipeline.dataset.reader",
    "open_dataset": "pipeline.dataset.reader",
    **dict.fromkeys(("Planned", "load_config", "plan", "run"), "pipeline.driver.api"),
    **dict.fromkeys(("RunOptions", "RunResult"), "pipeline.driver.run_options"),
}
_ERRORS = "pipeline.errors"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'fanbeam' has no attribute {name!r}")
    if name == "__version__":
        return metadata.version("fanbeam")
    return getattr(import_module(_HOMES.get(name, _ERRORS)), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def _refuse_others() -> None:
    """Raise ImportError if another package is found by the name of one of ours: it would fail somewhere inside."""
    for name in ("pipeline", "transforms"):
        own = Path(__file__).resolve().parent / name
        loaded = sys.modules.get(name)
        spec = find_spec(name) if loaded is None else loaded.__spec__
        places = [*(spec.submodule_search_locations or ()), spec.origin or ""] if spec is not None else []
        if own not in [Path(place).resolve() for place in places if place]:
            other = next((place for place in places if place), "nothing")
            raise ImportError(
                f"fanbeam needs its own package {name!r} at {own}, and Python finds {other} under that name. Rename "
                "yours, or start Python in another folder. In a notebook, restart the kernel afterwards."
            )


_refuse_others()
