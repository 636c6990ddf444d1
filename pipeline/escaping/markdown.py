"""Text in Markdown and in metadata: nothing in it is markup, and different values look different."""

import re
from urllib.parse import quote

from pipeline.escaping.terminal import shown

_MARKUP = re.compile(r"[\\`*\[\]|~]|(?<!\w)_|_(?!\w)")  # an underscore within a word is none
_ENTITIES = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;"})


def cell(text: str) -> str:
    """Any text on one line, as in a cell of a table."""
    return _MARKUP.sub(r"\\\g<0>", shown(text)).translate(_ENTITIES)


def code(text: str) -> str:
    """Any text as a code span."""
    line = shown(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    padding = " " if "`" in line else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def identifier(text: str) -> str:
    """Any text as a part of an identifier of JSON-LD, which is a reference to an IRI."""
    return quote(text, safe="-_.~ ()", errors="surrogatepass")
