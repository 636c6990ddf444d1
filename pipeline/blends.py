"""What a config says of blends."""

from pipeline.blend_settings import SHELF
from pipeline.config import JobConfig
from pipeline.config_file import Path
from pipeline.errors import InputError, Problem
from transforms.registry import partners
from transforms.steps import Step, leaves, read_steps

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


def refuse_large_shelf(config: JobConfig, training: int) -> None:
    """Raise InputError for a shelf that was asked for and that the training records do not fill."""
    shelf = config.blends.shelf
    if shelf is not None and shelf > training:
        message = too_large(shelf, training, "train")
        raise InputError(message.rstrip("."), (Problem("blends.shelf", message, REMEDY),))


def too_large(shelf: int, records: int, where: str) -> str:
    """Message of a shelf that nothing fills."""
    return f"a shelf of {shelf} donors is larger than {where}, which has {records} record{'' if records == 1 else 's'}."
