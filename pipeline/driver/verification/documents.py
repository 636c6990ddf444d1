"""Files of a version that people read: whether they say what the manifest says, whoever adjusted the digests."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit.leaks import leaks_from
from pipeline.config.schema import JobConfig
from pipeline.dataset.card import card_files
from pipeline.dataset.leak_certificate import leaks_bytes, stated
from pipeline.dataset.reader import Dataset
from pipeline.planning.fingerprint import installed
from pipeline.storage.layout import LEAKS, MANIFEST


@dataclass(frozen=True, slots=True)
class _Described:
    """What a card is made of, besides the manifest."""

    config: JobConfig
    schema: pa.Schema


def rewritten(dataset: Dataset) -> Iterator[str]:
    """Card, metadata and leakage report that are not what the manifest makes.

    Another fanbeam may write other words, so only files of the installed one are made again; digests are checked
    anyway. Nothing is said of files that are missing: those are.
    """
    manifest = dataset.manifest
    if manifest["libraries"].get("fanbeam") != installed("fanbeam"):
        return
    if "documents" in manifest:
        described = _Described(dataset.config("-", dataset.path), _schema(dataset))
        bare = {name: part for name, part in manifest.items() if name != "documents"}
        for name, data in card_files(described, bare):
            if _read(dataset, name) not in (None, data):
                yield f"{name}: does not say what the manifest says"
    if "leaks" in manifest:
        yield from _other_leaks(dataset)


def _other_leaks(dataset: Dataset) -> Iterator[str]:
    data = _read(dataset, LEAKS)
    if data is None:
        return
    try:
        leaks = leaks_from(orjson.loads(data))
        whole, said = leaks_bytes(leaks) == data, stated(leaks)
    except (ValueError, TypeError, LookupError, AttributeError):
        yield f"{LEAKS}: is damaged"
        return
    if not whole:
        yield f"{LEAKS}: is not as it was written"
    if said != dataset.manifest["leaks"]:
        yield f"{MANIFEST}: leaks are not what {LEAKS} says"


def _schema(dataset: Dataset) -> pa.Schema:
    """Columns of the first shard that can be read."""
    for shard in dataset.manifest["shards"]:
        try:
            with dataset.folder.open(shard["path"]) as file:
                return pq.read_schema(file)
        except (OSError, pa.ArrowException):
            continue
    return pa.schema([])


def _read(dataset: Dataset, name: str) -> bytes | None:
    try:
        return dataset.folder.read(name)
    except OSError:
        return None
