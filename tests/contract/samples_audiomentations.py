"""What the contract suite needs to know of audiomentations."""

from typing import Any

COUNT = 35
"""Classes that a recipe may name."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "AdjustDuration": {"duration_seconds": 0.3},
    "RepeatPart": {"min_part_duration": 0.1, "max_part_duration": 0.3},
}
"""Parameters of classes that need some, or that do nothing by default."""

SEEDLESS = {
    "Clip",
    "Normalize",
    "PolarityInversion",
    "Reverse",
    "Trim",
}
"""Classes that draw nothing with these parameters."""
