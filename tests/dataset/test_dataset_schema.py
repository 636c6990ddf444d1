import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_inputs import FLIP, SWAP, Ran, config_of, jpeg, opened, parquet, put, ran, wav, words

from pipeline.dataset.schema import DROPPED_SCHEMA, LINEAGE_TYPE, output_schema

IMAGE = {"image": {"type": "image", "augment": [FLIP]}}
STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def schema_of(home: Path, table: pa.Table, **changes: Any) -> pa.Schema:
    path = parquet(home / "in.parquet", table)
    return output_schema(opened(config_of(path, home / "out", **changes))[0])


def test_the_design_s_columns() -> None:
    assert [f.name for f in LINEAGE_TYPE] == [
        "source_id", "source_file", "source_row", "source_sha256", "split", "copy", "seed", "recipe", "transforms",
        "parents", "sha256",
    ]  # fmt: skip
    assert DROPPED_SCHEMA.names == [
        "source_id", "source_file", "source_row", "split", "copy", "field", "stage", "reason", "error", "message",
    ]  # fmt: skip


def test_the_inputs_columns_then_two_more(tmp_path: Path) -> None:
    fields = [
        pa.field("text", pa.large_string(), False),
        pa.field("id", pa.int32(), False),
        pa.field("label", pa.string()),
    ]
    table = pa.table([["a"], [1], ["x"]], schema=pa.schema(fields, {b"who": b"me"}))
    schema = schema_of(tmp_path, table)
    assert schema.names == ["text", "id", "label", "sample_id", "lineage"]
    assert [(f.type, f.nullable) for f in list(schema)[:3]] == [(f.type, f.nullable) for f in fields]
    assert schema.metadata == {b"who": b"me"}
    assert schema.field("lineage").type == LINEAGE_TYPE


@pytest.mark.parametrize(("kind", "wanted"), [("image", pa.binary()), ("audio", pa.binary()), ("text", pa.string())])
def test_only_references_change_their_type(tmp_path: Path, kind: str, wanted: pa.DataType) -> None:
    put(tmp_path / "x", b"1")
    table = pa.table({"id": ["a"], "label": ["x"], "f": ["x"]})
    schema = schema_of(tmp_path, table, fields={"f": {"type": kind, "uri": True}})
    assert schema.field("f").type == wanted
    assert schema.field("id").type == pa.string()


def test_the_index_of_pandas_goes(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"id": ["a", "b"], "label": ["x", "y"], "text": ["u v", "w x"]}).set_index("id", drop=False)
    frame.index.name = "row"
    table = pa.Table.from_pandas(frame)
    assert b"pandas" in table.schema.metadata
    assert schema_of(tmp_path, table).metadata is None


FEATURES = {
    "id": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["owl", "tit"], "_type": "ClassLabel"},
    "image": {"_type": "Image"},
}


def huggingface(features: Any = None, raw: bytes | None = None) -> dict[bytes, bytes]:
    document = {"info": {"features": FEATURES if features is None else features}, "fingerprint": "abc"}
    return {b"huggingface": json.dumps(document).encode() if raw is None else raw}


def hub_table(metadata: dict[bytes, bytes], count: int = 6) -> pa.Table:
    schema = pa.schema([("id", pa.string()), ("label", pa.int64()), ("image", STRUCT)], metadata)
    images = [{"bytes": jpeg(n), "path": f"{n}.jpg"} for n in range(count)]
    return pa.table([[f"r{n}" for n in range(count)], [n % 2 for n in range(count)], images], schema=schema)


def loaded(done: Ran, home: Path) -> Any:
    import datasets

    return datasets.load_dataset("parquet", data_dir=done.dataset.path, cache_dir=str(home / "cache"))


@pytest.mark.filterwarnings("ignore")
def test_a_hugging_face_dataset_stays_one(tmp_path: Path) -> None:
    parquet(tmp_path / "in.parquet", hub_table(huggingface(), 12))
    done = ran(
        config_of(tmp_path / "in.parquet", tmp_path / "out", fields=IMAGE, split={"test": 0.3, "validation": 0.3})
    )
    found = loaded(done, tmp_path)
    assert set(found) == {"train", "validation", "test"}
    features = found["train"].features
    assert type(features["image"]).__name__ == "Image"
    assert features["label"].names == ["owl", "tit"]
    assert set(features) == {*FEATURES, "sample_id", "lineage"}
    row = found["train"][1]
    assert row["image"].size == (16, 16)
    assert row["lineage"]["copy"] == 1
    assert row["lineage"]["transforms"] == [] or row["lineage"]["transforms"][0]["name"] == FLIP
    assert sum(len(part) for part in found.values()) == done.table().num_rows + sum(
        done.table(s).num_rows for s in ("validation", "test")
    )


@pytest.mark.filterwarnings("ignore")
def test_soft_labels_of_a_hugging_face_dataset(tmp_path: Path) -> None:
    """Labels are numbers there, whose names the features know; `label_weights` tells the numbers as text."""
    fields = {"image": {"type": "image", "augment": ["fanbeam.CutMix"]}}
    parquet(tmp_path / "in.parquet", hub_table(huggingface(), 12))
    done = ran(config_of(tmp_path / "in.parquet", tmp_path / "out", fields=fields, split={}))
    found = loaded(done, tmp_path)["train"]
    assert list(found.features) == [*FEATURES, "label_weights", "sample_id", "lineage"]
    for row in found:
        weights = {entry["label"]: entry["weight"] for entry in row["label_weights"]}
        assert sum(weights.values()) == pytest.approx(1)
        assert max(weights, key=lambda label: weights[label]) == str(row["label"]) or len(weights) > 1
    assert any(len(row["label_weights"]) == 2 for row in found)


