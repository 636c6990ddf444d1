"""How many labels of each kind and class are left in what the steps made: a class may vanish without an error.

Counted are labels of samples that steps have changed. `in`: labels that their records have; `kept`: those of them that
are left; `clipped`: of the kept those that an edge cuts off where it did not before; `dropped`: the rest; `repeated`:
further entries of the same label, such as a sound that comes twice. Masks of class numbers count each number once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipeline.modalities.labels.binding import Bindings
from pipeline.modalities.labels.names import class_names
from pipeline.records import Left

MOST_CLASSES = 1000
"""More distinct names are texts rather than classes, and are not counted one by one."""
_FEW, _HALF = 0.1, 0.5
_ENOUGH = 10

Totals = dict[str, dict[str, Any]]
"""`field.kind` -> in, kept, clipped, repeated, and classes: name -> [in, kept]; None where there are too many."""


class LabelCounts:
    """Adds up what is left of the labels of a shard's samples."""

    def __init__(self, bindings: Mapping[str, Bindings]) -> None:
        """`bindings`: of each field that binds labels."""
        self.totals: Totals = {}
        self._bindings = {name: {str(k): b for k, b in bound.items()} for name, bound in bindings.items() if bound}

    @property
    def wanted(self) -> bool:
        """Whether any field binds labels."""
        return bool(self._bindings)

    def add(self, row: pa.RecordBatch, index: int, samples: Iterable[Mapping[str, Sequence[Left]]]) -> None:
        """Count the samples of one record in: for each, what is left by field."""
        names: dict[tuple[str, str], list[str | None] | None] = {}
        for sample in samples:
            for field, kinds in sample.items():
                for left in kinds:
                    place = field, left.kind
                    if place not in names:
                        names[place] = class_names(self._bindings[field][left.kind], row, index)
                    add(self.totals, field, left, names[place])


def add(totals: Totals, field: str, left: Left, names: Sequence[str | None] | None) -> None:
    """Count one sample in. `names`: of each label of the record, by its entry."""
    sums = totals.setdefault(f"{field}.{left.kind}", _nothing())
    more = {"in": len(left.before), "kept": len(left.after), "clipped": left.clipped, "repeated": left.repeated}
    for word, count in more.items():
        sums[word] += count
    if sums["classes"] is None or (names is None and not left.numbers):
        return
    for place, labels in enumerate((left.before, left.after)):
        for label in labels:
            name = _name(label, left, names)
            if name is not None:
                sums["classes"].setdefault(name, [0, 0])[place] += 1
    _bound(sums)


def _name(label: int, left: Left, names: Sequence[str | None] | None) -> str | None:
    if left.numbers or names is None:
        return str(label)
    return names[label] if label < len(names) else None


def _nothing() -> dict[str, Any]:
    return {"in": 0, "kept": 0, "clipped": 0, "repeated": 0, "classes": {}}


def merge(totals: Totals, more: Mapping[str, Mapping[str, Any]]) -> None:
    """Take the counts of other samples in."""
    for place, counts in more.items():
        sums = totals.setdefault(place, _nothing())
        for word in ("in", "kept", "clipped", "repeated"):
            sums[word] += counts[word]
        if sums["classes"] is None or counts["classes"] is None:
            sums["classes"] = None
            continue
        for name, (there, kept) in counts["classes"].items():
            old = sums["classes"].get(name, [0, 0])
            sums["classes"][name] = [old[0] + there, old[1] + kept]
        _bound(sums)


def _bound(sums: dict[str, Any]) -> None:
    if sums["classes"] is not None and len(sums["classes"]) > MOST_CLASSES:
        sums["classes"] = None


def as_json(totals: Totals) -> dict[str, Any]:
    """As the manifest says it."""
    return {place: _stated(sums) for place, sums in sorted(totals.items())}


def _stated(sums: Mapping[str, Any]) -> dict[str, Any]:
    told = {word: sums[word] for word in ("in", "kept", "clipped", "repeated")}
    told["dropped"] = sums["in"] - sums["kept"]
    classes = sums["classes"]
    return {**told, "classes": {n: {"in": c[0], "kept": c[1]} for n, c in sorted(classes.items())}} if classes else told


def label_warnings(stated: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What people should know: kinds that lose most of their labels, classes of which hardly any is left."""
    found = []
    for place, sums in stated.items():
        field, kind = place.rsplit(".", 1)
        if sums["in"] >= _ENOUGH and sums["kept"] < _HALF * sums["in"]:
            found.append(
                f"of {sums['in']} {kind} of {field} {sums['kept']} are left in what the steps made: "
                "look at fanbeam preview, and whether format, min_area and min_visibility are right"
            )
        found += [
            f"of {n['in']} {kind} of {field} labeled {name!r} {n['kept']} are left in what the steps made: "
            "milder crops and shifts, or a lower min_area or min_visibility, keep more"
            for name, n in sums.get("classes", {}).items()
            if n["in"] >= _ENOUGH and n["kept"] <= _FEW * n["in"]
        ]
    return found


def rows_of(stated: Mapping[str, Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    """A row of words for each kind: what, in, kept, clipped, dropped."""
    for place, sums in stated.items():
        field, kind = place.rsplit(".", 1)
        yield f"{kind} of {field}", *(str(sums[word]) for word in ("in", "kept", "clipped", "dropped"))
