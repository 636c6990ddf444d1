"""Several processes that make the same version at once: one manifest; a store without the condition holds a lock."""

import json
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest
import workdata
from racing import race
from records_in_stores import FIELDS, Version, config, here, upload_texts
from servers import Server, serving

from pipeline.storage.folder import Folder
from pipeline.storage.layout import LOCK, SPLITS_FOLDER
from pipeline.storage.lock import probe_put_if_absent

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
HONEST = ("s3", "gcs", "azure")
CARELESS = [pytest.param((kind, name), id=name) for kind, name in (("s3", "s3rver"), ("gcs", "gcp-storage-emulator"))]
RUNS, PROCESSES, ROUNDS, PATIENCE_SECONDS = 3, 4, 12, 300
TEXTS = {"text": FIELDS["text"]}


@pytest.fixture
def careless(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that ignores the condition."""
    kind, name = request.param
    with serving(kind, tmp_path / name, "--server", name) as server:
        server.enter(monkeypatch)
        yield server


@pytest.mark.parametrize("store", HONEST, indirect=True)
def test_one_process_creates_an_object(store: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store.enter(monkeypatch)
    spawned = get_context("spawn")
    start, won = spawned.Barrier(PROCESSES), spawned.Queue()
    url = f"{store.bucket}/race"
    racers = [spawned.Process(target=race, args=(url, ROUNDS, start, won), daemon=True) for _ in range(PROCESSES)]
    for racer in racers:
        racer.start()
    winners = dict(won.get(timeout=PATIENCE_SECONDS) for _ in racers)
    for racer in racers:
        racer.join(PATIENCE_SECONDS)
    assert sorted(number for mine in winners.values() for number in mine) == list(range(ROUNDS))
    for process, mine in winners.items():
        assert {Folder(url).read(f"{number}") for number in mine} <= {f"{process}".encode()}


def raced(server: Server, tmp_path: Path) -> tuple[str, list[tuple[int, dict[str, object]]]]:
    """The output of runs that began together, and how each ended."""
    top = f"{server.bucket}/raced"
    upload_texts(top)
    path = config(tmp_path / "c.yaml", top, fields=TEXTS)
    runs = [workdata.start("run", path, "--json", "--workers", "1", **server.environment) for _ in range(RUNS)]
    ended = []
    for run in runs:
        out, err = run.communicate(timeout=PATIENCE_SECONDS)
        assert "Traceback" not in err, err
        ended.append((run.returncode, json.loads(out)))
    return f"{top}/out", ended


def alone(tmp_path: Path) -> Version:
    """What one run on the local disk makes."""
    upload_texts(str(tmp_path / "alone"))
    path = config(tmp_path / "alone.yaml", str(tmp_path / "alone"), fields=TEXTS)
    return Version.at(here("run", path)["path"])


@pytest.mark.parametrize("store", HONEST, indirect=True)
def test_runs_side_by_side_commit_one_manifest(store: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.enter(monkeypatch)
    output, ended = raced(store, tmp_path)
    assert [code for code, _ in ended] == [0] * RUNS, ended
    (version,) = {answer["version"] for _, answer in ended}
    assert Folder(output).folders() == sorted([version, SPLITS_FOLDER])
    found = Version.at(f"{output}/{version}")
    assert found.manifest["shards"] == alone(tmp_path).manifest["shards"]
    assert not any("_probe" in name or LOCK in name for name in found.files)


@pytest.mark.parametrize("careless", CARELESS, indirect=True)
def test_a_store_without_the_condition_is_locked(careless: Server, tmp_path: Path) -> None:
    assert not probe_put_if_absent(Folder(f"{careless.bucket}/probed"))
    output, ended = raced(careless, tmp_path)
    well = [answer for code, answer in ended if code == 0]
    refused = [answer["error"]["message"] for code, answer in ended if code == 4]  # type: ignore[index]
    assert len(well) + len(refused) == RUNS, ended
    assert any("ignores put-if-absent" in str(answer["warnings"]) for answer in well), ended
    assert all("another run makes this version" in message for message in refused), refused
    version = str(well[0]["version"])
    assert Version.at(f"{output}/{version}").manifest["shards"] == alone(tmp_path).manifest["shards"]
    assert LOCK not in Folder(output).folder(version).names()
