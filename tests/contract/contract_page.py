"""The contract's results as a page: which class has which property, and which classes a recipe cannot use."""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import contract_samples
import properties

from transforms import registry
from transforms.adapter_checks import concise
from transforms.interface import MissingLibrary
from transforms.isolation import library_warnings

OTHER_PROCESS = "other process"
COLUMNS = (*list(properties.PROPERTIES)[:2], OTHER_PROCESS, *list(properties.PROPERTIES)[2:])
BROKEN = "**no**"
_ROW = re.compile(r"^\| `([\w.]+)` \| (.*) \|$", re.MULTILINE)

_OPENING = """\
# The contract, class by class

Written by `python scripts/contract_report.py`, which asks every class that a recipe may name; the suite in
`tests/contract` holds the same. {count} classes of {libraries} libraries; `fanbeam transforms NAME` shows the
parameters of one.

| column | what was asked |
|---|---|
| constructed | it can be built from a config |
| same bytes twice | one seed gives the same bytes twice, and from a step built anew |
| other process | so does a new process with another PYTHONHASHSEED |
| after other steps | so does a step that has worked on other values before |
| four threads | so do four threads side by side |
| other seeds | eight seeds differ; `seedless`: with the parameters of the suite it draws nothing |
| input kept | the value that goes in is not changed |
| output valid | dtype, dimensions, channels, rate are those of the modality; several channels, other scripts too |
| JSON parameters | the lineage gets `library.Class` and parameters as short JSON without addresses |
| unknown refused | `check` passes it, and refuses an unknown parameter with the nearest name |
| tiny values | one-pixel, one-sample, one-word, empty values: all work, or so many; the others fail with a message |
| labels | kinds of bound labels that follow; without `needed` ones it cannot work |
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One class: a cell per column, and what broke."""

    name: str
    cells: tuple[str, ...]
    broken: tuple[str, ...] = ()


def results_of(names: Sequence[str]) -> Iterator[Result]:
    """Ask every class for every property, in the order of the names; quiet as a process that runs recipes is."""
    with library_warnings.quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        elsewhere = properties.digests_of_another_process(names)
        here = contract_samples.digests(list(names))
        for name in names:
            cells, broken = {}, []
            for column in COLUMNS:
                try:
                    cells[column] = _cell(name, column, here[name] == elsewhere[name])
                except Exception as error:  # noqa: BLE001 - whatever a library does, the page tells it
                    cells[column] = BROKEN
                    broken.append(f"{name}, {column}: {concise(error)}")
            yield Result(name, tuple(cells[column] for column in COLUMNS), tuple(broken))


def page(results: Iterable[Result]) -> str:
    """The whole page as Markdown."""
    found = list(results)
    libraries = sorted({result.name.partition(".")[0] for result in found})
    parts = [_OPENING.format(count=len(found), libraries=len(libraries))]
    parts += [f"## {name}\n\n{_table(r for r in found if r.name.startswith(f'{name}.'))}" for name in libraries]
    rows = [f"| `{name}` | {reason} |" for name, reason in refused(libraries).items()]
    parts.append("\n".join(["## Classes that a recipe cannot use", "", "| class | reason |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


def refused(libraries: Iterable[str]) -> dict[str, str]:
    """`library.Class` -> why a recipe cannot use it, as the adapters say."""
    found = {}
    for library in libraries:
        reasons = getattr(registry.adapter(library), "REFUSED", {})
        found |= {f"{library}.{cls}": reasons[cls] for cls in sorted(reasons)}
    return found


def installed() -> tuple[str, ...]:
    """Libraries of the registry that can be asked here."""
    return tuple(library for library in sorted(registry.LIBRARIES) if _is_installed(library))


def class_names() -> list[str]:
    """Every class of these libraries that a recipe may name."""
    libraries = installed()
    return [name for name in registry.all_names() if name.partition(".")[0] in libraries]


def rows_of(text: str, libraries: Iterable[str]) -> dict[str, str]:
    """What a page tells of the classes of some libraries: `library.Class` -> the rest of its row."""
    wanted = set(libraries)
    return {name: rest for name, rest in _ROW.findall(text) if name.partition(".")[0] in wanted}


def _cell(name: str, column: str, same_elsewhere: bool) -> str:
    if column == OTHER_PROCESS:
        assert same_elsewhere
        return properties.YES
    return properties.PROPERTIES[column](name)


def _table(results: Iterable[Result]) -> str:
    rows = [f"| `{result.name}` | {' | '.join(result.cells)} |" for result in results]
    return "\n".join([f"| class | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}", *rows, ""])


def _is_installed(library: str) -> bool:
    try:
        registry.adapter(library)
    except MissingLibrary:
        return False
    return True
