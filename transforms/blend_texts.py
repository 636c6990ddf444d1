"""SentenceMix: sentences of another text in place of some of this one's."""

import re
from dataclasses import dataclass

import numpy as np

from transforms.blend_operation import PARENTS, Drawn, Draws, between, nobody, share, weight_of
from transforms.values import Spans, TextValue

_SENTENCE = re.compile(
    r".+?(?:[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[\"'”’»」』)\]]*|(?=\n)|\Z)", re.DOTALL
)  # fmt: skip
_NO_SPACE_AFTER = "。！？」』"
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Run:
    """Sentences that follow each other: first character and the one after the last, of one of the two texts."""

    value: TextValue
    begin: int
    end: int

    @property
    def text(self) -> str:
        return self.value.text[self.begin : self.end]


def sentences(text: str) -> list[Place]:
    """First character of each sentence, and the one after its last; lines end sentences too."""
    found = []
    for match in _SENTENCE.finditer(text):
        stripped = match.group().strip()
        if stripped:
            begin = match.start() + match.group().index(stripped)
            found.append((begin, begin + len(stripped)))
    return found


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
    result = _joined(runs, value.spans)
    total = sum(len(run.text) for run in runs)
    part = sum(len(run.text) for run in runs if run.value is found) / total
    return result, {"kept": kept, "taken": taken, "weight": 1.0 - part, PARENTS: {key: part}}


def _run(value: TextValue, places: list[Place]) -> list[_Run]:
    return [_Run(value, places[0][0], places[-1][1])] if places else []


def _joined(runs: list[_Run], spans: Spans | None) -> TextValue:
    """The runs with a space between them where their script has any, and the spans that lie wholly in one."""
    text = ""
    bounds, rows = [], []
    for run in runs:
        text += " " if text and text[-1] not in _NO_SPACE_AFTER else ""
        held = run.value.spans if spans is not None else None
        if held is not None:
            inside = (held.bounds[:, 0] >= run.begin) & (held.bounds[:, 1] <= run.end)
            bounds.append(held.bounds[inside] + (len(text) - run.begin))
            rows.append(held.rows[inside])
        text += run.text
    if spans is None:
        return TextValue(text)
    return TextValue(text, Spans(np.concatenate(bounds).reshape(-1, 2), np.concatenate(rows)))
