"""The YAML config: its keys, their types, and how a file is read and checked for form. Nothing here reads data."""
