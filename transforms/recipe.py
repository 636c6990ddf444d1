"""Recipes: the ordered steps of one field, checked all at once, then applied with one seed per variant and field.

Randomness: each step has its own seed, `blake2b(step path, key=seed of the variant and field)`, and so has each group.
No step's draw depends on another step, on the value or on what ran before.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Protocol, cast

import orjson

from transforms import registry
from transforms.anchors import joined, parted
from transforms.interface import SEED_BYTES, Applied, RecipeError, StepProblem, Transform
from transforms.isolation.philox import chance
from transforms.new_ground import left_empty
from transforms.recorded_parameters import to_json
from transforms.steps import Group, Node, Step, canonical, leaves, read_steps
from transforms.values import ALL_POINTS, STRAIGHT, AudioValue, ImageValue, TextValue, Value

_DIGEST_BYTES = 6
_WITH_PEERS = (ImageValue, AudioValue, TextValue)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One step of a recipe, wherever it stands in groups.

    `default_probability` is the step's own p, given or by default; `probability` is the chance that it is applied to a
    value, with the groups around it counted.
    """

    name: str
    params: Mapping[str, Any]
    path: str
    place: tuple[str | int, ...]
    default_probability: float
    probability: float


class _Runnable(Protocol):
    """A node that is ready to run: changes the value, and appends what was really applied."""

    path: bytes

    def run(self, value: Value, seed: bytes, applied: list[Applied]) -> Value: ...


class Recipe:
    """A list of steps, ready to apply. One instance per thread: libraries keep state in their steps.

    Empty recipes are false. Build it where it is used (`build_recipe`): steps need not survive pickling.
    """

    __slots__ = ("_nodes", "_on_empty_ground", "_runnables", "digest", "names")

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = tuple(nodes)
        self._on_empty_ground: Recipe | None = None
        self._runnables = tuple(map(_runnable, self._nodes))
        self.digest = _digest(self._nodes)
        """Short hex digest of the steps, the same for every way to write them."""
        self.names = tuple(sorted({step.name for step in leaves(self._nodes)}))
        """Every `library.Class` named, sorted, once."""

    def __len__(self) -> int:
        return len(self._nodes)

    def apply(self, value: Value, seed: bytes) -> tuple[Value, tuple[Applied, ...]]:
        """Run the steps in order on one value.

        `seed` is 16 bytes, specific to one variant and field. The value is never mutated. Returns the new value and
        the steps that were really applied. A step's own error passes, with a note that names the step. Warnings of the
        libraries pass too: processes that run recipes are quiet as a whole, tests use `library_warnings.quiet`.
        """
        applied: list[Applied] = []
        for node in self._runnables:
            value = node.run(value, seed, applied)
        return value, tuple(applied)

    def on_empty_ground(self) -> "Recipe":
        """The same recipe, with the same draws, which shows nothing of a value again where it makes new ground."""
        if self._on_empty_ground is None:
            nodes = left_empty(self._nodes)
            self._on_empty_ground = self if nodes == self._nodes else Recipe(nodes)
        return self._on_empty_ground

    def leaves(self) -> Iterator[Leaf]:
        """Every step with its parameters and probabilities, in the order of the config."""
        return _leaves(self._nodes, 1.0)


def check_steps(steps: object, modality: str, bound: Collection[str] = ()) -> list[StepProblem]:
    """Everything that is wrong with the steps of a field of `modality`, each with its place, in the config's order.

    `bound` names the kinds of labels that the field binds (`values.LABEL_KINDS`): each step must carry all of them.
    Imports the libraries that the steps name. Steps with right parameters are constructed and, but for known slow
    classes, tried once on a plain value (`checks.trial_value`).
    """
    reading = read_steps(steps)
    found = list(reading.problems)
    for step in leaves(reading.nodes):
        found += _step_problems(step, modality, bound)
    return sorted(found, key=lambda problem: problem.path[:1])


