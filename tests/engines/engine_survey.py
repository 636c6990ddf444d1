"""Near duplicates and contents as Beam stages on an engine, against what the pool of this machine finds."""

from collections.abc import Sequence
from pathlib import Path

from pipeline import workers
from pipeline.progress import Silent
from pipeline.runners import engine_of
from pipeline.splitting.facts import facts_of
from pipeline.splitting.seeking import InPool
from pipeline.submission import settings_for
from pipeline.surveying import OnEngine
from tests.pipeline.small_inputs import config_of, jpeg, opened, parquet


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
