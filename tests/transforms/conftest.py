import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "contract"))

from wordnet_files import provide_wordnet

from pipeline.sources import assets
from transforms.isolation import library_warnings


@pytest.fixture(autouse=True, scope="session")
def material_connected() -> None:
    assets.connect()


@pytest.fixture(scope="session")
def wordnet_installed() -> None:
    provide_wordnet()


@pytest.fixture
def quiet_process() -> Iterator[None]:
    """Recipes run in processes that are quiet as a whole, so steps may warn."""
    with library_warnings.quiet():
        yield
