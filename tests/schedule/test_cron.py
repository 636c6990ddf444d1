"""cron.sh: one version per interval, one run at a time, fanbeam's exit codes."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import workdata
from conftest import DAYS, SCRIPTS, Weekly, written

pytestmark = pytest.mark.slow


def start(weekly: Weekly, day: str, **settings: str) -> "subprocess.Popen[str]":
    given = {"FANBEAM": str(weekly.program), "FANBEAM_DAY": day, "FANBEAM_LOGS": str(weekly.home / "logs"), **settings}
    return subprocess.Popen(
        ["bash", SCRIPTS / "cron.sh", weekly.config, weekly.input, weekly.output, "--workers", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **given}, start_new_session=True,
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_one_version_per_interval(weekly: Weekly) -> None:
    for day in DAYS[:2]:
        version, contents = weekly.expected(day)
        assert ended(start(weekly, day)) == (0, f"{weekly.output / version}\n", "")
        assert workdata.contents(weekly.output / version) == contents
    before = written(weekly.output)
    assert ended(start(weekly, DAYS[1])) == (0, f"{weekly.output / version}\n", "")
    assert written(weekly.output) == before
    (log,) = (weekly.home / "logs").glob(f"*{DAYS[1]}.log")
    answers = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [answer.get("already_there") for answer in answers] == [False, None, True, None]


def test_one_at_a_time(weekly: Weekly) -> None:
    first = start(weekly, DAYS[0])
    workdata.until(lambda: weekly.receipts() >= 1)
    code, out, err = ended(start(weekly, DAYS[0]))
    assert (code, out) == (75, "")
    assert f"another run writes to {weekly.output}" in err
    second = start(weekly, DAYS[0], FANBEAM_WAIT="100")
    assert first.poll() is None
    done = ended(first)
    assert done[0] == 0, done
    assert ended(second) == done


def test_exit_codes_are_handed_through(weekly: Weekly) -> None:
    code, out, err = ended(start(weekly, "2026-02-01"))
    assert (code, out) == (2, "")
    assert json.loads(err.splitlines()[0])["error"]["kind"] == "input"
    assert err.splitlines()[1].startswith("fanbeam run: exit code 2; log: ")
    _, out, _ = ended(start(weekly, DAYS[0]))
    shard = next(Path(out.strip()).glob("train/*.parquet"))
    data = shard.read_bytes()
    shard.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    code, out, err = ended(start(weekly, DAYS[0]))
    assert (code, out) == (1, "")
    assert shard.name in str(json.loads(err.splitlines()[0])["differences"])


@pytest.mark.parametrize("to", ["script", "group"])
def test_terminated(to: str, weekly: Weekly) -> None:
    process = start(weekly, DAYS[0])
    workdata.until(lambda: weekly.receipts() >= 1)
    family = workdata.family(process.pid)
    (os.killpg if to == "group" else os.kill)(process.pid, signal.SIGTERM)
    code, out, err = ended(process)
    assert (code, out) == (130, ""), err
    assert json.loads(err.splitlines()[0])["error"]["kind"] == "interrupted"
    workdata.until(lambda: not workdata.alive(family), timeout=10)
    version, contents = weekly.expected(DAYS[0])
    assert ended(start(weekly, DAYS[0]))[0] == 0
    assert workdata.contents(weekly.output / version) == contents


def test_without_arguments_it_tells_what_it_takes() -> None:
    told = subprocess.run(["bash", SCRIPTS / "cron.sh"], capture_output=True, text=True, timeout=20)
    assert told.returncode == 2
    assert "cron.sh CONFIG INPUT OUTPUT" in told.stderr
