"""What the contract suite needs to know of the library `video`."""

from typing import Any

COUNT = 4
"""Operations that a recipe may name."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "BridgeFrames": {"n": [1, 4]},
    "FrameDropout": {"share": 0.4},
    "FrameRate": {"rate": [5, 30]},
    "Speed": {"factor": [0.5, 2]},
}
"""Parameters of operations that need some, or that do nothing by default."""

SEEDLESS: set[str] = set()
"""Operations that draw nothing with these parameters."""
