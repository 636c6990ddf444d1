"""The same from Python: notebooks, schedulers, scripts without a main guard, threads."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import workdata

import pipeline
from pipeline.driver.run_options import RunOptions, RunResult
from pipeline.errors import ConfigError, InputError, LimitsExceeded

Birds = tuple[Path, Path]
ONE = RunOptions(workers=1)


def small(home: Path, **changes: Any) -> Path:
    data = workdata.write_parquet(home / "in.parquet", workdata.image_rows(12))
    return workdata.write_config(home / "c.yaml", workdata.image_config(data, home / "out", copies=1, **changes))


def test_plan_run_open(tmp_path: Path) -> None:
    config = pipeline.load_config(small(tmp_path), ["seed=3"])
    planned = pipeline.plan(config)
    assert not (tmp_path / "out").exists()
    result = pipeline.run(config, ONE)
    assert (result.version, result.samples) == (planned.version, planned.plan.samples)
    assert not result.already_there
    assert pipeline.run(config).already_there
    opened = pipeline.open_dataset(result.path)
    assert opened.version == result.version
    assert sum(d.count_rows() for d in opened.splits.values()) == result.samples


def test_a_path_and_a_loaded_config_make_the_same_version(tmp_path: Path) -> None:
    path = small(tmp_path)
    assert pipeline.run(path, ONE).version == pipeline.run(pipeline.load_config(path)).version


def test_errors_are_typed(tmp_path: Path) -> None:
    path = small(tmp_path)
    with pytest.raises(ConfigError):
        pipeline.load_config(path, ["copies=-1"])
    with pytest.raises(InputError):
        pipeline.run(pipeline.load_config(path, [f"input.path={tmp_path}/nowhere"]))
    rows = workdata.image_rows(12)
    rows[0]["image"] = b"x"
    workdata.write_parquet(tmp_path / "in.parquet", rows)
    with pytest.raises(LimitsExceeded):
        pipeline.run(path, ONE)
    with pytest.raises(InputError):
        pipeline.open_dataset(str(tmp_path / "nowhere"))


def test_the_input_may_change_between_runs_of_one_process(tmp_path: Path) -> None:
    path = small(tmp_path)
    first = pipeline.run(path, ONE)
    workdata.write_parquet(tmp_path / "in.parquet", workdata.image_rows(20)[::-1], 3)
    second = pipeline.run(path, ONE)
    assert second.version != first.version
    assert second.manifest["input"]["records"] == 20
    found = workdata.samples(Path(second.path))
    assert {i.split("/")[0] for i in found} == {f"r{n:03d}" for n in range(20)}
    before = workdata.samples(Path(first.path))
    assert all(found[i] == s for i, s in before.items())


def test_from_a_thread(birds: Birds, tmp_path: Path) -> None:
    results: list[RunResult] = []
    config = pipeline.load_config(birds[0], [f"output.path={tmp_path}/out"])
    thread = threading.Thread(target=lambda: results.append(pipeline.run(config, ONE)))
    thread.start()
    thread.join(120)
    assert not thread.is_alive()
    assert workdata.contents(Path(results[0].path)) == workdata.contents(workdata.version_folder(birds[1]))


def test_two_threads_at_once(tmp_path: Path) -> None:
    results: dict[int, RunResult] = {}
    data = workdata.write_parquet(tmp_path / "in.parquet", workdata.image_rows(24))

    def go(number: int) -> None:
        tree = workdata.image_config(data, tmp_path / f"out{number}", seed=number, copies=1)
        config = workdata.write_config(tmp_path / f"c{number}.yaml", tree)
        results[number] = pipeline.run(config, ONE)

    threads = [threading.Thread(target=go, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(results) == [1, 2]
    alone = pipeline.run(pipeline.load_config(tmp_path / "c2.yaml", [f"output.path={tmp_path}/alone"]), ONE)
    assert workdata.contents(Path(results[2].path)) == workdata.contents(Path(alone.path))


SCRIPT = """
print("top of the script")
import pipeline
result = pipeline.run({config!r})
print(result.version, result.samples)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["file", "-c", "stdin"])
def test_a_script_without_a_main_guard(how: str, birds: Birds, tmp_path: Path) -> None:
    tree = workdata.image_config(birds[0].parent / "data" / "birds.parquet", tmp_path / "out")
    text = SCRIPT.format(config=str(workdata.write_config(tmp_path / "c.yaml", tree)))
    script = tmp_path / "script.py"
    script.write_text(text)
    arguments = {"file": [str(script)], "-c": ["-c", text], "stdin": []}[how]
    done = subprocess.run(
        [sys.executable, *arguments], input=text if how == "stdin" else "", capture_output=True, text=True,
        cwd=workdata.ROOT, timeout=120,
        env=workdata.environment(PYTHONPATH=str(workdata.ROOT)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    manifest = workdata.manifest_of(birds[1])
    samples = sum(s["samples"] for s in manifest["splits"].values())
    assert done.stdout == f"top of the script\n{manifest['version']} {samples}\n"
    assert done.stderr == ""
