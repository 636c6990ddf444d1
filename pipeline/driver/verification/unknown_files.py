"""What lies in a version's folder and does not belong to the version."""

import posixpath
import re
from collections.abc import Iterator
from contextlib import suppress

from pipeline.dataset.completeness import named_files
from pipeline.dataset.reader import Dataset
from pipeline.errors import FanbeamError
from pipeline.records import SPLITS
from pipeline.storage.folder import Folder
from pipeline.storage.layout import (
    CARD,
    CROISSANT,
    DONORS,
    FAILED,
    HELD_OUT,
    LOCK,
    MANIFEST,
    PLAN,
    RECEIPTS,
    REFERENCES,
    REJECTED,
    RUNS,
    WORK,
)

_OWN = frozenset({MANIFEST, CARD, CROISSANT, PLAN, REFERENCES, DONORS, HELD_OUT, LOCK})
_READ = (*SPLITS, FAILED, REJECTED)
_LOG = re.compile(rf"{RUNS}/\d{{8}}T\d{{6}}\.\d+Z\.json")
_NAMED = 5


def strangers(dataset: Dataset) -> Iterator[str]:
    """Files that the manifest does not name and that readers of the folder would take for data."""
    yield from (f"{path}: is not in the manifest" for path in _unknown(dataset) if _is_read(path))


def leftovers(dataset: Dataset) -> Iterator[str]:
    """Files that no reader takes for data: of runs that were killed or still go on, and of other programs."""
    for what, paths in (
        ("files of runs that were killed, or that still go on", [p for p in _unknown(dataset) if _of_runs(p)]),
        ("temporary files of runs that were killed, or that still go on", dataset.folder.temporary_files()),
        ("files of surveys beside this version that were killed, or that still go on", _of_surveys(dataset)),
        ("files that do not belong", [p for p in _unknown(dataset) if not _is_read(p) and not _of_runs(p)]),
    ):
        if paths:
            more = ", …" if len(paths) > _NAMED else ""
            cure = "" if what == "files that do not belong" else "; the next run removes those of killed ones"
            yield f"{len(paths)} {what}: {', '.join(paths[:_NAMED])}{more}{cure}"


def _of_surveys(dataset: Dataset) -> list[str]:
    output = Folder(posixpath.dirname(dataset.path))
    with suppress(OSError, FanbeamError):
        return [f"{WORK}/{name}" for name in output.names(WORK)]
    return []


def _unknown(dataset: Dataset) -> list[str]:
    known = {file["path"] for file in named_files(dataset.manifest)}
    found = [file.path for file in dataset.folder.walk()]
    return [p for p in found if p not in known | _OWN and not p.startswith(f"{RECEIPTS}/") and not _LOG.fullmatch(p)]


def _is_read(path: str) -> bool:
    return path.endswith(".parquet") or path.split("/")[0] in _READ


def _of_runs(path: str) -> bool:
    return path.startswith(f"{RUNS}/") and not _is_read(path)