def build_recipe(steps: object, modality: str) -> Recipe:
    """Check the shape and the names, construct every step. Raises RecipeError with all problems.

    Costs no trial call: workers build recipes that the submitting machine has checked.
    """
    reading = read_steps(steps)
    problems = list(reading.problems)
    for step in leaves(reading.nodes):
        problem = registry.name_problem(step.name, modality)
        if problem:
            problems.append(_placed(problem, step.place[:-1]))
    if not problems:
        try:
            return Recipe(reading.nodes)
        except (ValueError, TypeError, AssertionError, LookupError, AttributeError, ImportError) as error:
            problems = check_steps(steps, modality) or [StepProblem((), str(error))]
    raise RecipeError(tuple(problems))


def step_seed(seed: bytes, path: str) -> bytes:
    """Give the 16 bytes that one step draws from."""
    return blake2b(path.encode(), key=seed, digest_size=SEED_BYTES).digest()


class _RunStep:
    __slots__ = ("mirrors", "mixes", "name", "path", "transform")

    def __init__(self, step: Step) -> None:
        adapter, cls = registry.find(step.name)
        self.name = step.name
        self.path = step.path.encode()
        self.transform: Transform = adapter.build(cls, step.params)
        self.mirrors = registry.mirrors(step.name, step.params)
        self.mixes = registry.mixes(step.name, step.params)

    def run(self, value: Value, seed: bytes, applied: list[Applied]) -> Value:
        own = blake2b(self.path, key=seed, digest_size=SEED_BYTES).digest()
        try:
            if isinstance(value, ImageValue) and _all_stay(value):
                result, params = self.transform(joined(value), own)
                result = parted(value, cast(ImageValue, result))
            else:
                result, params = self.transform(value, own)
        except Exception as error:
            error.add_note(f"in step {self.path.decode()}")
            raise
        if params is not None:
            mirrored = self.mirrors is not None and self.mirrors(params)
            mixed = None if self.mixes is None else self.mixes(params)
            applied.append(Applied(self.name, to_json(params), mirrored, mixed))
        return result if result is value else _staying(value, result)


def _all_stay(value: ImageValue) -> bool:
    """Whether there are points that no step may drop."""
    points = value.keypoints
    if points is not None and points.visible is not None:
        return True
    return value.anchors is not None or value.polygons is not None


def _staying(before: Value, after: Value) -> Value:
    """The result of a step with what it need not know of: the other records, and which entry each mask is."""
    if not isinstance(before, _WITH_PEERS) or not isinstance(after, _WITH_PEERS):
        return after
    if after.peers is not before.peers:
        after = replace(after, peers=before.peers)
    if isinstance(before, ImageValue) and isinstance(after, ImageValue) and before.mask_rows is not None:
        return after if after.mask_rows is not None else replace(after, mask_rows=before.mask_rows)
    return after


@dataclass(frozen=True, slots=True)
class _Ranked:
    """What a step, or a group by its steps, draws as one of several: uniform, and its own whatever stands beside it."""

    paths: tuple[bytes, ...]
    group: bool

    @classmethod
    def of(cls, node: Node) -> "_Ranked":
        """Of a group the paths of all steps in it."""
        return cls(tuple(step.path.encode() for step in leaves([node])), isinstance(node, Group))

    def rank(self, key: bytes) -> bytes:
        """16 bytes; a group's are drawn once more, since the least of several is no even draw."""
        least = min(blake2b(path, key=key, digest_size=SEED_BYTES).digest() for path in self.paths)
        return blake2b(least, key=key, digest_size=SEED_BYTES).digest() if self.group else least


