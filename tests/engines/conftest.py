import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parents[1] / name) for name in ("end_to_end", "faults")]

import workdata
from engine_records import Records
from flink_cluster import FlinkCluster
from trouble_library import Trouble

workdata.preload_libraries()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Trouble:
    """A library of transforms that misbehave; workers find it by `path`."""
    return Trouble.install(tmp_path_factory.mktemp("third_party"))


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return Records(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="session")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    """Two TaskManagers with two slots each."""
    cluster = FlinkCluster(tmp_path_factory.mktemp("flink"))
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.down()


@pytest.fixture(scope="module")
def small_flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    """One TaskManager, as one worker pool serves it; jobs bring their own Beam, as one jar needs it."""
    cluster = FlinkCluster(tmp_path_factory.mktemp("small_flink"))
    try:
        cluster.up("--taskmanagers", "1", "--classes", "child")
        yield cluster
    finally:
        cluster.down()
