"""Steps that show objects again on new ground, or turn left to right, beside labels that do not say what then holds."""

from collections.abc import Iterator

from pipeline.config.labels import KeypointBinding
from pipeline.config.schema import AnyField, JobConfig
from transforms import registry
from transforms.new_ground import shown_again
from transforms.steps import Step, leaves, read_steps

_KINDS = ("boxes", "keypoints", "masks", "polygons")


def mirror_notes(config: JobConfig) -> Iterator[str]:
    """One for each step of a field with labels that fills new ground with the picture itself."""
    for name, field in config.fields.items():
        bound = [kind for kind in field.bound() if kind in _KINDS]
        if not bound:
            continue
        yield from _sides(name, field)
        for part in ("prepare", "augment"):
            for step in leaves(read_steps(getattr(field, part)).nodes):
                key = _key(step)
                if key:
                    yield (
                        f"fields.{name}.{part}: {step.name} shows parts of the picture again where it makes new ground "
                        f"({key}); an object keeps its {' and '.join(bound)} once, what is shown again has none: "
                        "a constant ground avoids that"
                    )


def _sides(name: str, field: AnyField) -> Iterator[str]:
    """Keypoints that keep their names where a step turns left to right."""
    points = field.bound().get("keypoints")
    if not isinstance(points, KeypointBinding) or points.swap:
        return
    steps = leaves(read_steps([*field.prepare, *field.augment]).nodes)
    mirroring = next((step.name for step in steps if registry.mirrors(step.name, step.params)), "")
    if mirroring:
        yield (
            f"fields.{name}.keypoints: {mirroring} turns left to right, and every point keeps its name and its place "
            "in the list; if there are left and right ones, name the pairs: swap: [[left_eye, right_eye], …]"
        )


def _key(step: Step) -> str:
    """The parameter by which a step fills new ground with the picture, and its value; empty if it does not."""
    return next((f"{key}: {value}" for key, value in shown_again(step).items()), "")
