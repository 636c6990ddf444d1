"""Receipts -> manifest. The manifest is the commit: put if absent, after everything it names is there."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.audit.leak_counts import Findings
from pipeline.audit.row_digests import Portion
from pipeline.dataset.card import card_files, with_documents
from pipeline.dataset.completeness import refuse_unwritten
from pipeline.dataset.leak_certificate import certify, check_leaks, stated, unaudited
from pipeline.dataset.manifest import differs, publish, read_manifest
from pipeline.dataset.publishing import is_committed
from pipeline.dataset.receipts import read_receipt, written_files
from pipeline.dataset.totals import SplitTotals, Tally
from pipeline.errors import LimitsExceeded, Problem, RunFailed
from pipeline.planning.copies.table import DOWNSAMPLED
from pipeline.planning.fingerprint import FORMAT, cpu, frozen_config, libraries
from pipeline.planning.job import Job
from pipeline.records import InputFile, Receipt
from pipeline.sources.range_reads import in_order
from pipeline.sources.snapshot import refuse_changed_references
from pipeline.splitting.history.ledger import count_in
from pipeline.storage.folder import Folder
from pipeline.storage.layout import LATEST, RECEIPTS, receipt_path

COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be there before a version can be committed."""

    shards: tuple[str, ...]
    records: int
    files: tuple[InputFile, ...]
    split: Mapping[str, Any] = field(default_factory=dict)
    """How the splits were decided, where no record tells its own."""


def receipted(dataset: Folder) -> set[str]:
    """Names of the shards that have a receipt, sound or not."""
    return {name.removesuffix(".json") for name in dataset.names(RECEIPTS) if name.endswith(".json")}


def finished(dataset: Folder) -> set[str]:
    """Names of the shards that have a receipt and the files that it names, whole; any other is rendered again."""
    names = receipted(dataset)
    sizes = {file.path: file.size for file in dataset.walk()} if names else {}
    return {name for name, proven in in_order(lambda n: (n, _proven(dataset, n, sizes)), names) if proven}


def _proven(dataset: Folder, name: str, sizes: dict[str, int]) -> bool:
    try:
        receipt = read_receipt(dataset, name)
    except RunFailed:
        return False
    return all(sizes.get(file.path) == file.bytes for file in written_files(receipt))


def commit(job: Job, expected: Expected, made: Tally, found: Findings | None = None) -> dict[str, Any]:
    """Check the sums over all receipts against the plan and the limits, then publish certificate, card and manifest.

    A manifest that another run put meanwhile is adopted if it is of the same shards; nothing is put or removed then.
    `found`: by the audit of what is written; None: it is done here. Raises RunFailed if something is missing or another
    manifest is there already, LimitsExceeded if too much was dropped or leaks; then nothing is committed and everything
    that was written stays for the next run.
    """
    tally = complete(job.dataset, expected, made)
    there = read_manifest(job.dataset)
    if there is not None:
        return _adopted(job.dataset, there, tally)
    check_limits(job, tally)
    leaks = certify(job, tally, found)
    check_leaks(job, leaks)
    manifest = manifest_of(job, expected, tally) | {"leaks": stated(leaks)}
    refuse_unwritten(job.dataset, manifest, expected.shards)
    documents = card_files(job, manifest)
    manifest = with_documents(manifest, documents)
    for name, data in documents:
        if not is_committed(job.dataset):
            job.dataset.put(name, data)
    publish(job.dataset, manifest)
    return manifest


def _adopted(dataset: Folder, manifest: dict[str, Any], tally: Tally) -> dict[str, Any]:
    """A manifest that is there already. Raises RunFailed if it is of other shards than these."""
    if any(manifest.get(part) != made for part, made in tally.as_json().items()):
        raise differs(dataset)
    return manifest


def commit_outcome(job: Job, expected: Expected, made: Tally, found: Findings | None = None) -> str:
    """`commit` for an engine: a word instead of an exception, since engines run what raised once more."""
    try:
        commit(job, expected, made, found)
    except LimitsExceeded:
        return "limits"
    return COMMITTED


def commit_detached(job: Job, expected: Expected, made: Tally, found: Findings | None = None) -> None:
    """`commit` for a job that nobody waits for: LATEST follows here, and limits raise, so that the job fails."""
    commit(job, expected, made, found)
    announce(job)


