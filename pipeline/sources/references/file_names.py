"""Which texts are names of files: they are looked up, and never taken for words."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from pipeline.sources.folder import EXTENSIONS, ending_of

LONGEST_NAME = 1000
_MOST = 0.9
_KNOWN = frozenset(extension for known in EXTENSIONS.values() for extension in known)
_PATH = re.compile(r"(?:[A-Za-z]:[\\/]|[\\/~]|\.{1,2}[\\/]|(?=[^\s\\/]*[^\W\d])[^\s\\/]+[\\/][^\s\\/])")
_SENTENCE = re.compile(r"[.!?]\s|[.!?]$")


def file_ending(value: str) -> str:
    """The ending of a name, in small letters; empty for what is no name of a file."""
    return "" if "\n" in value or len(value) > LONGEST_NAME else ending_of(value.strip().split("?")[0])


def like_path(value: str) -> bool:
    """Whether a text looks like a path with folders, of any system, and not like a sentence."""
    return "\n" not in value and _PATH.match(value.strip()) is not None and _SENTENCE.search(value.strip()) is None


def are_file_names(values: Sequence[str]) -> bool:
    """Whether most of some texts name files of a kind that a field may hold."""
    return bool(values) and sum(file_ending(v) in _KNOWN for v in values) >= _MOST * len(values)


def spellings(reference: str) -> Iterator[str]:
    """Other ways to read a local name that is not there as it is written.

    Without blanks around it, with the separators of Windows, with the escapes of a `file://` URL.
    """
    stripped = reference.strip()
    plain = unquote(stripped) if stripped.startswith("file://") else stripped
    yield from dict.fromkeys((stripped, plain, plain.replace("\\", "/")))
