"""Keras' layers and tf.image in real worker processes: the same bytes for one worker and for two, and replayed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import workdata

Ask = Callable[..., tuple[int, dict[str, Any]]]
STEPS: list[Any] = [
    {"keras.RandomFlip": {"mode": "horizontal"}},
    {"keras.RandomRotation": {"factor": 0.1}},
    {"keras.AugMix": {"p": 0.5}},
    {"one_of": [{"tf.image.stateless_random_hue": {"max_delta": 0.2}}, "tf.image.flip_up_down"]},
]


@pytest.mark.slow
def test_workers_and_replay_agree(tmp_path: Path, ask: Ask) -> None:
    data = workdata.write_parquet(tmp_path / "in.parquet", workdata.image_rows(12))
    found = []
    for workers in ("1", "2"):
        tree = workdata.image_config(data, tmp_path / f"out{workers}")
        tree["fields"]["image"]["augment"] = STEPS
        config = workdata.write_config(tmp_path / f"{workers}.yaml", tree)
        code, answer = ask("run", config, "--workers", workers)
        assert code == 0, answer
        code, told = ask("verify", answer["path"], "--samples", "6")
        assert (code, told["differences"]) == (0, [])
        version = Path(answer["path"])
        found.append(workdata.samples(version))
        libraries = workdata.manifest_of(version.parent)["libraries"]
        assert {"keras", "numpy"} <= set(libraries)
        assert {"tensorflow", "tensorflow-cpu"} & set(libraries)
    assert found[0] == found[1]
