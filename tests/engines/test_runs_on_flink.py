"""Runs on a real Flink: the same files as a direct run, however the workers come to be; Ctrl-C; poison; no fanbeam."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import workdata
from engine_records import ALL, KINDS, Records
from engine_survey import copies_after_a_survey, survey_is_the_same
from flink_cluster import SETUP_FILE, FlinkCluster
from trouble_library import Trouble, slow_field, text_rows

pytestmark = [pytest.mark.slow, pytest.mark.cluster]


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
def test_without_any_cluster(kinds: tuple[str, ...], records: Records, flink: FlinkCluster, tmp_path: Path) -> None:
    """`--runner flink` alone, once the job server's jar is there."""
    assert records.made(tmp_path, kinds, "--runner", "FlinkRunner") == records.expected[kinds]


def test_loopback(records: Records, flink: FlinkCluster, tmp_path: Path) -> None:
    """Nothing but the address of a cluster on this machine."""
    assert records.made(tmp_path, ALL, *flink.master) == records.expected[ALL]


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
def test_staged_to_workers_of_the_taskmanagers(
    kinds: tuple[str, ...], records: Records, flink: FlinkCluster, tmp_path: Path
) -> None:
    """All slots of both TaskManagers, through the job server that runs; fanbeam comes as a package."""
    options = [*flink.master, *flink.job_server, *flink.process(), SETUP_FILE]
    before = flink.started()
    assert records.made(tmp_path, kinds, *options) == records.expected[kinds]
    assert flink.started() - before == 2, "one for each TaskManager, whatever the number of stages"
    workdata.until(lambda: not flink.processes(), timeout=90)


def test_one_task_at_a_time(records: Records, flink: FlinkCluster, tmp_path: Path) -> None:
    options = [*flink.master, *flink.process(), SETUP_FILE, "--parallelism", "1"]
    assert records.made(tmp_path, ALL, *options) == records.expected[ALL]


def test_the_survey_of_payloads_finds_what_this_machine_finds(flink: FlinkCluster, tmp_path: Path) -> None:
    options = [*flink.master[2:], *flink.job_server, *flink.process(), SETUP_FILE]
    survey_is_the_same("flink", options, tmp_path)


def test_copies_after_a_survey_on_the_engine(flink: FlinkCluster, tmp_path: Path) -> None:
    """In one process of a TaskManager."""
    copies_after_a_survey([*flink.master, *flink.job_server, *flink.process(), SETUP_FILE], tmp_path)


def test_as_one_jar(records: Records, small_flink: FlinkCluster, tmp_path: Path) -> None:
    options = [*small_flink.master, *small_flink.process(), SETUP_FILE, "--flink_submit_uber_jar"]
    assert records.made(tmp_path, ALL, *options) == records.expected[ALL]


def test_worker_pool(records: Records, small_flink: FlinkCluster, tmp_path: Path) -> None:
    options = [*small_flink.master, *small_flink.job_server, *small_flink.external, SETUP_FILE]
    assert records.made(tmp_path, ALL, *options) == records.expected[ALL]


HOWS = ("job server that runs", "job server of its own", "one jar")


@pytest.mark.parametrize("how", HOWS)
def test_ctrl_c_cancels_and_the_same_command_goes_on(
    how: str, flink: FlinkCluster, small_flink: FlinkCluster, installed: Trouble, tmp_path: Path
) -> None:
    flink = small_flink if how == HOWS[2] else flink
    rows, small = text_rows(40, 1000), {"path": str(tmp_path / "direct" / "out"), "shard_size": "10KiB"}
    changes: dict[str, Any] = {"fields": slow_field(0.1), "split": {}}
    direct = installed.config(tmp_path / "direct", rows, output=small, **changes)
    assert workdata.run("run", direct, PYTHONPATH=installed.path).returncode == 0
    small["path"] = str(tmp_path / "out")
    config = workdata.write_config(tmp_path / "c.yaml", {**json.loads(direct.read_text()), "output": small})
    ways = {HOWS[0]: flink.job_server, HOWS[1]: [], HOWS[2]: ["--flink_submit_uber_jar"]}
    options = [*flink.master, *flink.process(installed.path), *ways[how]]
    signals = dict(
        zip(HOWS, [(os.kill, signal.SIGINT), (os.killpg, signal.SIGTERM), (os.kill, signal.SIGHUP)], strict=True)
    )
    before = set(flink.jobs())

    process = workdata.start("run", config, *options, PYTHONPATH=installed.path)
    workdata.until(lambda: list((tmp_path / "out").glob("*/_receipts/[!.]*")), timeout=120)
    send, number = signals[how]
    send(process.pid, number)
    _, told = process.communicate(timeout=90)

    assert process.returncode == 130, told
    assert "Traceback" not in told
    ((name, state),) = ((n, s) for n, s in flink.jobs().items() if n not in before)
    assert state == "CANCELED", name
    workdata.until(lambda: not flink.workers(), timeout=90)
    assert not list((tmp_path / "out").rglob("manifest.json"))
    done = workdata.run("run", config, *options, "--json", PYTHONPATH=installed.path, timeout=240)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["resumed_shards"] > 0
    expected = workdata.contents(workdata.version_folder(tmp_path / "direct" / "out"))
    assert workdata.contents(workdata.version_folder(tmp_path / "out")) == expected


def test_poison_is_quarantined_as_on_one_machine(flink: FlinkCluster, installed: Trouble, tmp_path: Path) -> None:
    rows = text_rows(24)
    for at, word in ((3, "RAISE"), (9, "SEGV"), (17, "EXIT"), (20, "HANG")):
        rows[at]["text"] = f"{word} {rows[at]['text']}"
    found = []
    for name, options in (("direct", []), ("flink", [*flink.master, *flink.job_server])):
        output = {"path": str(tmp_path / name / "out"), "shard_size": "10KiB"}
        config = installed.config(tmp_path / name, rows, split={}, limits={"failed": 1}, output=output)
        os.utime(config.with_name("in.parquet"), (1, 1))
        more = [*flink.process(installed.path), *options] if options else []
        done = workdata.run("run", config, *more, "--json", PYTHONPATH=installed.path, timeout=240)
        assert done.returncode == 0, done.stderr
        found.append(workdata.version_folder(tmp_path / name / "out"))
    assert {row["reason"] for row in workdata.dropped(found[0])} == {"augment_error", "worker_crashed", "timed_out"}
    assert workdata.contents(found[1]) == workdata.contents(found[0])


def test_workers_without_fanbeam(records: Records, flink: FlinkCluster, tmp_path: Path) -> None:
    """Told once, with what to do; not tried again."""
    config = records.config(tmp_path, ("text",))
    options = [*flink.master, *flink.job_server, *flink.process()]
    done = workdata.run("run", config, "--json", *options, timeout=240)
    assert done.returncode == 4
    assert "the workers cannot import fanbeam" in done.stdout
    assert "--setup_file" in done.stdout
    assert "attempt 2" not in done.stderr
    workdata.until(lambda: not flink.processes(), timeout=90)  # those that Beam has forgotten among them


def test_up_again_and_status(flink: FlinkCluster) -> None:
    before = {name: flink.pid(name) for name in ("jobmanager", "taskmanager-2", "job-server", "worker-pool")}
    assert f"--flink_master localhost:{flink.port('rest')}" in flink.up()
    assert before == {name: flink.pid(name) for name in before}
    assert flink.script("status").returncode == 0
