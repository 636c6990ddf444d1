"""Inputs as platforms deliver them, under a local path or URL: what `input.path` names, and how the table is read."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import workdata

from pipeline.storage.folder import Folder

COUNT = 12
Rows = Sequence[Mapping[str, Any]]
Ask = Callable[..., tuple[int, dict[str, Any]]]
IMAGE = {"type": "image", "augment": workdata.IMAGE_STEPS}
TEXT = {"type": "text", "augment": workdata.TEXT_STEPS}
KEYS = {"id": "id", "label": "label"}


@dataclass(frozen=True)
class Layout:
    """How to write the files below a folder, what of them the config names, and the rest of the config."""

    write: Callable[[Folder], None]
    paths: tuple[str, ...] = ("",)
    keys: Mapping[str, str] = field(default_factory=lambda: KEYS)
    fields: Mapping[str, Any] = field(default_factory=lambda: {"image": IMAGE})

    def tree(self, top: str) -> dict[str, Any]:
        """The config for the input under `top`/in and the output beside it."""
        named = [f"{top}/in/{path}".rstrip("/") for path in self.paths]
        where = named[0] if len(named) == 1 else named
        base = workdata.image_config("", f"{top}/out", input={**self.keys, "path": where}, fields=dict(self.fields))
        return {**base, "copies": 1}


def put(folder: Folder, name: str, data: bytes) -> None:
    """Write a file, and locally the folders above it."""
    folder.folder(name.rpartition("/")[0]).make() if "/" in name else folder.make()
    folder.put(name, data)


def parquet(rows: Rows) -> bytes:
    """The bytes of a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), sink, row_group_size=5)
    return sink.getvalue()


def in_parts(*names: str) -> Callable[[Folder], None]:
    """Parquet files of an equal share of the pictures each."""

    def write(folder: Folder) -> None:
        rows, size = workdata.image_rows(COUNT), COUNT // len(names)
        for number, name in enumerate(names):
            put(folder, name, parquet(rows[number * size : (number + 1) * size]))

    return write


def in_files(ending: str, content: Callable[[int], bytes]) -> Callable[[Folder], None]:
    """A file for each record, in folders of classes."""

    def write(folder: Folder) -> None:
        for n in range(COUNT):
            put(folder, f"{workdata.LABELS[n % 3]}/f{n:03d}{ending}", content(n))

    return write


def growing(folder: Folder) -> None:
    """Weeks of which only the last one has boxes, and texts in another encoding."""
    for week in range(3):
        rows = [dict(row) for row in workdata.image_rows(COUNT)[4 * week : 4 * week + 4]]
        if week == 2:
            rows = [{**row, "boxes": [[1.0, 2.0, 30.0, 40.0]]} for row in rows]
        sink = io.BytesIO()
        made = pa.Table.from_pylist(rows)
        label = made.schema.get_field_index("label")
        kind = (pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()))[week]
        pq.write_table(made.set_column(label, "label", made["label"].cast(kind)), sink, row_group_size=5)
        put(folder, f"w{week}/a.parquet", sink.getvalue())


def texts() -> list[dict[str, Any]]:
    """Records of a text table."""
    return [{"id": f"{n:03d}", "label": workdata.LABELS[n % 3], "text": workdata.sentence(n)} for n in range(COUNT)]


