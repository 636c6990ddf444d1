"""Everything that can be known of a config without running it: recipes, input, columns, places."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import util

from pipeline.config.loader import ConfigText, Path, validate
from pipeline.config.schema import JobConfig
from pipeline.config.sound_part import sound_part
from pipeline.errors import ConfigError, InputError, Problem, headline
from pipeline.modalities.codecs import EXTRAS
from pipeline.planning.checks.blends import blend_problems, class_problems, prepare_problems
from pipeline.planning.checks.columns import bin_problems, column_problems, declared_problems, missing_column
from pipeline.planning.checks.draw_groups import draw_problems
from pipeline.planning.checks.file_overlap import leak_problems
from pipeline.planning.checks.labels import asked_of_steps, label_problems, missing_columns
from pipeline.planning.checks.splits import split_problems
from pipeline.planning.donors.blends import has_soft_labels
from pipeline.records import LABEL_WEIGHTS, LINEAGE, SAMPLE_ID
from pipeline.sources import Listing, assets
from pipeline.sources.listing import gather
from pipeline.sources.open_input import open_input
from pipeline.storage.folder import absolute, is_url, secret_in
from pipeline.storage.local_files import unusable
from transforms.values import LABEL_KINDS, STRAIGHT

_LINE = re.compile(r".*?:(\d+)\b")
_LAST = 1 << 60
_KEYS = ("input.path", "input.root", "input.id")


def checked(text: ConfigText, with_recipes: bool = True) -> tuple[JobConfig, Listing]:
    """The config and its input listing. Raises ConfigError or InputError with every problem at once.

    `with_recipes` false leaves the recipes to the caller if nothing else is wrong: their libraries are slow to load.
    """
    config, problems = validate(text)
    found, of_input = list(problems), []
    listing = None
    if config is None:
        found += _further_problems(text)
    else:
        try:
            config, listing = open_input(config)
            found += input_problems(config, listing, text)
        except InputError as error:
            of_input = as_problems(error, text)
    if with_recipes or found or of_input:
        found += recipe_problems(text)
    if config is not None and listing is not None and not found:
        return config, listing
    everything = in_order([*found, *of_input])
    raise (ConfigError if found else InputError)(headline(text.name, everything), everything)


def _further_problems(text: ConfigText) -> list[Problem]:
    """What is wrong with the input, for a config that is wrong itself: nobody should have to come back for it."""
    rest = sound_part(text)
    if rest is None:
        return _path_problems(text)
    try:
        rest, listing = open_input(rest)
    except InputError as error:
        return as_problems(error, text)
    return [
        *column_problems(rest, listing.kind, listing.schema, text),
        *declared_problems(rest, listing.kind, listing.schema.names, text),
        *_label_problems(rest, listing, text),
    ]


def as_problems(error: InputError, text: ConfigText) -> list[Problem]:
    """What is wrong with the input, as problems with places."""
    listed = error.problems or (Problem("input.path", f"{error.message}."),)
    return [replace(p, where=text.where(place)) if (place := _key_path(p.where)) else p for p in listed]


def _key_path(where: str) -> Path:
    """The keys that a place of the config is written as; empty if it is none."""
    above, _, name = where.partition(".")
    return tuple(where.split(".")) if where in _KEYS else (above, name) if above == "fields" and name else ()


def in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """Problems by line; those without one come last."""
    lines = [_LINE.match(p.where) for p in problems]
    numbered = sorted(enumerate(problems), key=lambda p: (int(m[1]) if (m := lines[p[0]]) else _LAST, p[0]))
    return tuple(problem for _, problem in numbered)


def recipe_problems(text: ConfigText) -> list[Problem]:
    """Every problem of every recipe, whatever else is wrong with the config."""
    from transforms.recipe import check_steps

    assets.connect()
    found: list[Problem] = []
    for name, part, steps, modality in _recipes(text):
        given = text.values["fields"][name]
        kinds = (*LABEL_KINDS.get(modality, ()), *((STRAIGHT,) if modality == "image" else ()))
        bound = asked_of_steps({kind: given.get(kind) for kind in kinds})
        if part == "prepare":
            found += prepare_problems(steps, text, name)
        for problem in check_steps(steps, modality, bound):
            where = text.where(("fields", name, part, *problem.path))
            hint = f"Did you mean {problem.suggestion!r}?" if problem.suggestion else ""
            found.append(Problem(where, f"{problem.message.rstrip('.')}.", hint))
    return found


@contextmanager
def telling_recipes(text: ConfigText) -> Iterator[None]:
    """Of recipes that fail before they were checked, all problems. Raises ConfigError."""
    try:
        yield
    except (LookupError, ImportError, OSError, ValueError) as error:
        found = recipe_problems(text)
        if not found:
            raise
        raise ConfigError(headline(text.name, found), in_order(found)) from error


def input_problems(config: JobConfig, listing: Listing, text: ConfigText) -> list[Problem]:
    """Columns that are missing or of an unusable type, names that fanbeam writes itself, and output inside input."""
    found = [
        *_library_problems(config, text),
        *column_problems(config, listing.kind, listing.schema, text),
        *bin_problems(config, listing.schema, text),
        *declared_problems(config, listing.kind, listing.schema.names, text),
        *_label_problems(config, listing, text),
        *_mirror_problems(config, text),
        *_output_problems(config, text),
        *class_problems(config, text),
        *split_problems(config, text),
        *leak_problems(config, listing, text),
        *blend_problems(config, listing, text),
        *draw_problems(config, text),
    ]
    for name in (SAMPLE_ID, LINEAGE, *([LABEL_WEIGHTS] if has_soft_labels(config) else [])):
        if name in listing.schema.names:
            message = f"the input has a column {name!r}, which fanbeam writes itself."
            found.append(Problem(text.where(("input", "path")), message, "Rename it, or read the original data."))
    return found


def _library_problems(config: JobConfig, text: ConfigText) -> Iterator[Problem]:
    """Packages that a field's files need and that are not installed."""
    for name, field in config.fields.items():
        extra, packages = EXTRAS.get(field.type, ("", ()))
        missing = [package for package in packages if util.find_spec(package) is None]
        if missing:
            message = f"{field.type} fields need {' and '.join(missing)}: pip install 'fanbeam[{extra}]'"
            yield Problem(text.where(("fields", name, "type")), message)


