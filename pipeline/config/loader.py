"""YAML text -> checked config: every problem at once, each with its line, and the nearest known key."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pipeline.config import schema as tree
from pipeline.config.output import OutputConfig
from pipeline.config.schema import JobConfig
from pipeline.config.split import SplitConfig
from pipeline.errors import ConfigError, Problem, nearest
from pipeline.storage.folder import read_text

Path = tuple[str | int, ...]
_DEEPEST, _SHOWN_CHARACTERS = 50, 200
_MOST_NODES, _MOST_TIMES = 100_000, 10
"""Values that a config may have whatever its aliases do, and times as many as are written in it."""


@dataclass(frozen=True, slots=True)
class ConfigText:
    """The plain values of a config and where each stands in its file."""

    name: str
    values: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def where(self, path: Path) -> str:
        """`file:line key.path` of the deepest part of `path` that stands in the file."""
        known = next((path[:n] for n in range(len(path), -1, -1) if path[:n] in self.lines), None)
        place = f"{self.name}:{self.lines[known]}" if known is not None else self.name
        return f"{place} {dotted(path)}".strip()


def dotted(path: Path) -> str:
    """`('fields', 'image', 'augment', 0)` -> `fields.image.augment[0]`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


def read_config(path: str, overrides: Sequence[str] = ()) -> ConfigText:
    """Read a YAML file and apply `key=value` overrides. Raises ConfigError for syntax, with line and column."""
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        problem = Problem(path, f"the config {reason}: {_plain(error)}.", "Write one with: fanbeam init DATA -o FILE")
        raise ConfigError(problem.message, (problem,)) from error
    parsed = parse_yaml(text, path)
    return ConfigText(path, _override(parsed.values, overrides), parsed.lines)


def parse_yaml(text: str, name: str) -> ConfigText:
    """Parse YAML 1.2 text, remembering the line of every key. Raises ConfigError."""
    yaml = YAML(typ="safe", pure=True)
    lines: dict[Path, int] = {}
    try:
        node = yaml.compose(text)
        if node is not None:
            _refuse_large(name, node)
        values = yaml.load(text)
        if node is not None:
            _index(node, (), lines)
    except ConfigError:
        raise
    except DuplicateKeyError as error:
        raise _syntax(name, error.problem_mark, str(error.problem).split("\n")[0]) from error
    except MarkedYAMLError as error:
        raise _syntax(name, error.problem_mark or error.context_mark, str(error.problem or error.context)) from error
    except RecursionError as error:
        raise _syntax(name, None, "nested too deeply, or an alias that holds itself") from error
    except Exception as error:  # ruamel raises many kinds for odd characters; all are the user's text
        raise _syntax(name, None, _plain(error)) from error
    return ConfigText(name, values, lines)


def validate(text: ConfigText) -> tuple[JobConfig | None, tuple[Problem, ...]]:
    """The frozen config, or every problem of its shape, types and ranges."""
    if not isinstance(text.values, Mapping):
        shape = "is empty" if text.values is None else f"must be a mapping of keys, not {type(text.values).__name__}"
        return None, (Problem(text.name, f"the config {shape}.", "Write one with: fanbeam init DATA -o FILE"),)
    try:
        return JobConfig.model_validate(text.values), ()
    except ValidationError as error:
        return None, tuple(_problem(text, dict(e)) for e in error.errors(include_url=False))


def _refuse_large(name: str, node: Node) -> None:
    """Raise ConfigError for a text whose aliases stand for more values than any config has, before they are made."""
    sizes: dict[Node, int] = {}
    count = _size(node, sizes)
    if count > max(_MOST_NODES, _MOST_TIMES * len(sizes)):
        message = f"its aliases stand for {count:.0e} values"
        problem = Problem(name, f"{message}.", "Remove aliases that hold other aliases.")
        raise ConfigError(f"{name}: {message}", (problem,))


def _size(node: Node, sizes: dict[Node, int]) -> int:
    """Values below a node, those of aliases as often as they are named; each node is looked at once."""
    if node in sizes:
        return sizes[node]
    sizes[node] = 0  # an alias that holds itself: the constructor says so
    inner: list[Node] = []
    if isinstance(node, MappingNode):
        inner = [part for pair in node.value for part in pair]
    elif isinstance(node, SequenceNode):
        inner = node.value
    sizes[node] = 1 + sum(_size(part, sizes) for part in inner)
    return sizes[node]


