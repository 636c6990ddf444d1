"""A proxy spoils requests, a store goes away, a run is killed: the same bytes in the end, and nothing in halves."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import workdata
from records_in_stores import OnDisk, Version, config, upload
from servers import Server
from unsteady import PASSING, Fault, between, down_after, drawn

from pipeline.storage.folder import Folder
from pipeline.storage.layout import SPLITS_FOLDER

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
STORES = ("s3", "gcs")
PATIENCE_SECONDS = 330  # what is promised is half of that; the machine may be busy


class Place:
    """Records on a store, and a config that makes a dataset of them beside."""

    def __init__(self, store: Server, home: Path, name: str) -> None:
        self.store, self.top = store, f"{store.bucket}/{name}"
        upload(self.top)
        self.config = config(home / "c.yaml", self.top)
        self.output = Folder(f"{self.top}/out")
        self.spoilt: list[str] = []

    def run(self, spoil: Fault | None = None) -> "subprocess.CompletedProcess[str]":
        """The run to its end, through a proxy if something is to be spoilt."""
        if spoil is None:
            return workdata.run("run", self.config, "--json", timeout=PATIENCE_SECONDS, **self.store.environment)

        def noted(command: str, path: str) -> str | None:
            fault = spoil(command, path)
            self.spoilt += [fault] if fault else []
            return fault

        with between(self.store.port, noted) as port:
            environment = self.store.through(port).environment
            return workdata.run("run", self.config, "--json", timeout=PATIENCE_SECONDS, **environment)

    def manifests(self) -> list[str]:
        return [f.path for f in self.output.walk() if f.path.endswith("manifest.json")]

    def finishes(self, on_disk: OnDisk) -> int:
        """The same command ends it; how many shards were there."""
        done = self.run()
        assert done.returncode == 0, done.stderr + done.stdout
        answer = json.loads(done.stdout)
        self.is_whole(answer, on_disk)
        return int(answer["resumed_shards"])

    def is_whole(self, answer: dict[str, str], on_disk: OnDisk) -> None:
        """Every file is there, whole, and no other."""
        assert all("were asked for" in warning for warning in answer["warnings"])  # few records, divided by a hash
        assert Version.at(answer["path"]).same_everywhere == on_disk.version.same_everywhere
        assert (self.output.names(), self.output.folders()) == (
            ["LATEST"],
            sorted([SPLITS_FOLDER, answer["version"]]),
        )


@pytest.fixture
def place(store: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Place:
    store.enter(monkeypatch)
    return Place(store, tmp_path, request.node.name.replace("[", "-").replace("]", ""))


def is_one_clear_line(done: "subprocess.CompletedProcess[str]") -> str:
    """A run that failed for its store, as a user sees it."""
    assert done.returncode == 4, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    message: str = json.loads(done.stdout)["error"]["message"]
    assert "\n" not in message
    return message


@pytest.mark.parametrize("store", STORES, indirect=True)
@pytest.mark.parametrize("seed", [1, 2])
def test_faults_that_pass_change_no_byte(place: Place, on_disk: OnDisk, seed: int) -> None:
    done = place.run(drawn(seed, 0.15))
    assert done.returncode == 0, done.stderr + done.stdout
    assert set(place.spoilt) == set(PASSING)
    place.is_whole(json.loads(done.stdout), on_disk)
    checked = workdata.run("verify", f"{place.top}/out", timeout=PATIENCE_SECONDS, **place.store.environment)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("store", STORES, indirect=True)
def test_a_store_that_goes_away_ends_the_run_and_its_return_finishes_it(place: Place, on_disk: OnDisk) -> None:
    started = time.monotonic()
    message = is_one_clear_line(place.run(down_after(12)))
    assert time.monotonic() - started < PATIENCE_SECONDS
    assert "cannot be reached" in message or "failed through every attempt" in message
    assert place.manifests() == []
    assert place.finishes(on_disk) > 0


@pytest.mark.parametrize("store", STORES[:1], indirect=True)
def test_a_run_that_is_killed_is_finished_by_the_same_command(place: Place, on_disk: OnDisk) -> None:
    with between(place.store.port, lambda *_: "slow") as port:
        run = workdata.start("run", place.config, "--workers", "2", **place.store.through(port).environment)
        workdata.until(lambda: sum("_receipts/" in f.path for f in place.output.walk()) >= 2, PATIENCE_SECONDS, 0.1)
        family = workdata.family(run.pid)
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate(timeout=30)
        workdata.until(lambda: not workdata.alive(family))
    assert place.manifests() == []
    assert place.output.names() == []
    assert place.finishes(on_disk) >= 2