def test_label_weights_are_there_where_records_with_labels_are_blended(tmp_path: Path) -> None:
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), ("text", pa.string())])
    table = pa.table([["a", "b"], ["x", "y"], ["one", "two"]], schema=schema)
    blend = {"text": {"type": "text", "augment": ["fanbeam.SentenceMix"]}}
    names = schema_of(tmp_path, table, fields=blend).names
    assert names == ["id", "label", "text", "label_weights", "sample_id", "lineage"]
    unlabeled = {"path": str(tmp_path / "in.parquet"), "id": "id"}
    assert "label_weights" not in schema_of(tmp_path, table, fields=blend, input=unlabeled).names
    assert "label_weights" not in schema_of(tmp_path, table).names


@pytest.mark.filterwarnings("ignore")
def test_hugging_face_sound(tmp_path: Path) -> None:
    features = {"id": FEATURES["id"], "sound": {"sampling_rate": 8000, "_type": "Audio"}, "label": FEATURES["id"]}
    schema = pa.schema([("id", pa.string()), ("sound", STRUCT), ("label", pa.string())], huggingface(features))
    table = pa.table([["a"], [{"bytes": wav(), "path": "a.wav"}], ["x"]], schema=schema)
    parquet(tmp_path / "in.parquet", table)
    config = config_of(
        tmp_path / "in.parquet", tmp_path / "out", split={}, copies=0, fields={"sound": {"type": "audio"}}
    )
    import datasets

    found = loaded(ran(config), tmp_path)["train"]
    assert type(found.features["sound"]).__name__ == "Audio"
    assert found.cast_column("sound", datasets.Audio(decode=False))[0]["sound"]["bytes"] == wav()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["image", "text"])
def test_a_hugging_face_column_of_paths_comes_out_as_what_it_holds(tmp_path: Path, kind: str) -> None:
    """Its feature said text while the column held JPEG."""
    put(tmp_path / "a", jpeg() if kind == "image" else words(0))
    features = {n: {"dtype": "string", "_type": "Value"} for n in ("id", "label", "f")}
    schema = pa.schema([(n, pa.string()) for n in features], huggingface(features))
    parquet(tmp_path / "in.parquet", pa.table([["a"], ["x"], ["a"]], schema=schema))
    config = config_of(
        tmp_path / "in.parquet", tmp_path / "out", split={}, copies=0, fields={"f": {"type": kind, "uri": True}}
    )
    done = ran(config)
    assert loaded(done, tmp_path)["train"][0]["f"] == (jpeg() if kind == "image" else words(0))
    told = json.loads(output_schema(done.job).metadata[b"huggingface"])["info"]["features"]
    assert told["f"] == {"dtype": "binary" if kind == "image" else "string", "_type": "Value"}
    assert list(told) == ["id", "label", "f", "sample_id", "lineage"]


@pytest.mark.filterwarnings("ignore")
def test_without_their_metadata_the_bytes_are_there(tmp_path: Path) -> None:
    parquet(tmp_path / "in.parquet", hub_table({}))
    done = ran(config_of(tmp_path / "in.parquet", tmp_path / "out", fields=IMAGE, split={}))
    row = loaded(done, tmp_path)["train"][0]
    assert row["image"]["bytes"] == jpeg(0)


@pytest.mark.parametrize(
    "raw",
    [b"not json", b"[]", b"null", b"{}", b'{"info": null}', b'{"info": []}', b'{"info": {"features": []}}', b"\xff"],
)
def test_odd_metadata_is_passed_on(tmp_path: Path, raw: bytes) -> None:
    schema = schema_of(tmp_path, hub_table(huggingface(raw=raw)), fields=IMAGE)
    assert schema.metadata == {b"huggingface": raw}


def test_metadata_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    first = schema_of(tmp_path, hub_table(huggingface()), fields=IMAGE)
    assert schema_of(tmp_path, hub_table(huggingface()), fields=IMAGE).metadata == first.metadata
    document = json.loads(first.metadata[b"huggingface"])
    assert list(document["info"]["features"]) == [*FEATURES, "sample_id", "lineage"]
    assert document["fingerprint"] == "abc"


def test_other_readers(tmp_path: Path) -> None:
    import duckdb
    import pandas as pd

    data = {"id": [f"r{n}" for n in range(9)], "label": ["x"] * 9, "text": [words(n) for n in range(9)]}
    parquet(tmp_path / "in.parquet", data)
    config = config_of(
        tmp_path / "in.parquet", tmp_path / "out", split={}, fields={"text": {"type": "text", "augment": [SWAP]}}
    )
    folder = ran(config).dataset.path
    assert len(pd.read_parquet(f"{folder}/train")) == 27
    counted = duckdb.sql(f"select count(*), count(distinct lineage.source_id) from '{folder}/*/*.parquet'").fetchall()
    assert counted == [(27, 9)]
    assert pq.read_table(f"{folder}/train").num_rows == 27
