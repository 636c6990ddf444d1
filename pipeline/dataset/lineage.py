"""Which records a sample is blended of, by how much each, and what follows for its labels."""

from collections.abc import Mapping

from pipeline.records import Sample
from transforms.interface import Mixed

Weights = dict[str, float]


def parents_of(sample: Sample) -> Weights:
    """All parents, the record itself first, with weights that sum to 1; none where nothing was blended."""
    steps = _mixed(sample)
    return _folded({sample.record.key: 1.0}, steps) if steps and any(step.parents for step in steps) else {}


def label_weights(sample: Sample, known: Mapping[str, tuple[str, ...]]) -> Weights:
    """How much of each class a sample is: of a record with several classes each counts whole.

    `known`: the classes of the other parents.
    """
    key = sample.record.key
    found: Weights = {}
    for parent, weight in _folded({key: 1.0}, [step for step in _mixed(sample) if step.labels]).items():
        for label in dict.fromkeys(sample.record.labels if parent == key else known[parent]):
            found[label] = found.get(label, 0.0) + weight
    return found


def _mixed(sample: Sample) -> list[Mixed]:
    steps = []
    for rendered in sample.rendered.values():
        for step in rendered.applied:
            if step.mixed is not None:
                steps.append(step.mixed)  # noqa: PERF401  (a list per field costs more than most samples have to say)
    return steps


def _folded(weights: Mapping[str, float], steps: list[Mixed]) -> Weights:
    """The weights after some blends: each leaves to what came in what its own parents do not take."""
    found = dict(weights)
    for step in steps:
        rest = 1.0 - sum(share for _, share in step.parents)
        found = {key: weight * rest for key, weight in found.items()}
        for key, share in step.parents:
            found[key] = found.get(key, 0.0) + share
    return found
