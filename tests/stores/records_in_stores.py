"""One dataset of pictures, texts, sounds and links to pictures, and what a run on the local disk makes of it."""

import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import workdata

from pipeline.cli.program import main
from pipeline.storage.folder import Folder

Call = Callable[..., dict[str, Any]]
FIELDS = {
    "image": {"type": "image", "augment": workdata.IMAGE_STEPS},
    "text": {"type": "text", "augment": workdata.TEXT_STEPS},
    "audio": {"type": "audio", "augment": workdata.AUDIO_STEPS},
    "photo": {"type": "image", "uri": True, "augment": workdata.IMAGE_STEPS},
}
COUNT = 24
LINK_LENGTH = 200


def name_of(number: int, top: str) -> str:
    """Of a picture. Its URL is as long everywhere: plans weigh links with their tables, manifests hold sizes."""
    return f"{number:_>{LINK_LENGTH - len(top) - len('/in/photos/.jpg')}}.jpg" if number % 2 else f"{number}.jpg"


def rows(top: str) -> list[dict[str, Any]]:
    """Every other link is absolute."""
    return [
        {
            **row,
            "text": workdata.sentence(n),
            "audio": workdata.sound(n),
            "photo": (f"{top}/in/" if n % 2 else "") + f"photos/{name_of(n, top)}",
        }
        for n, row in enumerate(workdata.image_rows(COUNT))
    ]


def upload_texts(top: str) -> None:
    """Put a smaller dataset, which is the same everywhere, under a local path or URL."""
    folder = Folder.at(f"{top}/in")
    folder.make()
    folder.put("in.parquet", table([{name: row[name] for name in ("id", "label", "text")} for row in rows(top)]))


def table(made: list[dict[str, Any]]) -> pa.Buffer:
    """A file that is as large for one top as for another."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(made), sink, 10, compression="none", write_statistics=False)
    return sink.getvalue()


def upload(top: str) -> None:
    """Put the dataset under a local path or URL."""
    folder = Folder.at(f"{top}/in")
    (folder.folder("photos")).make()
    folder.put("in.parquet", table(rows(top)))
    for n in range(COUNT):
        folder.put(f"photos/{name_of(n, top)}", workdata.picture(n + 100))


def config(path: Path, top: str, out: str = "out", **changes: Any) -> Path:
    """A config that reads and writes under `top`."""
    tree = workdata.image_config(f"{top}/in/in.parquet", f"{top}/{out}", **{"fields": FIELDS, **changes})
    return workdata.write_config(path, tree)


@dataclass(frozen=True)
class Version:
    """A committed version: its manifest and the digests of its files."""

    manifest: dict[str, Any]
    files: dict[str, str]

    @classmethod
    def at(cls, url: str) -> "Version":
        folder = Folder.at(url)
        names = [f.path for f in folder.walk() if not f.path.startswith("_runs/")]
        files = {name: sha256(folder.read(name)).hexdigest() for name in names}
        return cls(json.loads(folder.read("manifest.json")), files)

    @property
    def same_everywhere(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What must not depend on the store: all but the tags of the input files, and the version that they make."""
        files = [{k: v for k, v in f.items() if k != "tag"} for f in self.manifest["input"]["files"]]
        manifest = {**self.manifest, "version": "", "input": {**self.manifest["input"], "files": files}}
        manifest["documents"] = [document["path"] for document in manifest["documents"]]  # which name the version
        naming_it = ("manifest.json", "README.md", "croissant.json")
        return manifest, {name: digest for name, digest in self.files.items() if name not in naming_it}


def calling(environment: Mapping[str, str]) -> Call:
    """Run commands in processes of their own; the answer of each."""

    def call(*arguments: object) -> dict[str, Any]:
        done = workdata.run(*arguments, "--json", timeout=200, **environment)
        assert done.returncode == 0, done.stderr + done.stdout
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return call


def here(*arguments: object) -> dict[str, Any]:
    """Run a command in this process; its answer."""
    shown = io.StringIO()
    with redirect_stdout(shown):
        code = main([*map(str, arguments), "--json"])
    assert code == 0, shown.getvalue()
    answer: dict[str, Any] = json.loads(shown.getvalue())
    return answer


class OnDisk:
    """A run on the local disk, and what the other commands say of the same config."""

    def __init__(self, home: Path) -> None:
        self.top = str(home)
        upload(self.top)
        self.config = config(home / "c.yaml", self.top)
        self.planned = here("plan", self.config)
        here("preview", self.config, "-o", home / "sheet.png")
        self.sheet = (home / "sheet.png").read_bytes()
        here("init", f"{self.top}/in", "-o", home / "made.yaml")
        self.made = (home / "made.yaml").read_text()
        self.version = Version.at(here("run", self.config)["path"])
