"""Text on a terminal: characters that would move the cursor, colour, or turn the line around are spelled out."""

import json
import re
import unicodedata

from pipeline.escaping.url_credentials import masked

_JOINERS = "\u200c\u200d"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_AMBIGUOUS = re.compile(r"\\(?=[\\nrtxuU])")
_SPACES = re.compile(r"^ +| +$|(?<= ) +")
_SUSPECT = re.compile("[^\x20-\x7e]")
_NAMES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def plain(text: str) -> str:
    """Lines of ours that hold text of users: line ends and tabs stay, other invisible characters are spelled out.

    Credentials of URLs are masked.
    """
    return _SUSPECT.sub(lambda found: found[0] if found[0] in "\n\t" else _spelled(found), masked(text, False))


def shown(text: str) -> str:
    r"""One value on one line; different values look different: `a\nb` for a line end, `\x20` for a space at its end."""
    doubled = _AMBIGUOUS.sub(r"\\\\", text)
    return _SPACES.sub(lambda found: r"\x20" * len(found[0]), _SUSPECT.sub(_spelled, doubled))


def json_text(value: object, indent: int | None = None) -> str:
    """JSON whose strings hold no character that a terminal would obey, nor one that UTF-8 cannot write.

    Credentials of URLs are masked, but for those in keys.
    """
    text = json.dumps(_masked(value), indent=indent, ensure_ascii=False, default=str)
    return _SUSPECT.sub(lambda found: found[0] if _visible(found) else _json_escaped(found[0]), text)


def _masked(value: object) -> object:
    """The value with its strings masked."""
    if isinstance(value, str):
        return masked(value, False)
    if isinstance(value, dict):
        return {key: _masked(one) for key, one in value.items()}
    return [_masked(one) for one in value] if isinstance(value, list | tuple) else value


def _spelled(found: "re.Match[str]") -> str:
    character = found[0]
    if _visible(found):
        return character
    code = ord(character)
    wide = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return _NAMES.get(character, wide)


def _json_escaped(character: str) -> str:
    return character if character == "\n" else json.dumps(character)[1:-1]


def _visible(found: "re.Match[str]") -> bool:
    character = found[0]
    if character in _JOINERS:
        return _joins(found.string, found.start())
    kind = unicodedata.category(character)
    return kind not in _HIDDEN and (kind != "Zs" or character == " ")


def _joins(text: str, at: int) -> bool:
    """Whether a joiner lies between characters of a script that needs it, or within an emoji."""
    around = text[at - 1 : at] + text[at + 1 : at + 2]
    return len(around) == 2 and all(not c.isascii() and unicodedata.category(c)[0] in "LMS" for c in around)
