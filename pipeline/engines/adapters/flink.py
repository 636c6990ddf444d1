"""Flink: what `--runner flink` adds to Beam's options, cancelling, and why a job died. Preflight: flink_preflight.

Without `--flink_master` a cluster runs inside the job server, and this process renders (LOOPBACK): no set-up at all.
With one, Python workers run where `--environment_type` says; see docs/engines/flink.md.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pipeline.engines.adapters.flink_checks import problems
from pipeline.engines.adapters.flink_rest import Cluster, minor
from pipeline.engines.adapters.job_server import cached_jar, is_here, jar_version, leashed
from pipeline.engines.adapters.worker_checks import own_workers, refuse_without_fanbeam
from pipeline.engines.local.pool import default_count
from pipeline.errors import RunFailed

__all__ = ["cancel", "cause", "problems", "settled"]

_JAR_VARIABLE = "FANBEAM_FLINK_JOB_SERVER_JAR"
_NO_BUFFERS = "Insufficient number of network buffers"
_CANCEL_SECONDS = 60.0
_KEEP_WORKERS_MS = 60_000
"""Else each stage of the graph starts its own. After the job they stay as long, or until they notice its end."""
_APPEARS_SECONDS = 10.0  # a job server that goes on running may still be on its way to submit the job


def settled(given: Mapping[str, Any]) -> list[str]:
    """Where workers run and how long, the job server's jar and the Flink version that fit, a task per free slot."""
    cluster = Cluster.of(given)
    options = {**_environment(given, cluster), **_job_server(given, cluster)}
    if {**options, **given}.get("environment_type") != "LOOPBACK":
        options["environment_cache_millis"] = str(_KEEP_WORKERS_MS)
    if cluster is not None or "job_endpoint" not in given:
        options["parallelism"] = _slots(cluster)
    chosen = [f"--{name}={value}" for name, value in options.items() if value and name not in given]
    own_server = "job_endpoint" not in given and not given.get("flink_submit_uber_jar")
    return chosen + leashed(given) if own_server else chosen


def _environment(given: Mapping[str, Any], cluster: Cluster | None) -> dict[str, str]:
    """A cluster of this machine reaches this process; what runs elsewhere needs workers of its own."""
    near = "job_endpoint" not in given if cluster is None else _near(cluster)
    return {"environment_type": "LOOPBACK"} if near and not own_workers(given) else {}


def _near(cluster: Cluster) -> bool:
    with suppress(ValueError):
        return is_here(cluster.host)
    return False


def _job_server(given: Mapping[str, Any], cluster: Cluster | None) -> dict[str, str]:
    """The jar at hand, if it is for the cluster's Flink; else Beam fetches its own for that version."""
    if "job_endpoint" in given:
        return {}
    jar = str(given.get("flink_job_server_jar") or cached_jar("flink", _JAR_VARIABLE))
    made_for, wanted = jar_version(jar, "flink"), str(given.get("flink_version", ""))
    if not wanted and cluster is not None:
        with suppress(OSError):
            wanted = minor(cluster.version())
    if not made_for or wanted in ("", made_for):
        return {"flink_job_server_jar": jar, "flink_version": made_for or wanted}
    return {"flink_version": wanted}


def _slots(cluster: Cluster | None) -> str:
    """Free slots, or all of them while others are at work; what this machine has cores for without a cluster."""
    if cluster is None:
        return str(default_count())
    with suppress(OSError):
        overview = cluster.get("overview")
        return str(overview.get("slots-available") or overview.get("slots-total") or "")
    return ""


def cancel(options: Mapping[str, Any], job_name: str) -> None:
    """End the Flink job over REST: Beam's own cancel only stops watching it. Raises OSError."""
    cluster = Cluster.of(options)
    if cluster is not None:
        cluster.cancel(job_name, _APPEARS_SECONDS if options.get("job_endpoint") else 2.0, _CANCEL_SECONDS)


def cause(options: Mapping[str, Any], job_name: str) -> str:
    """The root of what Flink tells of the job. Raises RunFailed for what no further attempt can mend."""
    cluster = Cluster.of(options)
    if cluster is None:
        return ""
    try:
        trace = cluster.failure(job_name)
    except OSError as error:
        return f"Flink does not answer: {error}"
    refuse_without_fanbeam(trace)
    if _NO_BUFFERS in trace:
        raise RunFailed(
            "the TaskManagers have too few network buffers for the shuffles of the job. In Flink's configuration set "
            "taskmanager.network.sort-shuffle.min-buffers: 64 and taskmanager.memory.network.min and max: 192m "
            "(docs/engines/flink.md), or give a smaller --parallelism"
        )
    return _root(trace)


def _root(trace: str) -> str:
    """The line of a stack trace that says most: the Python error of a worker, else the innermost cause."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    python = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit|Interrupt)\b.*\[while running", line)]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    found = python[-1] if python else (causes[-1] if causes else next(iter(lines), ""))
    return re.sub(r"^(?:[a-z_][\w$]*\.)+(?=[A-Z])", "", found).rstrip(".")
