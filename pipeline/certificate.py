"""The leak certificate as part of a commit: what the audit of the written shards comes to, and what it forbids."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson

from pipeline.audit.certificate import LEAKS, audited, leaks_of, portions_of, seal_of
from pipeline.audit.counting import Findings
from pipeline.audit.findings import CERTAIN, KINDS, Leaks, leaks_from
from pipeline.audit.marks import Looked, Portion
from pipeline.errors import LimitsExceeded, Problem, RunFailed
from pipeline.fingerprint import frozen_config
from pipeline.job import Job
from pipeline.tally import Tally

_NAMED = 3
_REMEDY = (
    "Name what belongs together (input.group, split.keep_together), mend the input, "
    "or raise limits.leaks and run again: what is written is kept."
)


def looked_at(job: Job) -> Looked:
    """What the audit of a job's shards looks at."""
    return Looked.at(frozen_config(job.config), list(job.config.fields))


def unaudited(job: Job, tally: Tally) -> list[Portion]:
    """The files that the certificate is still to look at: none if an earlier run has looked at these very bytes."""
    if kept_leaks(job, tally) is not None:
        return []
    return portions_of(_shards(tally), looked_at(job))


def kept_leaks(job: Job, tally: Tally) -> Leaks | None:
    """The certificate that lies there, if it is of these shards."""
    try:
        data = job.dataset.read(LEAKS)
        found = leaks_from(orjson.loads(data))
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None
    whole = leaks_bytes(found) == data
    return found if whole and found.audited == seal_of(_shards(tally), looked_at(job)) else None


def certify(job: Job, tally: Tally, found: Findings | None) -> Leaks:
    """Write the certificate. `found`: what an engine's steps found; None: look now. Raises RunFailed."""
    known = kept_leaks(job, tally)
    if known is not None:
        return known
    looked, shards = looked_at(job), _shards(tally)
    portions = portions_of(shards, looked)
    findings = audited(job.dataset, portions, looked) if found is None else found
    if findings.read.total() != sum(p.rows for p in portions):
        raise RunFailed(
            f"the audit read {findings.read.total()} rows where the receipts say {sum(p.rows for p in portions)}; "
            "run the same command again"
        )
    leaks = leaks_of(job.dataset, shards, looked, findings)
    job.dataset.put(LEAKS, leaks_bytes(leaks))
    return leaks


def leaks_bytes(leaks: Leaks) -> bytes:
    """The certificate as it is stored."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(leaks.as_json(), option=options)


def stated(leaks: Leaks) -> dict[str, Any]:
    """What the manifest says of it: the counts, and the files that hold the rest."""
    data = leaks_bytes(leaks)
    files = [{"path": LEAKS, "bytes": len(data), "sha256": sha256(data).hexdigest()}]
    leaking = {kind: leaks.count(kind) for kind in KINDS}
    return {"clean": leaks.clean, "leaking": leaking, "certain": leaks.certain, "files": files}


def check_leaks(job: Job, leaks: Leaks) -> None:
    """Raise LimitsExceeded if more held-out records share a fact with training records than the config allows."""
    allowed = job.config.limits.leaks
    if leaks.certain <= allowed * leaks.held_out:
        return
    kinds = ", ".join(f"{kind} {leaks.count(kind)}" for kind in KINDS if kind in CERTAIN and leaks.count(kind))
    what = f"{leaks.certain} of {leaks.held_out} validation and test records leak into train ({kinds}); "
    problem = Problem("limits.leaks", f"{what}{allowed:g} of them are allowed. {_examples(leaks)}", _REMEDY)
    where = job.dataset.full(LEAKS)
    raise LimitsExceeded(f"nothing was committed: {problem.message} All pairs: {where}", (problem,))


def _examples(leaks: Leaks) -> str:
    pairs = [p for p in leaks.pairs if p.kind in CERTAIN][:_NAMED]
    told = [f"{p.kind}: {p.train!r} (train), {p.validation!r} ({p.side}; {p.what})" for p in pairs]
    return f"First: {'; '.join(told)}."


def _shards(tally: Tally) -> Sequence[Mapping[str, Any]]:
    shards: Sequence[Mapping[str, Any]] = tally.as_json()["shards"]
    return shards
