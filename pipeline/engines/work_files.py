"""What one submission is to do, in files beside the shards: its job graph holds how many there are and nothing else.

So the graph is as small for a million shards as for one: engines limit it, and keep it in memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import orjson

from pipeline.audit.leak_counts import Findings
from pipeline.dataset.commit import COMMITTED, Expected, commit_detached, commit_outcome, completed
from pipeline.dataset.manifest import read_manifest
from pipeline.dataset.totals import Tally
from pipeline.planning.donors.selection import Candidate, Candidates
from pipeline.planning.job import Job, Task
from pipeline.planning.split_table import packed, unpacked
from pipeline.records import Block, InputFile, Shard, Unit, unit_of
from pipeline.storage.folder import Folder
from pipeline.storage.layout import RUNS

_FOLDER = f"{RUNS}/work"
_TASKS_PER_FILE = 1_000


def assign(job: Job, name: str, tasks: Iterable[Task], expected: Expected) -> int:
    """Write down the work of the submission `name`; how many files of tasks there are. Raises RunFailed."""
    dataset, files, left = job.dataset, 0, iter(tasks)
    while part := list(islice(left, _TASKS_PER_FILE)):
        dataset.put(_tasks_path(name, files), _tasks_bytes(part))
        files += 1
    dataset.put(f"{_FOLDER}/{name}-expected.json", orjson.dumps(expected))
    if job.candidates is not None:
        dataset.put(_candidates_path(name), orjson.dumps(job.candidates, default=packed))
    return files


def assigned_tasks(dataset: Folder, name: str, number: int) -> Iterator[Task]:
    """The tasks of one file; none once a run beside this one has committed the version, which removes the file."""
    try:
        listed = orjson.loads(dataset.read(_tasks_path(name, number)))
    except FileNotFoundError:
        if read_manifest(dataset) is None:
            raise
        return
    units = [unit_of(unit) for unit in listed["units"]]
    for split, index, blocks in listed["tasks"]:
        yield Task(Shard(split, index, tuple(_block(units[unit], *stated) for unit, *stated in blocks)))


def assigned_end(dataset: Folder, name: str) -> Expected:
    """What the commit must find."""
    stated = orjson.loads(dataset.read(f"{_FOLDER}/{name}-expected.json"))
    files = tuple(InputFile(**file) for file in stated["files"])
    return Expected(tuple(stated["shards"]), stated["records"], files, stated["split"])


def with_candidates(job: Job, name: str) -> Job:
    """The job with what its steps may look at besides their own record, if the submission has that."""
    try:
        listed = orjson.loads(job.dataset.read(_candidates_path(name)))
    except FileNotFoundError:
        return job
    classes = {label: tuple(map(_candidate, found)) for label, found in listed["classes"].items()}
    everyone, donors = (tuple(map(_candidate, listed[name])) for name in ("everyone", "donors"))
    return replace(job, candidates=Candidates(classes, everyone, donors))


def dismiss(dataset: Folder, name: str) -> None:
    """Remove the work of a submission that is over."""
    for file in dataset.names(_FOLDER):
        if file.startswith(f"{name}-"):
            dataset.remove(f"{_FOLDER}/{file}")


def dismiss_all(dataset: Folder) -> None:
    """Remove what submissions of a committed version left: those that were killed, and late ones that find it made."""
    for folder in (_FOLDER, f"{RUNS}/failures", f"{RUNS}/workers"):
        for file in dataset.names(folder):
            dataset.remove(f"{folder}/{file}")


def assigned_whole(job: Job, name: str, made: Tally) -> Tally:
    """The sums over all shards of a submission, of which `made` are this run's. An engine may ask for it once more."""
    expected = _end_unless_over(job, name)
    return made if expected is None else completed(job, expected, made)


def ended(job: Job, name: str, made: Tally, found: Findings | None = None) -> str:
    """Commit a submission whose run waits for it: a word for what came of it."""
    expected = _end_unless_over(job, name)
    return COMMITTED if expected is None else commit_outcome(job, expected, made, found)


def end_detached(job: Job, name: str, made: Tally, found: Findings | None = None) -> str:
    """Commit a submission that nobody waits for, and remove its work. An engine may ask for it once more."""
    expected = _end_unless_over(job, name)
    if expected is not None:
        commit_detached(job, expected, made, found)
        dismiss(job.dataset, name)
    return COMMITTED


def _end_unless_over(job: Job, name: str) -> Expected | None:
    """What the commit must find; None where the version is committed, and the work of late submissions removed."""
    try:
        return assigned_end(job.dataset, name)
    except FileNotFoundError:
        if read_manifest(job.dataset) is None:
            raise
        return None


def _tasks_path(name: str, number: int) -> str:
    return f"{_FOLDER}/{name}-{number:05d}.json"


def _candidates_path(name: str) -> str:
    return f"{_FOLDER}/{name}-candidates.json"


def _tasks_bytes(tasks: list[Task]) -> bytes:
    """Units once each, however many blocks are theirs."""
    units: dict[Unit, int] = {}
    listed = []
    for task in tasks:
        blocks = [(units.setdefault(b.unit, len(units)), b.start, b.stop, packed(b.splits)) for b in task.shard.blocks]
        listed.append((task.shard.split, task.shard.index, blocks))
    return orjson.dumps({"units": list(units), "tasks": listed})


def _block(unit: Unit, start: int, stop: int, splits: str) -> Block:
    return Block(unit, start, stop, unpacked(splits))


def _candidate(stated: dict[str, Any]) -> Candidate:
    block = stated["block"]
    found = _block(unit_of(block["unit"]), block["start"], block["stop"], block["splits"]) if block else None
    return Candidate(**{**stated, "block": found, "labels": tuple(stated["labels"])})
