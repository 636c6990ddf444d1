"""The leak certificate as part of a commit: what the audit of the written shards comes to, and what it forbids."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson

from pipeline.audit.leak_counts import Findings
from pipeline.audit.leaks import CERTAIN, KINDS, Leaks, leaks_from
from pipeline.audit.row_digests import Looked, Portion
from pipeline.audit.shard_audit import audited_here, leaks_of, portions_of, seal_of
from pipeline.audit.signatures import Wish, near_fields
from pipeline.config.schema import JobConfig
from pipeline.dataset.totals import Tally
from pipeline.errors import LimitsExceeded, Problem, RunFailed
from pipeline.planning.fingerprint import frozen_config, missing_for
from pipeline.planning.job import Job
from pipeline.storage.layout import LEAKS

MOST_BY_DEFAULT = 10_000
"""Records up to which near duplicates are looked for without being asked for: it adds half a minute at most."""
_NAMED = 3
_MANY = (
    "near duplicates ({}) were not looked for among more than {} records: "
    "certificate: near looks for them, certificate: facts leaves them out"
)
_REMEDY = "{}, mend the input, or raise limits.leaks and run again: what is written is kept."
_NEWER = "The plan says how many and why; split: {sticky: false} holds out the newest anew"
_SPELLED = (
    "{} validation and test rows have an id or are of a group that train has too, but for case, blanks or a .0 "
    "(leaks.json, spelling). If these are the same, write them alike in the input"
)
_TOGETHER = "Name what belongs together (input.group, split.keep_together)"
_COLUMN = "Mend the column {!r}, which alone decides the splits"


def looked_at(job: Job) -> Looked:
    """What identifies rows in a job's shards."""
    return Looked.at(frozen_config(job.config), list(job.config.fields))


def looked_for(job: Job, records: int) -> Looked:
    """The same, with what is to be looked for besides: near duplicates of the fields for which somebody asks."""
    config, looked = job.config, looked_at(job)
    asked = {n: Wish(s.threshold, s.mirrored, True) for n, s in config.near_duplicates.items()}
    others = [] if config.certificate == "facts" else [f.name for f in looked.telling if f.name not in asked]
    left_out = others if config.certificate is None and records > MOST_BY_DEFAULT else []
    wishes = {name: Wish() for name in others if name not in left_out} | asked
    missing = sorted({name for f in looked.fields if f.name in wishes for name in missing_for(f.modality)})
    notes = [_MANY.format(", ".join(left_out), MOST_BY_DEFAULT)] if left_out else []
    if missing:
        wishes = {f.name: wishes[f.name] for f in looked.fields if f.name in wishes and not missing_for(f.modality)}
        notes.append(f"near duplicates need {', '.join(missing)}: pip install {' '.join(missing)}")
    near = near_fields(looked, wishes) if wishes else ()
    return replace(looked, near=near, copies=config.certificate == "full" and bool(near), note="; ".join(notes))


def looks_for_near(config: JobConfig) -> bool:
    """Whether a job may look for near duplicates; else its graph has no steps for them."""
    if config.certificate == "facts" and not config.near_duplicates:
        return False
    return any(not missing_for(field.type) for field in config.fields.values())


def unaudited(job: Job, tally: Tally) -> list[Portion]:
    """The files that the certificate is still to look at: none if an earlier run has looked at these very bytes."""
    if kept_leaks(job, tally) is not None:
        return []
    return portions_of(_shards(tally), looked_for(job, tally.records), tally.records)


def kept_leaks(job: Job, tally: Tally) -> Leaks | None:
    """The certificate that lies there, if it is of these shards."""
    try:
        data = job.dataset.read(LEAKS)
        found = leaks_from(orjson.loads(data))
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None
    whole = leaks_bytes(found) == data and all(_there(job, file) for file in found.pictures)
    same = whole and found.audited == seal_of(_shards(tally), looked_for(job, tally.records))
    return found if same else None


def certify(job: Job, tally: Tally, found: Findings | None) -> Leaks:
    """Write the certificate. `found`: what an engine's steps found; None: look now. Raises RunFailed."""
    known = kept_leaks(job, tally)
    if known is not None:
        return known
    looked, shards = looked_for(job, tally.records), _shards(tally)
    portions = portions_of(shards, looked, tally.records)
    findings = audited_here(job.dataset, portions) if found is None else found
    if findings.read.total() != sum(p.rows for p in portions):
        raise RunFailed(
            f"the audit read {findings.read.total()} rows where the receipts say {sum(p.rows for p in portions)}; "
            "run the same command again"
        )
    leaks = leaks_of(job.dataset, shards, looked, findings)
    leaks.pictures = _pictures(job, looked, portions, findings)
    job.dataset.put(LEAKS, leaks_bytes(leaks))
    return leaks


