"""The first step of a graph on an engine, which travels as itself: workers need no fanbeam to take it up.

A worker that cannot load a step says so before it opens the channel that the engine waits for; Beam's job server for
Spark gives it three minutes, and tries again. This step loads in any worker, and fails where errors are told at once.
"""

import sys
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.internal import pickler
from apache_beam.internal.cloudpickle import cloudpickle


class Arrival(beam.DoFn):  # type: ignore[misc]
    """Does what another DoFn does, which is loaded when the first element comes."""

    def __init__(self, first: beam.DoFn) -> None:
        self.sent = pickler.dumps(first)

    def setup(self) -> None:
        """Nothing is loaded yet."""
        self.first: Any = None

    def process(self, element: Any) -> Iterator[Any]:
        """Raises ModuleNotFoundError where fanbeam is not installed."""
        if self.first is None:
            self.first = pickler.loads(self.sent)
        yield from self.first.process(element)


cloudpickle.register_pickle_by_value(sys.modules[__name__])
