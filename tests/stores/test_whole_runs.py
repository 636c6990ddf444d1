"""Input and output on a real store of this machine: the shards of a run on the local disk, nothing to do again."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import material
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
FIELDS = {
    "image": {"type": "image", "augment": material.IMAGE_STEPS},
    "text": {"type": "text", "augment": material.TEXT_STEPS},
}


@pytest.fixture(scope="module", params=["s3", "gcs", "azure"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a client needs in its environment; FANBEAM_STORE is an empty bucket."""
    script = ["bash", str(material.ROOT / "scripts" / "stores" / f"{request.param}.sh")]
    place = ["--dir", str(tmp_path_factory.mktemp(request.param))]
    try:
        up = subprocess.run([*script, "up", *place], capture_output=True, text=True, timeout=400, check=False)
        assert up.returncode == 0, up.stderr
        found = [word.partition("=")[::2] for word in shlex.split(up.stdout) if word != "export"]
        yield dict(found)
    finally:
        subprocess.run([*script, "down", *place], capture_output=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [{**row, "text": material.sentence(n)} for n, row in enumerate(material.image_rows(30))]


def run(config: Path, environment: dict[str, str]) -> dict[str, Any]:
    done = material.run("run", config, "--json", timeout=200, **environment)
    assert done.returncode == 0, done.stderr + done.stdout
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_same_shards_as_on_disk(
    store: dict[str, str], rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in store.items():
        monkeypatch.setenv(name, value)
    bucket = store["FANBEAM_STORE"]
    data = material.write_parquet(tmp_path / "in.parquet", rows)
    here = material.write_config(tmp_path / "a.yaml", material.image_config(data, tmp_path / "out", fields=FIELDS))
    there = material.write_config(
        tmp_path / "b.yaml", material.image_config(f"{bucket}/in/in.parquet", f"{bucket}/out", fields=FIELDS)
    )
    from pipeline.storage import Folder

    Folder(f"{bucket}/in").put("in.parquet", data.read_bytes())
    local, remote = run(here, {}), run(there, store)
    assert remote["warnings"] == []
    assert remote["path"].startswith(bucket)
    written = Folder(remote["path"])
    expected = json.loads((Path(local["path"]) / "manifest.json").read_bytes())["shards"]
    assert json.loads(written.read("manifest.json"))["shards"] == expected
    for shard in expected:
        assert written.read(shard["path"]) == (Path(local["path"]) / shard["path"]).read_bytes()
    again = run(there, store)
    assert again["already_there"]
    checked = material.run("verify", f"{bucket}/out", "--samples", "5", timeout=200, **store)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    secrets = [value for name, value in store.items() if re.search("KEY|SECRET", name) and len(value) > 8]
    for file in written.walk():
        content = written.read(file.path)
        assert not any(secret.encode() in content for secret in secrets), file.path
