"""Throughput and memory beside the bound and two peers, interleaved; prints tables, asserts nothing.

python scripts/bench.py [--sizes 2000,20000] [--rounds 3] [--workers 2] [--only fanbeam,bound]
python scripts/bench.py --overhead       what one step costs besides the library's own work
python scripts/bench.py --survey [--sizes 10000,100000,1000000] [--kinds relatives,…]      relatives among made records
python scripts/bench.py --store s3       shards on the S3 server of the environment, beside pyarrow's own file system

bound: bare processes that do only what must be done. hugging_face: `datasets.map`. naive_beam: a per-record pipeline.
Every contender is a process of its own, start-up included; memory is the sum of RSS over its process tree.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))
from scripts.benchmarks import material, overhead  # noqa: E402

SHARDS = 4
CONTENDERS = ("fanbeam", "bound", "hugging_face", "naive_beam")
_SAMPLE_SECONDS = 0.25  # looking at every process costs as well


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one contender: wall seconds, peak RSS of the process tree in MiB, and what it printed.

    `own`: the same without pages of files, which the system takes back when it needs memory.
    """

    seconds: float
    peak: float
    own: float
    told: str = ""


def command(name: str, data: Path, output: Path, workers: int) -> list[str]:
    """The command line of a contender."""
    if name == "fanbeam":
        config = output.with_suffix(".yaml")
        material.write_config(config, data, output)
        program = str(Path(sys.executable).with_name("fanbeam"))
        return [program, "run", str(config), "--workers", str(workers)]
    return [sys.executable, "-m", f"scripts.benchmarks.{name}", str(data), str(output), str(workers)]


def measure(arguments: list[str]) -> Measured:
    """Run to the end. Raises CalledProcessError."""
    started, peak, own = time.perf_counter(), 0, 0
    with (
        tempfile.TemporaryFile() as printed,
        subprocess.Popen(arguments, cwd=TOP, stdout=printed, stderr=subprocess.PIPE) as process,
    ):
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            whole, files = _resident(tree)
            peak, own = max(peak, whole), max(own, whole - files)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SAMPLE_SECONDS)
        seconds = time.perf_counter() - started
        errors = process.stderr.read().decode() if process.stderr else ""
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, arguments, stderr=errors)
        printed.seek(0)
        return Measured(seconds, peak / 2**20, own / 2**20, printed.read().decode())


def _resident(tree: psutil.Process) -> tuple[int, int]:
    """Bytes in memory, and how many of them are pages of files or shared."""
    total = files = 0
    try:
        members = [tree, *tree.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0, 0
    for member in members:
        try:
            held = member.memory_info()
        except psutil.NoSuchProcess:
            continue
        total, files = total + held.rss, files + held.shared
    return total, files


def compare(size: int, rounds: int, workers: int, names: list[str]) -> None:
    """All contenders in turn, several rounds; medians, and ratios pair by pair against fanbeam."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        data = folder / "photos.parquet"
        material.write_photos(data, size)
        found: dict[str, list[Measured]] = defaultdict(list)
        for number in range(rounds):
            for name in names:
                output = folder / f"{name}-{number}"
                found[name].append(measure(command(name, data, output, workers)))
                shutil.rmtree(output, ignore_errors=True)
        show(size, found)
    finally:
        shutil.rmtree(folder)


def show(size: int, found: dict[str, list[Measured]]) -> None:
    """One table."""
    samples = size * material.COPIES
    print(f"\n{size} records of {material.SIDE} px, {material.COPIES} copies\n")
    print("| contender | seconds (median) | samples/s | fanbeam's throughput / its | peak RSS of the tree, MiB |")
    print("|---|---|---|---|---|")
    for name, runs in found.items():
        seconds = statistics.median(r.seconds for r in runs)
        ratios = [own.seconds / ours.seconds for own, ours in zip(runs, found.get("fanbeam", runs), strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        peak = max(r.peak for r in runs)
        print(f"| {name} | {seconds:.1f} | {samples / seconds:.0f} | {spread} | {peak:.0f} |")


def surveys(sizes: list[int], kinds: list[str]) -> None:
    """One table: each kind at each size, a process of its own."""
    print("| what | records | seconds | µs a record | peak RSS of the tree, MiB | without pages of files | found |")
    print("|---|---|---|---|---|---|---|")
    for kind in kinds:
        for size in sizes:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                step, rest = [sys.executable, "-m", "scripts.benchmarks.survey"], [kind, str(size), folder]
                measure([*step, "make", *rest])
                run = measure([*step, "search", *rest])
            found = json.loads(run.told)
            seconds, each = found["seconds"], found["seconds"] / size * 1e6
            numbers = f"{seconds:.1f} | {each:.1f} | {run.peak:.0f} | {run.own:.0f} | {found['found']}"
            print(f"| {kind} | {size} | {numbers} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default=",".join(CONTENDERS))
    parser.add_argument("--overhead", action="store_true", help="only the overhead of single steps")
    parser.add_argument("--survey", action="store_true", help="only what splits need to know of all records")
    parser.add_argument("--kinds", default="contents,relatives,texts,pictures", help="of what --survey looks at")
    parser.add_argument("--store", choices=["s3"], help="only reading and writing on a store")
    given = parser.parse_args()
    if given.store:
        from scripts.benchmarks import stores  # pyarrow's client of S3 is loaded with it

        stores.show_all(os.environ["FANBEAM_STORE"], SHARDS, given.rounds)
        return
    if given.overhead:
        overhead.show()
        return
    if given.survey:
        surveys([int(size) for size in (given.sizes or "10000,100000,1000000").split(",")], given.kinds.split(","))
        return
    for size in (given.sizes or "2000,20000").split(","):
        compare(int(size), given.rounds, given.workers, given.only.split(","))


if __name__ == "__main__":
    main()
