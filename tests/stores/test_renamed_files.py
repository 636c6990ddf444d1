"""A file of a store that is called otherwise now keeps its split, without being fetched for that."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import workdata
from records_in_stores import calling
from servers import Server

from pipeline.storage.folder import Folder

pytestmark = [pytest.mark.slow, pytest.mark.cluster]


def splits(version: str) -> dict[str, str]:
    """Digest of each source -> where its original is."""
    folder, found = Folder.at(version), {}
    for file in folder.walk():
        if not file.path.startswith("_") and file.path.endswith(".parquet"):
            with folder.open(file.path) as source:
                rows = pq.read_table(source, columns=["lineage"]).column("lineage").to_pylist()
            found |= {row["source_sha256"]: row["split"] for row in rows}
    return found


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_renamed_file_keeps_its_split(store: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.enter(monkeypatch)
    call, top = calling(store.environment), f"{store.bucket}/renamed"
    folder = Folder.at(f"{top}/in")
    photos = [workdata.picture(number) + bytes(199 * number) for number in range(40)]  # no two of one size
    assert len({len(photo) for photo in photos}) == len(photos)
    for number, photo in enumerate(photos):
        folder.put(f"cat/{number:02d}.jpg", photo)
    fields = {"image": {"type": "image", "augment": ["albumentations.HorizontalFlip"]}}
    tree = workdata.image_config(
        f"{top}/in", f"{top}/out", input={"path": f"{top}/in"}, fields=fields, split={"validation": 0.4}, copies=1
    )
    config = workdata.write_config(tmp_path / "c.yaml", tree)
    before = splits(call("run", config)["path"])
    assert sorted(before.values()).count("validation") > 8
    for number, photo in enumerate(photos):
        folder.put(f"cat/new-{number:02d}.jpg", photo)
        folder.remove(f"cat/{number:02d}.jpg")
    again = call("run", config)
    assert not again["already_there"]
    assert splits(again["path"]) == before
