"""Plan, submission and commit of many records with made keys and no payload; prints the tables of docs/scale.md.

python scripts/scale.py [--records 10000,1000000] [--payload BYTES] [--shard-size BYTES] [--prices WRITE,READ] […]

Every size is a process of its own. Keys are written below --folder and stay there. Receipts go to --output.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))
from scripts.scaling import made_keys, requests  # noqa: E402

Measured = dict[str, Any]
_STEPS = ("list", "split", "survey", "plan", "assign", "audit", "sum", "commit")


def measure(records: int, given: argparse.Namespace, output: str) -> Measured:
    """One size. Raises CalledProcessError."""
    keys = Path(given.folder) / f"keys-{records}"
    made_keys.write(keys, records)
    words = [records, given.payload, given.shard_size, keys, f"{output}/{records}", given.receipts]
    command = [sys.executable, "-m", "scripts.scaling.measure", *map(str, words)]
    done = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, check=True)
    found: Measured = json.loads(done.stdout)
    return found


def extrapolated(found: list[Measured], records: int) -> Measured:
    """Straight on from the two largest sizes."""
    small, large = found[-2:]
    span = large["counts"]["records"] - small["counts"]["records"]
    share = (records - large["counts"]["records"]) / span

    def further(part: str, name: str) -> float:
        low, high = small[part].get(name, 0), large[part].get(name, 0)
        return float(max(high, high + (high - low) * share))

    longer = {part: {name: further(part, name) for name in large[part]} for part in ("seconds", "peak")}
    same = {name: large["counts"][name] for name in ("receipts", "receipt_bytes", "graph_bytes")}
    counts = {name: round(further("counts", name)) for name in large["counts"]} | same
    return {**longer, "counts": {**counts, "records": records}}


def show_time(rows: list[tuple[str, Measured]]) -> None:
    """Seconds of each step, peak memory."""
    print(
        "| records | list s | split s | survey s | plan s | write tasks s | audit s | sum receipts s | commit s"
        " | peak MiB: split | plan | audit | commit |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name, found in rows:
        steps = " | ".join(f"{found['seconds'][step]:.1f}" for step in _STEPS)
        peaks = " | ".join(f"{found['peak'][step]:.0f}" for step in ("split", "plan", "audit", "commit"))
        print(f"| {name} | {steps} | {peaks} |")


def show_sizes(rows: list[tuple[str, Measured]]) -> None:
    """What there is then, and how big."""
    print(
        "\n| records | input files | row groups | shards | objects | tasks MB | graph kB | manifest MB | croissant MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, found in rows:
        c = found["counts"]
        sizes = f"{c['task_bytes'] / 1e6:.1f} | {c['graph_bytes'] / 1e3:.0f} | {c['manifest_bytes'] / 1e6:.1f}"
        held = f"{c['files']:,} | {c['units']:,} | {c['shards']:,} | {2 * c['shards'] + 5:,}"
        print(f"| {name} | {held} | {sizes} | {c['card_bytes'] / 1e6:.1f} |")


def show_requests(rows: list[tuple[str, Measured]], given: argparse.Namespace) -> None:
    """Requests by phase, and dollars."""
    write, read = (float(price) for price in given.prices.split(","))
    print("\n| records | plan | render: writes | reads | a whole resume | plan $ | render $ | resume $ |")
    print("|---|---|---|---|---|---|---|---|")
    for name, found in rows:
        plan = requests.planning(found["counts"]["records"])
        render = requests.rendering(found["counts"], given.payload, given.shard_size)
        resume = requests.resuming(found["counts"])
        cells = (
            f"{plan.writes + plan.reads:,} | {render.writes:,} | {render.reads:,} | {resume.writes + resume.reads:,}"
        )
        dollars = " | ".join(f"{part.dollars((write, read)):.2f}" for part in (plan, render, resume))
        print(f"| {name} | {cells} | {dollars} |")


def show_receipts(found: Measured) -> None:
    """What one receipt costs to write, list and read back."""
    count, seconds = found["counts"]["receipts"], found["seconds"]
    each = {step: seconds[f"{step}_receipts"] / count * 1e6 for step in ("put", "list", "read")}
    words = ", ".join(f"{step} {micros:.0f}" for step, micros in each.items())
    print(f"\n{count} receipts of {found['counts']['receipt_bytes']} bytes, microseconds each: {words}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", default="10000,100000,1000000")
    parser.add_argument("--further", default="1000000000", help="sizes that are only extrapolated")
    parser.add_argument("--payload", type=int, default=100_000, help="bytes that each record is taken to have")
    parser.add_argument("--shard-size", type=int, default=64 * 2**20)
    parser.add_argument("--receipts", type=int, default=1_000)
    parser.add_argument("--folder", default=str(Path(tempfile.gettempdir()) / "fanbeam-scale"))
    prices = ",".join(map(str, requests.PRICES))
    parser.add_argument("--prices", default=prices, help="dollars for 1,000 requests: WRITE,READ  [%(default)s]")
    parser.add_argument("--output", help="folder or URL  [in --folder]")
    given = parser.parse_args()
    sizes = [int(float(word)) for word in given.records.split(",")]
    output = given.output or str(Path(given.folder) / "out")
    found = [measure(records, given, output) for records in sizes]
    rows = [(f"{f['counts']['records']:,}", f) for f in found]
    if len(found) > 1:
        further = [int(float(word)) for word in given.further.split(",") if word]
        rows += [(f"{n:,} (extrapolated)", extrapolated(found, n)) for n in further]
    show_time(rows)
    show_sizes(rows)
    show_requests(rows, given)
    show_receipts(found[-1])


if __name__ == "__main__":
    main()
