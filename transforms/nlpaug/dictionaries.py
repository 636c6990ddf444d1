"""What nlpaug's text classes look words up in: WordNet, PPDB, misspellings, OCR errors, TF-IDF scores, word vectors.

nlpaug keeps the first dictionary that it reads, whatever file is named later; here each file is read once, and read
again where its content changed. Reading from a URL makes a local copy first.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from transforms import assets
from transforms.nlpaug import embeddings, wordnet
from transforms.nlpaug.classes import given
from transforms.nlpaug.files import FILES

_KEPT = 8


def uses_wordnet(name: str, params: Mapping[str, Any]) -> bool:
    """Whether a step looks words up in WordNet."""
    return name == "AntonymAug" or (name == "SynonymAug" and params.get("aug_src", "wordnet") == "wordnet")


def uses_tagger(name: str) -> bool:
    """Whether a class needs the parts of speech of a text."""
    return name in ("AntonymAug", "SynonymAug")


def local_files(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, with paths on this machine; a mapping of OCR errors in sorted order, and a copy of it."""
    found = dict(params)
    for key in FILES.get(name, ()):
        if isinstance(found.get(key), dict):
            found[key] = {character: sorted(found[key][character]) for character in sorted(found[key])}
        elif found.get(key) is not None:
            found[key] = assets.local(found[key])
    return found


def model(name: str, params: Mapping[str, Any]) -> Any:
    """What an augmenter of this class looks words up in; None where nlpaug's own will do. Raises LookupError."""
    if uses_wordnet(name, params):
        return wordnet.WordNet(is_synonym=name == "SynonymAug")
    if name == "SynonymAug":
        return _ppdb(*_file(params["model_path"]))
    if name == "SpellingAug":
        path, digest = _file(params["dict_path"]) if params.get("dict_path") else ("", "")
        return _spelling(path, digest, bool(params.get("include_reverse", True)))
    if name == "TfIdfAug":
        return _tfidf(*_file(params["model_path"]))
    if name == "WordEmbsAug":
        vectors = embeddings.word_vectors(*_file(params["model_path"]), str(params["model_type"]))
        return embeddings.Neighbours(vectors, given(name, params, "top_k"))
    return None


def _file(path: str) -> tuple[str, str]:
    """A path and the digest of what is there now."""
    return path, assets.digest(path)


@lru_cache(maxsize=_KEPT)
def _ppdb(path: str, digest: str) -> Any:
    from nlpaug.model.word_dict import Ppdb

    found = Ppdb(path)
    found.pos_tag = wordnet.pos_tag
    return found


@lru_cache(maxsize=_KEPT)
def _spelling(path: str, digest: str, include_reverse: bool) -> Any:
    """Read a dictionary of misspellings with its words sorted: their order there depends on PYTHONHASHSEED."""
    from nlpaug.model.word_dict import Spelling
    from nlpaug.util import LibraryUtil

    found = Spelling(path or f"{LibraryUtil.get_res_dir()}/word/spelling/spelling_en.txt", include_reverse)
    found.dict = {word: sorted(others) for word, others in found.dict.items()}
    return found


@lru_cache(maxsize=_KEPT)
def _tfidf(folder: str, digest: str) -> Any:
    from nlpaug.model.word_stats import TfIdf

    return TfIdf(folder)
