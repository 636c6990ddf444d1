"""Small made inputs, configs, and jobs that run in this process; shared by the tests of this folder."""

import io
import wave
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from totals_and_keys import tallied

from pipeline.config.loader import ConfigText
from pipeline.config.schema import JobConfig
from pipeline.dataset.commit import Expected, commit, point_latest
from pipeline.dataset.reader import Dataset, open_dataset
from pipeline.driver.jobs import job_of
from pipeline.planning.job import Job, Task
from pipeline.planning.plan import Plan, Probe, make_plan
from pipeline.planning.survey import survey
from pipeline.records import Receipt, Split, Unit
from pipeline.rendering.stages import render
from pipeline.sources import Listing, Reader
from pipeline.sources.open_input import open_input

FLIP = "albumentations.HorizontalFlip"
SWAP = {"nlpaug.RandomWordAug": {"action": "swap", "aug_p": 0.5}}


@cache
def jpeg(number: int = 0, side: int = 16) -> bytes:
    """A picture of coloured squares, always the same for the same number."""
    squares = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
    pixels = np.kron(squares, np.ones((side // 4, side // 4, 1), np.uint8))
    return bytes(cv2.imencode(".jpg", pixels)[1])


def wav(number: int = 0, length: int = 800, rate: int = 8000) -> bytes:
    """A short mono noise, 16 bit."""
    samples = np.random.default_rng(number).normal(0, 3000, length).astype("<i2")
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return sink.getvalue()


def words(number: int) -> str:
    """Eight words that no other number has."""
    return " ".join(f"word{number}{letter}" for letter in "abcdefgh")


def put(path: Path, data: bytes | str) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def parquet(path: Path, data: Mapping[str, Any] | pa.Table, per_group: int = 1_000) -> Path:
    """Write a Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = data if isinstance(data, pa.Table) else pa.table(dict(data))
    pq.write_table(table, path, row_group_size=per_group)
    return path


def text_columns(count: int, **more: Any) -> dict[str, Any]:
    """Keyed, labeled texts and whatever else."""
    return {
        "id": [f"r{n:04d}" for n in range(count)],
        "label": [("owl", "tit", "wren")[n % 3] for n in range(count)],
        "text": [words(n) for n in range(count)],
        **more,
    }


def values(path: Path | str | Sequence[str], output: Path | str, /, **changes: Any) -> dict[str, Any]:
    """A config as YAML gives it: texts by `id` and `label`. `changes` are keys with `__` between levels.

    Rows in input order, so that tests can say which they expect; `output__order="shuffled"` is what users have.
    """
    tree: dict[str, Any] = {
        "seed": 17,
        "input": {"path": str(path) if isinstance(path, Path | str) else list(path), "id": "id", "label": "label"},
        "copies": 2,
        "fields": {"text": {"type": "text", "augment": [SWAP]}},
        "output": {"path": str(output), "order": "input"},
    }
    for name, value in changes.items():
        *above, last = name.split("__")
        at = tree
        for key in above:
            at = at.setdefault(key, {})
        if value is ...:
            at.pop(last, None)
        else:
            at[last] = value
    return tree


def config_of(path: Path | str | Sequence[str], output: Path | str, /, **changes: Any) -> JobConfig:
    """The same, validated."""
    return JobConfig.model_validate(values(path, output, **changes))


def text_of(tree: Any) -> ConfigText:
    """Values as a config text without lines."""
    return ConfigText("job.yaml", tree)


def opened(config: JobConfig) -> tuple[Job, Listing]:
    """The job of a config, as `run` makes it."""
    config, listing = open_input(config)
    return job_of(config, listing), listing


@dataclass(frozen=True, slots=True)
class Ran:
    """A job that ran to its commit in this process."""

    job: Job
    listing: Listing
    plan: Plan
    receipts: tuple[Receipt, ...]
    dataset: Dataset

    def table(self, split: str = "train") -> pa.Table:
        """All rows of a split, in order."""
        found: pa.Table = self.dataset.splits[split].to_table()
        return found

    def dropped(self, kind: str = "failed") -> list[dict[str, Any]]:
        """Rows of `_failed` or `_rejected`."""
        files = sorted(Path(self.dataset.path).glob(f"_{kind}/*.parquet"))
        return [row for file in files for row in pq.read_table(file).to_pylist()]


def planned(config: JobConfig) -> tuple[Job, Listing, Plan]:
    """Listing, survey and plan; no probe."""
    job, listing = opened(config)
    surveyed = survey(job, listing.units)
    return replace(job, candidates=surveyed.candidates), listing, make_plan(job, surveyed, Probe())


def ran(config: JobConfig) -> Ran:
    """Everything that `run` does, without workers and without an engine."""
    job, listing, plan = planned(config)
    receipts = tuple(render(job, Task(shard)) for shard in plan.shards)
    commit(job, Expected(tuple(s.name for s in plan.shards), plan.records, listing.files), tallied(receipts))
    point_latest(job.output, job.version)
    return Ran(job, listing, plan, receipts, open_dataset(job.output.url))


def split_by_definition(key: str, group: str | None, shares: Mapping[str, float], seed: int) -> Split:
    """The split of one record, spelled out."""
    state = blake2b(digest_size=16, person=b"fanbeam.seed")
    for part in ("split", str(seed), f"key:{key}" if group is None else f"group:{group}"):
        raw = part.encode("utf-8", "surrogatepass")
        state.update(len(raw).to_bytes(8, "little") + raw)
    number = (int.from_bytes(state.digest()[:8], "little") >> 11) / 2.0**53
    if number < shares["test"]:
        return "test"
    return "validation" if number >= 1.0 - shares["validation"] else "train"


def rows_of(reader: Reader, units: Iterable[Unit]) -> Iterator[dict[str, Any]]:
    """Every row of some units, as Python values."""
    for unit in units:
        for batch in reader.read(unit, None, 0, unit.rows):
            yield from batch.to_pylist()
