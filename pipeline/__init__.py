"""fanbeam: batch augmentation of labeled records on Apache Beam.

From Python: `load_config`, `plan`, `run`, `open_dataset`. Nothing heavy is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.dataset.reader import open_dataset
    from pipeline.driver.api import load_config, plan, run

__all__ = ["load_config", "open_dataset", "plan", "run"]
_HOMES = {
    "load_config": "pipeline.driver.api",
    "plan": "pipeline.driver.api",
    "run": "pipeline.driver.api",
    "open_dataset": "pipeline.dataset.reader",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
