"""The dataset card (README.md) and Croissant metadata, made of the manifest alone, so that they are reproducible."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Protocol

import orjson
import pyarrow as pa

from pipeline.config.copies import told
from pipeline.config.schema import JobConfig
from pipeline.escaping.markdown import cell, code, identifier
from pipeline.modalities.codecs.image.original_differences import told as unlike_told
from pipeline.modalities.labels.counts import label_warnings, rows_of
from pipeline.planning.spelling import class_notes
from pipeline.records import SPLITS
from pipeline.storage.layout import CARD, CROISSANT

_CROISSANT = "http://mlcommons.org/croissant/1.0"
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "includes": "cr:includes",
    "jsonPath": "cr:jsonPath",
    "md5": "cr:md5",
    "recordSet": "cr:recordSet",
    "source": "cr:source",
    "transform": "cr:transform",
}
_TYPES = {
    "image": "sc:ImageObject",
    "audio": "sc:AudioObject",
    "text": "sc:Text",
    "video": "sc:VideoObject",
    "volume": "sc:Text",
}
"""Croissant 1.0 has no type for files of other kinds; readers hand on text as the bytes that they are."""


class Described(Protocol):
    """What a card is made of, besides the manifest."""

    @property
    def config(self) -> JobConfig:
        """The config of the run."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """Columns of input or output."""
        ...


def card_files(job: Described, manifest: dict[str, Any]) -> tuple[tuple[str, bytes], ...]:
    """The files that describe a version to people and to machines: the same of a manifest that was read back."""
    manifest = orjson.loads(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS))
    card = dataset_card(job, manifest).encode()
    metadata = orjson.dumps(croissant(job, manifest), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return (CARD, card), (CROISSANT, metadata.replace(b"<", rb"\u003c"))  # it may stand in a page


def with_documents(manifest: dict[str, Any], files: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """The manifest with the digests of the files that describe it; they are made of the manifest without those."""
    listed = [{"path": name, "bytes": len(data), "sha256": sha256(data).hexdigest()} for name, data in files]
    return {**manifest, "documents": listed}


def dataset_card(job: Described, manifest: dict[str, Any]) -> str:
    """Markdown: what is in it, how it was made, how to read it. The front matter is what dataset hubs expect."""
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    for split in _splits(manifest):
        lines += [f"  - split: {split}", f"    path: {split}/*.parquet"]
    lines += ["---", "", f"# Dataset version {manifest['version']}", "", *_split_table(manifest), ""]
    lines += [*_class_table(manifest), *_balance_table(manifest), *_label_table(manifest)]
    lines += [*_dropped_table(manifest), *_leaks(manifest)]
    lines += ["## How it was made", "", f"Seed {job.config.seed}; {told(job.config.copies)}.", ""]
    for name in job.config.fields:
        field = manifest["config"]["fields"][name]
        steps = [_step_name(s) for s in (*field["prepare"], *field["augment"])]
        lines.append(f"- {code(name)} ({field['type']}): {', '.join(map(cell, steps)) or 'as it came'}")
    lines += [f"- {cell(line)}" for line in unlike_told(manifest.get("unlike_originals", {}))]
    versions = ", ".join(f"{k} {v}" for k, v in manifest["libraries"].items())
    lines += ["", f"Versions: {versions}.", "", "## Reading it", "", "```python"]
    lines += ["import datasets", 'datasets.load_dataset("parquet", data_dir="PATH OF THIS FOLDER")', "```", ""]
    lines += ["Every row says in `lineage` where it came from; `fanbeam replay` makes it again.", ""]
    return "\n".join(lines)


def croissant(job: Described, manifest: dict[str, Any]) -> dict[str, Any]:
    """Croissant 1.0: one FileObject per shard, one FileSet over all of them, a record set with the fields."""
    files = [
        {
            "@type": "cr:FileObject", "@id": shard["path"], "name": shard["path"], "contentUrl": shard["path"],
            "contentSize": f"{shard['bytes']} B", "encodingFormat": "application/x-parquet", "sha256": shard["sha256"],
        }
        for shard in manifest["shards"]
    ]  # fmt: skip
    shards = {
        "@type": "cr:FileSet", "@id": "shards", "name": "shards",
        "encodingFormat": "application/x-parquet", "includes": "*/part-*.parquet",
    }  # fmt: skip
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CROISSANT,
        "name": f"fanbeam-{manifest['version']}",
        "description": f"Augmented dataset, version {manifest['version']}.",
        "version": f"0.0.0+{manifest['version']}",
        "distribution": [*files, shards],
        "recordSet": [
            {"@type": "cr:RecordSet", "@id": "samples", "name": "samples", "field": [*_fields(job)]},
        ],
    }


def _fields(job: Described) -> list[dict[str, Any]]:
    kinds = {name: _TYPES[field.type] for name, field in job.config.fields.items()}
    columns = {
        **kinds,
        **({job.config.input.label: "sc:Text"} if job.config.input.label else {}),
        "sample_id": "sc:Text",
    }
    return [
        {
            "@type": "cr:Field", "@id": f"samples/{identifier(name)}", "name": name, "dataType": kind,
            "source": {"fileSet": {"@id": "shards"}, "extract": {"column": name}, **_member(job, name)},
        }
        for name, kind in columns.items()
    ]  # fmt: skip


def _member(job: Described, name: str) -> dict[str, Any]:
    """Where a struct holds its payload."""
    held = name in job.schema.names and pa.types.is_struct(job.schema.field(name).type)
    return {"transform": {"jsonPath": "bytes"}} if held else {}


def _splits(manifest: dict[str, Any]) -> dict[str, Any]:
    """Splits in their usual order, which sorted JSON keys do not keep."""
    return {split: manifest["splits"][split] for split in SPLITS if split in manifest["splits"]}


def _split_table(manifest: dict[str, Any]) -> list[str]:
    rows = [f"| {s} | {v['records']} | {v['samples']} | {v['bytes']} |" for s, v in _splits(manifest).items()]
    return ["| split | records | samples | bytes |", "|---|---|---|---|", *rows]


def _class_table(manifest: dict[str, Any]) -> list[str]:
    splits = list(_splits(manifest))
    names = sorted({label for s in splits for label in manifest["splits"][s]["classes"]})
    if not names:
        return []
    out = [
        "## Classes",
        "",
        "Records, then samples.",
        "",
        f"| class | {' | '.join(splits)} |",
        f"|---|{'---|' * len(splits)}",
    ]
    for name in names:
        cells = []
        for split in splits:
            counts = manifest["splits"][split]["classes"].get(name, {"records": 0, "samples": 0})
            cells.append(f"{counts['records']} → {counts['samples']}")
        out.append(f"| {cell(name)} | {' | '.join(cells)} |")
    return [*out, "", *_bins(manifest), *_label_notes(manifest, names)]


def _bins(manifest: dict[str, Any]) -> list[str]:
    """What the classes are, if they are bins of numbers."""
    given = manifest["config"]["input"]
    told = f"Classes are bins of the numbers in {code(given['label'] or '')}, which are written as they were."
    return [told, ""] if given.get("label_bins") else []


def _label_notes(manifest: dict[str, Any], names: Sequence[str]) -> list[str]:
    """What may be wrong with the classes of the input."""
    number = manifest.get("split", {}).get("contradictory", 0)
    notes = [f"{number} records have the same content as another record, under another label."] if number else []
    notes += [cell(note) for note in class_notes(names)]
    return [*(f"- {note}" for note in notes), *([""] if notes else [])]


def _balance_table(manifest: dict[str, Any]) -> list[str]:
    """Training classes as copies were counted out; nothing where all records got the same."""
    balance = manifest["splits"].get("train", {}).get("balance", {})
    if not balance:
        return []
    rows = [
        f"| {cell(name)} | {n['records']} | {n['samples']} | {n['effective_parents']:g} |"
        for name, n in sorted(balance.items())
    ]
    head = ["| class of train | records | samples | effective parents |", "|---|---|---|---|"]
    return ["## Balance", "", *head, *rows, ""]


def _label_table(manifest: dict[str, Any]) -> list[str]:
    """Labels that follow a field, in samples that steps changed, and what people should know of them."""
    counts = manifest.get("labels", {})
    if not counts:
        return []
    rows = [f"| {' | '.join(map(cell, row))} |" for row in rows_of(counts)]
    head = ["| labels of changed samples | in | kept | of them clipped | dropped |", "|---|---|---|---|---|"]
    warnings = [f"- {cell(warning)}" for warning in label_warnings(counts)]
    return ["## Labels", "", *head, *rows, "", *warnings, *([""] if warnings else [])]


def _dropped_table(manifest: dict[str, Any]) -> list[str]:
    rows = [f"| {kind} | {r} | {n} |" for kind, reasons in manifest["dropped"].items() for r, n in reasons.items()]
    note = [
        "Records were dropped for want of memory: another machine may keep them, so this version is not reproducible."
    ]
    told = [*note, ""] if manifest.get("not_reproducible") else []
    return ["## Dropped", "", *told, "| kind | reason | count |", "|---|---|---|", *rows, ""] if rows else []


def _leaks(manifest: dict[str, Any]) -> list[str]:
    """What the audit of these very files found; nothing for versions that were never audited."""
    leaks = manifest.get("leaks")
    if leaks is None:
        return []
    head = [
        "## Leaks",
        "",
        f"The files were read again, copies included ([all of it]({leaks['files'][0]['path']})):",
        "",
    ]
    unchecked = leaks.get("unchecked", [])
    if unchecked:
        head += ["**Not fully checked.**", *(cell(sentence) for sentence in unchecked), ""]
    elif not leaks.get("looked_for_near", True):
        head += ["Near duplicates were not looked for (`certificate: facts`).", ""]
    if leaks.get("disorder"):
        head += [f"**Training rows are not all older than held-out ones**: {cell(leaks['disorder'])}.", ""]
    if not any(leaks["leaking"].values()):
        return [*head, "Nothing of validation or test was found in train.", ""]
    rows = [f"| {kind} | {count} |" for kind, count in leaks["leaking"].items() if count]
    pictures = [f"![The closest pairs]({f['path']})" for f in leaks["files"] if f["path"].endswith(".png")]
    told = [line for picture in pictures for line in (picture, "")]
    return [*head, "| what rows of validation and test share with train | rows |", "|---|---|", *rows, "", *told]


def _step_name(step: Any) -> str:
    return step if isinstance(step, str) else ", ".join(map(str, step))
