"""Publish a shard: its files, then its receipt. Nothing that another run finished is touched.

A run that was stopped for a while may continue after another one committed the same version, with an input that has
changed meanwhile. So before anything is put or removed, the version's manifest and the shard's receipt are looked at.
"""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from pipeline.dataset.receipts import put_receipt, read_receipt, written_files
from pipeline.errors import RunFailed
from pipeline.records import Receipt
from pipeline.storage.folder import Folder
from pipeline.storage.layout import MANIFEST


def publish_shard(
    dataset: Folder, receipt: Receipt, files: Sequence[tuple[str, pa.Buffer]], unused: Iterable[str]
) -> Receipt:
    """Put the files and the receipt, remove `unused` files of a killed run; returns the receipt that counts.

    That is the one of another run if it finished the shard first: then nothing is put or removed any more.
    Raises RunFailed if the version is committed without this shard.
    """
    for path, data in files:
        other = finished_elsewhere(dataset, receipt.name)
        if other is not None:
            return other
        dataset.put(path, data)
    for path in sorted(unused):
        if _size(dataset, path) is None:
            continue
        other = finished_elsewhere(dataset, receipt.name)
        if other is not None:
            return other
        dataset.remove(path)
    other = finished_elsewhere(dataset, receipt.name)
    if other is not None:
        return other
    put_receipt(dataset, receipt)
    return receipt


def finished_elsewhere(dataset: Folder, name: str) -> Receipt | None:
    """The receipt of a shard that is committed, or whole without a commit; None if the shard is still to be written.

    Raises RunFailed if the version is committed and the shard has no receipt that can be read.
    """
    committed = is_committed(dataset)
    receipt = _sound_receipt(dataset, name)
    if receipt is not None and (committed or _whole(dataset, receipt)):
        return receipt
    if committed:
        raise RunFailed(
            f"{dataset.url}: another run committed this version, and shard {name} has no sound receipt; nothing was "
            "changed. Run the same command again, or look with: fanbeam verify"
        )
    return None


def is_committed(dataset: Folder) -> bool:
    """Whether the version has a manifest."""
    return _size(dataset, MANIFEST) is not None


def _sound_receipt(dataset: Folder, name: str) -> Receipt | None:
    try:
        return read_receipt(dataset, name)
    except (FileNotFoundError, NotADirectoryError, RunFailed):
        return None


def _whole(dataset: Folder, receipt: Receipt) -> bool:
    return all(_size(dataset, file.path) == file.bytes for file in written_files(receipt))


def _size(dataset: Folder, path: str) -> int | None:
    try:
        return dataset.stat(path).size
    except (FileNotFoundError, NotADirectoryError):
        return None