class _RunSome:
    """one_of and some_of: the steps with the smallest ranks run, in the order of the config.

    A step's rank is `blake2b(its path, key=the group's seed)`, so every choice is equally likely, and a step added to
    the group moves only the values that now choose it. A chosen step's own p still counts. Groups of one kind have one
    seed, and their steps paths of their own: so no group knows how many stand before it.
    """

    __slots__ = ("_hi", "_lo", "_ranked", "_steps", "path")

    def __init__(self, group: Group) -> None:
        self.path = group.path.encode()
        self._ranked = tuple(map(_Ranked.of, group.steps))
        self._lo = group.lo
        self._hi = group.hi
        self._steps = tuple(map(_runnable, group.steps))

    def run(self, value: Value, seed: bytes, applied: list[Applied]) -> Value:
        own = blake2b(self.path, key=seed, digest_size=SEED_BYTES).digest()
        ranks = [ranked.rank(own) for ranked in self._ranked]
        drawn = blake2b(min(ranks), key=own, digest_size=SEED_BYTES).digest()
        count = self._lo + int.from_bytes(drawn, "little") % (self._hi - self._lo + 1)
        last = sorted(ranks)[count - 1] if count else b""
        for step, rank in zip(self._steps, ranks, strict=True):
            if rank <= last:
                value = step.run(value, seed, applied)
        return value


class _RunSometimes:
    __slots__ = ("_p", "_ranked", "_steps", "path")

    def __init__(self, group: Group) -> None:
        self.path = group.path.encode()
        self._ranked = _Ranked.of(group)
        self._p = group.p
        self._steps = tuple(map(_runnable, group.steps))

    def run(self, value: Value, seed: bytes, applied: list[Applied]) -> Value:
        if chance(self._ranked.rank(blake2b(self.path, key=seed, digest_size=SEED_BYTES).digest())) < self._p:
            for step in self._steps:
                value = step.run(value, seed, applied)
        return value


def _runnable(node: Node) -> _Runnable:
    if isinstance(node, Step):
        return _RunStep(node)
    return _RunSometimes(node) if node.kind == "sometimes" else _RunSome(node)


def _digest(nodes: Sequence[Node]) -> str:
    plain = [canonical(node) for node in nodes]
    text = orjson.dumps(plain, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return blake2b(text, digest_size=_DIGEST_BYTES).hexdigest()


def _step_problems(step: Step, modality: str, bound: Collection[str]) -> list[StepProblem]:
    problem = registry.name_problem(step.name, modality)
    if problem:
        return [_placed(problem, step.place[:-1])]
    adapter, cls = registry.find(step.name)
    carried = registry.carries(step.name, modality)
    if "keypoints" in carried and not registry.partners(step):
        carried = carried | {ALL_POINTS} | (frozenset() if registry.bends(step.name) else {STRAIGHT})
    lost = sorted(set(bound) - carried)
    lost = [kind for kind in lost if kind != ALL_POINTS or STRAIGHT not in lost]
    why = "; it bends straight edges: masks follow it" if lost == [STRAIGHT] and registry.bends(step.name) else ""
    found = [StepProblem((), f"{step.name} does not move {' and '.join(lost)} along{why}")] if lost else []
    if "tokens" in bound and getattr(adapter, "inserts", lambda *given: False)(cls, step.params):
        found.append(StepProblem(("action",), "a new word would have no entry beside the list of words (tokens)"))
    wanted = sorted(registry.needs(step.name) - set(bound))
    if wanted:
        message = f"{step.name} needs {' and '.join(wanted)}: bind them to the field (docs/labels.md)"
        found.append(StepProblem((), message))
    return [_placed(problem, step.place) for problem in (*found, *adapter.problems(cls, step.params))]


def _placed(problem: StepProblem, place: tuple[str | int, ...]) -> StepProblem:
    return StepProblem((*place, *problem.path), problem.message, problem.suggestion)


def _leaves(nodes: Sequence[Node], chance: float) -> Iterator[Leaf]:
    for node in nodes:
        if isinstance(node, Step):
            own = _own_probability(node)
            yield Leaf(node.name, node.params, node.path, node.place, own, chance * own)
        elif node.kind == "sometimes":
            yield from _leaves(node.steps, chance * node.p)
        else:
            yield from _leaves(node.steps, chance * (node.lo + node.hi) / 2 / len(node.steps))


def _own_probability(step: Step) -> float:
    if "p" in step.params:
        return float(step.params["p"])
    defaults = {parameter.name: parameter.default for parameter in registry.describe(step.name).parameters}
    return float(defaults.get("p") or 1.0)
