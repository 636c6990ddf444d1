"""What the contract suite needs to know of fanbeam's own blends."""

from typing import Any

COUNT = 6
"""Operations that a recipe may name."""

EXAMPLES: dict[str, dict[str, Any]] = {"MixUp": {"alpha": 1.0}}
"""Parameters of operations that need some, or that do nothing by default."""

SEEDLESS: set[str] = set()
"""Operations that draw nothing with these parameters."""
