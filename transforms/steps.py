"""The steps of a config as a tree: `library.Class`, `one_of`, `some_of`, `sometimes`; shapes only, no library.

    - albumentations.HorizontalFlip                      a step with its defaults
    - albumentations.Blur: {blur_limit: 7}               a step with parameters
    - one_of: [...]                                      exactly one of the steps
    - some_of: {n: 2, steps: [...]}                      n of the steps; n may be a range [lo, hi]
    - sometimes: {p: 0.3, steps: [...]}                  all of the steps, or none

Groups may hold groups. A step that a group has chosen still has its own p: most image and audio classes have p=0.5 by
default, so write `p: 1` on the steps of a one_of of which one should always be applied.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from transforms.adapter_checks import is_probability, nearest
from transforms.interface import StepProblem

GROUPS = ("one_of", "some_of", "sometimes")
_KEYS = {"some_of": ("n", "steps"), "sometimes": ("p", "steps")}
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One transform. `path` names it for its seed; `place` leads to it in the config."""

    name: str
    params: Mapping[str, Any]
    path: str
    place: Place


@dataclass(frozen=True, slots=True)
class Group:
    """Steps of which some run: `lo..hi` of them for one_of and some_of, all or none for sometimes. `path`: kinds."""

    kind: Literal["one_of", "some_of", "sometimes"]
    steps: tuple["Node", ...]
    path: str
    lo: int = 1
    hi: int = 1
    p: float = 1.0


Node = Step | Group


@dataclass(slots=True)
class Reading:
    """What was read, with everything that was wrong on the way."""

    nodes: tuple[Node, ...] = ()
    problems: list[StepProblem] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    """How many steps of one name stand below groups of the same kinds."""


def read_steps(steps: object) -> Reading:
    """Read a list of steps as YAML gives it. Problems carry their place; what is wrong is left out of the tree.

    A step's path is its name and its ordinal among the steps of that name below groups of the same kinds, behind those
    kinds: `one_of/sometimes/albumentations.Blur#1`. So a step of another name, or a group of such, added anywhere,
    moves no other step's seed.
    """
    reading = Reading()
    reading.nodes = _read_list(steps, "", (), reading)
    return reading


def leaves(nodes: Sequence[Node]) -> Iterator[Step]:
    """Every step of the tree, in the order of the config."""
    for node in nodes:
        if isinstance(node, Step):
            yield node
        else:
            yield from leaves(node.steps)


def canonical(node: Node) -> Any:
    """Write a node as plain lists and dicts, the same for every way to write the same step."""
    if isinstance(node, Step):
        return {node.name: dict(node.params)}
    steps = [canonical(step) for step in node.steps]
    if node.kind == "one_of":
        return {node.kind: steps}
    chance = {"p": float(node.p)} if node.kind == "sometimes" else {"n": [node.lo, node.hi]}
    return {node.kind: {**chance, "steps": steps}}


def _read_list(steps: object, prefix: str, place: Place, reading: Reading) -> tuple[Node, ...]:
    if not isinstance(steps, list | tuple):
        reading.problems.append(StepProblem(place, f"steps must be a list, not {_kind(steps)}", _as_list(steps)))
        return ()
    nodes = []
    for index, entry in enumerate(steps):
        named = _named(entry, (*place, index), reading.problems)
        if named is None:
            continue
        name, body = named
        node = _read_entry(name, body, f"{prefix}{name}", (*place, index, name), reading)
        nodes += [] if node is None else [node]
    return tuple(nodes)


def _named(entry: object, place: Place, problems: list[StepProblem]) -> tuple[str, object] | None:
    """Give the name of an entry and what stands under it; None, with a problem, if it has no single name."""
    if isinstance(entry, str):
        return entry, None
    if isinstance(entry, Mapping) and len(entry) == 1:
        name, body = next(iter(entry.items()))
        if isinstance(name, str):
            return name, body
    message = f"a step is a name, or a name with its parameters, not {_kind(entry)}"
    if isinstance(entry, Mapping) and len(entry) > 1:
        message = f"one step has one name, not {len(entry)}: {', '.join(map(str, entry))}"
        problems.append(StepProblem(place, message, "indent the parameters under the name, or begin steps with '-'"))
    else:
        problems.append(StepProblem(place, message))
    return None


