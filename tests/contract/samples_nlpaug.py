"""What the contract suite needs to know of nlpaug."""

from typing import Any

COUNT = 10
"""Classes that a recipe may name."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "ReservedAug": {"reserved_tokens": [["quick", "fast", "rapid"], ["good", "nice", "fine"]]},
}
"""Parameters of classes that need some, or that do nothing by default."""

SEEDLESS: set[str] = set()
"""Classes that draw nothing with these parameters."""
