"""Classes that a config names: as labels are written, as whole numbers, or as Hugging Face's ClassLabel names them."""

from collections.abc import Iterable, Sequence

import orjson
import pyarrow as pa

from pipeline.config.copies import PerClass
from pipeline.config.schema import JobConfig
from pipeline.errors import InputError, Problem, nearest


def with_numbers(config: JobConfig, schema: pa.Schema) -> JobConfig:
    """The config with the numbers of classes in place of the names that the input's own metadata gives them."""
    names = class_label_names(schema, config.input.label)
    copies = config.copies
    if not names or not isinstance(copies, PerClass):
        return config
    numbers = {name: str(number) for number, name in enumerate(names)}
    named = {numbers.get(name, name): count for name, count in copies.per_class.items()}
    return config.model_copy(update={"copies": copies.model_copy(update={"per_class": named})})


def class_label_names(schema: pa.Schema, label: str | None) -> Sequence[str]:
    """The names of a column's numbers, if a Hugging Face dataset says them."""
    try:
        stated = orjson.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][label]
    except (KeyError, TypeError, ValueError):
        return ()
    stated = stated if stated.get("_type") == "ClassLabel" else stated.get("feature", {})
    return tuple(stated.get("names") or ()) if stated.get("_type") == "ClassLabel" else ()


def refuse_unknown_classes(config: JobConfig, classes: Iterable[str], schema: pa.Schema) -> None:
    """Raise InputError for classes of `per_class` that no record has, with the nearest that there is."""
    if not isinstance(config.copies, PerClass):
        return
    known = sorted(set(classes))
    names = class_label_names(schema, config.input.label)
    unknown = [name for name in config.copies.per_class if name not in known and not _is_number(name, names)]
    if unknown:
        problems = tuple(
            Problem("copies.per_class", f"no record is of class {name!r}.", nearest(name, [*known, *names]))
            for name in unknown
        )
        raise InputError(str(problems[0]), problems)


def _is_number(name: str, names: Sequence[str]) -> bool:
    """A class of the metadata that happens to have no record."""
    return name.isdecimal() and int(name) < len(names)
