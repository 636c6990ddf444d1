"""The manifest of a version: how it is stored, read back and published."""

from typing import Any

import orjson

from pipeline.errors import Damaged, RunFailed
from pipeline.planning.fingerprint import FORMAT
from pipeline.storage.folder import Folder
from pipeline.storage.layout import MANIFEST

_SHARD = {"path", "split", "rows", "bytes", "sha256"}
_PARTS = {
    "format", "version", "config", "field_order", "input", "libraries", "cpu",
    "splits", "dropped", "shards", "dropped_shards",
}  # fmt: skip


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    """The manifest as it is stored: sorted keys, indented."""
    return orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_manifest(dataset: Folder) -> dict[str, Any] | None:
    """The manifest of a version folder, or None if it has none. Raises Damaged."""
    try:
        raw = dataset.read(MANIFEST)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a LATEST of zero bytes after a crash
        return None
    try:
        manifest = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        cure = "restore it, or remove this version and run the job again"
        raise Damaged(f"{dataset.full(MANIFEST)}: damaged: {error.msg}; {cure}") from error
    problem = _damage(manifest)
    if problem:
        raise Damaged(f"{dataset.full(MANIFEST)}: damaged: {problem}")
    sound: dict[str, Any] = manifest
    return sound


def _damage(manifest: Any) -> str:
    """What a manifest lacks; empty if it has all its parts."""
    if not isinstance(manifest, dict):
        return "not a JSON object"
    missing = sorted(_PARTS - manifest.keys())
    if missing:
        return f"it has no {', '.join(missing)}"
    if manifest["format"] != FORMAT:
        return f"format {manifest['format']!r}, this fanbeam reads format {FORMAT}"
    for part in ("shards", "dropped_shards"):
        listed = manifest[part]
        if not isinstance(listed, list) or not all(isinstance(s, dict) and s.keys() >= _SHARD for s in listed):
            return f"{part} is no list of files"
    return ""


def publish(dataset: Folder, manifest: dict[str, Any]) -> None:
    """Put the manifest if absent; adopt an equal one that another run put first. Raises RunFailed if it differs."""
    data = manifest_bytes(manifest)
    if not dataset.put_if_absent(MANIFEST, data) and dataset.read(MANIFEST) != data:
        raise differs(dataset)


def differs(dataset: Folder) -> RunFailed:
    """The error of a version that is there already, with other bytes."""
    return RunFailed(
        f"{dataset.full(MANIFEST)} exists and differs from what this run made. "
        "The same version must have the same bytes: keep both and report which library or input differs."
    )