def _index(node: Node, path: Path, lines: dict[Path, int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                continue
            lines[(*path, key.value)] = key.start_mark.line + 1
            _index(value, (*path, key.value), lines)
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            _index(value, (*path, number), lines)


def _syntax(name: str, mark: Any, message: str) -> ConfigError:
    where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark is not None else name
    problem = Problem(where, f"not valid YAML: {message}.", "Check indentation, quotes and colons around this place.")
    return ConfigError(f"{where}: not valid YAML: {message}", (problem,))


def _plain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).split("\n")[0]


def _override(values: Any, overrides: Sequence[str]) -> Any:
    """Apply `input.path=x`: the value is read as YAML. Raises ConfigError for what is not `key=value`."""
    for item in overrides:
        key, equals, raw = item.partition("=")
        if not equals or not key.strip():
            problem = Problem(f"--set {item}", "must be key=value.", "Example: --set copies=8")
            raise ConfigError(str(problem), (problem,))
        if key.count(".") > _DEEPEST:
            shown = f"--set {_brief(item)}"
            problem = Problem(shown, f"names a key more than {_DEEPEST} levels deep: no config has one.")
            raise ConfigError(str(problem), (problem,))
        values = _with_value(values, key.strip().split("."), _value(raw, item), item)
    return values


def _value(raw: str, item: str) -> Any:
    """The value as YAML, but for comments: a command line has none, so a plain value keeps its `#`."""
    if _COMMENT.search(raw) and raw.strip()[:1] not in _OPENING:
        return raw.strip()
    return parse_yaml(raw, f"--set {_brief(item)}").values


def _brief(item: str) -> str:
    return item if len(item) <= _SHOWN_CHARACTERS else f"{item[:_SHOWN_CHARACTERS]}…"


def _with_value(values: Any, keys: list[str], value: Any, item: str) -> Any:
    head, rest = keys[0], keys[1:]
    if isinstance(values, list) and head.isdecimal() and int(head) < len(values):
        number = int(head)
        inner = _with_value(values[number], rest, value, item) if rest else value
        return [*values[:number], inner, *values[number + 1 :]]
    if values is not None and not isinstance(values, Mapping):
        problem = _no_place(values, keys, item)
        raise ConfigError(str(problem), (problem,))
    table = dict(values or {})
    table[head] = _with_value(table.get(head), rest, value, item) if rest else value
    return table


def _no_place(values: object, keys: list[str], item: str) -> Problem:
    """Why a key of `--set` cannot be set, and how the one that it lies in is given another shape, all of it at once."""
    path, _, value = item.partition("=")
    outer = ".".join(path.strip().split(".")[: -len(keys)])
    if isinstance(values, list):
        places = f"its places are 0 to {len(values) - 1}" if values else "it is empty"
        return Problem(f"--set {item}", f"{outer} is a list, and has no {keys[0]!r}: {places}.")
    for key in reversed(keys):
        value = f"{{{key}: {value}}}"
    whole = f"To replace all of it: --set '{outer}={value}'" if outer else ""
    return Problem(f"--set {item}", f"{keys[0]!r} lies inside {values!r}, which has no keys.", whole)


_COMMENT = re.compile(r"(^|\s)#")
_OPENING = ("'", '"', "[", "{", "|", ">", "&", "*", "!")
_MESSAGES = {
    "extra_forbidden": "unknown key.",
    "missing": "is missing.",
    "union_tag_not_found": "`type` is missing.",
}


def path_of(error: dict[str, Any]) -> Path:
    """The keys that lead to what an error of pydantic is about."""
    return tuple(p for n, p in enumerate(error["loc"]) if not _is_tag(n, error["loc"]))


def _problem(text: ConfigText, error: dict[str, Any]) -> Problem:
    path = path_of(error)
    kind = str(error["type"])
    message = _MESSAGES.get(kind) or str(error["msg"]).removeprefix("Value error, ")
    if kind not in _MESSAGES and kind != "value_error":
        message = f"{message}, not {error['input']!r}."
    where = text.where(path)
    if kind == "extra_forbidden":
        return Problem(where, message, nearest(str(path[-1]), _known_keys(path[:-1], text.values)))
    if kind.startswith("union_tag"):
        return _wrong_type(where, error["input"])
    if kind == "missing":
        return Problem(where, f"{path[-1]!r} is missing.", _EXAMPLES.get(dotted(path), ""))
    return Problem(where, message)


def _wrong_type(where: str, field: Any) -> Problem:
    kinds = [str(kind) for kind in _FIELD_MODELS]
    if not isinstance(field, Mapping) or "type" not in field:
        return Problem(where, f"`type` is missing: one of {', '.join(kinds)}.", "Example: type: image")
    return Problem(
        where, f"`type` is {field['type']!r}, which is none of {', '.join(kinds)}.", nearest(str(field["type"]), kinds)
    )


_EXAMPLES = {
    "input": "Example: input: {path: data/birds}",
    "input.path": "Example: path: data/birds/*.parquet",
    "fields": "Example: fields: {image: {type: image}}",
    "output": "Example: output: {path: out/birds}",
    "output.path": "Example: path: out/birds",
}


def _is_tag(number: int, loc: Sequence[object]) -> bool:
    """Pydantic puts the union's tag or branch into the location; it is no key of the file."""
    known = number == 2 and (loc[0] == "fields" or tuple(loc[:2]) == ("input", "path"))
    return known or str(loc[number]).startswith("<")


_FIELD_MODELS: dict[object, type[BaseModel]] = {
    "image": tree.ImageField,
    "audio": tree.AudioField,
    "text": tree.TextField,
    "video": tree.VideoField,
    "volume": tree.VolumeField,
}


def _known_keys(path: Path, values: Any) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "": JobConfig, "input": tree.InputConfig, "split": SplitConfig,
        "output": OutputConfig, "limits": tree.Limits,
    }  # fmt: skip
    model: type[BaseModel] | None = models.get(dotted(path))
    if len(path) >= 2 and path[0] == "fields":
        kind = values["fields"][path[1]].get("type")
        model = _FIELD_MODELS.get(kind)
        if len(path) == 3 and model is not None:
            return sorted(_inner_keys(model, str(path[2])))
    return sorted(field.alias or name for name, field in model.model_fields.items()) if model is not None else []


def _inner_keys(model: type[BaseModel], name: str) -> list[str]:
    annotation = model.model_fields[name].annotation if name in model.model_fields else None
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    inner = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
    return list(inner[0].model_fields) if inner else []
