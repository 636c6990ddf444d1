"""The sentences of a text, by Unicode's rules, abbreviations known.

Sentences are those of UAX 29 (https://unicode.org/reports/tr29), found by ICU: they end at . ! ? … and at the marks of
other scripts (。 ！ ？ । ؟ ۔ ።), and with a line. Unlike there, a small letter may begin one, as people write; a point
after an abbreviation, an initial or the number of a list ends none.
"""

import re
from collections.abc import Sequence

from transforms.text.words import LOCALE, Place

_KNOWN = """
    adm al apr art asst aug ave bldg blvd br bros brig bzw ca capt cf cmdr co col corp cpl dec dept dipl dir dist doc dr
    ed eds eg etc ex exc exp ext feb fig figs fr fri ft gen gov hon hr hrsg inc ing jan jr jul jun lt ltd m maj mar
    max min mlle mme mmes mon mr mrs ms msgr mt mio mrd nr no nos nov núm oct okt op p para pl pp prof pt pvt rd ref reg
    rep rev s sat sen sep sept sgt sig sr sra srta st sta ste str sun tel thu tue univ ud uds usw v vgl vol vols vs wed
"""
_AT_THE_END = "al bzw ca co corp etc ex exp inc jr ltd max min mio mrd no p s sr univ usw"
_ABBREVIATIONS = frozenset(_KNOWN.split())
_BEFORE_CAPITAL = frozenset(_AT_THE_END.split())
"""These end sentences as often as not, so a capital after them begins a new one."""
_INNER = frozenset({"d.h", "e.g", "i.e", "o.ä", "p.ej", "u.a", "z.b"})
_LAST_WORD = re.compile(r"(?:^|[\s(\[\"'“‘«])((?:[^\W\d_]\.)*[^\W\d_]+|\d{1,2})\.$")
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+")
_LINE = re.compile(r"[\n\r\u2028\u2029]")
_LONGEST_WORD = 40


def sentences(text: str, whole: Sequence[Place] = ()) -> list[Place]:
    """First character of each sentence and the one after its last, without the white space around it.

    `whole` are stretches that no sentence may end in.
    """
    found: list[Place] = []
    held = sorted(whole)
    begin = at = 0
    for end in _ends(text):
        while at < len(held) and held[at][1] <= end:
            at += 1
        if any(first < end < last for first, last in held[at : at + 1]):
            continue
        stripped = text[begin:end].strip()
        start = begin + text[begin:end].index(stripped)
        wordless = not any(letter.isalnum() for letter in stripped)
        if found and wordless:  # marks alone belong to the sentence before them
            found[-1] = (found[-1][0], start + len(stripped)) if stripped else found[-1]
        elif wordless and end < len(text):
            continue  # or to the one after them
        elif stripped:
            found.append((start, start + len(stripped)))
        begin = end
    return found


def _ends(text: str) -> list[int]:
    """Where sentences end, the last one too."""
    from icu4py.breakers import SentenceBreaker

    places = {match.end() for match in _END.finditer(text)}
    at = 0
    for segment in SentenceBreaker(text, LOCALE):
        at += len(segment)
        places.add(at)
    return [end for end in sorted(places) if end == len(text) or not _goes_on(text, end)]


def _goes_on(text: str, end: int) -> bool:
    """Whether what looks like the end of a sentence is the point of an abbreviation, an initial or a number."""
    before = text[max(0, end - _LONGEST_WORD) : end]
    shown = before.rstrip()
    if _LINE.search(before[len(shown) :]) or not shown.endswith("."):
        return False
    match = _LAST_WORD.search(shown)
    if match is None:
        return False
    word, capital = match[1].lower(), text[end : end + 1].isupper()
    if word.isdigit():
        return len(shown) == len(word) + 1 and end <= _LONGEST_WORD  # "1. First": the number of a list
    if "." in word:
        return not capital or word in _INNER
    if len(word) == 1 and match[1].isupper():
        return word != "i" and capital
    return word in _ABBREVIATIONS and not (word in _BEFORE_CAPITAL and capital)
