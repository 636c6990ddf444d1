"""What a recipe may name, for people and for machines."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.errors import UsageError, nearest
from transforms import registry
from transforms.interface import Description, MissingLibrary


@dataclass(frozen=True, slots=True)
class Listed:
    """Names by modality, and libraries that are not installed, with the command that installs each."""

    names: dict[str, list[str]]
    absent: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Modality -> names; library -> command."""
        return {"transforms": self.names, "not_installed": self.absent}

    def lines(self) -> Iterator[str]:
        """A heading per modality."""
        for modality, names in self.names.items():
            yield f"{modality} ({len(names)})"
            yield from (f"  {name}" for name in names)
        yield "groups\n  one_of: [STEPS]\n  some_of: {n: N, steps: [STEPS]}\n  sometimes: {p: P, steps: [STEPS]}"
        if self.absent:
            yield f"not installed ({len(self.absent)})"
            yield from (f"  {library}: {command}" for library, command in self.absent.items())


@dataclass(frozen=True, slots=True)
class Described:
    """One transform."""

    description: Description

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self.description)

    def lines(self) -> Iterator[str]:
        """Name, parameters with defaults, the library's own words."""
        found = self.description
        yield f"{found.name} ({found.modality})\n"
        for parameter in found.parameters:
            kind = f"  ({parameter.kind})" if parameter.kind else ""
            yield f"  {parameter.name}: {parameter.default or 'required'}{kind}"
        yield f"\n{found.doc}"


def catalogue(part: str | None) -> Listed:
    """All names, or those that contain `part` in any case. Raises UsageError if there are none."""
    names: dict[str, list[str]] = {}
    for modality in ("image", "audio", "text", "video", "volume"):
        found = [n for n in registry.all_names(modality) if part is None or part.lower() in n.lower()]
        if found:
            names[modality] = found
    if not names:
        raise UsageError(f"no transform has {part!r} in its name; `fanbeam transforms` lists them")
    return Listed(names, registry.absent() if part is None else {})


def described(name: str) -> Described:
    """One transform. Raises UsageError with the nearest name."""
    try:
        return Described(registry.describe(name))
    except MissingLibrary as error:
        raise UsageError(str(error)) from error
    except LookupError as error:
        raise UsageError(f"{error.args[0]}. {nearest(name, list(registry.all_names()))}".strip()) from error
