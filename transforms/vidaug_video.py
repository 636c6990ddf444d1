"""vidaug: its operations on clips, by its names, with its parameters and meaning; see `vidaug_table`.

The package itself is not needed, and does not run with today's numpy. All frames of a clip are treated alike; what
moves frames in time takes sound, boxes and segments along.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from transforms import clip_operations
from transforms.clip_operations import ClipStep, Operation
from transforms.interface import Description, StepProblem, Transform

DISTRIBUTIONS = (
    "albucore", "albumentations", "numpy", "opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python",
    "opencv-python-headless", "python-stretch",
)  # fmt: skip
PRELOAD = ("transforms.vidaug_table",)
_GROUP = "is a composition; write the groups one_of, some_of or sometimes instead"
REFUSED = {
    "OneOf": _GROUP,
    "Sequential": "is a composition; a list of steps is one already",
    "SomeOf": _GROUP,
    "Sometimes": _GROUP,
}


@cache
def _operations() -> Mapping[str, Operation]:
    from transforms.vidaug_table import OPERATIONS

    return OPERATIONS


@cache
def names() -> tuple[str, ...]:
    """Every operation that a recipe may name, sorted."""
    return tuple(sorted(_operations()))


def modality(name: str) -> str:
    """Give `video`, for every operation."""
    return "video"


def carries(name: str) -> frozenset[str]:
    """Give the kinds of labels that follow."""
    return _operations()[name].carries


def describe(name: str) -> Description:
    """Give the parameters with their defaults, and a docstring."""
    return clip_operations.describe("vidaug", name, _operations()[name])


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names, types and ranges against the table, then call once on a clip."""
    return clip_operations.problems("vidaug", name, _operations()[name], params)


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since it keeps its generators."""
    return ClipStep(f"vidaug.{name}", _operations()[name], params)
