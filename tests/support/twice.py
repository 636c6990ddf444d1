"""A step of a module that workers may not have."""

from collections.abc import Iterator

import apache_beam as beam


class Twice(beam.DoFn):  # type: ignore[misc]
    """Each element twice, times a factor."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def process(self, element: int) -> Iterator[int]:
        """Both."""
        yield from [element * self.factor] * 2
