"""What is wrong with steps that look at other records, or blend with them, found before anything runs."""

from collections.abc import Iterator

from pipeline.config.loader import ConfigText
from pipeline.config.schema import JobConfig
from pipeline.errors import Problem
from pipeline.planning.donors.blends import ANY, REMEDY, SAME_CLASS, blend_steps, too_large
from pipeline.planning.donors.selection import wanted
from pipeline.sources import Listing
from transforms.registry import partners, references
from transforms.steps import leaves, read_steps


def prepare_problems(steps: object, text: ConfigText, name: str) -> Iterator[Problem]:
    """`prepare` runs on every split, where other records must not be seen."""
    for step in leaves(read_steps(steps).nodes):
        if references(step):
            message = f"{step.name}: reference: records: is for augment steps; prepare runs on every split."
            yield Problem(text.where(("fields", name, "prepare", *step.place, "reference")), message)
        if partners(step):
            message = f"{step.name} blends training records; prepare runs on every split."
            yield Problem(text.where(("fields", name, "prepare", *step.place)), message, "Move it to augment.")


def class_problems(config: JobConfig, text: ConfigText) -> Iterator[Problem]:
    """Copies by class, and steps that ask for records of the same class or another one, where nobody knows classes."""
    if not isinstance(config.copies, int) and not config.class_columns:
        hint = "Name input.label, or copies.balance.per."
        yield Problem(text.where(("copies",)), "copies by class need to know the classes.", hint)
    if config.input.label is not None:
        return
    if SAME_CLASS in wanted(config):
        message = "reference: records: same_class needs the class of each record."
        yield Problem(text.where(("input",)), message, "Give input.label, or write records: any.")
    for place, step in blend_steps(config):
        scope = partners(step)
        if scope != ANY:
            message = f"{step.name}: partners: {scope} needs the class of each record."
            yield Problem(text.where((*place, "partners")), message, "Give input.label, or write partners: any.")


def blend_problems(config: JobConfig, listing: Listing, text: ConfigText) -> Iterator[Problem]:
    """Blends beside other fields, and settings that are of no use, or a shelf larger than the input."""
    steps, shelf = blend_steps(config), config.blends.shelf
    records = sum(unit.rows for unit in listing.units)
    yield from _fields_beside(config, text)
    if shelf is not None and not steps:
        hint = "Leave it out, or add a step such as fanbeam.MixUp."
        yield Problem(text.where(("blends", "shelf")), "no step blends records.", hint)
    elif shelf is not None and shelf > records:
        yield Problem(text.where(("blends", "shelf")), too_large(shelf, records, "the input"), REMEDY)


def _fields_beside(config: JobConfig, text: ConfigText) -> Iterator[Problem]:
    """Fields of one record alone beside one that is blended of several, unless that is meant; several blended ones."""
    steps = blend_steps(config)
    blended = list(dict.fromkeys(place[1] for place, _ in steps))
    others = [name for name in config.fields if name not in blended]
    if len(blended) > 1:
        where = next(place for place, _ in steps if place[1] == blended[1])
        message = f"{blended[0]!r} and {blended[1]!r} would each be blended with partners of its own."
        yield Problem(text.where(where), message, "Blend one field.")
    elif blended and others and config.blends.other_fields is None:
        place, step = steps[0]
        names = " and ".join(map(repr, others))
        message = f"{step.name} blends {blended[0]!r} of several records; {names} would still be of one record alone."
        hint = "Blend where the blended field is the only one of its config, or write blends.other_fields: own."
        yield Problem(text.where(place), message, hint)
    if config.blends.other_fields is not None and len(blended) < 2 and not (blended and others):
        message = "there is no field beside a blended one."
        yield Problem(text.where(("blends", "other_fields")), message, "Leave it out.")
