"""video: operations on the time of clips, written here; see `video_table`."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from transforms import clip_operations
from transforms.clip_operations import ClipStep, Operation
from transforms.interface import Description, StepProblem, Transform

DISTRIBUTIONS = (
    "numpy", "opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python",
    "opencv-python-headless", "python-stretch",
)  # fmt: skip
PRELOAD = ("transforms.video_table",)


@cache
def _operations() -> Mapping[str, Operation]:
    from transforms.video_table import OPERATIONS

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
    return clip_operations.describe("video", name, _operations()[name])


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names, types and ranges against the table, then call once on a clip."""
    return clip_operations.problems("video", name, _operations()[name], params)


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since it keeps its generators."""
    return ClipStep(f"video.{name}", _operations()[name], params)
