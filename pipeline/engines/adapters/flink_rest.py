"""Flink's REST interface, as far as fanbeam asks it: the cluster, its slots, a job by name.

https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/rest_api/
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import orjson

HERE = ("[local]", "[auto]")
"""What `--flink_master` says when there is no cluster: the job server runs one inside."""
_SECONDS = 10.0
_OVER = frozenset({"FINISHED", "CANCELED", "FAILED"})
_DEFAULT_PORT = 8081


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Flink cluster by the address of its REST interface."""

    url: str

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Cluster | None":
        """The cluster that Beam's options name; None for the one inside the job server."""
        master = str(options.get("flink_master") or HERE[1]).strip()
        if master in HERE:
            return None
        return cls((master if "://" in master else f"http://{master}").rstrip("/"))

    @property
    def host(self) -> str:
        """Host name or address. Raises ValueError if there is none."""
        host = urlsplit(self.url).hostname
        if not host:
            raise ValueError(f"{self.url} names no host")
        return host

    @property
    def address(self) -> str:
        """`host:port`. Raises ValueError."""
        return f"{self.host}:{urlsplit(self.url).port or _DEFAULT_PORT}"

    def get(self, path: str) -> dict[str, Any]:
        """One answer. Raises OSError that says in one line why there is none."""
        return self._ask(path, "GET")

    def version(self) -> str:
        """Flink's version, as 1.19.3. Raises OSError."""
        return str(self.get("config").get("flink-version", ""))

    def job(self, name: str) -> tuple[str, str] | None:
        """Id and state of the newest job of that name, or None. Raises OSError."""
        jobs = [j for j in self.get("jobs/overview").get("jobs", []) if j.get("name") == name]
        newest = max(jobs, key=lambda j: int(j.get("start-time", 0)), default=None)
        return (str(newest["jid"]), str(newest["state"])) if newest else None

    def cancel(self, name: str, appears_seconds: float, ends_seconds: float) -> None:
        """End the job of that name and wait until it is over. It may still be on its way to the cluster: waits for it.

        Raises OSError, TimeoutError if it does not end.
        """
        found = next((job for job in self._polled(name, appears_seconds) if job), None)
        if found is None:
            return
        if found[1] not in _OVER:
            self._ask(f"jobs/{found[0]}?mode=cancel", "PATCH")
        for job in self._polled(name, ends_seconds):
            if job is None or job[1] in _OVER:
                return
        raise TimeoutError(f"the job {name} at {self.url} did not end within {ends_seconds:g} s")

    def failure(self, name: str) -> str:
        """The stack trace of the job's root exception; empty if there is no such job or it has none. Raises OSError."""
        job = self.job(name)
        if job is None:
            return ""
        told = self.get(f"jobs/{job[0]}/exceptions")
        history = told.get("exceptionHistory", {}).get("entries", [])
        return str(told.get("root-exception") or (history[0].get("stacktrace", "") if history else ""))

    def _polled(self, name: str, seconds: float) -> Iterator[tuple[str, str] | None]:
        end = time.monotonic() + seconds
        while True:
            yield self.job(name)
            if time.monotonic() >= end:
                return
            time.sleep(0.25)

    def _ask(self, path: str, method: str) -> dict[str, Any]:
        url = f"{self.url}/{path}"
        try:
            with urlopen(Request(url, method=method), timeout=_SECONDS) as answer:
                body = answer.read()
        except HTTPError as error:
            with error:
                raise OSError(f"{url} answers {error.code} {error.reason}") from error
        except URLError as error:
            raise OSError(f"{self.url}: {_why(error.reason)}") from error
        except (OSError, ValueError) as error:
            raise OSError(f"{self.url}: {_why(error)}") from error
        with suppress(orjson.JSONDecodeError):
            tree = orjson.loads(body) if body else {}
            if isinstance(tree, dict):
                return tree
        raise OSError(f"{self.url} is not Flink's REST interface: {path} is no JSON object")


def minor(version: str) -> str:
    """1.19 of 1.19.3."""
    return ".".join(re.findall(r"\d+", version)[:2])


def _why(reason: object) -> str:
    if isinstance(reason, TimeoutError) or "timed out" in str(reason):
        return f"no answer within {_SECONDS:g} s"
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused"
    return str(getattr(reason, "strerror", None) or reason)
