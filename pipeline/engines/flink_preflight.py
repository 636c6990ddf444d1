"""What is missing for a run on Flink, found before anything is submitted: one problem each, with what to do."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from pipeline.engines.flink_rest import Cluster, minor
from pipeline.engines.job_server import is_here, jar_problems, jar_version, java_problems, unreachable
from pipeline.errors import Problem
from pipeline.storage import Folder

_HOW_TO_JAR = "`bash scripts/engines/flink.sh up` makes one; or leave the option out, and Beam fetches its own."
_HOW_TO_WORKERS = (
    "PROCESS, EXTERNAL or DOCKER (docs/engines/flink.md says what each needs), "
    "and --setup_file=PATH/setup.py unless fanbeam is installed where the workers run."
)
_OF_ONE_MACHINE = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "f2fs", "squashfs", "vfat"}
_ENVIRONMENTS = ("DOCKER", "PROCESS", "EXTERNAL", "LOOPBACK")


def problems(options: Mapping[str, Any], output: Folder) -> list[Problem]:
    """Java, jar, cluster, versions, slots, workers, output, package."""
    found = [*_job_server(options), *_package(options)]
    cluster = Cluster.of(options)
    if cluster is None:
        return [*found, *_no_cluster(options), *_workers(options, here=True)]
    try:
        here = is_here(cluster.host)
        found += _cluster(options, cluster)
    except (OSError, ValueError) as error:
        remedy = "Is the cluster up, and is this the address of its REST interface (web page), as HOST:8081?"
        return [*found, Problem("--flink_master", f"Flink cannot be reached: {error}.", remedy)]
    return [*found, *_workers(options, here), *([] if here else _output(output))]


def _job_server(options: Mapping[str, Any]) -> list[Problem]:
    endpoint = options.get("job_endpoint")
    if endpoint:
        why = unreachable(str(endpoint))
        remedy = "Start Beam's job server there, or leave the option out: then one is started for the run."
        return [Problem("--job_endpoint", f"no job server at {endpoint}: {why}.", remedy)] if why else []
    found = jar_problems(str(options.get("flink_job_server_jar") or ""), "--flink_job_server_jar", _HOW_TO_JAR)
    if not options.get("flink_submit_uber_jar"):
        found += java_problems(str(options.get("job_server_java_launcher") or "java"))
    return found


def _package(options: Mapping[str, Any]) -> list[Problem]:
    path = str(options.get("setup_file") or "")
    if not path or (Path(path).is_file() and Path(path).name == "setup.py"):
        return []
    what = "is not called setup.py" if Path(path).is_file() else "there is no such file"
    remedy = "It is the setup.py of fanbeam's source: a checkout, or the unpacked source distribution."
    return [Problem("--setup_file", f"{path}: {what}.", remedy)]


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


def _workers(options: Mapping[str, Any], here: bool) -> list[Problem]:
    """Where Python runs. What is named on another machine cannot be looked at from here."""
    kind = str(options.get("environment_type") or "").upper()
    if kind == "LOOPBACK":
        what = "LOOPBACK renders in this process, which workers on another host cannot reach."
        return [] if here else [Problem("--environment_type", what, f"Choose {_HOW_TO_WORKERS}")]
    if kind == "PROCESS":
        return _process(options, here)
    if kind == "EXTERNAL":
        return _external(options, here)
    if kind in ("", "DOCKER"):
        own = any(options.get(name) for name in ("setup_file", "environment_config", "environment_options"))
        what = "nothing says where Python workers run: Beam's own containers do not have fanbeam."
        return [] if own or here else [Problem("--environment_type", what, f"Choose {_HOW_TO_WORKERS}")]
    return []  # a kind that Beam does not know: Beam names those that it does


def _process(options: Mapping[str, Any], here: bool) -> list[Problem]:
    command = _option(options, "process_command")
    form = """Give --environment_config='{"command": "/PATH/boot.sh"}', a program that each TaskManager can start."""
    with suppress(orjson.JSONDecodeError, AttributeError):
        command = command or str(orjson.loads(options.get("environment_config") or "{}").get("command") or "")
        if not command:
            return [Problem("--environment_config", "PROCESS needs the command that starts a worker.", form)]
        if here and not (Path(command).is_file() and os.access(command, os.X_OK)):
            what = "cannot be executed" if Path(command).is_file() else "there is no such file"
            return [Problem("--environment_config", f"{command}: {what}.", form)]
        return []
    return [Problem("--environment_config", f"{options['environment_config']} is no JSON object.", form)]


def _external(options: Mapping[str, Any], here: bool) -> list[Problem]:
    address = _option(options, "external_service_address") or str(options.get("environment_config") or "")
    form = "Start `python -m apache_beam.runners.worker.worker_pool_main --service_port PORT` beside each TaskManager."
    if not address:
        return [Problem("--environment_config", "EXTERNAL needs host:port of a worker pool.", form)]
    if not here and is_here(address.rpartition(":")[0]):
        return []  # each TaskManager means its own host
    why = unreachable(address)
    return [Problem("--environment_config", f"no worker pool at {address}: {why}.", form)] if why else []


def _option(options: Mapping[str, Any], name: str) -> str:
    """A value of `--environment_options name=value`."""
    pairs = (str(word).partition("=") for word in options.get("environment_options") or ())
    return next((value for key, _, value in pairs if key == name), "")


def _output(output: Folder) -> list[Problem]:
    """A mounted file system may be everybody's; a disk of this machine is not."""
    kind = _file_system(output.url) if output.local else ""
    if kind not in _OF_ONE_MACHINE:
        return []
    what = f"{output.url} lies on a disk of this machine ({kind}), which workers on other hosts do not see."
    return [Problem("output.path", what, "Write to an object store (s3://, gs://, az://) or a mounted file system.")]


def _file_system(path: str) -> str:
    """Kind of the file system that holds a path, where the operating system tells."""
    with suppress(OSError):
        lines = Folder("/proc").read("mounts").decode("utf-8", "replace").splitlines()
        mounts = [(w[1].replace("\\040", " "), w[2]) for w in (line.split(" ") for line in lines) if len(w) > 2]
        inside = [(len(at), kind) for at, kind in mounts if f"{path}/".startswith(f"{at.rstrip('/')}/")]
        return max(inside, default=(0, ""))[1]
    return ""