def _pictures(job: Job, looked: Looked, portions: list[Portion], findings: Findings) -> list[dict[str, Any]]:
    """The closest pairs as a picture beside the certificate, if they can be seen or heard."""
    from pipeline.preview.leak_sheet import leak_sheet
    from pipeline.storage.layout import LEAK_SHEET

    sheet = leak_sheet(job, looked, portions, findings.links) if findings.links else None
    if sheet is None:
        job.dataset.remove(LEAK_SHEET)  # of an audit that looked for more
        return []
    job.dataset.put(LEAK_SHEET, sheet)
    return [_file(LEAK_SHEET, sheet)]


def _file(path: str, data: bytes) -> dict[str, Any]:
    return {"path": path, "bytes": len(data), "sha256": sha256(data).hexdigest()}


def _there(job: Job, file: Mapping[str, Any]) -> bool:
    try:
        return _file(file["path"], job.dataset.read(file["path"])) == file
    except OSError:
        return False


def leaks_bytes(leaks: Leaks) -> bytes:
    """The certificate as it is stored."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(leaks.as_json(), option=options)


def stated(leaks: Leaks) -> dict[str, Any]:
    """What the manifest says of it: the counts, and the files that hold the rest."""
    data = leaks_bytes(leaks)
    files = [_file(LEAKS, data), *leaks.pictures]
    leaking = {kind: leaks.count(kind) for kind in KINDS}
    kept = leaks.checked["kept_together"]
    near = sorted({p.what for p in leaks.pairs if p.kind == "near" and p.what not in kept})
    said = {"clean": leaks.clean, "unchecked": leaks.unchecked, "leaking": leaking, "stopping": leaks.stopping}
    return {
        **said,
        "disorder": leaks.disorder,
        "looked_for_near": bool(leaks.checked["near"]),
        "near_fields": near,
        "note": leaks.checked["note"],
        "files": files,
    }


def check_leaks(job: Job, leaks: Leaks) -> None:
    """Raise LimitsExceeded if more held-out records share a fact with training records than the config allows."""
    allowed = job.config.limits.leaks
    if leaks.stopping <= allowed * leaks.held_out:
        return
    stopping = CERTAIN | ({"near"} if leaks.checked["kept_together"] else set())
    kinds = ", ".join(f"{kind} {leaks.count(kind)}" for kind in KINDS if kind in stopping and leaks.count(kind))
    what = f"{leaks.stopping} of {leaks.held_out} validation and test records leak into train ({kinds}); "
    problem = Problem(
        "limits.leaks",
        f"{what}{allowed:g} of them are allowed. {_first(leaks, stopping)}",
        _REMEDY.format(_cure(job.config)),
    )
    where = job.dataset.full(LEAKS)
    raise LimitsExceeded(f"nothing was committed: {problem.message} All pairs: {where}", (problem,))


def _cure(config: JobConfig) -> str:
    column = config.split.split_column
    return _TOGETHER if column is None else _COLUMN.format(column)


def leak_warnings(config: JobConfig, leaks: Mapping[str, Any]) -> list[str]:
    """What people should know of a certificate that stopped nothing; `leaks` as the manifest says it."""
    told = [f"the audit of leaks is not complete. {sentence}" for sentence in leaks.get("unchecked", ())]
    if leaks.get("disorder"):
        told.append(f"training rows are not all older than held-out ones: {leaks['disorder']}. {_NEWER}")
    if leaks["leaking"].get("spelling"):
        told.append(_SPELLED.format(leaks["leaking"]["spelling"]))
    rows, fields = leaks["leaking"]["near"], leaks["near_fields"]
    if not rows or not fields:
        return told
    line = f"split: {{keep_together: {{near_duplicates: {{{', '.join(f'{name}: {{}}' for name in fields)}}}}}}}"
    cure = f"To keep such together: {line}" if config.split.split_column is None else f"{_cure(config)}."
    return [*told, f"{rows} validation and test records have a near duplicate in train (leaks.json). {cure}"]


def _first(leaks: Leaks, kinds: Set[str]) -> str:
    pairs = [p for p in leaks.pairs if p.kind in kinds][:_NAMED]
    told = [f"{p.kind}: {p.train!r} (train), {p.validation!r} ({p.side}; {p.what})" for p in pairs]
    return f"First: {'; '.join(told)}."


def _shards(tally: Tally) -> Sequence[Mapping[str, Any]]:
    shards: Sequence[Mapping[str, Any]] = tally.as_json()["shards"]
    return shards