def _read_entry(name: str, body: object, path: str, place: Place, reading: Reading) -> Node | None:
    if name in GROUPS:
        return _read_group(name, body, path, place, reading)
    ordinal = reading.seen[path] = reading.seen.get(path, -1) + 1
    path = f"{path}#{ordinal}"
    if body is None:
        return Step(name, {}, path, place)
    if isinstance(body, Mapping) and all(isinstance(key, str) for key in body):
        return Step(name, dict(body), path, place)
    reading.problems.append(
        StepProblem(place, f"the parameters of {name} must be a mapping of names, not {_kind(body)}")
    )
    return None


def _read_group(kind: str, body: object, path: str, place: Place, reading: Reading) -> Node | None:
    problems, before = reading.problems, len(reading.problems)
    if kind == "one_of":
        nodes = _read_list(body, f"{path}/", place, reading)
        group = Group("one_of", nodes, path)
    else:
        if not isinstance(body, Mapping):
            problems.append(StepProblem(place, f"{kind} holds {' and '.join(_KEYS[kind])}, not {_kind(body)}"))
            return None
        problems += _key_problems(kind, body, place)
        nodes = _read_list(body.get("steps", ()), f"{path}/", (*place, "steps"), reading)
        group = (
            _some_of(body, nodes, path, place, problems)
            if kind == "some_of"
            else _sometimes(body, nodes, path, place, problems)
        )
    if not nodes and len(problems) == before:
        problems.append(StepProblem(place, f"{kind} has no steps"))
    return group


def _key_problems(kind: str, body: Mapping[Any, Any], place: Place) -> list[StepProblem]:
    keys = _KEYS[kind]
    found = [
        StepProblem((*place, str(key)), f"{kind} has no {str(key)!r}", nearest(str(key), keys))
        for key in body
        if key not in keys
    ]
    return found + [StepProblem(place, f"{kind} needs {key!r}") for key in keys if key not in body]


def _some_of(
    body: Mapping[Any, Any], nodes: tuple[Node, ...], path: str, place: Place, problems: list[StepProblem]
) -> Group:
    if "n" not in body:
        return Group("some_of", nodes, path)
    n = body["n"]
    bounds = n if isinstance(n, list | tuple) else [n, n]
    size = len(body["steps"]) if isinstance(body.get("steps"), list | tuple) else len(nodes)
    if not (len(bounds) == 2 and all(type(bound) is int for bound in bounds) and 0 <= bounds[0] <= bounds[1] <= size):
        message = f"n: {n!r} is not a whole number in 0..{size}, the number of steps, nor a range [lo, hi] within"
        problems.append(StepProblem((*place, "n"), message))
        return Group("some_of", nodes, path)
    return Group("some_of", nodes, path, lo=bounds[0], hi=bounds[1])


def _sometimes(
    body: Mapping[Any, Any], nodes: tuple[Node, ...], path: str, place: Place, problems: list[StepProblem]
) -> Group:
    p = body.get("p", 1.0)
    if not is_probability(p):
        problems.append(StepProblem((*place, "p"), f"p: {p!r} is not a number in 0..1"))
        return Group("sometimes", nodes, path)
    return Group("sometimes", nodes, path, p=float(p))


def _kind(value: object) -> str:
    kinds = {dict: "a mapping", list: "a list", str: "text", int: "a number", float: "a number", bool: "a truth value"}
    return "nothing" if value is None else f"{kinds.get(type(value), type(value).__name__)} ({value!r:.60})"


def _as_list(steps: object) -> str:
    return "begin each step with '- '" if isinstance(steps, Mapping | str) else ""
