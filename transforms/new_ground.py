"""Steps that fill new ground with the picture itself, mirrored or repeated: they show objects again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from transforms import registry
from transforms.steps import Node, Step

_KEYS: Mapping[str, Any] = {"border_mode": 0, "padding_mode": "constant", "fill_mode": "constant"}
"""Parameters of the libraries, each with the value that leaves new ground empty."""
_SHOWN_AGAIN = (
    *(2, 3, 4, "cv2.BORDER_REFLECT", "cv2.BORDER_WRAP", "cv2.BORDER_REFLECT_101", "cv2.BORDER_REFLECT101"),
    *("cv2.BORDER_DEFAULT", "reflect", "symmetric", "wrap"),
)
"""OpenCV's constants, their numbers, and what other libraries call them."""


def shown_again(step: Step) -> dict[str, Any]:
    """The parameters by which a step fills new ground with the picture, given or by default; empty if it does not."""
    described = registry.describe(step.name).parameters
    defaults = {p.name: p.default.strip("'") for p in described if p.name in _KEYS}
    given = {**defaults, **step.params}
    return {key: given[key] for key in _KEYS if given.get(key) in _SHOWN_AGAIN}


def left_empty(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The same steps, with the same draws, which leave new ground empty."""
    return tuple(_left_empty(node) for node in nodes)


def _left_empty(node: Node) -> Node:
    if not isinstance(node, Step):
        return replace(node, steps=left_empty(node.steps))
    found = shown_again(node)
    return replace(node, params={**node.params, **{key: _KEYS[key] for key in found}}) if found else node
