"""Prism, Beam's own small runner in Go: which program `--runner prism` starts, and what is missing.

It runs on this machine, and this process renders (LOOPBACK). Its jobs end with it, or with Beam's own `cancel` where
one goes on running (`--job_endpoint`), and Beam's message holds all that it knows: nothing is left to ask.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.engines.adapters.job_server import is_here, unreachable
from pipeline.engines.adapters.worker_checks import own_workers, package_problems, worker_problems
from pipeline.errors import Problem
from pipeline.storage.folder import Folder

_VARIABLE = "FANBEAM_PRISM"
_HOW_TO = "`bash scripts/engines/prism.sh up` builds one; or leave the option out, and Beam fetches its own."
_SECONDS = 20.0


def settled(given: Mapping[str, Any]) -> list[str]:
    """The program at hand, if there is one (else Beam fetches its own), and where workers run."""
    options = {}
    if "job_endpoint" not in given:
        options["prism_location"] = _at_hand()
    if not own_workers(given) and _near(given):
        options["environment_type"] = "LOOPBACK"
    return [f"--{name}={value}" for name, value in options.items() if value and name not in given]


def _at_hand() -> str:
    """What the environment names, else the newest that the script has built, else one on PATH, else ""."""
    if os.environ.get(_VARIABLE):
        return os.environ[_VARIABLE]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = list(cache.glob("fanbeam/engines/beam-prism-*/prism"))
    if built:
        return str(max(built, key=lambda p: [int(n) for n in re.findall(r"\d+", p.parent.name)]))
    installed = (Path(folder) / "prism" for folder in os.get_exec_path())
    return next((str(p) for p in installed if p.is_file() and not _why_not(p)), "")


def _near(given: Mapping[str, Any]) -> bool:
    endpoint = str(given.get("job_endpoint") or "")
    return not endpoint or is_here(endpoint.rpartition(":")[0])


def _why_not(program: Path) -> str:
    """Why a file is not Prism; empty if it is. Other programs have that name too."""
    if not program.is_file():
        return "there is no such file"
    try:
        told = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot be started: {getattr(error, 'strerror', None) or error}".lower()
    return "" if "job_port" in told.stdout + told.stderr else "is not Beam's Prism"


def problems(options: Mapping[str, Any], output: Folder) -> list[Problem]:
    """Program or address, package, workers."""
    return [*_prism(options), *package_problems(options), *worker_problems(options, _near(options))]


def _prism(options: Mapping[str, Any]) -> list[Problem]:
    endpoint, location = str(options.get("job_endpoint") or ""), str(options.get("prism_location") or "")
    if endpoint:
        why = unreachable(endpoint)
        remedy = "Start it (`bash scripts/engines/prism.sh up`), or leave the option out: one is started for the run."
        return [Problem("--job_endpoint", f"no Prism at {endpoint}: {why}.", remedy)] if why else []
    if not location or "://" in location or location.endswith(".zip"):
        return []  # Beam fetches and unpacks it
    why = _why_not(Path(location))
    return [Problem("--prism_location", f"{location}: {why}.", _HOW_TO)] if why else []


def cancel(options: Mapping[str, Any], job_name: str) -> None:
    """Nothing is left to end."""


def cause(options: Mapping[str, Any], job_name: str) -> str:
    """Nothing is known beyond Beam's message."""
    return ""
