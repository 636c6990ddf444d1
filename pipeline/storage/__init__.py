"""The only door to files: local disk, object stores, scratch files, locks, and every name in an output folder."""
