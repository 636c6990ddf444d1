"""What an engine tells fanbeam. Options are Beam's own, by name without dashes."""

from collections.abc import Mapping
from typing import Any, Protocol

from pipeline.errors import Problem
from pipeline.storage.folder import Folder


class EngineModule(Protocol):
    """One file of this folder."""

    def settled(self, given: Mapping[str, Any]) -> list[str]:
        """Options to add to those given on the command line, as `--name=value`. Never repeats a given one."""
        ...

    def problems(self, options: Mapping[str, Any], output: Folder) -> list[Problem]:
        """What is missing, found before anything is written or submitted; quick, and silent if all is well."""
        ...

    def cancel(self, options: Mapping[str, Any], job_name: str) -> None:
        """End the job of that name on the engine, after Beam's own `cancel`. Best effort; raises OSError at most."""
        ...

    def cause(self, options: Mapping[str, Any], job_name: str) -> str:
        """One line: what the engine itself knows of why the job died; empty if nothing. Raises OSError at most."""
        ...
