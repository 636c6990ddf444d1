"""Near duplicates across sides: signatures of the held-out side are kept, those of the training side stream by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec

from pipeline.audit.contents import content_mark
from pipeline.audit.leaks import Pair
from pipeline.audit.sides import Field, Rows
from pipeline.audit.signatures import Sign, sign_here
from pipeline.modalities.similarity.interface import Measure, Signature

PACKAGES = {"faiss": "faiss-cpu", "rapidfuzz": "rapidfuzz", "rensa": "rensa"}
"""What is imported, and what installs it."""
_AT_ONCE = 2048


def missing() -> str:
    """Why near duplicates cannot be looked for, and what to install; empty if they can."""
    absent = [package for name, package in PACKAGES.items() if find_spec(name) is None]
    return f"near duplicates need {', '.join(absent)}: pip install {' '.join(absent)}" if absent else ""


@dataclass(slots=True)
class Signed:
    """Rows of one side with the signature of one field; `contents` are the digests of the payloads."""

    ids: list[str] = field(default_factory=list)
    signatures: list[Signature] = field(default_factory=list)
    contents: list[tuple[str, ...]] = field(default_factory=list)


class Likeness:
    """One field of the training side against all held-out sides."""

    def __init__(
        self, compared: Field, threshold: float | None, mirrored: bool = False, sign: Sign = sign_here
    ) -> None:
        from pipeline.modalities.similarity.registry import measure_of

        self._key, self._modality, self._mirrored = compared.key, compared.modality, mirrored
        self._signatures = sign
        self._measure: Measure = measure_of(compared.modality, mirrored)
        self.threshold = self._measure.threshold if threshold is None else threshold
        self._held: dict[str, Signed] = {}
        self._waiting = Signed()
        self.unread: list[str] = []
        """Rows whose payload cannot be read, by their ids."""

    def hold(self, side: str, rows: Rows) -> None:
        """Take rows of a held-out side."""
        self._sign(self._held.setdefault(side, Signed()), rows)

    def near(self, rows: Rows) -> Iterator[Pair]:
        """Take rows of the training side; pairs come when enough of them are there."""
        self._sign(self._waiting, rows)
        if len(self._waiting.ids) >= _AT_ONCE:
            yield from self.rest()

    def rest(self) -> Iterator[Pair]:
        """Pairs of the training rows that are still waiting."""
        from pipeline.modalities.similarity.neighbours import pairs

        train, self._waiting = self._waiting, Signed()
        for side, held in self._held.items():
            for one, other in pairs(train.signatures, held.signatures) if train.ids and held.ids else ():
                if train.contents[one] and train.contents[one] == held.contents[other]:
                    continue  # the same bytes are a kind of their own
                distance = self._measure.distance(train.signatures[one].detail, held.signatures[other].detail)
                if distance <= self.threshold:
                    yield Pair("near", train.ids[one], held.ids[other], round(distance, 4), self._key, side)

    def _sign(self, signed: Signed, rows: Rows) -> None:
        contents = rows.marks.get(("exact", self._key)) or [content_mark(p) for p in rows.payloads[self._key]]
        named = zip(rows.ids, rows.payloads[self._key], contents, strict=True)
        present = [(name, payload, content) for name, payload, content in named if payload]
        payloads = [(name, payload) for name, payload, _ in present]
        found = self._signatures(self._modality, self._mirrored, payloads)
        for (name, _, content), signature in zip(present, found, strict=True):
            if signature is None:
                self.unread.append(name)
                continue
            signed.ids.append(name)
            signed.signatures.append(signature)
            signed.contents.append(content)
