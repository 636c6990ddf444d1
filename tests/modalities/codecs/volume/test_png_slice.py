"""PNG of 16 bit as volumes of one slice: every level comes back."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from small_inputs import config_of, put, ran

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.volume.codec import VolumeCodec
from transforms.values import VolumeValue

Array = np.ndarray[Any, Any]


def painted(levels: Array, colours: int, bits: int = 16, more: bytes = b"") -> bytes:
    """A PNG without filters, written by the specification: what a reader must find is known without any library."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = levels.shape[:2]
    lines = b"".join(b"\0" + line.astype(f">u{bits // 8}").tobytes() for line in levels)
    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    parts = chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def grey(high: int = 65_535) -> Array:
    return np.linspace(0, high, 35).astype(np.uint16).reshape(7, 5)


def voxels(data: bytes) -> Array:
    value = VolumeCodec().decode(data).value
    assert isinstance(value, VolumeValue)
    return value.voxels


@pytest.mark.parametrize("high", [4_095, 65_535])
def test_every_level_of_16_bit_comes_back(high: int) -> None:
    found = VolumeCodec().decode(painted(grey(high), 0))
    np.testing.assert_array_equal(voxels(painted(grey(high), 0))[0, ..., 0], grey(high))
    again = VolumeCodec().encode(found.value, found.source_format)
    assert again.startswith(b"\x89PNG")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(again))).astype(np.uint16), grey(high))
    assert again == VolumeCodec().encode(VolumeCodec().decode(again).value, found.source_format)


@pytest.mark.parametrize("bits", [8, 16])
def test_colours_keep_their_order(bits: int) -> None:
    levels = np.stack([grey(200), grey(100), grey(50)], axis=-1)
    found = VolumeCodec().decode(painted(levels, 2, bits))
    np.testing.assert_array_equal(voxels(painted(levels, 2, bits))[0], levels)
    np.testing.assert_array_equal(voxels(VolumeCodec().encode(found.value, found.source_format))[0], levels)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (painted(np.stack([grey(), grey()], axis=-1), 4), "unsupported_format"),
        (painted(np.stack([grey()] * 4, axis=-1), 6), "unsupported_format"),
        (
            painted(grey(), 0, more=b"\0\0\0\2tRNS\0\1" + struct.pack(">I", zlib.crc32(b"tRNS\0\1"))),
            "unsupported_format",
        ),
        (painted(grey(), 0)[:-30], "truncated"),
        (painted(grey(), 0)[:20], "truncated"),
        (painted(grey()[:3], 0).replace(struct.pack(">II", 5, 3), struct.pack(">II", 5, 9)), "corrupt"),
    ],
)
def test_what_cannot_be_read(data: bytes, reason: str) -> None:
    with pytest.raises(CodecError) as caught:
        VolumeCodec().decode(data)
    assert caught.value.reason == reason


def test_pixels_that_end_too_early_are_no_picture() -> None:
    short = painted(grey(), 0)
    header = struct.pack(">IIBBBBB", 5, 70, 16, 0, 0, 0, 0)
    cut = short[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + short[33:]
    with pytest.raises(CodecError) as caught:
        VolumeCodec().decode(cut)
    assert caught.value.reason in ("truncated", "corrupt")
    with pytest.raises(CodecError) as large:
        VolumeCodec(max_voxels=34).decode(short)
    assert large.value.reason == "too_many_voxels"


def test_more_than_one_slice_is_no_png() -> None:
    with pytest.raises(CodecError) as caught:
        VolumeCodec().encode(VolumeValue(np.zeros((2, 3, 3, 1), np.uint16)), "png:uint16:DHW::")
    assert caught.value.reason == "cannot_encode"


def test_a_folder_of_scans_keeps_its_depth(tmp_path: Path) -> None:
    levels = np.random.default_rng(3).integers(0, 4_096, (12, 10)).astype(np.uint16)
    for number in range(4):
        put(tmp_path / "scans" / "bone" / f"{number}.png", painted(levels + number, 0))
    field = {"type": "volume", "augment": [{"albumentations.HorizontalFlip": {"p": 1}}]}
    done = ran(
        config_of(
            tmp_path / "scans",
            tmp_path / "out",
            input={"path": str(tmp_path / "scans")},
            split={},
            copies=1,
            fields={"scan": field},
        )
    )
    rows = pq.read_table(next(Path(done.dataset.path).glob("train/*.parquet"))).to_pylist()
    assert len(rows) == 8
    for row in rows:
        found = np.asarray(Image.open(io.BytesIO(row["scan"]))).astype(np.uint16)
        number = int(Path(row["lineage"]["source_file"]).stem)
        wanted = levels + number
        np.testing.assert_array_equal(found, wanted[:, ::-1] if row["lineage"]["copy"] else wanted)
