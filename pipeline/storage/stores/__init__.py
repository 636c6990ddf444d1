"""Object stores and other remote file systems, for `storage.folder` alone: one `Store` per kind, one way in."""

from pipeline.storage.stores.connections import connect
from pipeline.storage.stores.interface import Store

__all__ = ["Store", "connect"]
