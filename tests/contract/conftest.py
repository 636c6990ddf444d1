import pytest
from wordnet_files import provide_wordnet


@pytest.fixture(autouse=True, scope="session")
def wordnet_installed() -> None:
    provide_wordnet()
