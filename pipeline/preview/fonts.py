"""Which font draws which character: Pillow's own, else the first system font that has it.

Only the common font folders of Linux, macOS and Windows are looked at. A character that no font has is drawn as the
empty box of Pillow's font, and `missing` says so; nothing else of a picture depends on the machine.
"""

import os
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont

from pipeline.records import Payload

_FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts",
    "/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
_ENDINGS = (".ttf", ".otf", ".ttc")
_PREFERRED = (
    "notosans-regular", "dejavusans.", "arialunicode", "arial unicode", "segoeui.", "notosanscjk-regular", "pingfang",
    "hiragino", "msyh", "wqy", "droidsansfallback", "unifont", "notosans",
)  # fmt: skip
_UNFIT = ("italic", "oblique", "bold", "thin", "light", "black", "emoji", "lastresort", "adobeblank", "mono", "serif")
_MAX_FONTS = 300
_NO_CHARACTER = "\uffff"
_PROBE_SIZE = 16
_CLUSTERS = re.compile(
    r".[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0e31-\u0e4e]*", re.DOTALL
)

Font = ImageFont.FreeTypeFont


@lru_cache(maxsize=256)
def font(size: int, path: str = "") -> Font:
    """A font in pixels; `path` empty is Pillow's own. Raises OSError for a file that is no scalable font."""
    if path:
        return ImageFont.truetype(path, size)
    own = ImageFont.load_default(size)
    if not isinstance(own, ImageFont.FreeTypeFont):
        raise OSError("Pillow was built without FreeType")
    return own


@lru_cache(maxsize=65_536)
def path_for(cluster: str) -> str | None:
    """The font that has every character of a cluster: empty for Pillow's own, None if there is none."""
    return next((path for path in ("", *_system_fonts()) if all(_has(path, c) for c in cluster)), None)


def missing(text: Payload | None) -> bool:
    """Whether some character of a text can only be drawn as an empty box."""
    return isinstance(text, str) and any(path_for(c) is None for c in set(text) if not _blank(c))


def runs(text: str, size: int) -> list[tuple[str, Font]]:
    """A text cut where the font changes; spaces stay with what precedes them, combining marks with their letter."""
    out: list[tuple[str, str]] = []
    for cluster in _CLUSTERS.findall(text):
        path = out[-1][1] if out and cluster == " " else path_for(cluster) or ""
        if out and out[-1][1] == path:
            out[-1] = (out[-1][0] + cluster, path)
        else:
            out.append((cluster, path))
    return [(part, font(size, path)) for part, path in out]


def _blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Mn")


@cache
def _has(path: str, character: str) -> bool:
    """A font without a character draws it like the code point that no font has. Spaces are in every font."""
    if character == " ":
        return True
    try:
        face = font(_PROBE_SIZE, path)
        return bytes(face.getmask(character)) != _no_glyph(path)
    except (OSError, ValueError):
        return False


@cache
def _no_glyph(path: str) -> bytes:
    return bytes(font(_PROBE_SIZE, path).getmask(_NO_CHARACTER))


@cache
def _system_fonts() -> tuple[str, ...]:
    """Fonts of the system, well-known wide ones first; the order depends on their names alone."""
    found = [path for folder in _FOLDERS for path in _font_files(Path(folder).expanduser())]
    return tuple(sorted(found, key=_rank)[:_MAX_FONTS])


def _font_files(folder: Path) -> list[str]:
    return [
        str(Path(inside) / name)
        for inside, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(_ENDINGS)
    ]


def _rank(path: str) -> tuple[int, bool, str]:
    name = Path(path).name.lower()
    place = next((n for n, known in enumerate(_PREFERRED) if name.startswith(known)), len(_PREFERRED))
    unfit = any(word in name for word in _UNFIT)
    return (place + len(_PREFERRED) * unfit, unfit, name)
