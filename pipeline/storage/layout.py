"""The name of every file and folder in an output folder, each once."""

from typing import Final

LATEST: Final = "LATEST"
"""Beside the versions: names the newest one."""
SPLITS_FOLDER: Final = "_splits"
"""Beside the versions: which split each record has, see `splitting.history.ledger`."""
WORK: Final = "_splits/work"
"""Files of surveys that are under way."""

MANIFEST: Final = "manifest.json"
CARD: Final = "README.md"
CROISSANT: Final = "croissant.json"
LEAKS: Final = "leaks.json"
LEAK_SHEET: Final = "leaks.png"
PLAN: Final = "_plan.json"
REFERENCES: Final = "_references.json"
DONORS: Final = "_donors.arrow"
HELD_OUT: Final = "_held_out.bin"
LOCK: Final = "_lock.json"
RECEIPTS: Final = "_receipts"
RUNS: Final = "_runs"
FAILED: Final = "_failed"
REJECTED: Final = "_rejected"


def receipt_path(name: str) -> str:
    """`_receipts/train-00000.json`."""
    return f"{RECEIPTS}/{name}.json"
