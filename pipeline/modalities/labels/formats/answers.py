"""Answers in columns: words that were cut out of a text, and where, as question answering data sets write them."""

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.config.labels import AnswerBinding
from pipeline.modalities.labels.cells import BadLabels
from transforms.values import Spans, TextValue


def with_answers(binding: AnswerBinding, cell: Any, value: TextValue) -> TextValue:
    """The text with its answers; a null cell has none. Raises BadLabels for one that is not in the text where it says.

    Counted are code points.
    """
    bounds = []
    for words, start in _entries(binding, cell):
        if not isinstance(words, str) or not isinstance(start, int) or isinstance(start, bool):
            raise BadLabels(f"an answer in {binding.column} has no text or no whole number for its start")
        end = start + len(words)
        if start < 0 or value.text[start:end] != words:
            raise BadLabels(f"an answer in {binding.column} is not in the text at {start}: {words!r:.60}")
        bounds.append((start, end))
    rows = np.arange(len(bounds), dtype=np.int64)
    return replace(value, answers=Spans(np.array(bounds, np.int64).reshape(-1, 2), rows, binding.keep))


def written_answers(binding: AnswerBinding, cell: Any, value: TextValue) -> Any:
    """The cell with the answers as they are in the text now; whatever else it says of each stays."""
    if cell is None or value.answers is None:
        return cell
    now = {binding.text: [], binding.start: []}  # type: dict[str, list[Any]]
    for begin, end in value.answers.bounds.tolist():
        now[binding.text].append(value.text[begin:end])
        now[binding.start].append(begin)
    if isinstance(cell, dict):
        return {**cell, **now}
    return [
        {**entry, binding.text: words, binding.start: start}
        for entry, words, start in zip(cell, now[binding.text], now[binding.start], strict=True)
    ]


def _entries(binding: AnswerBinding, cell: Any) -> list[tuple[Any, Any]]:
    if cell is None:
        return []
    if isinstance(cell, list):
        return [(entry[binding.text], entry[binding.start]) if entry else (None, None) for entry in cell]
    words, starts = cell[binding.text] or [], cell[binding.start] or []
    if len(words) != len(starts):
        raise BadLabels(f"{binding.column} has {len(words)} texts and {len(starts)} starts")
    return list(zip(words, starts, strict=True))
