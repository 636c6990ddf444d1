"""Receipts summed up as they come, so that a commit holds one entry a file and not what every shard counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.modalities.codecs.image.original_differences import Unlike, merge
from pipeline.modalities.labels import counts as counting
from pipeline.planning.copies.balance import effective_parents
from pipeline.records import SPLITS, FileReceipt, Receipt, Split

MACHINE_REASONS = ("out_of_memory", "worker_killed")
"""Of failures that say nothing of the record: another machine may keep it."""
_Place = tuple[int, int, int]
"""Of a file: its split's place, its shard's index, its place among the shard's files."""


@dataclass(slots=True)
class SplitTotals:
    """One split; `classes`: records and samples per label value."""

    records: int = 0
    samples: int = 0
    bytes: int = 0
    classes: dict[str, list[int]] = field(default_factory=dict)
    balance: dict[str, list[int]] = field(default_factory=dict)
    """Where copies differ by class: records that stay, their samples, the sum of the squares of each one's."""

    def add(self, other: "SplitTotals") -> None:
        """Take other totals in."""
        self.records += other.records
        self.samples += other.samples
        self.bytes += other.bytes
        _add(self.classes, other.classes)
        _add(self.balance, other.balance)

    def as_json(self) -> dict[str, Any]:
        """As the manifest says it."""
        classes = {label: {"records": n[0], "samples": n[1]} for label, n in sorted(self.classes.items())}
        totals = {"records": self.records, "samples": self.samples, "bytes": self.bytes, "classes": classes}
        return {**totals, "balance": balance_json(self.balance)} if self.balance else totals


def balance_json(balance: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Per class: records, samples, and how many equally multiplied records would repeat themselves as much."""
    return {
        name: {"records": n[0], "samples": n[1], "effective_parents": round(effective_parents(n[1], n[2]), 1)}
        for name, n in sorted(balance.items())
    }


def _add(counts: dict[str, list[int]], more: Mapping[str, Sequence[int]]) -> None:
    for name, numbers in more.items():
        counts[name] = [a + b for a, b in zip(counts.get(name, [0] * len(numbers)), numbers, strict=True)]


@dataclass(slots=True)
class Tally:
    """Sums over any set of shards; those of two sets that share none merge into those of both."""

    names: set[str] = field(default_factory=set)
    splits: dict[Split, SplitTotals] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    failed_records: int = 0
    copies: int = 0
    data: list[tuple[_Place, FileReceipt]] = field(default_factory=list)
    dropped: list[tuple[_Place, FileReceipt]] = field(default_factory=list)
    labels: counting.Totals = field(default_factory=dict)
    unlike: Unlike = field(default_factory=dict)

    @property
    def records(self) -> int:
        """Records that were read."""
        return sum(totals.records for totals in self.splits.values())

    def add(self, receipt: Receipt) -> "Tally":
        """Take a receipt in; one of a shard that is in already says the same again."""
        if receipt.name in self.names:
            return self
        classes = {label: list(counts) for label, counts in receipt.classes.items()}
        balance = {name: list(counts) for name, counts in receipt.balance.items()}
        size = receipt.data.bytes if receipt.data else 0
        totals = SplitTotals(receipt.records, receipt.samples, size, classes, balance)
        data = [((*receipt.key, 0), receipt.data)] if receipt.data else []
        dropped = [((*receipt.key, n), file) for n, file in enumerate(receipt.dropped_files)]
        return self.merge(
            Tally(
                {receipt.name},
                {receipt.split: totals},
                Counter(receipt.failed),
                Counter(receipt.rejected),
                receipt.failed_records,
                receipt.copies,
                data,
                dropped,
                deepcopy(receipt.labels),
                deepcopy(receipt.unlike),
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
        self.copies += other.copies
        self.data += other.data
        self.dropped += other.dropped
        counting.merge(self.labels, other.labels)
        merge(self.unlike, other.unlike)
        return self

    @property
    def irreproducible(self) -> dict[str, int]:
        """Records that were dropped for want of memory, or since somebody killed their worker, by reason."""
        return {reason: self.failed[reason] for reason in MACHINE_REASONS if self.failed[reason]}

    def as_json(self) -> dict[str, Any]:
        """What of the manifest is made of the receipts alone: nothing in it depends on their order."""
        return {
            "splits": {split: self.splits[split].as_json() for split in SPLITS if split in self.splits},
            "dropped": {"failed": dict(sorted(self.failed.items())), "rejected": dict(sorted(self.rejected.items()))},
            "shards": _listed(self.data),
            "dropped_shards": _listed(self.dropped),
            **({"labels": counting.as_json(self.labels)} if self.labels else {}),
            **({"unlike_originals": self.unlike} if self.unlike else {}),
        }


def machine_warnings(manifest: Mapping[str, Any]) -> list[str]:
    """What people should know of a version that another machine may make otherwise."""
    dropped = manifest.get("not_reproducible", {})
    if not dropped:
        return []
    listed = ", ".join(f"{reason} {count}" for reason, count in sorted(dropped.items()))
    return [
        f"this version is not reproducible: records were dropped for the machine's sake ({listed}); with fewer "
        "--workers, or more memory, they may be kept: remove the version's folder and run again"
    ]


def _listed(files: list[tuple[_Place, FileReceipt]]) -> list[dict[str, Any]]:
    ordered = sorted(files, key=lambda file: file[0])
    return [{**asdict(file), "split": SPLITS[place[0]]} for place, file in ordered]
