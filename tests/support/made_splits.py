"""Splits decided in this process, shared by the tests of what decides them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from small_inputs import config_of, opened, parquet, text_columns

from pipeline.config.schema import JobConfig
from pipeline.engines.local.payload_survey import InPool
from pipeline.engines.local.pool import Pool
from pipeline.planning.job import Job
from pipeline.planning.split_table import split_places
from pipeline.records import SPLITS
from pipeline.sources import Listing
from pipeline.splitting.decision import Decision, decide, settle
from pipeline.splitting.history.ledger import count_in


class Here:
    """Does the pool's work in this process."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def run(self, kind: str, tasks: Sequence[Any]) -> Iterator[Any]:
        assert kind == "survey"
        return reversed([task.run(self.job, iter) for task in tasks])  # any order is as good


def here(job: Job) -> InPool:
    return InPool(cast(Pool, Here(job)))


def decided(config: JobConfig) -> tuple[Job, Listing, Decision]:
    job, listing = opened(config)
    found = decide(job, listing.units, here(job), job.version)
    assert found is not None
    return replace(job, decided=found.table, version=found.descent.version), listing, found


def committed(config: JobConfig) -> tuple[Job, Listing, Decision]:
    """Decided, written down, and counted in as a commit does."""
    fingerprint = opened(config)[0].version
    job, listing, found = decided(config)
    assert settle(job, found, fingerprint) is found
    count_in(job)
    return job, listing, found


def split_of(job: Job, listing: Listing) -> dict[str, str]:
    """Id -> split, as the survey reads it."""
    from pipeline.planning.keys import keys_at
    from pipeline.planning.survey import key_blocks

    return {
        key.key: key.refusal.reason if key.refusal else key.split
        for unit in listing.units
        for block in key_blocks(job, unit)
        for key in keys_at(job.config, job.reader, block, range(len(block)))
    }


def texts(path: Path, count: int, first: int = 0, **more: Any) -> Path:
    """A file of `count` records r<first>.. with texts of their own."""
    columns = text_columns(first + count)
    return parquet(path, {name: values[first:] for name, values in columns.items()} | more, 7)


def config(folder: Path, /, **split: Any) -> JobConfig:
    return config_of(str(folder / "in" / "*.parquet"), folder / "out", split=split)


def counts(found: Decision) -> dict[str, int]:
    numbers = np.bincount(split_places(found.table.codes), minlength=3).tolist()
    return dict(zip(SPLITS, numbers, strict=True))
