"""One size, in a process of its own, so that its peak memory is its own. Prints JSON.

python -m scripts.scaling.measure RECORDS PAYLOAD_BYTES SHARD_BYTES KEYS_FOLDER OUTPUT [RECEIPTS]
"""

import json
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from pipeline.audit.shard_audit import audited, portions_of
from pipeline.config.schema import JobConfig
from pipeline.dataset.card import card_files
from pipeline.dataset.commit import Expected, complete, finished, manifest_of, receipted
from pipeline.dataset.manifest import manifest_bytes
from pipeline.dataset.receipts import receipt_bytes
from pipeline.dataset.totals import Tally
from pipeline.driver.jobs import job_of
from pipeline.driver.run import expected_of
from pipeline.engines.beam.graph import Work, build
from pipeline.engines.work_files import assign, dismiss
from pipeline.engines.worker_environment import Surroundings
from pipeline.planning.job import Job, Task
from pipeline.planning.plan import Plan, Probe, make_plan
from pipeline.planning.survey import survey
from pipeline.records import FileReceipt, Receipt, Shard, Unit
from pipeline.sources import Listing
from pipeline.sources.open_input import open_input
from pipeline.sources.range_reads import in_order
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.decision import decide, settle
from pipeline.splitting.duplicates.chunks import Piece
from pipeline.storage.folder import Folder
from pipeline.storage.layout import receipt_path
from scripts.scaling import made_marks
from scripts.scaling.made_keys import CLASSES

COPIES = 4
_TOGETHER = {"group": "scene", "exact": False}
_SPLIT = {"by": "stratified", "validation": 0.1, "test": 0.1, "keep_together": _TOGETHER}
_SUBMISSION = "scale"


