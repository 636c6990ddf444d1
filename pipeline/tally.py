"""Receipts summed up as they come, so that a commit holds one entry a file and not what every shard counted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.records import SPLITS, FileReceipt, Receipt, Split

_Place = tuple[int, int, int]
"""Of a file: its split's place, its shard's index, its place among the shard's files."""


@dataclass(slots=True)
class SplitTotals:
    """One split; `classes`: records and samples per label value."""

    records: int = 0
    samples: int = 0
    bytes: int = 0
    classes: dict[str, list[int]] = field(default_factory=dict)

    def add(self, other: "SplitTotals") -> None:
        """Take other totals in."""
        self.records += other.records
        self.samples += other.samples
        self.bytes += other.bytes
        for label, (records, samples) in other.classes.items():
            counts = self.classes.setdefault(label, [0, 0])
            counts[0] += records
            counts[1] += samples

    def as_json(self) -> dict[str, Any]:
        """As the manifest says it."""
        classes = {label: {"records": n[0], "samples": n[1]} for label, n in sorted(self.classes.items())}
        return {"records": self.records, "samples": self.samples, "bytes": self.bytes, "classes": classes}


@dataclass(slots=True)
class Tally:
    """Sums over any set of shards; those of two sets that share none merge into those of both."""

    names: set[str] = field(default_factory=set)
    splits: dict[Split, SplitTotals] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    failed_records: int = 0
    data: list[tuple[_Place, FileReceipt]] = field(default_factory=list)
    dropped: list[tuple[_Place, FileReceipt]] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Records that were read."""
        return sum(totals.records for totals in self.splits.values())

    def add(self, receipt: Receipt) -> "Tally":
        """Take a receipt in; one of a shard that is in already says the same again."""
        if receipt.name in self.names:
            return self
        classes = {label: list(counts) for label, counts in receipt.classes.items()}
        totals = SplitTotals(receipt.records, receipt.samples, receipt.data.bytes if receipt.data else 0, classes)
        data = [((*receipt.key, 0), receipt.data)] if receipt.data else []
        dropped = [((*receipt.key, n), file) for n, file in enumerate(receipt.dropped_files)]
        return self.merge(
            Tally(
                {receipt.name},
                {receipt.split: totals},
                Counter(receipt.failed),
                Counter(receipt.rejected),
                receipt.failed_records,
                data,
                dropped,
            )
        )

    def merge(self, other: "Tally") -> "Tally":
        """Take the sums over other shards in."""
        self.names |= other.names
        for split, totals in other.splits.items():
            self.splits.setdefault(split, SplitTotals()).add(totals)
        self.failed.update(other.failed)
        self.rejected.update(other.rejected)
        self.failed_records += other.failed_records
        self.data += other.data
        self.dropped += other.dropped
        return self

    def as_json(self) -> dict[str, Any]:
        """What of the manifest is made of the receipts alone: nothing in it depends on their order."""
        return {
            "splits": {split: self.splits[split].as_json() for split in SPLITS if split in self.splits},
            "dropped": {"failed": dict(sorted(self.failed.items())), "rejected": dict(sorted(self.rejected.items()))},
            "shards": _listed(self.data),
            "dropped_shards": _listed(self.dropped),
        }


def tallied(receipts: Iterable[Receipt]) -> Tally:
    """The sums over some receipts."""
    tally = Tally()
    for receipt in receipts:
        tally.add(receipt)
    return tally


def _listed(files: list[tuple[_Place, FileReceipt]]) -> list[dict[str, Any]]:
    ordered = sorted(files, key=lambda file: file[0])
    return [{**asdict(file), "split": SPLITS[place[0]]} for place, file in ordered]
