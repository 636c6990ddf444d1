from collections.abc import Iterator

import pytest
from wordnet_files import provide_wordnet

from transforms import library_warnings

pytest.register_assert_rewrite("properties")


@pytest.fixture(autouse=True, scope="session")
def wordnet_installed() -> None:
    provide_wordnet()


@pytest.fixture(autouse=True)
def quiet_process() -> Iterator[None]:
    """Recipes run in processes that are quiet as a whole, so steps may warn."""
    with library_warnings.quiet():
        yield
