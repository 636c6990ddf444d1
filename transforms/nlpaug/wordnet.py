"""WordNet 3 for nlpaug's SynonymAug and AntonymAug: where it is, how it is read, and a part-of-speech tagger.

WordNet's files come from one of, in this order:

1. NLTK's data: `python -m nltk.downloader wordnet`;
2. a folder of WordNet's own files: `$WNSEARCHDIR`, else /usr/share/wordnet, where Debian's and Ubuntu's package
   `wordnet-base` puts them (`apt-get install wordnet-base`, or, with no root: `apt-get download wordnet-base`,
   `dpkg -x wordnet-base_*.deb FOLDER`, `WNSEARCHDIR=FOLDER/usr/share/wordnet`).

Debian leaves out the file `lexnames`; it is the constant `LEXNAMES` here (source: man page lexnames(5WN)). The tagger
is NLTK's averaged perceptron if its data is there, else TextBlob's lexicon, which needs no download. Which of them is
used changes the words, so `versions` says it.
"""

import os
import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

SYSTEM_FOLDER = "/usr/share/wordnet"
INSTALL_WORDNET = (
    "WordNet is not installed: run 'python -m nltk.downloader wordnet', or without network access install the "
    f"Debian package wordnet-base (read from {SYSTEM_FOLDER} or $WNSEARCHDIR)"
)
INSTALL_TAGGER = (
    "no part-of-speech tagger is installed: pip install textblob, or run "
    "'python -m nltk.downloader averaged_perceptron_tagger_eng'"
)
_TAGGER_DATA = "taggers/averaged_perceptron_tagger_eng"
_FILES = tuple(f"{kind}.{pos}" for kind in ("data", "index") for pos in ("adj", "adv", "noun", "verb")) + tuple(
    f"{pos}.exc" for pos in ("adj", "adv", "noun", "verb")
)
_LEXICOGRAPHERS = (
    "adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition "
    "noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person "
    "noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state "
    "noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition "
    "verb.consumption verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social "
    "verb.stative verb.weather adj.ppl"
)
_CATEGORY = {"noun": 1, "verb": 2, "adj": 3, "adv": 4}
LEXNAMES = "".join(
    f"{number:02d}\t{name}\t{_CATEGORY[name.partition('.')[0]]}\n"
    for number, name in enumerate(_LEXICOGRAPHERS.split())
)
_LOCK = threading.Lock()
_TAGS = "CC CD DT EX IN LS MD PDT POS PRP PRP$ RP SYM TO UH WDT WP WP$ WRB"
_CLOSED_TAGS = frozenset(_TAGS.split())
_WORDS = """
    a about above across after against all along although am among an and any are around as at be because been before
    behind below beneath beside besides between beyond both but by can could did do does down during each either every
    except few for from had has have he her hers herself him himself his how i if in inside into is it its itself may
    me might mine must my myself near neither no nor not of off on once one onto or other our ours ourselves out
    outside over own per shall she should since so some such than that the their theirs them themselves then there
    these they this those though through throughout till to toward towards under unless until up upon us was we were
    what when where whether which while who whom whose why will with within without would yet you your yours yourself
"""
_CLOSED_WORDS = frozenset(_WORDS.split())
"""Words that hold a sentence together. WordNet knows of them only others that are written alike: OR is Oregon, he is
helium, in is indium."""
_SKIPPED = "DT"
"""The part of speech that nlpaug leaves alone."""


def problems() -> list[str]:
    """Say what to install; empty if everything is there."""
    return [*([] if place() else [INSTALL_WORDNET]), *tagger_problems()]


def tagger_problems() -> list[str]:
    """Say what to install for the parts of speech alone."""
    return [] if tagger() else [INSTALL_TAGGER]


def versions() -> dict[str, str]:
    """Name the data that decides the words: a digest of WordNet's files, and the tagger. Raises LookupError."""
    return {"wordnet": _files_digest(), **tagger_versions()}


def tagger_versions() -> dict[str, str]:
    """Name the tagger."""
    return {"part-of-speech tagger": tagger()}


def place() -> str:
    """Where WordNet's files are; empty if nowhere."""
    found = _pointer()
    return "" if found is None else str(getattr(found, "path", found))


def tagger() -> str:
    """Which tagger is used; empty if there is none."""
    if _has_perceptron():
        return "nltk averaged_perceptron_tagger_eng"
    return "textblob lexicon" if _has_textblob() else ""


def pos_tag(tokens: Sequence[str]) -> list[tuple[str, str]]:
    """Tag tokens with the Penn Treebank's parts of speech. Raises LookupError with what to install."""
    if not tagger():
        raise LookupError(INSTALL_TAGGER)
    with _LOCK:
        tag = _tagger()
    return [(str(token), str(mark)) for token, mark in tag(tokens)]


