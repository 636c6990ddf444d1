"""What splits need to know of all records, on made ones.

python -m scripts.benchmarks.survey make|search KIND RECORDS FOLDER

relatives: keys, groups of three, one content in a hundred twice, 20 classes -> components, and shares class by class.
contents: the same without groups, by hash.
pictures, texts: made signatures, one in a hundred the near duplicate of another -> candidates; of texts also distances.
`search` prints its seconds and what it found as JSON. Nothing is decoded.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.config.schema import JobConfig
from pipeline.config.split import SplitConfig
from pipeline.driver.jobs import job_of
from pipeline.engines.local import pool as workers
from pipeline.modalities.similarity.interface import Signature, embedding
from pipeline.modalities.similarity.text import TextMeasure
from pipeline.planning.job import Job
from pipeline.sources.open_input import open_input
from pipeline.splitting.assignment.partition import parts_of
from pipeline.splitting.components import no_pairs
from pipeline.splitting.duplicates.near import candidate_pairs
from pipeline.splitting.duplicates.near_tasks import DistanceTask
from pipeline.splitting.duplicates.signature_files import Signatures, store
from pipeline.splitting.facts import Facts
from pipeline.storage.mapped_columns import column, made, spans

PER_FILE, WIDTH, WORKERS = 2_048, 640, 2
RELATIVES = {"relatives": "stratified", "contents": "hash"}
_ODD = np.uint64(0x9E3779B97F4A7C15)


def relatives(count: int, method: str = "stratified") -> dict[str, Any]:
    def rows(span: slice) -> NDArray[np.uint64]:
        return np.arange(span.start, span.stop, dtype=np.uint64)

    def contents(span: slice) -> NDArray[np.uint64]:
        every, some = rows(span), rows(span) % np.uint64(100) == 0
        return np.where(some, every // np.uint64(200), every) * _ODD + np.uint64(7)

    keys = made(count, np.uint64, lambda span: rows(span) * _ODD + np.uint64(1))
    groups = made(count, np.uint64, lambda span: rows(span) // np.uint64(3) * _ODD + np.uint64(1))
    facts = Facts(
        keys,
        made(count, np.bool_, lambda _: True),
        made(count, np.float64, lambda span: (keys[span] >> np.uint64(11)) / 2.0**53),
        {"g": groups},
        [(f"class {n}",) for n in range(20)],
        made(count, np.int32, lambda span: rows(span) % np.uint64(20)),
        None,
        column(count, np.bool_),
    )
    split = SplitConfig.model_validate({"by": method, "validation": 0.1, "test": 0.1})
    relations = {"group:g": groups, "exact:c": made(count, np.uint64, contents)}
    if method == "hash":
        del relations["group:g"]
    started = time.perf_counter()
    parts = parts_of(split, facts, relations, no_pairs()).parts
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "found": sum(int((parts[span] == 1).sum()) for span in spans(count))}


def make_pictures(count: int, folder: Path) -> None:
    rng = np.random.default_rng(1)
    for first in range(0, count, PER_FILE):
        views = rng.normal(size=(min(PER_FILE, count - first), WIDTH))
        views[1::100] = views[0::100][: len(views[1::100])] + 0.3 * rng.normal(size=views[1::100].shape)
        none = np.empty(0, np.uint64)
        _store(folder, first, [Signature(embedding(view)[np.newaxis], none, b"") for view in views])


def make_texts(count: int, folder: Path) -> None:
    rng, measure = np.random.default_rng(1), TextMeasure()
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz     "))
    for first in range(0, count, PER_FILE):
        lines = ["".join(line) for line in rng.choice(letters, (min(PER_FILE, count - first), 80))]
        lines[1::100] = [line.upper() for line in lines[0::100][: len(lines[1::100])]]
        _store(folder, first, [measure.signature(line) for line in lines])


def _store(folder: Path, first: int, found: list[Signature]) -> None:
    store(str(folder), first, range(first, first + len(found)), found)


def search(job: Job, count: int, folder: Path) -> dict[str, Any]:
    signed = Signatures(str(folder), np.arange(0, count, PER_FILE))
    ranks: NDArray[np.uint64] = np.arange(count, dtype=np.uint64) * _ODD + np.uint64(1)
    started = time.perf_counter()
    with workers.pool_for(job, WORKERS) as pool:
        pairs = candidate_pairs(pool, signed, ranks)
        if job.config.fields["x"].type == "text":
            chunks = (pairs[n : n + 4096] for n in range(0, len(pairs), 4096))
            pairs = np.concatenate(list(pool.run("survey", (DistanceTask(signed, "x", chunk) for chunk in chunks))))
    return {"seconds": time.perf_counter() - started, "found": len(pairs)}


def _job(folder: Path, modality: str) -> Job:
    """One with nothing to read: the tasks have all they need."""
    pq.write_table(pa.table({"x": pa.array([b"" if modality == "image" else ""])}), folder / "in.parquet")
    tree = {
        "input": {"path": str(folder / "in.parquet")},
        "split": {"validation": 0.1, "keep_together": {"near_duplicates": {"x": {}}}},
        "fields": {"x": {"type": modality}},
        "output": {"path": str(folder / "out")},
    }
    return job_of(*open_input(JobConfig.model_validate(tree)))


def main(step: str, kind: str, count: int, folder: Path) -> None:
    if step == "make":
        if kind not in RELATIVES:
            {"pictures": make_pictures, "texts": make_texts}[kind](count, folder)
    elif kind in RELATIVES:
        print(json.dumps(relatives(count, RELATIVES[kind])))
    else:
        print(json.dumps(search(_job(folder, kind.removesuffix("s").replace("picture", "image")), count, folder)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
