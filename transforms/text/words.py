"""The words of a text, by Unicode's rules, and everything between them.

Words are those of UAX 29 (https://unicode.org/reports/tr29), found by ICU, which knows the words of Thai, Lao, Khmer,
Burmese, Chinese and Japanese from dictionaries. URLs, e-mail addresses, mentions, hashtags, numbers with their signs,
words joined by hyphens and abbreviations with points are one word each. Special tokens ([MASK], <unk>), markup and
placeholders are no words: like punctuation and white space they belong to the separators, which no step changes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Place = tuple[int, int]
"""First character, and the one after the last."""
LOCALE = "en"
"""ICU's rules for words and sentences are the same in all locales that matter here; dictionaries go by script."""
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff"
"""Characters, as a class of a regular expression, of scripts that write no spaces between words."""
_UNITS = re.compile(
    r"""
    (?P<plain> (?<!\S)(?>[^\s\d@＠#＃<\[{&%$€£¥₹₩₽₺₫₪฿:;=.‐‑-]+[.,:;!?]?\s+)+ )
  | (?P<fixed>
        \[[A-Z][A-Z0-9_]*\] | \[unused\d+\] | <\|[^\s|<>]{1,40}\|>
      | </?[A-Za-z][\w:.-]*(?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?>
      | &(?:[A-Za-z]\w{1,31}|\#\d{1,7}|\#x[0-9A-Fa-f]{1,6});
      | \{\{?[ ]?[\w.-]{1,40}[ ]?\}\}? | \$\{\w{1,40}\} | %\(\w{1,40}\)[sdif] | (?<![\w%])%[sd](?!\w)
      | (?<!\S)(?:[<>]?[:;=][\-o*']?[)\](\[dDpP/\\OoSs|*3]|<3+)(?!\w)
    )
  | (?P<form>
        (?<![A-Za-z0-9+.-])(?:[A-Za-z][A-Za-z0-9+.-]{1,20}://|www\.)[^\s<>"「」『』（）。，、！？]+
      | (?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+
      | (?<!\w)[@＠]\w+ | (?<![\w&])[#＃]\w+
    )
  | (?P<compound> (?<![\w'’])[^\W\d_][\w'’]*(?:(?:[-‐‑]|&(?!\w+;))[^\W_][\w'’]*)+ )
  | (?P<number>
        (?:(?<!\w)[+\-−±])?(?:(?<!\w)[$€£¥₹₩₽₺₫₪฿])?(?<!\w)\d+(?:[.,:/\-]\d+)*(?:[%‰°€₽](?!\w)|(?:-[^\W\d_]+)+)?
    )
  | (?P<points> (?<!\w)(?:[^\W\d_]\.){2,} )
    """,
    re.VERBOSE,
)
_ENDS_OF_FORM = ".,;:!?…'\"”’»*]}"


@dataclass(frozen=True, slots=True)
class Split:
    """A text and its words, in order; `forms` are the words (by number) that make sense only as they are written.

    Those are URLs, addresses, mentions, hashtags, prices, dates and the like, and abbreviations with points.
    """

    text: str
    words: tuple[Place, ...]
    forms: frozenset[int] = frozenset()

    def strings(self) -> list[str]:
        """The words themselves."""
        return [self.text[begin:end] for begin, end in self.words]

    def gaps(self) -> list[Place]:
        """What stands before each word, and after the last one; as many as there are words, and one more."""
        ends = [0, *(end for _, end in self.words)]
        begins = [*(begin for begin, _ in self.words), len(self.text)]
        return list(zip(ends, begins, strict=True))


def split(text: str, fixed: Sequence[Place] = (), units: Sequence[Place] = ()) -> Split:
    """Find the words of a text.

    `fixed` are stretches to leave alone: words that touch one are no words here. `units` are one word each.
    """
    runs = _merged(
        [*((begin, end, "fixed") for begin, end in fixed), *((b, e, "unit") for b, e in units), *_units_of(text)]
    )
    words: list[Place] = []
    forms: set[int] = set()
    for begin, end, kind in _with_words(text, runs):
        if kind == "form":
            forms.add(len(words))
        if kind != "fixed":
            words.append((begin, end))
    return Split(text, tuple(words), frozenset(forms))


def clusters(word: str) -> list[str]:
    """The characters as a reader counts them: letters with their marks, emoji with what belongs to them."""
    if word.isascii():
        return list(word)
    from icu4py.breakers import CharacterBreaker

    return list(CharacterBreaker(word, LOCALE))


Run = tuple[int, int, str]
_RANK = {"word": 0, "compound": 1, "unit": 2, "form": 3, "fixed": 4}


def _units_of(text: str) -> Iterator[Run]:
    for match in _UNITS.finditer(text):
        kind = match.lastgroup or "plain"
        if kind == "plain":  # a shortcut past words in which nothing else can begin
            continue
        begin, end = match.span()
        if kind == "form":
            end = begin + len(_without_end(match.group()))
        elif kind in ("number", "points"):
            kind = "word" if match.group().isdigit() else "form"
        yield begin, end, kind


def _without_end(form: str) -> str:
    """A URL without the punctuation of the sentence after it."""
    form = form.rstrip(_ENDS_OF_FORM)
    while form.endswith(")") and form.count("(") < form.count(")"):
        form = form[:-1].rstrip(_ENDS_OF_FORM)
    return form


def _merged(runs: Sequence[Run]) -> list[Run]:
    """Runs in order; those that overlap are one."""
    found: list[Run] = []
    for run in sorted(run for run in runs if run[0] < run[1]):
        if found and run[0] < found[-1][1]:
            found[-1] = _union(found[-1], run)
        else:
            found.append(run)
    return found


def _union(first: Run, second: Run) -> Run:
    kind = max(first[2], second[2], key=_RANK.__getitem__)
    return min(first[0], second[0]), max(first[1], second[1]), kind


def _with_words(text: str, runs: Sequence[Run]) -> Iterator[Run]:
    """The runs, longer where a word goes on, and the words between them."""
    at = 0
    run = runs[0] if runs else None
    for begin, end in _segments(text):
        while run is not None and run[1] <= begin:
            yield run
            at += 1
            run = runs[at] if at < len(runs) else None
        if run is None or end <= run[0]:
            yield begin, end, "word"
            continue
        run = _union(run, (begin, end, "word"))
        while at + 1 < len(runs) and runs[at + 1][0] < run[1]:
            at += 1
            run = _union(run, runs[at])
    if run is not None:
        yield run
        yield from runs[at + 1 :]


def _segments(text: str) -> Iterator[Place]:
    """ICU's segments that hold a letter or digit."""
    from icu4py.breakers import WordBreaker

    begin = 0
    for segment in WordBreaker(text, LOCALE):
        end = begin + len(segment)
        if segment.isalnum() or any(map(str.isalnum, segment)):
            yield begin, end
        begin = end
