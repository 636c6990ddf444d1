"""Object stores and other remote file systems, for `pipeline.storage` alone: one `Store` per kind, one way in."""

from pipeline.stores.connections import connect
from pipeline.stores.interface import Store

__all__ = ["Store", "connect"]
