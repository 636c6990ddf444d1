"""Receipts of shards, and the names of what lies in a version's folder."""

from dataclasses import asdict

import orjson

from pipeline.errors import RunFailed
from pipeline.records import FileReceipt, Receipt
from pipeline.storage.folder import Folder
from pipeline.storage.layout import receipt_path


def receipt_bytes(receipt: Receipt) -> bytes:
    """The receipt as JSON, keys sorted."""
    return orjson.dumps(asdict(receipt), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def put_receipt(dataset: Folder, receipt: Receipt) -> None:
    """Write the proof that a shard is whole; its files must be there. Raises RunFailed."""
    dataset.put(receipt_path(receipt.name), receipt_bytes(receipt))


def written_files(receipt: Receipt) -> tuple[FileReceipt, ...]:
    """Every file that a receipt proves."""
    return (*(() if receipt.data is None else (receipt.data,)), *receipt.dropped_files)


def read_receipt(dataset: Folder, name: str) -> Receipt:
    """A receipt read back. Raises RunFailed if it is damaged."""
    path = receipt_path(name)
    data = dataset.read(path)
    try:
        raw = orjson.loads(data)
        raw["data"] = FileReceipt(**raw["data"]) if raw["data"] else None
        raw["dropped_files"] = tuple(FileReceipt(**f) for f in raw["dropped_files"])
        raw["classes"] = {label: (n[0], n[1]) for label, n in raw["classes"].items()}
        raw["balance"] = {name: (n[0], n[1], n[2]) for name, n in raw["balance"].items()}
        return Receipt(**raw)
    except (ValueError, TypeError, LookupError) as error:
        remedy = "remove it and run the same command again"
        raise RunFailed(f"{dataset.full(path)}: the receipt is damaged: {remedy}") from error
