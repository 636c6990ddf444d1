"""Beam's job server for Java engines: where its jar is, which engine version it is for, whether Java can start it."""

import os
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.engines.adapters import parent_watch
from pipeline.errors import Problem

OLDEST_JAVA = 11
_LAUNCHER, _JAVA_OPTIONS = "job_server_java_launcher", "job_server_jvm_properties"
_SECONDS = 5.0


def cached_jar(engine: str, variable: str) -> str:
    """The jar that an environment variable names, else the newest that the engine's script has fetched, else ""."""
    if os.environ.get(variable):
        return os.environ[variable]
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = cache_folder.glob(f"fanbeam/engines/beam-{engine}-job-server-*/job-server.jar")
    return str(max(found, key=lambda p: [int(n) for n in re.findall(r"\d+", p.parent.name)], default=""))


@cache
def jar_version(jar: str, engine: str) -> str:
    """The engine's version that the runner in a job server's jar is for, as 1.19; empty if it cannot be told."""
    place = re.compile(rf"META-INF/maven/org\.apache\.beam/beam-runners-{engine}-([\d.]+)/pom\.properties$")
    with suppress(OSError, zipfile.BadZipFile):
        with zipfile.ZipFile(jar) as packed:
            found = [match[1] for match in map(place.match, packed.namelist()) if match]
        return found[0] if found else ""
    return ""


def leashed(given: Mapping[str, Any]) -> list[str]:
    """Options that let a job server end with this process, even if that is killed; none where Java's are given."""
    if _LAUNCHER in given or _JAVA_OPTIONS in given:
        return []
    words = ("-I", "-S", str(Path(parent_watch.__file__)), "java")
    return [f"--{_LAUNCHER}={sys.executable}", *(f"--{_JAVA_OPTIONS}={word}" for word in words)]


def server_problems(options: Mapping[str, Any], engine: str) -> list[Problem]:
    """What is wrong with the job server that runs already, or with the one that Beam is to start."""
    endpoint = options.get("job_endpoint")
    if endpoint:
        why = unreachable(str(endpoint))
        remedy = "Start Beam's job server there, or leave the option out: then one is started for the run."
        return [Problem("--job_endpoint", f"no job server at {endpoint}: {why}.", remedy)] if why else []
    jar = f"{engine}_job_server_jar"
    remedy = f"`bash scripts/engines/{engine}.sh up` makes one; or leave the option out, and Beam fetches its own."
    found = jar_problems(str(options.get(jar) or ""), f"--{jar}", remedy)
    if not options.get(f"{engine}_submit_uber_jar"):
        found += java_problems(options)
    return found


def jar_problems(jar: str, option: str, how_to: str) -> list[Problem]:
    """What is wrong with a jar that is named; one that Beam is to fetch (a URL, or none) is Beam's business."""
    if not jar or "://" in jar or (Path(jar).is_file() and zipfile.is_zipfile(jar) and os.access(jar, os.R_OK)):
        return []
    what = "is no readable jar" if Path(jar).exists() else "there is no such file"
    return [Problem(option, f"{jar}: {what}.", how_to)]


def java_problems(options: Mapping[str, Any]) -> list[Problem]:
    """Whether the `java` of the options can start a job server."""
    launcher = str(options.get(_LAUNCHER) or "java")
    launcher = "java" if launcher == sys.executable else launcher
    remedy = "Install a Java runtime, 11 or 17 (Debian: apt-get install openjdk-17-jre-headless), or name one."
    try:
        told = subprocess.run([launcher, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        missing = isinstance(error, FileNotFoundError)
        why = "is not installed" if missing else f"cannot be started: {getattr(error, 'strerror', None) or error}"
        return [Problem(f"--{_LAUNCHER}", f"{launcher} {why}; Beam's job server needs it.", remedy)]
    match = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    if match is None:
        said = next(iter((told.stderr or told.stdout).splitlines()), f"exit code {told.returncode}")
        return [Problem(f"--{_LAUNCHER}", f"{launcher} -version does not tell a version: {said}.", remedy)]
    if int(match[1]) < OLDEST_JAVA:
        return [Problem(f"--{_LAUNCHER}", f"{launcher} is Java {match[1]}, too old.", remedy)]
    return []


def is_here(host: str) -> bool:
    """Whether a host name is this machine."""
    with suppress(OSError):
        for family, _, _, _, address in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM):
            with suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as own:
                own.bind((address[0], 0))  # only one's own addresses can be bound
                return True
    return False


def unreachable(address: str) -> str:
    """Why nobody answers at `host:port`; empty if somebody does."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return "is not of the form host:port"
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS).close()
    except TimeoutError:
        return f"no answer within {_SECONDS:g} s"
    except (OSError, OverflowError) as error:
        return (getattr(error, "strerror", None) or str(error)).lower()
    return ""
