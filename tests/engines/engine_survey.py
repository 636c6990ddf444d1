"""Near duplicates and contents as Beam stages on an engine, against what the pool of this machine finds."""

import json
from collections.abc import Sequence
from pathlib import Path

import workdata
from small_inputs import config_of, jpeg, opened, parquet

from pipeline.driver.payload_survey import OnEngine
from pipeline.driver.submission import settings_for
from pipeline.engines.local import pool as workers
from pipeline.engines.local.payload_survey import InPool
from pipeline.engines.options import engine_of
from pipeline.engines.progress import Silent
from pipeline.splitting.facts import facts_of


def survey_is_the_same(runner: str, options: Sequence[str], folder: Path) -> None:
    """Thirty photos, three of them once more at another size, one twice to the byte; children and all."""
    payloads = [*(jpeg(n, 64) for n in range(30)), *(jpeg(n, 80) for n in range(3)), jpeg(7, 64)]
    ids = [f"r{n}" for n in range(len(payloads))]
    parquet(folder / "in.parquet", {"id": ids, "label": ids, "image": payloads}, 8)
    split = {"validation": 0.3, "keep_together": {"near_duplicates": True}}
    config = config_of(folder / "in.parquet", folder / "out", fields={"image": {"type": "image"}}, split=split)
    job, listing = opened(config)
    engine = OnEngine(settings_for(engine_of(runner), job, list(options), debug=False), 1, Silent())
    ranks = facts_of(job, listing.units).keys
    with workers.pool_for(job, 1) as pool:
        here = InPool(pool)
        near = here.near(job, listing.units, "image", ranks).tolist()
        contents = here.contents(job, listing.units)["image"].tolist()
    assert engine.near(job, listing.units, "image", ranks).tolist() == near == [[0, 30], [1, 31], [2, 32], [7, 33]]
    assert engine.contents(job, listing.units)["image"].tolist() == contents


def copies_after_a_survey(runner: Sequence[str], folder: Path) -> None:
    """Children look at payloads for the split, then render copies whose number the survey counted out."""
    rows = [{**row, "label": "owl" if n % 6 else "tit"} for n, row in enumerate(workdata.image_rows(36))]
    rows += [{**rows[n], "id": f"again{n}"} for n in range(4)]
    data = workdata.write_parquet(folder / "in.parquet", rows)
    made = []
    for name, options in (("here", ()), ("there", runner)):
        split = {"validation": 0.2, "test": 0, "keep_together": {"near_duplicates": True}}
        tree = workdata.image_config(data, folder / name, split=split, copies={"balance": {"target": "max"}})
        done = workdata.run("run", workdata.write_config(folder / f"{name}.yaml", tree), *options)
        assert done.returncode == 0, done.stderr
        made.append(workdata.version_folder(folder / name))
    assert workdata.contents(made[0]) == workdata.contents(made[1])
    counts = json.loads((made[0] / "manifest.json").read_bytes())["splits"]["train"]["classes"]
    assert counts["tit"]["samples"] > 3 * counts["tit"]["records"]
