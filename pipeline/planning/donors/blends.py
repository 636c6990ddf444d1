"""What a config says of blends."""

from collections.abc import Mapping

from pipeline.config.blends import SHELF
from pipeline.config.loader import Path
from pipeline.config.schema import JobConfig
from pipeline.errors import InputError, Problem
from pipeline.records import Split
from transforms.registry import partners
from transforms.steps import Step, leaves, read_steps

SAME_CLASS, OTHER_CLASS, ANY = "same_class", "other_class", "any"
_LISTED = 5
REMEDY = "Write fewer, or leave it out: then the shelf holds as many as there are."


def blend_steps(config: JobConfig) -> list[tuple[Path, Step]]:
    """Every step that blends records, with its place."""
    return [
        (("fields", name, part, *step.place), step)
        for name, field in config.fields.items()
        for part in ("prepare", "augment")
        for step in leaves(read_steps(getattr(field, part)).nodes)
        if partners(step) is not None
    ]


def shelf_size(config: JobConfig) -> int:
    """How many training records are kept as partners; 0 where nothing is blended."""
    return (config.blends.shelf or SHELF) if blend_steps(config) else 0


def has_soft_labels(config: JobConfig) -> bool:
    """Whether samples say how much of each class they are."""
    return config.input.label is not None and bool(blend_steps(config))


def blend_notes(config: JobConfig, classes: Mapping[tuple[Split, str], int]) -> tuple[str, ...]:
    """Records that blends will leave alone, for want of a partner; `classes`: records per split and class."""
    scopes = {partners(step) for _, step in blend_steps(config)}
    training = {name: count for (split, name), count in classes.items() if split == "train" and count}
    lonely = sorted(name for name, count in training.items() if count == 1)
    notes = []
    if SAME_CLASS in scopes and lonely:
        listed = ", ".join(map(repr, lonely[:_LISTED])) + (" …" if len(lonely) > _LISTED else "")
        notes.append(f"classes of one training record ({listed}): partners: same_class finds nobody for them")
    if OTHER_CLASS in scopes and len(training) == 1:
        notes.append("all training records are of one class: partners: other_class finds nobody")
    return tuple(notes)


def refuse_large_shelf(config: JobConfig, training: int) -> None:
    """Raise InputError for a shelf that was asked for and that the training records do not fill."""
    shelf = config.blends.shelf
    if shelf is not None and shelf > training:
        message = too_large(shelf, training, "train")
        raise InputError(message.rstrip("."), (Problem("blends.shelf", message, REMEDY),))


def too_large(shelf: int, records: int, where: str) -> str:
    """Message of a shelf that nothing fills."""
    return f"a shelf of {shelf} donors is larger than {where}, which has {records} record{'' if records == 1 else 's'}."
