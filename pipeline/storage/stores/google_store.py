"""Google Cloud Storage through gcsfs, whose answers are held against the size and the checksum that they state."""

import base64
import json
import logging
import os
from pathlib import Path
from typing import Any

from pipeline.storage.stores.fsspec_store import MISSING_BUCKET, FsspecStore, opened
from pipeline.storage.stores.retries import tried
from pipeline.storage.stores.store_errors import StoreFailed

_REQUEST_SECONDS = 60
_CALL_SECONDS = 75
"""Of one call with the six requests that gcsfs makes of it by itself, pauses included; more for what is large."""
_SLOWEST = 2**20
"""Bytes a second."""
_FIRST_SECONDS = 15
_KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"


class Damaged(TimeoutError):
    """An answer that is not what was sent: to be asked for again."""


class GoogleStore(FsspecStore):
    """One bucket. Keys begin with its name."""

    _attempts = 2

    def _limits(self, size: int = 0) -> dict[str, Any]:
        return {"timeout": _CALL_SECONDS + size / _SLOWEST}

    def _fetched(self, key: str, begin: int | None = None, end: int | None = None) -> bytes:
        asked = {} if begin is None or end is None else {"Range": f"bytes={begin}-{end - 1}"}

        def answer() -> bytes:
            limits = self._limits((end or 0) - (begin or 0))
            headers, data = self._fs.call("GET", self._fs.url(key), headers=asked, **limits)
            return proven(data, {name.lower(): value for name, value in headers.items()})

        return tried(answer, lambda error: isinstance(error, Damaged))  # gcsfs does not see it, and asks no more

    def reach(self) -> None:
        """See `Store.reach`."""
        bucket = self._url.partition("://")[2].split("/")[0]
        asked = {"prefix": "_fanbeam_", "maxResults": 1, "timeout": _FIRST_SECONDS}

        def first() -> None:
            try:
                self._fs.call("GET", "b/{}/o", bucket, **asked)
            except FileNotFoundError as error:  # no objects are an empty list
                raise FileNotFoundError(MISSING_BUCKET) from error

        self._call(bucket, first, attempts=1)


def google_file_system(url: str) -> tuple[Any, str]:
    """What gcsfs makes of a URL, and the path on it. Raises ImportError, StoreFailed."""
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs tracebacks of what is told in one line here
    options: dict[str, Any] = {"requests_timeout": _REQUEST_SECONDS}
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        # Else gcsfs asks a service that no emulator has what kind of bucket this is.
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        options["token"] = "anon"
    elif problem := _broken_key_file():
        raise StoreFailed(f"{url}: {_KEY_FILE}: {problem} Correct the variable, or remove it.")
    return opened(url, **options)


def _broken_key_file() -> str:
    """What is wrong with the file that the environment names; gcsfs would go on without credentials."""
    path = os.environ.get(_KEY_FILE)
    if not path:
        return ""
    try:
        return "" if isinstance(json.loads(Path(path).read_bytes()), dict) else "the file holds no credentials."
    except OSError as error:
        return f"the file cannot be read ({error.strerror})."
    except ValueError:
        return "the file holds no JSON."


def proven(data: bytes, headers: dict[str, str]) -> bytes:
    """The data. Raises Damaged if they are not those that were sent.

    `headers` are in lower case. An object that is stored compressed is unpacked on the way, so nothing is known of it.
    """
    if headers.get("x-goog-stored-content-encoding", "identity") != "identity":
        return data
    span, _, _ = headers.get("content-range", "").removeprefix("bytes ").partition("/")
    first, dash, last = span.partition("-")
    if dash:
        if len(data) != int(last) - int(first) + 1:
            raise Damaged(f"truncated: {len(data)} bytes of {span}")
        return data
    stated = dict(part.split("=", 1) for part in headers.get("x-goog-hash", "").split(",") if "=" in part)
    if "crc32c" in stated and stated["crc32c"] != _crc32c(data):
        raise Damaged(f"truncated or damaged: {len(data)} bytes")
    return data


def _crc32c(data: bytes) -> str:
    import google_crc32c

    checksum: Any = google_crc32c.Checksum  # the library has no types
    return base64.b64encode(checksum(data).digest()).decode()