def completed(job: Job, expected: Expected, made: Tally) -> Tally:
    """The sums over all shards, made of the input as it was listed.

    Raises RunFailed if files that the input refers to changed; this run's receipts go, so that no run adopts them.
    """
    try:
        refuse_changed_references(job, expected.files)
    except RunFailed:
        for name in sorted(made.names):
            if not is_committed(job.dataset):
                job.dataset.remove(receipt_path(name))
        raise
    return complete(job.dataset, expected, made)


def to_audit(job: Job, tally: Tally) -> list[Portion]:
    """Written files that the commit wants audited: none where it will refuse anyway, or where that was done before."""
    try:
        check_limits(job, tally)
    except LimitsExceeded:
        return []
    return unaudited(job, tally)


def complete(dataset: Folder, expected: Expected, made: Tally) -> Tally:
    """The sums over all shards, receipts of earlier runs read back. Raises RunFailed if one is missing."""
    wanted = set(expected.shards)
    if not made.names <= wanted:
        raise RunFailed(f"shards {sorted(made.names - wanted)[:3]} are not in the plan; run the same command again")
    for receipt in in_order(lambda name: _written(dataset, name), [n for n in expected.shards if n not in made.names]):
        made.add(receipt)
    if made.records != expected.records:
        raise RunFailed(
            f"{made.records} records were read where the survey had counted {expected.records}: "
            "the input changed during the run; run the same command again"
        )
    return made


def _written(dataset: Folder, name: str) -> Receipt:
    try:
        return read_receipt(dataset, name)
    except FileNotFoundError as error:
        raise RunFailed(f"shard {name} was not written; run the same command again to finish") from error


def check_limits(job: Job, tally: Tally) -> None:
    """Raise LimitsExceeded if more records failed or copies were rejected than the config allows, or nothing is left.

    An empty version, or one without training samples, is committed under no limit.
    """
    limits = job.config.limits
    records, failed, copies = tally.records, tally.failed_records, tally.copies
    rejected = tally.rejected.total() - tally.rejected[DOWNSAMPLED]
    problems = []
    if failed > limits.failed * records:
        problems.append(_too_many("failed", f"{failed} of {records} records failed", limits.failed, tally.failed))
    if rejected > limits.rejected * max(copies, 1):
        what = f"{rejected} of {copies} copies were rejected"
        problems.append(_too_many("rejected", what, limits.rejected, tally.rejected))
    problems += _emptied(tally)
    if problems:
        where = job.dataset.full()
        raise LimitsExceeded(
            f"nothing was committed: {problems[0].message} See _failed and _rejected in {where}", tuple(problems)
        )


def _emptied(tally: Tally) -> list[Problem]:
    """Splits that matter and of whose records nothing is left."""
    train = tally.splits.get("train", SplitTotals())
    samples = sum(totals.samples for totals in tally.splits.values())
    if samples and (train.samples or not train.records):
        return []
    what = "train" if samples else "the dataset"
    reasons = Counter(tally.failed) + Counter(tally.rejected)
    listed = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    message = f"{what} would be empty: nothing is left of {train.records or tally.records} records ({listed})."
    remedy = "Fix the input; docs/reasons.md says what each reason means. An empty dataset is committed under no limit."
    return [Problem("input", message, remedy)]


def _too_many(limit: str, what: str, allowed: float, reasons: Mapping[str, int]) -> Problem:
    listed = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    remedy = f"Mend the input, or raise limits.{limit} and run again: what is written is kept."
    return Problem(f"limits.{limit}", f"{what} ({listed}); {allowed:g} of them are allowed.", remedy)


def manifest_of(job: Job, expected: Expected, tally: Tally) -> dict[str, Any]:
    """The manifest: everything that a reader must know, nothing that depends on when or where it was made."""
    return {
        "format": FORMAT,
        "version": job.version,
        "config": frozen_config(job.config),
        "field_order": list(job.config.fields),
        "input": {"files": [asdict(f) for f in expected.files], "records": expected.records},
        "libraries": libraries(job.config),
        "cpu": cpu(),
        **({"split": dict(expected.split)} if expected.split else {}),
        **({"not_reproducible": tally.irreproducible} if tally.irreproducible else {}),
        **tally.as_json(),
    }


def announce(job: Job) -> None:
    """What follows a commit: LATEST names the version, and its splits count for those to come."""
    point_latest(job.output, job.version)
    count_in(job)


def point_latest(output: Folder, version: str) -> None:
    """Make LATEST name this version."""
    wanted = f"{version}\n".encode()
    if not output.exists(LATEST) or output.read(LATEST) != wanted:
        output.put(LATEST, wanted)
