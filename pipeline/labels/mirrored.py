"""Steps that show objects again on new ground, where only the object itself stays labeled."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.config import JobConfig
from transforms import registry
from transforms.steps import Step, leaves, read_steps

_KEYS = ("border_mode", "padding_mode", "fill_mode")
_SHOWN_AGAIN = (
    *(2, 3, 4, "cv2.BORDER_REFLECT", "cv2.BORDER_WRAP", "cv2.BORDER_REFLECT_101", "cv2.BORDER_REFLECT101"),
    *("cv2.BORDER_DEFAULT", "reflect", "symmetric", "wrap"),
)
"""OpenCV's constants, their numbers, and what other libraries call them."""
_KINDS = ("boxes", "keypoints", "masks")


def mirror_notes(config: JobConfig) -> Iterator[str]:
    """One for each step of a field with labels that fills new ground with the picture itself."""
    for name, field in config.fields.items():
        bound = [kind for kind in field.bound() if kind in _KINDS]
        if not bound:
            continue
        for part in ("prepare", "augment"):
            for step in leaves(read_steps(getattr(field, part)).nodes):
                key = _key(step)
                if key:
                    yield (
                        f"fields.{name}.{part}: {step.name} shows parts of the picture again where it makes new ground "
                        f"({key}); an object keeps its {' and '.join(bound)} once, what is shown again has none: "
                        "a constant ground avoids that"
                    )


def _key(step: Step) -> str:
    """The parameter by which a step fills new ground with the picture, and its value; empty if it does not."""
    given: Mapping[str, Any] = {**_defaults(step), **step.params}
    return next((f"{key}: {given[key]}" for key in _KEYS if given.get(key) in _SHOWN_AGAIN), "")


def _defaults(step: Step) -> dict[str, Any]:
    described = registry.describe(step.name).parameters
    return {p.name: p.default.strip("'") for p in described if p.name in _KEYS}
