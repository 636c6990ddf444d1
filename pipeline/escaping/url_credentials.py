"""Credentials in URLs: a config may hold none, and what is written or printed shows none."""

import re
from urllib.parse import unquote

_NAMES = (
    r"sig|signature|x-amz-[\w-]+|x-goog-[\w-]+|awsaccesskeyid|googleaccessid|policy|key-pair-id"
    r"|[\w.-]*(?:access|account|api|subscription|private|shared)[_-]?key\w*|key|auth\w*|x-auth[\w-]*"
    r"|code|jwt|sas|pwd|[\w.-]*(?:secret|token|passw|credential)\w*|session(?:[_-]?id)?"
)
_SECRET_NAME = re.compile(rf"(?i)(?:amp;)?(?:{_NAMES})")
_PART = re.compile(r"([?&;#])([^=?&#;\s\"'<>]+)=([^&#;\s\"'<>]*)")
_WORD_VALUE = re.compile(
    r"(?i)\b(sig|signature|x-(?:amz|goog)-[a-z-]+|(?:access|account|api)_?key\w*|token|secret\w*|password)=[^&\s\"']+"
)
_USER = re.compile(r"(?i)\b((?!abfss?:)[a-z][a-z0-9+.-]*://)[^/\s?#\"']+@")  # a password may hold an @
_USER_OF_CONTAINER = re.compile(r"(?i)\b(abfss?://[^/\s@:?#\"']+):[^/\s?#\"']+@")
_USER_OF_ANY = re.compile(r"(?<![:\w/])//[^/\s@:?#\"']+:[^/\s?#\"']+@")  # without a scheme: only with a password
_FRAGMENT = re.compile(r"(?i)\b(https?://[^\s#\"']+)#[^\s\"']+")
_REMEDY = "It would stand in the manifest. Take it out and set the store's environment variables (docs/stores.md)."


def masked(text: str, fragments: bool = True) -> str:
    """The text without what looks like a credential: users and passwords of URLs, values of queries, fragments.

    `fragments` false leaves those: of a name that somebody must tell from others they may be all that differs.
    """
    if "//" in text:
        text = _USER_OF_ANY.sub("//***@", _USER_OF_CONTAINER.sub(r"\1:***@", _USER.sub(r"\1***@", text)))
    if fragments:
        text = _FRAGMENT.sub(r"\1#***", text)
    return _WORD_VALUE.sub(r"\1=***", _PART.sub(lambda m: f"{m[1]}{m[2]}=***" if _is_secret(m[2]) else m[0], text))


def _is_secret(name: str) -> bool:
    return _SECRET_NAME.fullmatch(unquote(name)) is not None


def secret_in(url: str) -> str:
    """Why a URL must not stand in a config: it holds a user name, a password, a key or a signature. Empty if it may."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return ""
    user = rest.split("/", 1)[0].rpartition("@")[0]
    if user and (":" in user or scheme.lower() not in ("abfs", "abfss")):
        host = masked(f"{scheme}://{rest}").partition("://")[2].rpartition("@")[2]
        return f"{scheme}://***@{host}: the URL holds a user name or password. {_REMEDY}"
    if found := next((part for part in _PART.finditer(url) if _is_secret(part[2])), None):
        return f"{url[: found.start()]}: the URL holds {found[2]!r}, which is a credential. {_REMEDY}"
    if scheme.lower() in ("http", "https") and "#" in rest:
        return f"{url.partition('#')[0]}: the URL holds a fragment, which may be a credential. {_REMEDY}"
    return ""
