"""Several runs of one config at the same time: one dataset, all end well."""

import os
import signal
from pathlib import Path

import pytest
import workdata
from conftest import Slow, Trouble, receipts


@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_at_once(count: int, slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    config = slow.config(tmp_path)
    processes = [slow.start(config, "--json") for _ in range(count)]
    for process in processes:
        out, err = process.communicate(timeout=100)
        assert process.returncode == 0, out + err
    slow.is_whole(tmp_path / "out")


@pytest.mark.slow
def test_a_second_one_joins_and_the_first_is_killed(slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    config = slow.config(tmp_path)
    first = slow.start(config)
    workdata.until(lambda: receipts(tmp_path / "out") >= 2)
    second = slow.start(config)
    workdata.until(lambda: receipts(tmp_path / "out") >= 5)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate(timeout=30)
    out, err = second.communicate(timeout=100)
    assert second.returncode == 0, out + err
    slow.is_whole(tmp_path / "out")


@pytest.mark.slow
def test_two_configs_into_one_output_folder(slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    config = slow.config(tmp_path)
    processes = [slow.start(config, "--set", f"seed={seed}") for seed in (17, 18)]
    for process in processes:
        out, err = process.communicate(timeout=100)
        assert process.returncode == 0, out + err
    versions = workdata.versions(tmp_path / "out")
    assert len(versions) == 2
    assert slow.contents in [workdata.contents(v) for v in versions]
    assert workdata.version_folder(tmp_path / "out") in versions
