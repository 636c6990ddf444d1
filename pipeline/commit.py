"""Receipts -> manifest. The manifest is the commit: put if absent, after everything it names is there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from pipeline.card import card_files
from pipeline.errors import Damaged, LimitsExceeded, Problem, RunFailed
from pipeline.fan_out import DOWNSAMPLED
from pipeline.fingerprint import FORMAT, cpu, frozen_config, libraries
from pipeline.job import Job
from pipeline.records import SPLITS, FileReceipt, InputFile, Receipt
from pipeline.shards import RECEIPTS, read_receipt, receipt_path
from pipeline.snapshot import refuse_changed_references
from pipeline.storage import Folder

MANIFEST = "manifest.json"
LATEST = "LATEST"
_SHARD = {"path", "split", "rows", "bytes", "sha256"}
_PARTS = {
    "format", "version", "config", "field_order", "input", "libraries", "cpu",
    "splits", "dropped", "shards", "dropped_shards",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be there before a version can be committed."""

    shards: tuple[str, ...]
    records: int
    files: tuple[InputFile, ...]


def receipted(dataset: Folder) -> set[str]:
    """Names of the shards that have a receipt, sound or not."""
    return {name.removesuffix(".json") for name in dataset.names(RECEIPTS) if name.endswith(".json")}


def finished(dataset: Folder) -> set[str]:
    """Names of the shards that have a receipt and the files that it names, whole; any other is rendered again."""
    names = receipted(dataset)
    sizes = {file.path: file.size for file in dataset.walk()} if names else {}
    return {name for name in names if _proven(dataset, name, sizes)}


def _proven(dataset: Folder, name: str, sizes: dict[str, int]) -> bool:
    try:
        receipt = read_receipt(dataset, name)
    except RunFailed:
        return False
    files = (receipt.data, *receipt.dropped_files)
    return all(sizes.get(f.path) == f.bytes for f in files if f is not None)


def commit(job: Job, expected: Expected, receipts: Iterable[Receipt]) -> dict[str, Any]:
    """Check the receipts against the plan and the limits, then publish card and manifest.

    Raises RunFailed if something is missing or another manifest is there already, LimitsExceeded if too much was
    dropped; then nothing is committed and everything that was written stays for the next run.
    """
    ordered = complete(job.dataset, expected, receipts)
    check_limits(job, ordered)
    manifest = manifest_of(job, expected, ordered)
    for name, data in card_files(job, manifest):
        job.dataset.put(name, data)
    publish(job.dataset, manifest)
    return manifest


def commit_outcome(job: Job, expected: Expected, receipts: Iterable[Receipt]) -> str:
    """`commit` for an engine: a word instead of an exception, since engines run what raised once more.

    Raises RunFailed if files that the input refers to changed; this run's receipts go, so that no run adopts them.
    """
    try:
        return _commit_unchanged(job, expected, receipts)
    except LimitsExceeded:
        return "limits"


def commit_detached(job: Job, expected: Expected, receipts: Iterable[Receipt]) -> str:
    """`commit` for a job that nobody waits for: LATEST follows here, and limits raise, so that the job fails."""
    word = _commit_unchanged(job, expected, receipts)
    point_latest(job.output, job.version)
    return word


def _commit_unchanged(job: Job, expected: Expected, receipts: Iterable[Receipt]) -> str:
    made = list(receipts)
    try:
        refuse_changed_references(job, expected.files)
    except RunFailed:
        for receipt in made:
            job.dataset.remove(receipt_path(receipt.name))
        raise
    commit(job, expected, made)
    return "committed"


def complete(dataset: Folder, expected: Expected, receipts: Iterable[Receipt]) -> list[Receipt]:
    """All receipts in order, those of earlier runs read back. Raises RunFailed if one is missing."""
    known = {r.name: r for r in receipts}
    for name in expected.shards:
        if name not in known:
            try:
                known[name] = read_receipt(dataset, name)
            except FileNotFoundError as error:
                message = f"shard {name} was not written; run the same command again to finish"
                raise RunFailed(message) from error
    ordered = sorted((known[name] for name in expected.shards), key=lambda r: r.key)
    seen = sum(r.records for r in ordered)
    if seen != expected.records:
        raise RunFailed(
            f"{seen} records were read where the survey had counted {expected.records}: "
            "the input changed during the run; run the same command again"
        )
    return ordered


