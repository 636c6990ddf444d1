from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_splits import decided, here, split_of
from small_columns import small_columns
from small_inputs import config_of, jpeg, opened, parquet, wav

from pipeline.config.schema import JobConfig
from pipeline.modalities.similarity.interface import Signature
from pipeline.splitting.duplicates import chunks, near
from pipeline.splitting.duplicates.near_tasks import SignTask, StoreTask
from pipeline.splitting.duplicates.signature_files import Signatures, store
from pipeline.splitting.facts import facts_of


def pairs(config: JobConfig, field: str) -> list[list[int]]:
    job, listing = opened(config)
    ranks = facts_of(job, listing.units).keys
    found: list[list[int]] = here(job).near(job, listing.units, field, ranks).tolist()
    return found


def made(folder: Path, field: str, kind: str, payloads: list[Any], **settings: Any) -> JobConfig:
    ids = [f"r{n}" for n in range(len(payloads))]
    parquet(folder / "in/a.parquet", {"id": ids, "label": ["owl"] * len(ids), field: payloads}, 16)
    near_fields = {"near_duplicates": {field: settings}}
    return config_of(
        folder / "in",
        folder / "out",
        fields={field: {"type": kind}},
        split={"validation": 0.3, "keep_together": near_fields},
    )


def pictures(count: int) -> list[bytes | None]:
    """Different ones, then the first three once more, a little larger."""
    return [*(jpeg(n, 64) for n in range(count)), *(jpeg(n, 80) for n in range(3))]


def test_pictures(tmp_path: Path) -> None:
    payloads = [*pictures(40), None, b"no picture"]
    assert pairs(made(tmp_path, "image", "image", payloads), "image") == [[0, 40], [1, 41], [2, 42]]


def test_texts(tmp_path: Path) -> None:
    letters = np.random.default_rng(0).integers(97, 123, (30, 60), np.uint8)
    payloads = [" ".join(bytes(word).decode() for word in line.reshape(10, 6)) for line in letters]
    payloads += [payloads[4].upper(), payloads[5].replace(" ", ", "), "short"]
    assert pairs(made(tmp_path, "text", "text", payloads), "text") == [[4, 30], [5, 31]]


def test_sounds(tmp_path: Path) -> None:
    payloads = [wav(n, 16_000) for n in range(8)] + [wav(3, 16_000)]
    assert pairs(made(tmp_path, "sound", "audio", payloads), "sound") == [[3, 8]]


def test_a_threshold_of_zero_asks_for_the_same(tmp_path: Path) -> None:
    assert pairs(made(tmp_path, "image", "image", pictures(12), threshold=0.0), "image") == []


def test_nothing_to_compare(tmp_path: Path) -> None:
    assert pairs(made(tmp_path, "image", "image", [None, b"x", None]), "image") == []


def test_many_buckets_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = made(tmp_path, "image", "image", pictures(60))
    one = pairs(config, "image")
    monkeypatch.setattr(near, "BUCKET", 8)
    monkeypatch.setattr(chunks, "_SIGNED", 5)
    monkeypatch.setattr(near, "_PAIRS_PER_TASK", 3)
    monkeypatch.setattr(near, "_ROWS_PER_TASK", 10)
    with small_columns():
        assert pairs(config, "image") == one == [[0, 60], [1, 61], [2, 62]]


def test_near_duplicates_lie_in_one_split(tmp_path: Path) -> None:
    job, listing, found = decided(made(tmp_path, "image", "image", pictures(40)))
    splits = split_of(job, listing)
    assert all(splits[f"r{n}"] == splits[f"r{40 + n}"] for n in range(3))
    assert found.joined == {"exact:image": 0, "near:image": 6}
    assert set(splits.values()) == {"train", "validation"}


def test_a_record_that_kills_its_worker_is_passed_over(tmp_path: Path) -> None:
    job, listing = opened(made(tmp_path, "image", "image", pictures(4)))
    (piece,) = chunks.signed_pieces(listing.units)
    task, kept = StoreTask(SignTask(piece, "image"), str(tmp_path)), Signatures(str(tmp_path), np.array([0]))
    assert task.without(2).without(5).run(job, iter) == 0
    assert kept.rows(0).tolist() == [0, 1, 3, 4, 6]
    assert task.run(job, iter) == 0
    assert kept.rows(0).tolist() == list(range(7))


def test_signatures_come_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    def signature(number: int) -> Signature:
        return Signature(np.full((1, 4), number, np.int8), np.array([number], np.uint64), bytes([number]))

    store(str(tmp_path), 0, [0, 2], [signature(0), signature(2)])
    store(str(tmp_path), 10, [10, 11], [signature(10), signature(11)])
    kept = Signatures(str(tmp_path), np.array([0, 10]))
    found = kept.load(np.array([11, 0, 10, 2]), True)
    assert [(int(s.bands[0]), int(s.embeddings[0, 0]), s.detail) for s in found] == [
        (n, n, bytes([n])) for n in (11, 0, 10, 2)
    ]
    assert [s.detail for s in kept.load(np.array([2, 11]), False)] == [b"", b""]
