"""Where records come from: one file per kind of input, all behind `Reader` and `Listing`."""

from pipeline.sources.interface import Listing, Reader
from pipeline.sources.listing import list_file, list_input, mixed

__all__ = ["Listing", "Reader", "list_file", "list_input", "mixed"]
