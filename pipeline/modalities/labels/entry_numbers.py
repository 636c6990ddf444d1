"""Numbers of bound labels: which entry of which record each is, where several records are blended into one.

The record itself is source 0, those that are blended in count from 1; a number holds the source in its upper half.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from transforms.values import WITHOUT_BOX, AudioValue, Boxes, ImageValue, Keypoints, Segments, Spans, TextValue

Numbers = NDArray[np.int64]
L = TypeVar("L", Boxes, Keypoints, Segments, Spans)
BITS = 32
"""A number holds the source above so many bits."""
_ENTRY = 2**BITS - 1


def of_source(value: ImageValue | AudioValue | TextValue, source: int) -> ImageValue | AudioValue | TextValue:
    """A value whose labels, numbered by entry, get the numbers of a source."""
    if isinstance(value, AudioValue):
        return replace(value, segments=_moved(value.segments, source))
    if isinstance(value, TextValue):
        answers, spans, tokens = (_moved(held, source) for held in (value.answers, value.spans, value.tokens))
        return replace(value, answers=answers, spans=spans, tokens=tokens)
    rows = value.mask_rows
    return replace(
        value,
        boxes=_moved(value.boxes, source),
        keypoints=_moved(value.keypoints, source),
        mask_rows=None if rows is None else rows + (source << BITS),
    )


def of_one(numbers: Numbers, source: int) -> NDArray[np.bool_]:
    """Which of the numbers belong to a source."""
    mine: NDArray[np.bool_] = numbers >> BITS == source
    return mine


def entries(numbers: Numbers) -> list[int]:
    """Entries, each counted within its own record."""
    found: list[int] = (numbers & _ENTRY).tolist()
    return found


def number(source: int, entry: int) -> int:
    """The number of an entry of a source."""
    return (source << BITS) + entry


def of_masks(count: int, boxes: int | None) -> Numbers:
    """Numbers of the instances of a record: those of its boxes, where there is one of each for every box.

    `boxes`: how many there are, upright or oriented; None where none are bound.
    """
    alone = boxes is not None and boxes != count
    return np.arange(count, dtype=np.int64) + (WITHOUT_BOX if alone else 0)


def instances(numbers: Numbers, source: int, boxes: Sequence[int] | None) -> list[tuple[int, int]]:
    """Of the instances of a source those to write: where each stands in its record, and among `numbers`.

    `boxes`: the entries of the boxes that are left, None where none are bound; instances that have boxes follow those.
    """
    places = {number & _ENTRY: place for place, number in enumerate(numbers.tolist()) if number >> BITS == source}
    alone = boxes is None or any(number & WITHOUT_BOX for number in places)
    wanted = list(places) if alone or boxes is None else [number for number in boxes if number in places]
    return [(number & (WITHOUT_BOX - 1), places[number]) for number in wanted]


def _moved(held: L | None, source: int) -> L | None:
    return None if held is None else replace(held, rows=held.rows + (source << BITS))
