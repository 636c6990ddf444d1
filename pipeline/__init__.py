"""fanbeam: batch augmentation of labeled records on Apache Beam.

From Python: `load_config`, `plan`, `run`, `open_dataset`. Nothing heavy is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.api import load_config, plan, run
    from pipeline.dataset import open_dataset

__all__ = ["load_config", "open_dataset", "plan", "run"]
_HOMES = {
    "load_config": "pipeline.api",
    "plan": "pipeline.api",
    "run": "pipeline.api",
    "open_dataset": "pipeline.dataset",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