class WordNet:
    """What nlpaug expects of `nlpaug.model.word_dict.WordNet`, without its downloader.

    The same words in the same order; kept in memory, so that threads and forked processes share no file position.
    """

    def __init__(self, is_synonym: bool) -> None:
        self.is_synonym = is_synonym
        self.lang = "eng"
        load()

    def predict(self, word: str, pos: str | None = None) -> list[str]:
        """Give the synonyms (or antonyms) of a word, most frequent sense first, itself included.

        None for words that hold a sentence together (`or`, `it`), and no meanings that are written in another way.
        """
        return [] if word.lower() in _CLOSED_WORDS else list(_related(word, pos, self.is_synonym))

    def pos_tag(self, tokens: Sequence[str]) -> list[tuple[str, str]]:
        """Parts of speech; words that hold a sentence together get the one that nlpaug leaves alone."""
        return [(word, _SKIPPED if _is_closed(word, tag) else tag) for word, tag in pos_tag(tokens)]


def load() -> None:
    """Read WordNet and the tagger's lexicon, once per process (1.5 s). Raises LookupError with what to install."""
    missing = problems()
    if missing:
        raise LookupError("; ".join(missing))
    with _LOCK:  # half-read lexicons would give other words
        _reader()
        _tagger()


@lru_cache(maxsize=65_536)
def _related(word: str, pos: str | None, is_synonym: bool) -> tuple[str, ...]:
    with _LOCK:
        synsets = [synset for synset in _reader().synsets(word, pos=pos, lang="eng") if _is_written_so(word, synset)]
        lemmas = [lemma for synset in synsets for lemma in synset.lemmas()]
        if is_synonym:
            return tuple(lemma.name() for lemma in lemmas)
        return tuple(antonym.name() for lemma in lemmas for antonym in lemma.antonyms())


def _is_closed(word: str, tag: str) -> bool:
    return tag in _CLOSED_TAGS or word.lower() in _CLOSED_WORDS


def _is_written_so(word: str, synset: Any) -> bool:
    """Whether a word has a meaning as it is written: small letters are no name and no sign (`am` is not americium)."""
    alike = [name for name in synset.lemma_names() if name.lower() == word.lower()]
    return not word.islower() or not alike or any(name.islower() for name in alike)


@cache
def _reader() -> Any:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    from transforms.isolation import library_warnings

    class InMemory(WordNetCorpusReader):  # type: ignore[misc]
        """NLTK's reader on files in memory."""

        def open(self, file: str) -> TextIOWrapper:
            return TextIOWrapper(BytesIO(_read(file)), "latin-1")

        def map_wn(self, version: str = "wordnet") -> None:
            """Skip the map to other languages: it would need `index.sense` and as long again to load."""

    library_warnings.capture("nltk.corpus.reader.wordnet")
    with library_warnings.collected():  # "multilingual functions are not available"
        return InMemory(_authorised(_pointer()), None)


def _authorised(pointer: Any) -> Any:
    """Register a folder outside NLTK's data on `nltk.data.path`: NLTK refuses to read a corpus anywhere else."""
    import nltk

    if not isinstance(pointer, Path):
        return pointer
    folder = str(pointer)
    if folder not in nltk.data.path:
        nltk.data.path.append(folder)
    return folder


@cache
def _tagger() -> Any:
    """The tagger, its lexicon read."""
    if _has_perceptron():
        from nltk.tag.perceptron import PerceptronTagger

        tag = PerceptronTagger().tag
    else:
        from textblob.en import parser

        tag = parser.find_tags
    tag(["word"])
    return tag


def _has_perceptron() -> bool:
    return _nltk_data(_TAGGER_DATA) is not None


def _has_textblob() -> bool:
    from importlib import util

    return util.find_spec("textblob") is not None


def _pointer() -> Any:
    """Where WordNet's files are: a path pointer of NLTK, or a Path; None if nowhere."""
    for place in ("corpora/wordnet", "corpora/wordnet.zip/wordnet/"):
        found = _nltk_data(place)
        if found is not None:
            return found
    folder = Path(os.environ.get("WNSEARCHDIR", SYSTEM_FOLDER))
    return folder if all((folder / file).is_file() for file in _FILES) else None


def _nltk_data(place: str) -> Any:
    import nltk

    try:
        return nltk.data.find(place)
    except LookupError:
        return None


def _read(file: str) -> bytes:
    pointer = _pointer()
    if isinstance(pointer, Path):
        path = pointer / file
        return LEXNAMES.encode() if file == "lexnames" and not path.is_file() else path.read_bytes()
    if pointer is None:
        raise LookupError(INSTALL_WORDNET)
    with pointer.join(file).open() as stream:
        data: bytes = stream.read()
    return data


@cache
def _files_digest() -> str:
    digest = blake2b(digest_size=8)
    for file in _FILES:
        digest.update(_read(file))
    return digest.hexdigest()
