"""Whether every file of a version is there, judged by one listing: names and sizes, no content."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.errors import Damaged, Problem, RunFailed
from pipeline.storage.folder import Folder
from pipeline.storage.layout import MANIFEST, receipt_path

_NAMED = 3


def named_files(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every file that a manifest names: of shards, of what was dropped, of the audit, for people; with its digest."""
    yield from manifest["shards"]
    yield from manifest["dropped_shards"]
    yield from described_files(manifest)


def described_files(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Files that people read: of the audit, the card, the metadata. Versions of long ago name fewer."""
    yield from manifest.get("leaks", {}).get("files", ())
    yield from manifest.get("documents", ())


def refuse_incomplete(dataset: Folder, manifest: Mapping[str, Any]) -> None:
    """Raise Damaged if files of a committed version are missing or have another size."""
    lacking = _lacking(dataset, manifest)
    if not lacking:
        return
    message = f"{len(lacking)} files of the committed version are missing or have another size: {_listed(lacking)}"
    remedy = (
        f"Remove {dataset.full(MANIFEST)} and run the same command again: "
        "whole shards are kept, the others are made again with the same bytes."
    )
    problem = Problem(dataset.url, f"{message}.", remedy)
    raise Damaged(str(problem), (problem,))


def refuse_unwritten(dataset: Folder, manifest: Mapping[str, Any], shards: Sequence[str]) -> None:
    """Raise RunFailed if a file or receipt of a version that is to be committed is gone or has another size."""
    lacking = _lacking(dataset, manifest, (receipt_path(name) for name in shards))
    if lacking:
        raise RunFailed(
            f"{dataset.url}: {len(lacking)} files were removed or changed before the commit: {_listed(lacking)}. "
            "Nothing was committed. Run the same command again: they are made once more."
        )


def _lacking(dataset: Folder, manifest: Mapping[str, Any], also: Iterable[str] = ()) -> list[str]:
    sizes = {file.path: file.size for file in dataset.walk()}
    wrong = [file["path"] for file in named_files(manifest) if sizes.get(file["path"]) != file["bytes"]]
    return [*wrong, *(path for path in also if path not in sizes)]


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return f"{', '.join(paths[:_NAMED])}{more}"
