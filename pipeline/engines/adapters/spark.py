"""Spark: what `--runner spark` adds to Beam's options, what is missing, cancelling, and why a job died.

Without `--spark_master_url` Spark runs inside the job server, and this process renders (LOOPBACK): no set-up at all.
With `spark://HOST:PORT`, Python workers run where `--environment_type` says; see docs/engines/spark.md.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.engines.adapters.job_server import cached_jar, is_here, leashed, server_problems, unreachable
from pipeline.engines.adapters.spark_rest import Master, is_local
from pipeline.engines.adapters.worker_checks import output_problems, own_workers, package_problems, worker_problems
from pipeline.engines.local.pool import default_count
from pipeline.errors import Problem
from pipeline.storage.folder import Folder

_JAR_VARIABLE = "FANBEAM_SPARK_JOB_SERVER_JAR"
_TRIES = 4  # of a task, as many as a Spark cluster gives it; plain local[N] gives one
_KEEP_WORKERS_MS = 600_000  # else each of the graph's three stages starts Python anew
_CANCEL_SECONDS = 60.0


def settled(given: Mapping[str, Any]) -> list[str]:
    """A local Spark unless one is named, the job server's jar, where workers run, and for how long they are kept."""
    options: dict[str, str] = {}
    if "job_endpoint" not in given:
        options["spark_job_server_jar"] = cached_jar("spark", _JAR_VARIABLE)
        options["spark_master_url"] = f"local[{default_count()},{_TRIES}]"
    if _near(given) and not own_workers(given):
        options["environment_type"] = "LOOPBACK"
    if "environment_type" not in {**options, **given} or given.get("environment_type") in ("PROCESS", "DOCKER"):
        options["environment_cache_millis"] = str(_KEEP_WORKERS_MS)
    added = [f"--{name}={value}" for name, value in options.items() if value and name not in given]
    return [*added, *_java({**options, **given})]


def _near(given: Mapping[str, Any]) -> bool:
    """Whether all of Spark is on this machine, as far as the options tell."""
    master = Master.of(given)
    if master is not None:
        return all(is_here(host) for host, _ in master.addresses)
    return is_local(given) and "job_endpoint" not in given


def _java(options: Mapping[str, Any]) -> list[str]:
    """How a job server is started for the run: it ends with this process; on one machine Spark listens on loopback."""
    if "job_endpoint" in options or options.get("spark_submit_uber_jar"):
        return []
    jar = str(options.get("spark_job_server_jar") or "")
    properties = ["driver.host=localhost", "driver.bindAddress=127.0.0.1", "ui.enabled=false"] if _near(options) else []
    if properties and not is_local(options) and jar and "://" not in jar:
        # Executors of this machine read the jar where it lies; else each job would send them 280 MB.
        properties.append(f"executor.extraClassPath={jar}")
    return [*leashed(options), *(f"--job_server_jvm_properties=-Dspark.{p}" for p in properties)]


def problems(options: Mapping[str, Any], output: Folder) -> list[Problem]:
    """Java, jar, job server, package, master, workers, output."""
    found = [*server_problems(options, "spark"), *package_problems(options)]
    try:
        master = Master.of(options)
    except ValueError:
        what = f"{options.get('spark_master_url')} is not of the form spark://HOST:PORT."
        return [
            *found,
            Problem("--spark_master_url", what, "Give the address that the master's page shows at its top."),
        ]
    here = _near({k: v for k, v in options.items() if v is not None}) or master is None
    if master is not None:
        found += _master(master)
    if options.get("spark_submit_uber_jar") and not options.get("spark_rest_url"):
        what = "--spark_submit_uber_jar needs the address of Spark's REST interface."
        found.append(Problem("--spark_rest_url", what, "Give http://HOST:6066 (spark.master.rest.enabled=true there)."))
    return [*found, *worker_problems(options, here), *([] if here else output_problems(output))]


def _master(master: Master) -> list[Problem]:
    """Unreachable, or without workers: a job would wait for ever. A page that is not found proves nothing."""
    whys = [(f"{host}:{port}", unreachable(f"{host}:{port}")) for host, port in master.addresses]
    if all(why for _, why in whys):
        what = "; ".join(f"no Spark master at {address}: {why}" for address, why in whys)
        remedy = "Is it up, and is this the address that its page shows at its top (spark://HOST:7077)?"
        return [Problem("--spark_master_url", f"{what}.", remedy)]
    try:
        alive = master.workers()
    except OSError:
        return []
    what = "the Spark master has no worker that is alive: the job would wait for ever."
    return [] if alive else [Problem("--spark_master_url", what, "Start one or more.")]


def cancel(options: Mapping[str, Any], job_name: str) -> None:
    """End the application through the master's page, if a job server that goes on running has not. Raises OSError."""
    master = Master.of(options)
    if master is not None:
        # A job server that goes on running may still be on its way to submit it.
        master.cancel(job_name, 10.0 if options.get("job_endpoint") else 2.0, _CANCEL_SECONDS)


def cause(options: Mapping[str, Any], job_name: str) -> str:
    """What the master knows; Beam itself tells what a task died of."""
    master = Master.of(options)
    if master is None:
        return ""
    if not master.workers():
        return "Spark has no worker left"
    states = [state for _, state in master.applications(job_name)]
    return "the Spark application was killed" if states[:1] == ["KILLED"] else ""
