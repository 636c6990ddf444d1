"""Whatever a file holds, its decoder ends soon with a value or a named failure, and standard error stays empty."""

import io
import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import mutated_files
import numpy as np
import pytest
import tifffile
from PIL import Image

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.image import integrity
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.codecs.quiet import quiet
from pipeline.modalities.codecs.volume.codec import VolumeCodec

FEW, MANY = 100, 2_000


def decode_damaged(names: str, count: int, first: int) -> None:
    """Run the program that decodes them, in a process of its own: a hang or a crash would end this one."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(Path(mutated_files.__file__)), names, str(count), str(first)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1_800)
    last = done.stdout.strip().splitlines()[-2:]
    assert done.returncode == 0, f"{names}, seed {last}: {done.returncode} {done.stderr[-2_000:]}"
    assert not done.stderr, f"{names}: {done.stderr[:2_000]}"


@pytest.mark.parametrize("group", sorted(mutated_files.GROUPS))
def test_damaged_files_end_as_a_value_or_a_named_failure(group: str) -> None:
    decode_damaged(",".join(mutated_files.GROUPS[group]), FEW, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(mutated_files.FORMATS))
def test_thousands_of_damaged_files_end_as_a_value_or_a_named_failure(name: str) -> None:
    decode_damaged(name, MANY, 10_000)


def big_tiff(following: int, count: int = 1) -> bytes:
    """A BigTIFF of one strip whose directory, at 16, says where the next one is."""
    tags = {256: 4, 257: 4, 258: 8, 259: 1, 262: 1, 273: 400, 277: 1, 278: 4, 279: 16}
    entries = b"".join(struct.pack("<HHQQ", tag, 4, count, value) for tag, value in tags.items())
    head = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, len(tags))
    return (head + entries + struct.pack("<Q", following)).ljust(400, b"\0") + bytes(range(16))


@pytest.mark.parametrize("codec", [ImageCodec(), VolumeCodec()])
@pytest.mark.parametrize(
    ("following", "count"), [(16, 1), (2**63, 1), (2**64 - 1, 1), (10**6, 1), (0, 2**60), (0, 2**33)]
)
def test_big_tiff_directories_are_bounded(codec: Any, following: int, count: int) -> None:
    began = time.monotonic()
    with pytest.raises(CodecError) as caught:
        codec.decode(big_tiff(following, count))
    assert caught.value.reason in ("corrupt", "truncated")
    assert time.monotonic() - began < 5


def test_a_whole_big_tiff_is_read() -> None:
    for codec in (ImageCodec("keep"), VolumeCodec()):
        value: Any = codec.decode(big_tiff(0)).value
        pixels = value.pixels if hasattr(value, "pixels") else value.voxels[0]
        np.testing.assert_array_equal(pixels.ravel(), range(16))


def test_classic_directories_that_form_a_circle_are_refused() -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((3, 8, 8), np.uint8), photometric="minisblack", metadata=None)
    data = bytearray(file.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as stack:
        first, last = stack.pages[0].offset, stack.pages[2].offset
    (entries,) = struct.unpack_from("<H", data, last)
    struct.pack_into("<I", data, last + 2 + 12 * entries, first)
    for codec in (ImageCodec(), VolumeCodec()):
        with pytest.raises(CodecError, match="circle"):
            codec.decode(bytes(data))


def progressive(side: int, more: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), (90, 120, 200)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * more + b"\xff\xd9"


def test_a_jpeg_of_hundreds_of_scans_is_refused_before_it_is_decoded() -> None:
    data = progressive(4_000, 300)
    assert len(data) < 400_000
    began = time.monotonic()
    with pytest.raises(CodecError) as caught:
        ImageCodec().decode(data)
    assert caught.value.reason == "too_many_pixels"
    assert "scans" in str(caught.value)
    assert time.monotonic() - began < 2


def test_progressive_pictures_of_the_usual_number_of_scans_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    ImageCodec().decode(progressive(300, 0))
    monkeypatch.setattr(integrity, "_SCANNED_PIXELS", 1)
    ImageCodec().decode(progressive(40, 0))  # ten
    with pytest.raises(CodecError, match="scans"):
        ImageCodec().decode(progressive(40, 30))


def test_a_baseline_jpeg_is_not_searched_for_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "_SCANNED_PIXELS", 1)
    file = io.BytesIO()
    Image.new("RGB", (40, 40)).save(file, "JPEG")
    assert integrity._is_one_scan(file.getvalue())
    assert not integrity._is_one_scan(progressive(40, 0))
    ImageCodec().decode(file.getvalue() + b"\xff\xda" * 200)  # bytes behind the end are ignored


def test_standard_error_comes_back_whoever_leaves_last(capfd: pytest.CaptureFixture[str]) -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with quiet():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with quiet():
        os.write(2, b"lost\n")
        thread.start()
        inside.wait(10)
    os.write(2, b"lost too\n")
    leave.set()
    thread.join()
    os.write(2, b"seen\n")
    assert capfd.readouterr().err == "seen\n"


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "TIFF"])
def test_a_few_bytes_that_announce_a_large_picture_are_refused(kind: str) -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (30, 20), (n, 0, 0)) for n in (0, 90)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    data = bytearray(file.getvalue())
    if kind == "WEBP":
        data[24:30] = (8_999).to_bytes(3, "little") * 2
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", 9_000, 9_000)
    else:
        (entry,) = struct.unpack_from("<I", data, 4)
        for tag in range(12):
            if struct.unpack_from("<H", data, entry + 2 + 12 * tag)[0] in (256, 257):
                struct.pack_into("<HII", data, entry + 4 + 12 * tag, 4, 1, 9_000)
    with pytest.raises(CodecError) as caught:
        ImageCodec().decode(bytes(data))
    assert caught.value.reason == "too_many_pixels"
    assert "bytes" in str(caught.value)


def test_large_empty_pages_are_read() -> None:
    for kind, options in (("PNG", {}), ("TIFF", {"compression": "group4"})):
        file = io.BytesIO()
        Image.new("1", (4_200, 4_200), 1).save(file, kind, **options)
        value: Any = ImageCodec("grey").decode(file.getvalue()).value
        assert value.pixels.shape == (4_200, 4_200, 1)