@dataclass(slots=True)
class Findings:
    """Seconds of each step, peak memory of the whole process so far (MiB, without pages of files), and counts."""

    seconds: dict[str, float] = field(default_factory=dict)
    peak: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    memory: "Memory" = field(default_factory=lambda: Memory())

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step."""
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)
        self.peak[name] = round(self.memory.peak / 2**20, 1)


class Memory:
    """Looks at this process ten times a second."""

    def __init__(self) -> None:
        self.peak = 0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        process = psutil.Process()
        while True:
            held = process.memory_info()
            self.peak = max(self.peak, held.rss - held.shared)
            time.sleep(0.1)


class NoPayload:
    """There is none to look at."""

    def contents(self, job: Job, units: Sequence[Unit]) -> dict[str, Digests]:
        raise SystemExit("payload was asked for, and there is none")

    def written(self, job: Job, pieces: Iterable[Piece]) -> dict[str, list[Digests]]:
        raise SystemExit("payload was asked for, and there is none")

    def near(self, job: Job, units: Sequence[Unit], field: str, ranks: Digests) -> NDArray[np.int64]:
        raise SystemExit("payload was asked for, and there is none")


def main(records: int, payload: int, shard_size: int, keys: str, output: str, sample: int) -> None:
    found = Findings()
    with found.step("start"):
        config = _config(keys, output, shard_size)
    with found.step("list"):
        config, listing = open_input(config)
        units = tuple(replace(unit, bytes=unit.rows * payload) for unit in listing.units)
        job = job_of(config, listing)
    with found.step("split"):
        decision = decide(job, units, NoPayload(), job.version)
        if decision is None or settle(job, decision, job.version) is None:
            raise SystemExit("splits were decided otherwise before")
        job = replace(job, decided=decision.table)
        del decision
    with found.step("survey"):
        surveyed = survey(job, units)
    with found.step("plan"):
        plan = make_plan(job, surveyed, Probe(1, payload, payload, payload, 0.01))
        expected = expected_of(plan, listing)
    del surveyed
    found.counts |= {"records": plan.records, "files": len(listing.files), "units": len(units)}
    found.counts |= {"shards": len(plan.shards), **{f"shards_{s}": p.shards for s, p in plan.splits.items()}}
    _submit(job, plan, expected, found)
    _audit(plan, found)
    _commit(job, plan, expected, found)
    _resume(job, plan, listing, found, sample)
    print(json.dumps({"seconds": found.seconds, "peak": found.peak, "counts": found.counts}))
    if plan.records != records:
        raise SystemExit(f"{plan.records} records were found")


def _config(keys: str, output: str, shard_size: int) -> JobConfig:
    return JobConfig.model_validate(
        {
            "input": {"path": keys, "id": "id", "label": "label"},
            "split": _SPLIT,
            "copies": COPIES,
            "fields": {"image": {"type": "image"}},
            "output": {"path": output, "shard_size": shard_size},
        }
    )


def _submit(job: Job, plan: Plan, expected: Expected, found: Findings) -> None:
    """What the engine is given: the files of tasks, and the graph."""
    import apache_beam as beam

    with found.step("assign"):
        files = assign(job, _SUBMISSION, map(Task, plan.shards), expected)
    work = [f for f in job.dataset.folder("_runs/work").walk() if f.path.startswith(_SUBMISSION)]
    found.counts |= {"task_files": files, "task_bytes": sum(f.size for f in work)}
    with found.step("graph"):
        pipeline = beam.Pipeline(runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner")
        build(pipeline, Work(job, files, Surroundings.here(job.config, _SUBMISSION), local=False))
        found.counts["graph_bytes"] = len(pipeline.to_runner_api().SerializeToString())
    dismiss(job.dataset, _SUBMISSION)


def _audit(plan: Plan, found: Findings) -> None:
    """All that is compared of what would be written, in one process: marks of made-up rows, and no near duplicates."""
    shards = [{"split": r.split, "path": r.data.path, "rows": r.data.rows} for r in _receipts(plan) if r.data]
    portions = portions_of(shards, made_marks.LOOKED, plan.records)
    with found.step("audit"):
        findings = audited(portions, made_marks.look, lambda _: ())
    found.counts |= {"audited_rows": findings.read.total(), "audited_files": len(portions)}
    if findings.leaking or findings.read.total() != sum(portion.rows for portion in portions):
        raise SystemExit(f"the audit found {findings}")


def _commit(job: Job, plan: Plan, expected: Expected, found: Findings) -> None:
    with found.step("sum"):
        tally = Tally()
        for receipt in _receipts(plan):
            tally.add(receipt)
    with found.step("commit"):
        manifest = manifest_of(job, expected, complete(job.dataset, expected, tally))
        found.counts["manifest_bytes"] = len(manifest_bytes(manifest))
        found.counts["card_bytes"] = sum(len(data) for _, data in card_files(job, manifest))


def _receipts(plan: Plan) -> Iterator[Receipt]:
    """A receipt for each shard, as if everything had been rendered; no file is there."""
    for split, totals in plan.splits.items():
        each, more = divmod(totals.records, totals.shards)
        samples = totals.samples // totals.records
        for index in range(totals.shards):
            count = each + (index < more)
            shard = Shard(split, index, ())
            classes = {f"class-{(index + n) % CLASSES}": (1, samples) for n in range(min(count, CLASSES))}
            file = FileReceipt(shard.path, count * samples, 64 * 2**20, f"{index:064x}")
            yield Receipt(split, index, count, count * samples, count, file, classes=classes)


def _resume(job: Job, plan: Plan, listing: Listing, found: Findings, sample: int) -> None:
    """Receipts written, listed and read back: some, since each costs the same."""
    made = list(islice(_receipts(plan), sample))
    sizes = [Receipt(r.split, r.index, r.records, r.samples, r.records, None, classes=r.classes) for r in made]
    with found.step("put_receipts"):
        list(in_order(lambda r: job.dataset.put(receipt_path(r.name), receipt_bytes(r)), sizes))
    with found.step("list_receipts"):
        names = receipted(job.dataset)
    with found.step("read_receipts"):
        there = finished(job.dataset)
    if names != there or len(names) != len(made):
        raise SystemExit(f"{len(names)} receipts were listed and {len(there)} are sound, of {len(made)}")
    found.counts |= {"receipts": len(made), "receipt_bytes": len(receipt_bytes(made[0]))}
    list(in_order(lambda r: job.dataset.remove(receipt_path(r.name)), made))


def given(words: list[str]) -> tuple[Any, ...]:
    records, payload, shard_size, keys, output, *sample = words
    return int(records), int(payload), int(shard_size), keys, Folder.at(output).url, int(sample[0]) if sample else 1_000


if __name__ == "__main__":
    main(*given(sys.argv[1:]))
