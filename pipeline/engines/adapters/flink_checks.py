"""What is missing for a run on Flink, found before anything is submitted: one problem each, with what to do."""

from collections.abc import Mapping
from typing import Any

from pipeline.engines.adapters.flink_rest import Cluster, minor
from pipeline.engines.adapters.job_server import is_here, jar_version, server_problems
from pipeline.engines.adapters.worker_checks import output_problems, package_problems, worker_problems
from pipeline.errors import Problem
from pipeline.storage.folder import Folder


def problems(options: Mapping[str, Any], output: Folder) -> list[Problem]:
    """Java, jar, cluster, versions, slots, workers, output, package."""
    found = [*server_problems(options, "flink"), *package_problems(options)]
    cluster = Cluster.of(options)
    if cluster is None:
        return [*found, *_no_cluster(options), *worker_problems(options, here=True)]
    try:
        here = is_here(cluster.host)
        found += _cluster(options, cluster)
    except (OSError, ValueError) as error:
        remedy = "Is the cluster up, and is this the address of its REST interface (web page), as HOST:8081?"
        return [*found, Problem("--flink_master", f"Flink cannot be reached: {error}.", remedy)]
    return [*found, *worker_problems(options, here), *([] if here else output_problems(output))]


def _no_cluster(options: Mapping[str, Any]) -> list[Problem]:
    if not options.get("job_endpoint"):
        return []
    remedy = "Give the address of Flink's REST interface too: --flink_master HOST:8081."
    return [Problem("--job_endpoint", "fanbeam cannot look at the job server's cluster, nor cancel there.", remedy)]


def _cluster(options: Mapping[str, Any], cluster: Cluster) -> list[Problem]:
    """Raises OSError if it does not answer."""
    found = []
    runs, overview = cluster.version(), cluster.get("overview")
    jar = str(options.get("flink_job_server_jar") or "")
    made_for = jar_version(jar, "flink") or str(options.get("flink_version") or "")
    if not options.get("job_endpoint") and made_for and minor(runs) != minor(made_for):
        what = f"the cluster runs Flink {runs}, the job server is for {made_for}."
        where = "--flink_job_server_jar" if jar else "--flink_version"
        found.append(Problem(where, what, f"Give --flink_version={minor(runs)}, or a jar for it."))
    slots, parallelism = int(overview.get("slots-total", 0)), int(options.get("parallelism") or -1)
    if not overview.get("taskmanagers"):
        found.append(Problem("--flink_master", f"no TaskManager is registered at {cluster.url}.", "Start one or more."))
    elif parallelism > slots:
        what = f"{parallelism} is more than the {slots} slots of the cluster: the job would wait for ever."
        found.append(Problem("--parallelism", what, "Leave it out: fanbeam takes the free slots."))
    return found
