"""Why fields cannot draw together; and fields of one modality that perhaps should."""

from collections.abc import Iterator
from typing import Any

from pipeline.config.loader import ConfigText
from pipeline.config.schema import JobConfig
from pipeline.errors import Problem, nearest
from pipeline.sources.inspection.moving_steps import moves, moving_steps
from transforms.interface import MissingLibrary
from transforms.registry import partners
from transforms.steps import Node, Step, canonical, leaves, read_steps

_LOOKS = frozenset({"interpolation", "mask_interpolation", "fill", "fill_mask", "fill_value", "cval"})
"""Parameters of steps that say how what has moved looks, not where it goes."""


def same_draw_problems(config: JobConfig, text: ConfigText) -> Iterator[Problem]:
    """Names without a field, fields of unlike modality, steps that would move them apart."""
    where = text.where(("same_draws",))
    for group in config.draw_groups:
        unknown = [name for name in group if name not in config.fields]
        if unknown:
            yield Problem(where, f"there is no field {unknown[0]!r}.", nearest(unknown[0], list(config.fields)))
            continue
        kinds = [config.fields[name].type for name in group]
        if len(set(kinds)) > 1 or kinds[0] == "text":
            message = f"fields {', '.join(group)} are {', '.join(kinds)}: only fields of one modality draw together."
            yield Problem(where, message, "Texts cannot: what is drawn depends on their words.")
            continue
        yield from _unlike(config, group, where)


def _unlike(config: JobConfig, group: tuple[str, ...], where: str) -> Iterator[Problem]:
    first, *others = (config.fields[name] for name in group)
    steps = [step for name in group for step in leaves(read_steps(config.fields[name].augment).nodes)]
    blend = next((step.name for step in steps if partners(step)), None)
    if blend is not None:
        message = f"{blend} blends records, which fields that draw together ({', '.join(group)}) cannot."
        yield Problem(where, message, "Leave the step out, or the field.")
    for part in ("prepare", "augment"):
        wanted = _movements(getattr(first, part), first.type)
        for name, other in zip(group[1:], others, strict=True):
            found = _movements(getattr(other, part), other.type)
            if found != wanted:
                message = (
                    f"fields {group[0]} and {name} would move apart: steps of `{part}` that move them are "
                    f"{_listed(wanted)} and {_listed(found)}."
                )
                yield Problem(where, message, "Write the same steps with the same parameters, in the same order.")


def _movements(steps: Any, modality: str) -> list[tuple[str, Any]]:
    """The steps and groups that move something, each with its path, which its draws depend on."""
    nodes = read_steps(steps).nodes
    return [(node.path, _without_looks(canonical(node))) for node in nodes if _moves(node, modality)]


def _moves(node: Node, modality: str) -> bool:
    found = [node] if isinstance(node, Step) else list(leaves(node.steps))
    try:
        return any(moves(step, modality) for step in found)
    except MissingLibrary:
        return True


def _without_looks(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _without_looks(held) for key, held in plain.items() if key not in _LOOKS}
    return [_without_looks(held) for held in plain] if isinstance(plain, list | tuple) else plain


def _listed(movements: list[tuple[str, Any]]) -> str:
    return ", ".join(path.partition("#")[0] for path, _ in movements) or "none"


def apart_notes(config: JobConfig) -> Iterator[str]:
    """Fields of one modality that do not draw together, beside steps that move them: they may show the same scene."""
    together = {name: group for group in config.draw_groups for name in group}
    kinds: dict[str, list[str]] = {}
    for name, field in config.fields.items():
        if field.type != "text" and moving_steps([*field.prepare, *field.augment], field.type):
            kinds.setdefault(field.type, []).append(name)
    for kind, names in kinds.items():
        others = [n for n, f in config.fields.items() if f.type == kind]
        if len(others) > 1 and len({together.get(n, n) for n in others}) > 1:
            listed = ", ".join(others)
            yield (
                f"fields {listed} are all {kind} and draw apart: {', '.join(names)} would move without the others. If "
                f"they belong together, write same_draws: [{listed}]"
            )