def check_limits(job: Job, receipts: list[Receipt]) -> None:
    """Raise LimitsExceeded if more records failed or copies were rejected than the config allows."""
    limits = job.config.limits
    records = sum(r.records for r in receipts)
    copies = sum(r.copies for r in receipts)
    failed = sum(r.failed_records for r in receipts)
    rejected = sum(n for r in receipts for reason, n in r.rejected.items() if reason != DOWNSAMPLED)
    problems = []
    if failed > limits.failed * records:
        reasons = _reasons(receipts, "failed")
        problems.append(_too_many("failed", f"{failed} of {records} records failed", limits.failed, reasons))
    if rejected > limits.rejected * max(copies, 1):
        reasons = _reasons(receipts, "rejected")
        problems.append(_too_many("rejected", f"{rejected} of {copies} copies were rejected", limits.rejected, reasons))
    if problems:
        where = job.dataset.full()
        raise LimitsExceeded(
            f"nothing was committed: {problems[0].message} See _failed and _rejected in {where}", tuple(problems)
        )


def _too_many(limit: str, what: str, allowed: float, reasons: dict[str, int]) -> Problem:
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
    remedy = f"Mend the input, or raise limits.{limit} and run again: what is written is kept."
    return Problem(f"limits.{limit}", f"{what} ({listed}); {allowed:g} of them are allowed.", remedy)


def _reasons(receipts: list[Receipt], kind: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for receipt in receipts:
        total.update(getattr(receipt, kind))
    return dict(sorted(total.items()))


def manifest_of(job: Job, expected: Expected, receipts: list[Receipt]) -> dict[str, Any]:
    """The manifest: everything that a reader must know, nothing that depends on when or where it was made."""
    return {
        "format": FORMAT,
        "version": job.version,
        "config": frozen_config(job.config),
        "field_order": list(job.config.fields),
        "input": {"files": [asdict(f) for f in expected.files], "records": expected.records},
        "libraries": libraries(job.config),
        "cpu": cpu(),
        **counted(receipts),
    }


def counted(receipts: list[Receipt]) -> dict[str, Any]:
    """What of the manifest is made of the receipts alone; they must be in order."""
    return {
        "splits": {
            s: _split([r for r in receipts if r.split == s]) for s in SPLITS if any(r.split == s for r in receipts)
        },
        "dropped": {kind: _reasons(receipts, kind) for kind in ("failed", "rejected")},
        "shards": [_listed(r.data, r) for r in receipts if r.data],
        "dropped_shards": [_listed(f, r) for r in receipts for f in r.dropped_files],
    }


def _listed(file: FileReceipt, receipt: Receipt) -> dict[str, Any]:
    return {**asdict(file), "split": receipt.split}


def _split(receipts: list[Receipt]) -> dict[str, Any]:
    classes: dict[str, list[int]] = {}
    for receipt in receipts:
        for label, (records, samples) in receipt.classes.items():
            counts = classes.setdefault(label, [0, 0])
            counts[0] += records
            counts[1] += samples
    return {
        "records": sum(r.records for r in receipts),
        "samples": sum(r.samples for r in receipts),
        "bytes": sum(r.data.bytes for r in receipts if r.data),
        "classes": {label: {"records": n[0], "samples": n[1]} for label, n in sorted(classes.items())},
    }


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
        raise Damaged(f"{dataset.full(MANIFEST)}: damaged: {error.msg}") from error
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
        raise RunFailed(
            f"{dataset.full(MANIFEST)} exists and differs from what this run made. "
            "The same version must have the same bytes: keep both and report which library or input differs."
        )


def point_latest(output: Folder, version: str) -> None:
    """Make LATEST name this version."""
    wanted = f"{version}\n".encode()
    if not output.exists(LATEST) or output.read(LATEST) != wanted:
        output.put(LATEST, wanted)
