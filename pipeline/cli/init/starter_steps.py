"""Steps of a starter recipe as YAML lines: which are active, which stand there as comments, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.sources.inspection.findings import FieldFound

_MIRRORED = re.compile(r"(, )?border_mode: [234]\b")
_WIDEST = 108
_SIDES = ("HorizontalFlip", "CubicSymmetry")
_NOUNS = {"image": "picture", "audio": "sound", "text": "words", "video": "clip", "volume": "volume"}


@dataclass(frozen=True, slots=True)
class StarterStep:
    """One step, or a group of them, with what to say behind it.

    `moves` says what it moves: `place` in a picture, `time`, `words`; nothing where the content stays where it is.
    `active`: whether it stands in the recipe; if not, it is proposed as a comment.
    """

    text: str
    note: str = ""
    moves: str = ""
    active: bool = True
    nested: tuple[str, ...] = ()


def augment_lines(
    steps: Sequence[StarterStep], found: FieldFound, told: str = "copies of training records only"
) -> list[str]:
    """The lines of `augment`.

    Steps that would leave labels behind are comments, and mirrored borders are left out where labels are bound: what
    would be seen twice is labeled once.
    """
    shown = [_beside_labels(step, found) for step in steps]
    active = [step for step in shown if step.active]
    lines = [f"{'augment:' if active else 'augment: []':<26}# {told}"]
    for step in shown:
        lines += _lines(step)
    if any(held(step, found) for step in steps):
        why = f"commented out: steps that move the {_NOUNS[found.modality]} would leave the labels above behind"
        lines.insert(1, f"  # {why}")
    return lines


def any_active(steps: Sequence[StarterStep], found: FieldFound) -> bool:
    """Whether a step is left that makes copies differ from their originals."""
    return any(_beside_labels(step, found).active for step in steps)


def held(step: StarterStep, found: FieldFound) -> bool:
    """Whether a step is left out because a label that is not bound would stay behind."""
    if not step.moves or not step.active:
        return False
    return any(step.moves in _stays_with(label.what) for label in found.unbound)


def binds(found: FieldFound, *kinds: str) -> bool:
    """Whether labels of one of the kinds are bound; of any kind if none is named."""
    return any(label.kind in kinds if kinds else label.kind for label in found.labels)


def _stays_with(what: str) -> frozenset[str]:
    """What a label is about: stretches of sounds and clips know no place."""
    return frozenset({"time"}) if what == "segments" else frozenset({"place", "time", "words"})


def _beside_labels(step: StarterStep, found: FieldFound) -> StarterStep:
    text, note, active = step.text, step.note, step.active and not held(step, found)
    if binds(found, "boxes", "keypoints", "masks", "polygons") and _MIRRORED.search(text):
        text = _MIRRORED.sub("", text)
        note = "uncovered corners are black: mirrored edges would show things twice"
    if any(label.sided for label in found.labels) and active and any(name in text for name in _SIDES):
        active, note = False, "makes left points right ones: name such pairs in keypoints, swap: [[LEFT, RIGHT]]"
    return replace(step, text=text, note=note, active=active)


def _lines(step: StarterStep) -> list[str]:
    mark = "- " if step.active else "# - "
    inner = "    " if step.active else "#   "
    note = f"   # {step.note}" if step.note else ""
    if note and len(step.text) + len(note) > _WIDEST:
        return [f"  # {step.note}", *_lines(replace(step, note=""))]
    return [f"  {mark}{step.text}{note}", *(f"  {inner}{line}" for line in step.nested)]
