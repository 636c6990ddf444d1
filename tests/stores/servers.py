"""Object stores of this machine for the tests: started by the scripts that users have, ended with the tests."""

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import workdata

OTHERS = (
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL_S3",
    "AWS_SESSION_TOKEN",
    "AWS_SKIP_SIGNATURE",
    "GOOGLE_APPLICATION_CREDENTIALS",
)


@dataclass(frozen=True)
class Server:
    """A running store: what a client needs in its environment, and an empty bucket's URL."""

    kind: str
    environment: Mapping[str, str]
    bucket: str
    port: int

    def through(self, port: int) -> "Server":
        """The same store behind another port."""
        there, other = f"127.0.0.1:{self.port}", f"127.0.0.1:{port}"
        return Server(self.kind, {n: v.replace(there, other) for n, v in self.environment.items()}, self.bucket, port)

    def enter(self, patch: pytest.MonkeyPatch) -> None:
        """Make this process a client."""
        for name in OTHERS:
            patch.delenv(name, raising=False)
        for name, value in self.environment.items():
            patch.setenv(name, value)


@contextmanager
def serving(kind: str, home: Path, *arguments: str) -> Iterator[Server]:
    """Start a server of a kind (`s3`, `gcs`, `azure`); end it."""
    script = ["bash", str(workdata.ROOT / "scripts" / "stores" / f"{kind}.sh")]
    place = ["--dir", str(home), *arguments]
    clean = {name: value for name, value in os.environ.items() if name not in OTHERS}
    try:
        up = subprocess.run(
            [*script, "up", *place], capture_output=True, text=True, timeout=400, check=False, env=clean
        )
        assert up.returncode == 0, up.stderr
        found = dict(word.partition("=")[::2] for word in shlex.split(up.stdout) if word != "export")
        bucket = found.pop("FANBEAM_STORE")
        endpoint = next(v for v in found.values() if "http://" in v)
        yield Server(kind, found, bucket, urlsplit(endpoint[endpoint.index("http://") :].split(";")[0]).port or 0)
    finally:
        subprocess.run([*script, "down", "--dir", str(home)], capture_output=True, timeout=60, check=False)
