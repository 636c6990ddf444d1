"""Where an engine runs Python: what is missing for that, alike for all engines of Beam's portable kind."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from pipeline.engines.adapters.job_server import is_here, unreachable
from pipeline.errors import Problem, RunFailed
from pipeline.storage.folder import Folder

_HOW_TO_WORKERS = (
    "PROCESS, EXTERNAL or DOCKER (docs/engines says what each needs), "
    "and --setup_file=PATH/setup.py unless fanbeam is installed where the workers run."
)
_NO_FANBEAM = re.compile(r"ModuleNotFoundError: No module named '(pipeline|transforms)\b")
_OWN = {"environment_type", "environment_config", "environment_options"}
_OF_ONE_MACHINE = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "f2fs", "squashfs", "vfat"}


def own_workers(given: Mapping[str, Any]) -> bool:
    """Whether options given on the command line say where Python is to run."""
    return bool(_OWN & set(given))


def package_problems(options: Mapping[str, Any]) -> list[Problem]:
    """The setup.py that is to be sent along."""
    path = str(options.get("setup_file") or "")
    if not path or (Path(path).is_file() and Path(path).name == "setup.py"):
        return []
    what = "is not called setup.py" if Path(path).is_file() else "there is no such file"
    remedy = "It is the setup.py of fanbeam's source: a checkout, or the unpacked source distribution."
    return [Problem("--setup_file", f"{path}: {what}.", remedy)]


def worker_problems(options: Mapping[str, Any], here: bool) -> list[Problem]:
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
    form = """Give --environment_config='{"command": "/PATH/boot.sh"}', a program on each machine."""
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
    form = "Start `python -m apache_beam.runners.worker.worker_pool_main --service_port PORT` on each machine."
    if not address:
        return [Problem("--environment_config", "EXTERNAL needs host:port of a worker pool.", form)]
    if not here and is_here(address.rpartition(":")[0]):
        return []  # each machine means itself
    why = unreachable(address)
    return [Problem("--environment_config", f"no worker pool at {address}: {why}.", form)] if why else []


def _option(options: Mapping[str, Any], name: str) -> str:
    """A value of `--environment_options name=value`."""
    pairs = (str(word).partition("=") for word in options.get("environment_options") or ())
    return next((value for key, _, value in pairs if key == name), "")


def output_problems(output: Folder) -> list[Problem]:
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


def refuse_without_fanbeam(told: str) -> None:
    """Raise RunFailed if what a worker died of is that it has no fanbeam: no further attempt can mend that."""
    if _NO_FANBEAM.search(told):
        raise RunFailed(
            "the workers cannot import fanbeam. Install it where they run, with the same libraries, "
            "or send it along: --setup_file=PATH/setup.py"
        )
