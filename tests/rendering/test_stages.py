"""What a Beam worker does with a shard's description before it hands it to a child."""

from pathlib import Path

import pytest
from small_inputs import config_of, parquet, planned, text_columns

from pipeline.planning.job import Task
from pipeline.rendering import stages
from pipeline.rendering.stages import STAGES, begun


def test_steps_load_no_library_and_read_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet(tmp_path / "in" / "texts.parquet", text_columns(10), per_group=5)
    job, _, plan = planned(config_of(tmp_path / "in", tmp_path / "out"))
    called: list[str] = []
    monkeypatch.setattr(stages, "tools_of", lambda config: called.append("tools") or ())
    work = begun(job, Task(plan.shards[0]), tuple(name for name, _ in STAGES[:-1]))
    assert called == []
    (tmp_path / "in" / "texts.parquet").unlink()
    with pytest.raises(Exception, match="texts"):
        list(work.flow)
    assert called == ["tools"]
