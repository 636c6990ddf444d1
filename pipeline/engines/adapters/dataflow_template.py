"""A Flex Template of Dataflow: a scheduler gives parameters, and Google's launcher runs `fanbeam run` with them.

The parameters are the config's own keys that hold one value, and a few options of the run. The launcher runs a program
with `--NAME=VALUE` for each parameter, and options that say where to leave the job for Dataflow to start:
https://cloud.google.com/dataflow/docs/guides/templates/configuring-flex-templates
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config.schema import JobConfig

IMAGE_VARIABLE = "FANBEAM_IMAGE"
"""Environment variable of the image: its own name, for the workers."""
_REGEXES = {
    "boolean": "^(true|false)$",
    "integer": "^-?[0-9]+$",
    "number": r"^-?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$",
    "string": "^.+$",
}
_URL = "^[a-z][a-z0-9]*://.+$"  # launcher and workers see nothing else
_IMAGE = "sdk_container_image"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the template. `key`: of the config, dotted; empty for an option. `quoted`: the value is text."""

    name: str
    label: str
    help: str
    regex: str
    key: str = ""
    quoted: bool = False
    optional: bool = True

    def metadata(self) -> dict[str, Any]:
        """As the metadata file has it."""
        told = {"name": self.name, "label": self.label, "helpText": self.help}
        return {**told, "isOptional": self.optional, "regexes": [self.regex]}

    def words(self, value: str) -> list[str]:
        """On the command line of `fanbeam run`."""
        if not self.key:
            return [f"--{self.name}={value}"]
        return ["--set", f"{self.key}={json.dumps(value) if self.quoted else value}"]


_CONFIG = Parameter("config", "Config", "The config, a YAML file in an object store.", _URL, optional=False)
_OPTIONS = (
    Parameter("workers", "Processes", "Processes that render in each worker. Default: one.", "^[1-9][0-9]*$"),
    Parameter(
        "number_of_worker_harness_threads",
        "Harness threads",
        "Shards at once in each harness process. Default: 1.",
        "^[1-9][0-9]*$",
    ),
    Parameter(_IMAGE, "Image of the workers", "Default: the template's own image.", "^[^ ]+$"),
)


def parameters() -> tuple[Parameter, ...]:
    """All parameters: the config, its keys that hold one value, options."""
    return (_CONFIG, *_keys(JobConfig.model_json_schema()), *_OPTIONS)


def metadata() -> dict[str, Any]:
    """What the template tells of itself.

    https://cloud.google.com/dataflow/docs/guides/templates/using-flex-templates
    """
    return {
        "name": "fanbeam",
        "description": "Multiplies labeled records without leaks, as a config says, and commits one dataset version.",
        "parameters": [parameter.metadata() for parameter in parameters()],
    }


def spec(image: str) -> dict[str, Any]:
    """The file that the template is: which image to launch, and its metadata."""
    return {"image": image, "sdkInfo": {"language": "PYTHON"}, "metadata": metadata()}


def command(arguments: Sequence[str]) -> list[str]:
    """The command line of fanbeam for what the launcher passes; options that are no parameters are left as they are.

    An empty value counts as not given. Workers get the launcher's image unless another is named.
    """
    known = {parameter.name: parameter for parameter in parameters()}
    given = [argument.removeprefix("--").partition("=") for argument in arguments]
    values = {name: value for name, _, value in given if value and name in known}
    config = values.pop("config", "")
    if os.environ.get(IMAGE_VARIABLE):
        values.setdefault(_IMAGE, os.environ[IMAGE_VARIABLE])
    named = [word for name, value in values.items() for word in known[name].words(value)]
    others = [a for a, (name, _, _) in zip(arguments, given, strict=True) if name not in known]
    runner = [] if any(name == "runner" for name, _, _ in given) else ["--runner=dataflow"]
    return ["run", *([config] if config else []), *named, *runner, *others]


def _keys(schema: Mapping[str, Any]) -> Iterator[Parameter]:
    """The config's keys that hold one value, at most two levels deep."""
    definitions = schema["$defs"]
    for name, told in schema["properties"].items():
        section = definitions.get(str(told.get("$ref", "")).rpartition("/")[2])
        if section is None:
            yield from _parameter((name,), told)
            continue
        settled = told.get("default") or {}  # of the whole section, where the config has none
        for inner, of_it in section["properties"].items():
            yield from _parameter((name, inner), {**of_it, "default": settled.get(inner, of_it.get("default"))})


def _parameter(path: tuple[str, ...], told: Mapping[str, Any]) -> Iterator[Parameter]:
    """None for a key that holds a table or only a list."""
    forms = [told, *told.get("anyOf", ()), *told.get("oneOf", ())]
    form = next((form for form in forms if form.get("type") in _REGEXES), None)
    if form is None:
        return
    key, default = ".".join(path), told.get("default")
    instead = f"Instead of {key} in the config" + (
        "." if default is None else f", whose default is {json.dumps(default)}."
    )
    label = " ".join(path).replace("_", " ").capitalize()
    text = form["type"] == "string"
    yield Parameter("_".join(path), label, f"{told['description']} {instead}", _regex(path, form), key, text)


def _regex(path: tuple[str, ...], form: Mapping[str, Any]) -> str:
    if "enum" in form:
        return f"^({'|'.join(form['enum'])})$"
    return _URL if path[-1] == "path" else _REGEXES[form["type"]]
