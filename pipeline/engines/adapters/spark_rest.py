"""A standalone Spark master, as far as fanbeam asks it: its workers, and applications by name.

The page of the master gives all of it as JSON below /json/, and ends an application as its own "kill" link does.
https://spark.apache.org/docs/latest/spark-standalone.html
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import orjson

_SECONDS = 10.0
_POLL_SECONDS = 0.25
_OVER = frozenset({"FINISHED", "KILLED", "FAILED"})
_PORT, _PAGE_PORT = 7077, 8080
_LOCAL = re.compile(r"local(-cluster)?(\[.*\])?$")
PAGE_VARIABLE = "FANBEAM_SPARK_PAGE"
"""Environment variable: address of the master's page, where it is neither at 8080 nor 1003 above the master's port."""


def is_local(options: Mapping[str, Any]) -> bool:
    """Whether Spark is to run inside the job server."""
    return bool(_LOCAL.match(str(options.get("spark_master_url") or "local")))


@dataclass(frozen=True, slots=True)
class Master:
    """The masters that `spark://HOST:PORT[,HOST:PORT…]` names: one is active, others stand by."""

    addresses: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Master | None":
        """The masters that Beam's options name; None for Spark inside the job server and for YARN or Kubernetes."""
        url = str(options.get("spark_master_url") or "")
        if not url.startswith("spark://"):
            return None
        parts = [part.strip().rpartition(":") for part in url.removeprefix("spark://").split(",")]
        return cls(tuple((host, int(port)) if host else (port, _PORT) for host, _, port in parts))

    def applications(self, name: str) -> list[tuple[str, str]]:
        """Id and state of all applications of that job, newest first. Raises OSError."""
        _, told = self.page()
        mine = [a for key in ("activeapps", "completedapps") for a in told[key] if _is_of(str(a["name"]), name)]
        newest = sorted(mine, key=lambda a: int(a.get("starttime", 0)), reverse=True)
        return [(str(a["id"]), str(a["state"])) for a in newest]

    def workers(self) -> int:
        """How many workers are alive. Raises OSError."""
        return int(self.page()[1]["aliveworkers"])

    def cancel(self, name: str, appears_seconds: float, ends_seconds: float) -> None:
        """End the applications of that job and wait until they are over; one may still be on its way.

        Raises OSError, TimeoutError if one does not end.
        """
        known = next((found for found in self._polled(name, appears_seconds) if found), [])
        for number, state in known:
            if state not in _OVER:
                self._kill(number)
        for left in self._polled(name, ends_seconds):
            if all(state in _OVER for _, state in left):
                return
        raise TimeoutError(f"the application of {name} did not end within {ends_seconds:g} s")

    def page(self) -> tuple[str, dict[str, Any]]:
        """Address of the active master's page and what it tells. Raises OSError."""
        for address in self._pages():
            with suppress(OSError, ValueError, orjson.JSONDecodeError):
                with urlopen(f"{address}/json/", timeout=_SECONDS) as answer:
                    told = orjson.loads(answer.read())
                if self._is_mine(told):
                    return address, told
        raise OSError(f"no page of the Spark master; {PAGE_VARIABLE}=http://HOST:PORT says where it is")

    def _is_mine(self, told: Any) -> bool:
        ports = {port for _, port in self.addresses}
        at = str(told.get("url", "")).rpartition(":")[2] if isinstance(told, dict) else ""
        return at.isdigit() and int(at) in ports and told.get("status") == "ALIVE"

    def _pages(self) -> Iterator[str]:
        given = os.environ.get(PAGE_VARIABLE, "").rstrip("/")
        if given:
            yield given if "://" in given else f"http://{given}"
        for host, port in self.addresses:
            for at in sorted({port - _PORT + _PAGE_PORT, _PAGE_PORT}, reverse=True):
                yield f"http://{host}:{at}"

    def _kill(self, number: str) -> None:
        address, _ = self.page()
        body = urlencode({"id": number, "terminate": "true"}).encode()
        with urlopen(f"{address}/app/kill/", data=body, timeout=_SECONDS) as answer:
            answer.read()

    def _polled(self, name: str, seconds: float) -> Iterator[list[tuple[str, str]]]:
        end = time.monotonic() + seconds
        while True:
            yield self.applications(name)
            if time.monotonic() >= end:
                return
            time.sleep(_POLL_SECONDS)


def _is_of(application: str, job: str) -> bool:
    """Beam's job server appends a number of its own to the job's name."""
    return application == job or application.startswith(f"{job}_")
