"""What is wrong with steps that look at other records, or blend with them, found before anything runs."""

from collections.abc import Iterator

from pipeline.blends import ANY, REMEDY, SAME_CLASS, blend_steps, too_large
from pipeline.candidates import wanted
from pipeline.config import JobConfig
from pipeline.config_file import ConfigText
from pipeline.errors import Problem
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
    """Steps that ask for records of the same class, or of another one, where nobody knows the classes."""
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
    """Blends beside other fields, and a shelf that is of no use, or larger than the input."""
    steps, shelf = blend_steps(config), config.blends.shelf
    records = sum(unit.rows for unit in listing.units)
    if steps and len(config.fields) > 1:
        place, step = steps[0]
        others = " and ".join(repr(name) for name in config.fields if name != place[1])
        message = f"{step.name} blends {place[1]!r} of several records; {others} would still be of one record alone."
        yield Problem(text.where(place), message, "Blend where the blended field is the only one of its config.")
    if shelf is not None and not steps:
        hint = "Leave it out, or add a step such as fanbeam.MixUp."
        yield Problem(text.where(("blends", "shelf")), "no step blends records.", hint)
    elif shelf is not None and shelf > records:
        yield Problem(text.where(("blends", "shelf")), too_large(shelf, records, "the input"), REMEDY)
