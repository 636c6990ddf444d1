"""What a run reports while it goes on, and who listens: nobody, or whoever passes it on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Count = Callable[[], int]


class Progress(Protocol):
    """What a run tells while it goes on."""

    def identify(self, version: str, path: str) -> None:
        """The version that is to be made, and where."""
        ...

    def say(self, what: str) -> None:
        """A new phase begins."""
        ...

    def warn(self, what: str) -> None:
        """Something that people should know of though the run goes on."""
        ...

    def begin(self, samples: int, resumed: int, count: Count) -> None:
        """Rendering begins: samples to make, shards that are there already, and who counts those made since."""
        ...

    def end(self) -> None:
        """Rendering is over."""
        ...


class Silent:
    """Nobody watches."""

    def identify(self, version: str, path: str) -> None:
        """Nothing."""

    def say(self, what: str) -> None:
        """Nothing."""

    def warn(self, what: str) -> None:
        """Nothing."""

    def begin(self, samples: int, resumed: int, count: Count) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Noting:
    """Passes everything on, and notes what a scheduler must know however the run ends.

    Notes: `version` and `path` as soon as they are known; `attempts`, how often shards were given to the engine;
    `resumed_shards`, those that were finished before the first one; `warnings`.
    """

    other: Progress
    notes: dict[str, Any]

    def identify(self, version: str, path: str) -> None:
        """Note both."""
        self.notes.update(version=version, path=path, attempts=0, resumed_shards=0, warnings=[])
        self.other.identify(version, path)

    def say(self, what: str) -> None:
        """Pass it on."""
        self.other.say(what)

    def warn(self, what: str) -> None:
        """Note it."""
        self.notes.setdefault("warnings", []).append(what)
        self.other.warn(what)

    def begin(self, samples: int, resumed: int, count: Count) -> None:
        """Count the attempt."""
        if not self.notes["attempts"]:
            self.notes["resumed_shards"] = resumed
        self.notes["attempts"] += 1
        self.other.begin(samples, resumed, count)

    def end(self) -> None:
        """Pass it on."""
        self.other.end()
