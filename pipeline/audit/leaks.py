"""What an audit finds: pairs, one of each side, and how they are alike."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["id", "source", "group", "parent", "exact", "spelling", "near"]
KINDS: tuple[Kind, ...] = ("id", "source", "group", "parent", "exact", "spelling", "near")
SPELLED_AS: frozenset[Kind] = frozenset(("id", "source", "group"))
"""Of a row that leaks in one of these ways it is not told that it leaks by another spelling: the very same is none."""
CERTAIN: frozenset[Kind] = frozenset(KINDS) - {"spelling", "near"}
"""Kinds that are facts, not likeness."""
KEPT_PAIRS, _UNSORTED = 1000, 20_000
NAMED = 20
"""Rows with unreadable payloads that are named."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of train and a row of the other side, by their ids; `distance` 0: the same; `what`: column or value.

    An id that stands twice on one side: `first_side` and `side` are the same.
    """

    kind: Kind
    train: str
    validation: str
    distance: float = 0.0
    what: str = ""
    side: str = "validation"
    words: tuple[str, ...] = ()
    """The beginnings of both texts, where texts are alike."""
    first_side: str = "train"


@dataclass(frozen=True, slots=True)
class Side:
    """One side that was read."""

    name: str
    rows: int


@dataclass(slots=True)
class Leaks:
    """The outcome: what was read and compared, how often each kind was found, and the closest pairs.

    `leaking`: rows of each held-out side that leak, by kind; a row counts once for each kind. `stopping`: rows that
    leak in any way that may stop a commit. `left`: pairs that were too many to be compared. `audited`: of files of
    ours, the digest of what was read.
    """

    sides: list[Side] = field(default_factory=list)
    checked: dict[str, Any] = field(default_factory=dict)
    leaking: dict[str, Counter[str]] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)
    unreadable: int = 0
    unread: list[str] = field(default_factory=list)
    """The first of the rows whose payloads are unreadable, by name."""
    stopping: int = 0
    left: int = 0
    audited: str = ""
    times: dict[str, list[str]] = field(default_factory=dict)
    """From when to when the rows of each split are, where the newest were to be held out."""
    disorder: str = ""
    """How training rows are newer than held-out ones."""
    timeless: int = 0
    """Rows without a time, where the newest were to be held out."""
    pictures: list[dict[str, Any]] = field(default_factory=list)
    """Files beside the certificate that show the closest pairs: path, bytes, sha256."""
    _rows: dict[tuple[str, Kind], set[str]] = field(default_factory=dict)

    def add(self, pair: Pair) -> None:
        """Take a pair in; each row of the other side counts once for a kind, however many pairs it has."""
        self._rows.setdefault((pair.side, pair.kind), set()).add(pair.validation)
        self.pairs.append(pair)
        if len(self.pairs) > _UNSORTED:
            self.settle()

    def settle(self) -> None:
        """Bring pairs and counts into their final form."""
        grouped = {(side, row) for (side, kind), rows in self._rows.items() if kind in SPELLED_AS for row in rows}
        for side in [side for side, kind in self._rows if kind == "spelling"]:
            self._rows[side, "spelling"] -= {row for own, row in grouped if own == side}
        told = (p for p in self.pairs if p.kind != "spelling" or (p.side, p.validation) not in grouped)
        self.pairs = closest(told)
        for (side, kind), rows in self._rows.items():
            self.leaking.setdefault(side, Counter())[kind] = len(rows)
        self.stopping = len(
            {(side, row) for (side, kind), rows in self._rows.items() if kind in CERTAIN for row in rows}
        )

    def count(self, kind: Kind) -> int:
        """Rows of all held-out sides that leak in this way."""
        return sum(counts[kind] for counts in self.leaking.values())

    @property
    def leaks(self) -> bool:
        """Whether anything was found."""
        return bool(self.disorder) or any(self.count(kind) for kind in KINDS)

    @property
    def unchecked(self) -> list[str]:
        """What was not checked though nobody said to leave it out; a sentence each."""
        if len(self.sides) < 2 or not self.held_out:
            return []
        found = [self.checked["note"]] if self.checked.get("note") else []
        if self.left:
            found.append(f"{self.left} pairs that may be near duplicates were too many to be compared")
        if self.unreadable:
            more = ", …" if self.unreadable > _SHOWN else ""
            names = f"{', '.join(map(repr, self.unread[:_SHOWN]))}{more}"
            found.append(f"{self.unreadable} payloads could not be read to look for near duplicates of them: {names}")
        if self.timeless:
            found.append(f"{self.timeless} rows have no time that can be read, so their order was not checked")
        return [f"{sentence[:1].upper()}{sentence[1:]}." for sentence in found]

    @property
    def clean(self) -> bool:
        """Whether nothing leaks, and all was checked that was to be."""
        return not self.leaks and not self.unchecked

    def as_json(self) -> dict[str, Any]:
        """The content of leaks.json, and of `--json`."""
        return {
            "clean": self.clean,
            "unchecked": self.unchecked,
            "sides": [asdict(side) for side in self.sides],
            "checked": self.checked,
            "leaking": {kind: self.count(kind) for kind in KINDS},
            "leaking_by_side": {s: dict(sorted(c.items())) for s, c in sorted(self.leaking.items())},
            "stopping": self.stopping,
            "unreadable": self.unreadable,
            **({"unread": self.unread} if self.unread else {}),
            "not_compared": self.left,
            **({"times": self.times, "disorder": self.disorder} if self.times else {}),
            **({"timeless": self.timeless} if self.timeless else {}),
            "pairs": [{**asdict(pair), "words": list(pair.words)} for pair in self.pairs],
            **({"audited": self.audited, "pictures": self.pictures} if self.audited else {}),
        }

    @property
    def held_out(self) -> int:
        """Rows of all sides but the first, which is what is trained on."""
        return sum(side.rows for side in self.sides if side.name != "train")


def leaks_from(stated: Mapping[str, Any]) -> Leaks:
    """What `as_json` said, read back."""
    return Leaks(
        sides=[Side(**side) for side in stated["sides"]],
        checked=stated["checked"],
        leaking={side: Counter(counts) for side, counts in stated["leaking_by_side"].items()},
        pairs=[Pair(**{**pair, "words": tuple(pair["words"])}) for pair in stated["pairs"]],
        unreadable=stated["unreadable"],
        unread=stated.get("unread", []),
        stopping=stated["stopping"],
        left=stated["not_compared"],
        audited=stated.get("audited", ""),
        times=stated.get("times", {}),
        disorder=stated.get("disorder", ""),
        timeless=stated.get("timeless", 0),
        pictures=stated.get("pictures", []),
    )


def closest(pairs: Iterable[Pair]) -> list[Pair]:
    """In a fixed order, kinds that are certain first, then by distance; at most KEPT_PAIRS, each once."""
    ordered = sorted(set(pairs), key=lambda p: (KINDS.index(p.kind), p.distance, p.side, p.validation, p.train, p.what))
    return ordered[:KEPT_PAIRS]