def _recipes(text: ConfigText) -> Iterator[tuple[str, str, object, str]]:
    fields = text.values.get("fields") if isinstance(text.values, dict) else None
    for name, field in fields.items() if isinstance(fields, dict) else ():
        if isinstance(field, dict) and field.get("type") in LABEL_KINDS:
            for part in ("prepare", "augment"):
                if isinstance(field.get(part), list):
                    yield name, part, field[part], field["type"]


def _path_problems(text: ConfigText) -> list[Problem]:
    """Whether the input exists, for a config whose other keys are wrong."""
    table = text.values.get("input") if isinstance(text.values, dict) else None
    path = table.get("path") if isinstance(table, dict) else None
    root = table.get("root") if isinstance(table, dict) else None
    patterns = [path] if isinstance(path, str) else path
    if not isinstance(patterns, list) or not patterns or not all(isinstance(p, str) and p for p in patterns):
        return []
    try:
        gather(tuple(patterns), root if isinstance(root, str) and root else None)
    except InputError as error:
        return as_problems(error, text)
    return []


def _label_problems(config: JobConfig, listing: Listing, text: ConfigText) -> Iterator[Problem]:
    for place, column in missing_columns(config, listing.schema.names):
        yield missing_column(text.where(place), column, listing.schema.names)
    for place, message in label_problems(config, listing.schema):
        yield Problem(text.where(place), message)


def _mirror_problems(config: JobConfig, text: ConfigText) -> Iterator[Problem]:
    """Words follow one picture: with none there is nothing to follow, with several it is not clear which."""
    kinds = [field.type for field in config.fields.values()]
    pictures = kinds.count("image")
    if config.mirror_words and (pictures != 1 or "text" not in kinds):
        message = (
            f"mirror_words needs one image field and a text field; there are {pictures} and {kinds.count('text')}."
        )
        yield Problem(text.where(("mirror_words",)), message, "Leave it out, or split the record.")


def _output_problems(config: JobConfig, text: ConfigText) -> Iterator[Problem]:
    """An output folder that an input path names or covers would be read by the next run."""
    from fsspec.utils import glob_translate

    if reason := secret_in(config.output.path):
        yield Problem(text.where(("output", "path")), reason)
        return
    output = absolute(config.output.path)
    if not is_url(output) and (reason := unusable(output)):
        message = f"{config.output.path!r} cannot be a folder: {reason}."
        yield Problem(text.where(("output", "path")), message, "Choose another folder.")
        return
    example = f"{output}/version/train/part-00000.parquet"
    paths = (config.input.path,) if isinstance(config.input.path, str) else config.input.path
    for path in paths:
        root = absolute(path)
        inside = output == root or output.startswith(root.rstrip("/") + "/")
        if is_url(root) == is_url(output) and (inside or re.match(glob_translate(root), example)):
            message = f"{config.output.path!r} lies inside the input {path!r}: the next run would read it as input."
            yield Problem(text.where(("output", "path")), message, "Choose a folder beside the input.")


def with_problems(text: ConfigText, error: InputError, found: list[Problem]) -> ConfigError:
    """One error of what is wrong with the recipes and with the input."""
    everything = in_order([*found, *as_problems(error, text)])
    return ConfigError(headline(text.name, everything), everything)
