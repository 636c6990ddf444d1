"""SentenceMix: sentences of another text in place of some of this one's."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from transforms.fanbeam.operation import PARENTS, Drawn, Draws, between, nobody, share, weight_of
from transforms.interface import LabelLost
from transforms.text.sentences import sentences
from transforms.text.words import Place
from transforms.values import Spans, TextValue

_NO_SPACE_AFTER = "。！？」』"


@dataclass(frozen=True, slots=True)
class _Run:
    """Sentences that follow each other: first character and the one after the last, of one of the two texts."""

    value: TextValue
    begin: int
    end: int

    @property
    def text(self) -> str:
        return self.value.text[self.begin : self.end]


def sentence_mix(value: TextValue, draws: Draws) -> tuple[TextValue, Drawn]:
    """A run of the partner's sentences in place of a run of the text's own; shares are those of the characters.

    At least one sentence of each stays. Spans stay on their sentences; those that a cut runs through are dropped.
    """
    own = sentences(value.text)
    if not own:
        return nobody(value, "the text has no sentence")
    key, found, theirs = next(((k, v, s) for k, v in draws.partners if (s := sentences(v.text))), (None, value, own))
    if key is None:
        return nobody(value)
    kept = min(max(1, round(len(own) * share(weight_of(draws)))), len(own))
    taken = min(max(1, len(own) - kept), len(theirs))
    gone = between(draws, 0, kept)
    first = between(draws, 0, len(theirs) - taken)
    runs = [
        *_run(value, own[:gone]),
        *_run(found, theirs[first : first + taken]),
        *_run(value, own[gone + len(own) - kept :]),
    ]
    result = _joined(runs, value)
    own_answers = 0 if value.answers is None else len(value.answers.rows)
    if result.answers is not None and len(result.answers.rows) < own_answers:
        raise LabelLost("answer_lost", "the sentence of an answer is gone")
    total = sum(len(run.text) for run in runs)
    part = sum(len(run.text) for run in runs if run.value is found) / total
    return result, {"kept": kept, "taken": taken, "weight": 1.0 - part, PARENTS: {key: part}}


def _run(value: TextValue, places: list[Place]) -> list[_Run]:
    return [_Run(value, places[0][0], places[-1][1])] if places else []


def _joined(runs: list[_Run], like: TextValue) -> TextValue:
    """The runs with a space between them where their script has any, and the labels that lie wholly in one."""
    text = ""
    begins = []
    for run in runs:
        text += " " if text and (text[-1] not in _NO_SPACE_AFTER or like.tokens is not None) else ""
        begins.append(len(text))
        text += run.text
    held = {kind: [getattr(run.value, kind) for run in runs] for kind in ("spans", "tokens")}
    held["answers"] = [run.value.answers if run.value is like else None for run in runs]  # questions are not blended
    labels: dict[str, Any] = {
        kind: _inside(spans, runs, begins) for kind, spans in held.items() if getattr(like, kind) is not None
    }
    return TextValue(text, **labels)


def _inside(held: list[Spans | None], runs: list[_Run], begins: list[int]) -> Spans:
    bounds = [np.zeros((0, 2), np.int64)]
    rows = [np.zeros(0, np.int64)]
    for spans, run, begin in zip(held, runs, begins, strict=True):
        if spans is not None:
            inside = (spans.bounds[:, 0] >= run.begin) & (spans.bounds[:, 1] <= run.end)
            bounds.append(spans.bounds[inside] + (begin - run.begin))
            rows.append(spans.rows[inside])
    keep = any(spans is not None and spans.keep for spans in held)
    return Spans(np.concatenate(bounds), np.concatenate(rows), keep)
