"""WordNet for the tests: what is installed, else Debian's package."""

import os

from debian_files import unpacked

from transforms.nlpaug import wordnet


def provide_wordnet() -> None:
    """Make WordNet readable by this process and its children; fail, with what to do, where it cannot be had."""
    if wordnet.INSTALL_WORDNET not in wordnet.problems():
        return
    files = unpacked("wordnet", "wordnet-base", "wordnet-sense-index")
    os.environ["WNSEARCHDIR"] = str(files / "usr" / "share" / "wordnet")
    assert not wordnet.problems()