def as_csv(rows: Rows) -> bytes:
    """Rows without commas."""
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def as_jsonl(rows: Rows) -> bytes:
    """One object a line."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def in_tables(names: Sequence[str], encode: Callable[[Rows], bytes]) -> Callable[[Folder], None]:
    """Texts in some tables."""

    def write(folder: Folder) -> None:
        rows, size = texts(), COUNT // len(names)
        for number, name in enumerate(names):
            put(folder, name, encode(rows[number * size : (number + 1) * size]))

    return write


def of_links(table: str, encode: Callable[[Rows], bytes], count: int = COUNT) -> Callable[[Folder], None]:
    """A table in a folder of its own that names pictures below it."""

    def write(folder: Folder) -> None:
        for n in range(count):
            put(folder, f"{table.rpartition('/')[0]}/pics/{n}.jpg", workdata.picture(n))
        rows = [{"id": n, "label": workdata.LABELS[n % 3], "image": f"pics/{n}.jpg"} for n in range(count)]
        put(folder, table, encode(rows))

    return write


def rows_of(version: Folder) -> list[dict[str, Any]]:
    names = [f.path for f in version.walk() if f.path.endswith(".parquet") and not f.path.startswith("_")]
    return [row for name in names for row in pq.read_table(io.BytesIO(version.read(name))).to_pylist()]


def every_command(layout: Layout, top: str, home: Path, ask: Ask) -> list[dict[str, Any]]:
    """Each command once; the rows of the dataset."""
    layout.write(Folder.at(f"{top}/in"))
    config = workdata.write_config(home / "c.yaml", layout.tree(top))
    code, checked = ask("check", config)
    assert code == 0, checked
    code, planned = ask("plan", config, "--workers", "1")
    assert code == 0, planned
    code, drawn = ask("preview", config, "-o", home / "sheet.png", "--records", "2")
    assert code == 0, drawn
    code, made = ask("run", config, "--workers", "1")
    assert (code, made["records"], made["dropped"]) == (0, COUNT, {"failed": {}, "rejected": {}}), made
    assert made["version"] == planned["version"]
    code, again = ask("run", config, "--workers", "1")
    assert (code, again["already_there"]) == (0, True)
    rows = rows_of(Folder(made["path"]))
    code, verified = ask("verify", f"{top}/out", "--samples", "100")
    assert (code, verified["differences"], verified["rendered"]) == (0, [], len(rows))
    for copy in (0, 1):
        name = next(row["sample_id"] for row in rows if row["sample_id"].endswith(f"/{copy}"))
        code, replayed = ask("replay", f"{top}/out", name, "-o", home / "again")
        assert (code, replayed["same"]) == (0, True), replayed
    code, audited = ask("audit", f"{top}/out")
    assert code == 0, audited
    return rows


BOXED = {"image": {**IMAGE, "boxes": {"column": "boxes", "format": "coco"}}}
LINKS = {"image": {**IMAGE, "uri": True}}
TEXTS = {"text": TEXT}
LAYOUTS = {
    "one file": Layout(in_parts("a.parquet"), ("a.parquet",)),
    "sub folders": Layout(in_parts("a/part.parquet", "b/c d/part.parquet")),
    "sub folders without ids": Layout(in_parts("a/part.parquet", "b/part.parquet"), keys={"label": "label"}),
    "a list of folders": Layout(in_parts("w1/part.parquet", "w2/part.parquet"), ("w1", "w2")),
    "a list of folders without ids": Layout(in_parts("w1/part.parquet", "w2/part.parquet"), ("w1", "w2"), {}),
    "a list of files": Layout(in_parts("w1/a.parquet", "w2/b.parquet"), ("w2/b.parquet", "w1/a.parquet")),
    "a glob": Layout(in_parts("w1/a.parquet", "w2/deep/b.parquet"), ("**/*.parquet",)),
    "weeks that differ": Layout(growing, keys={**KEYS, "schema": "union"}, fields=BOXED),
    "csv in sub folders": Layout(in_tables(("a/t.csv", "b/t.csv"), as_csv), fields=TEXTS),
    "jsonl in a list": Layout(in_tables(("a/t.jsonl", "b/t.jsonl"), as_jsonl), ("a", "b"), {}, TEXTS),
    "pictures": Layout(in_files(".jpg", workdata.picture), keys={}),
    "texts": Layout(in_files(".txt", lambda n: workdata.sentence(n).encode()), keys={}, fields=TEXTS),
    "a list of class folders": Layout(in_files(".jpg", workdata.picture), workdata.LABELS, {}),
    "parquet of links": Layout(of_links("tables/t.parquet", parquet), ("tables/t.parquet",), fields=LINKS),
    "csv of links": Layout(of_links("tables/deep/t.csv", as_csv), ("**/*.csv",), fields=LINKS),
    "jsonl of links": Layout(of_links("tables/t.jsonl", as_jsonl), ("tables/t.jsonl",), fields=LINKS),
}
