"""Arrow schemas: of the input's columns as they come out, of the lineage, and of the files of dropped records."""

import json
from typing import Any

import pyarrow as pa

from pipeline.modalities.labels.mask_files import content_type, files_of_labels
from pipeline.planning.donors.blends import has_soft_labels
from pipeline.planning.job import Job
from pipeline.records import LABEL_WEIGHTS, LINEAGE, SAMPLE_ID

LABEL_WEIGHTS_TYPE = pa.list_(pa.struct([("label", pa.string()), ("weight", pa.float64())]))

LINEAGE_TYPE = pa.struct(
    [
        ("source_id", pa.string()),
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
        ("source_sha256", pa.string()),
        ("split", pa.string()),
        ("copy", pa.int32()),
        ("seed", pa.string()),
        ("recipe", pa.string()),
        (
            "transforms",
            pa.list_(pa.struct([("field", pa.string()), ("name", pa.string()), ("params", pa.string())])),
        ),
        ("parents", pa.list_(pa.struct([("source_id", pa.string()), ("weight", pa.float64())]))),
        ("sha256", pa.string()),
    ]
)

DROPPED_SCHEMA = pa.schema(
    [
        ("source_id", pa.string()),
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
        ("split", pa.string()),
        ("copy", pa.int32()),
        ("field", pa.string()),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("error", pa.string()),
        ("message", pa.string()),
    ]
)


def output_schema(job: Job) -> pa.Schema:
    """The input's columns, names and order unchanged, then `sample_id` and `lineage`.

    Before those `label_weights`, where records are blended: how much of each class a sample is. Only a column of paths
    or URLs changes its type: it comes out holding what it referred to.
    """
    fields = [pa.field(f.name, payload_type(job, f), f.nullable, f.metadata) for f in job.schema]
    fields += [pa.field(LABEL_WEIGHTS, LABEL_WEIGHTS_TYPE)] if has_soft_labels(job.config) else []
    fields += [pa.field(SAMPLE_ID, pa.string()), pa.field(LINEAGE, LINEAGE_TYPE)]
    known = [
        f for f in fields if f.name in (*job.external, *files_of_labels(job.config), LABEL_WEIGHTS, SAMPLE_ID, LINEAGE)
    ]
    return pa.schema(fields, metadata=_metadata(job.schema.metadata, known))


def payload_type(job: Job, field: pa.Field) -> pa.DataType:
    """The type of a column in the output."""
    if field.name in files_of_labels(job.config):
        return content_type(field.type)
    if field.name not in job.external:
        return field.type
    return pa.string() if job.config.fields[field.name].type == "text" else pa.binary()


def _metadata(metadata: dict[bytes, bytes] | None, new: list[pa.Field]) -> dict[bytes, bytes] | None:
    """Schema metadata for the output: Hugging Face features learn the `new` columns; pandas' own row index goes."""
    kept = {k: v for k, v in (metadata or {}).items() if k not in (b"pandas", b"ARROW:schema")}
    if b"huggingface" in kept:
        kept[b"huggingface"] = _with_features(kept[b"huggingface"], new)
    return kept or None


def _with_features(raw: bytes, new: list[pa.Field]) -> bytes:
    """The metadata with the new columns; what is no such metadata is passed on as it is."""
    try:
        document = json.loads(raw)
        features = document["info"]["features"]
        features |= {field.name: _feature(field.type) for field in new}
    except (ValueError, TypeError, LookupError, RecursionError):
        return raw
    return json.dumps(document, sort_keys=False).encode()


def _feature(kind: pa.DataType) -> Any:
    """A type in the notation of the `datasets` library."""
    if pa.types.is_struct(kind):
        return {member.name: _feature(member.type) for member in kind}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    return {"dtype": "float64" if kind == pa.float64() else str(kind), "_type": "Value"}
