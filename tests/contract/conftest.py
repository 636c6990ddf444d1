import os
from collections.abc import Iterator

import pytest
from contract_samples import FILES_FOLDER
from wordnet_files import provide_wordnet

from pipeline.sources import assets
from transforms.isolation import library_warnings

pytest.register_assert_rewrite("properties")


@pytest.fixture(autouse=True, scope="session")
def files_of_examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where examples make their files, and how steps read them."""
    assets.connect()
    os.environ[FILES_FOLDER] = str(tmp_path_factory.mktemp("examples"))
    yield
    del os.environ[FILES_FOLDER]


@pytest.fixture(autouse=True, scope="session")
def wordnet_installed() -> None:
    provide_wordnet()


@pytest.fixture(autouse=True)
def quiet_process() -> Iterator[None]:
    """Recipes run in processes that are quiet as a whole, so steps may warn."""
    with library_warnings.quiet():
        yield
