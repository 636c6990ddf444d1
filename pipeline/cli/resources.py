"""What transforms need beside their libraries, for people and for machines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.sources import assets
from transforms import registry
from transforms.interface import Resource


@dataclass(frozen=True, slots=True)
class Resources:
    """Every resource."""

    rows: tuple[Resource, ...]

    def as_json(self) -> dict[str, Any]:
        """A list of objects; `state` is `present`, `missing`, or `yours` for what a parameter of a config names."""
        return {
            "resources": [
                {
                    "name": row.name,
                    "state": _state(row),
                    "found": row.found or None,
                    "needed_by": list(row.classes),
                    "online": row.online,
                    "offline": row.offline,
                }
                for row in self.rows
            ]
        }

    def lines(self) -> Iterator[str]:
        """Per resource: its state and place, what needs it, and how to get it with and without network."""
        for row in self.rows:
            yield f"{_state(row):8} {row.name}" + (f"  [{row.found}]" if row.found else "")
            yield f"         needed by {', '.join(row.classes)}"
            yield f"         online    {row.online}"
            if row.offline != row.online:
                yield f"         offline   {row.offline}"
        yield "yours: a file or folder that you have; its path stands in the config, and its digest in the version"


def resources() -> Resources:
    """Ask every installed library."""
    assets.connect()
    return Resources(registry.resource_table())


def _state(row: Resource) -> str:
    return "yours" if row.found is None else "present" if row.found else "missing"
