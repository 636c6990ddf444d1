import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "contract"))

from wordnet_files import provide_wordnet


@pytest.fixture(scope="session")
def wordnet_installed() -> None:
    provide_wordnet()
