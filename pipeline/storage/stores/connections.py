"""URL -> store and key. One client per process and bucket, made where it is used: no fork inherits a connection."""

import os
import threading

from pipeline.errors import UsageError
from pipeline.processes.signals import somebody_waits
from pipeline.storage.stores.fsspec_store import FsspecStore, opened
from pipeline.storage.stores.google_store import GoogleStore, google_file_system
from pipeline.storage.stores.interface import Store
from pipeline.storage.stores.locations import is_web
from pipeline.storage.stores.object_store import ObjectStore
from pipeline.storage.stores.store_errors import StoreFailed, Unreachable, family
from pipeline.storage.stores.web_store import WebStore

_EXTRAS = {"s3": "s3", "gs": "gcs", "az": "azure"}
_stores: dict[tuple[int, str, str], Store] = {}
_making = threading.Lock()
_met: set[tuple[int, str, str]] = set()
_meeting = threading.Lock()


class UnknownStorage(UsageError, ValueError):
    """A URL of a kind that no library knows: a mistake in a config, a failed record where a column holds it."""


def connect(url: str) -> tuple[Store, str]:
    """The store of a URL, and the key in it. Raises UsageError (a library is missing), UnknownStorage, StoreFailed.

    Before a command uses a store for the first time it finds out whether anybody answers there: stores are patient.
    """
    try:
        store, key = _object_store(url) if family(url) in ("s3", "az") else _other(url)
    except ImportError as error:
        extra = _EXTRAS.get(family(url))
        remedy = f"Install it with: pip install 'fanbeam[{extra}]'" if extra else str(error)
        raise UsageError(f"{url}: the library for this kind of storage is not installed. {remedy}") from error
    if somebody_waits():
        _meet(url, store)
    return store, key


def _meet(url: str, store: Store) -> None:
    """Raise Unreachable if nobody answers; whatever else is wrong is told by what is asked for."""
    scheme, _, rest = url.partition("://")
    name = (os.getpid(), f"{scheme}://{rest.partition('/')[0]}", _surroundings())
    with _meeting:
        if name in _met:
            return
        try:
            store.reach()
        except StoreFailed as error:
            if isinstance(error, Unreachable):
                raise
        _met.add(name)


def _object_store(url: str) -> tuple[Store, str]:
    scheme, _, rest = url.partition("://")
    place, _, key = rest.partition("/")
    bucket, _, host = place.partition("@")
    root = f"{scheme}://{place}"
    if not bucket:
        raise UnknownStorage(f"{url}: names no bucket")
    with _making:
        name = (os.getpid(), root, _surroundings())
        if name not in _stores:
            _stores[name] = ObjectStore(root, bucket, host.split(".")[0])
        return _stores[name], key.strip("/")


def _surroundings() -> str:
    """What of the environment decides where a client connects, without secrets: another endpoint is another client."""
    names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION",
             "AZURE_STORAGE_ENDPOINT", "AZURE_STORAGE_ACCOUNT_NAME", "STORAGE_EMULATOR_HOST")  # fmt: skip
    connection = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    return "\0".join([*(os.environ.get(name, "") for name in names), connection])


def _other(url: str) -> tuple[Store, str]:
    scheme, _, rest = url.partition("://")
    root = f"{scheme}://{rest.partition('/')[0]}"
    if family(url) == "gs":
        system, key = google_file_system(url)
        return GoogleStore(root, system), key
    try:
        system, key = opened(url)
    except ValueError as error:
        raise UnknownStorage(f"{url}: unknown kind of storage: {error}") from error
    return (WebStore if is_web(url) else FsspecStore)(root, system), key
