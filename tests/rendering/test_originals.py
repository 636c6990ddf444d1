"""Originals as they came, or as their copies are; PNG files whose metadata is no reason to fail."""

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps
from small_inputs import ran

from pipeline.cli.init.starter_config import config_text
from pipeline.config.loader import read_config
from pipeline.config.schema import JobConfig
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.codecs.image.original_differences import differences, told
from pipeline.modalities.labels.formats.masks import read_masks
from pipeline.planning.checks.check import checked
from pipeline.planning.checks.warnings import warnings_of
from pipeline.records import Family, Record, Variant
from pipeline.rendering.augment import augment
from pipeline.rendering.field_processor import tools_of
from pipeline.sources.inspection.describe import describe_data
from transforms.values import ImageValue

PIXELS = np.random.default_rng(1).integers(0, 255, (20, 30, 3)).astype(np.uint8)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes, damage: int = 0) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) ^ damage)


METADATA = {
    "a packed text that is a megabyte": chunk(b"zTXt", b"note\0\0" + zlib.compress(b"a" * 5_000_000)),
    "a packed profile that is large": chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(5_000_000))),
    "texts of eighty megabytes": chunk(b"iTXt", b"n\0\1\0\0\0" + zlib.compress(b"b" * 2_000_000)) * 40,
    "a text whose checksum is wrong": chunk(b"tEXt", b"a\0b", damage=1),
    "a profile whose checksum is wrong": chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(99)), damage=1),
    "a time that is too short": chunk(b"tIME", b"\x07"),
    "a resolution that is too short": chunk(b"pHYs", b"\0"),
    "a colour space that is empty": chunk(b"sRGB", b""),
    "a packed text that cannot be unpacked": chunk(b"zTXt", b"note\0\0" + b"\xff" * 40),
    "a way of packing that nobody knows": chunk(b"zTXt", b"note\0\x09" + b"abc"),
    "an Exif block whose checksum is wrong": chunk(b"eXIf", b"II*\0\x08\0\0\0", damage=1),
}


@pytest.mark.parametrize("where", ["before the pixels", "behind the pixels"])
@pytest.mark.parametrize("name", sorted(METADATA))
def test_a_png_is_read_whatever_its_metadata_is_like(name: str, where: str) -> None:
    whole = saved(Image.fromarray(PIXELS), "PNG")
    place = whole.index(b"IDAT") - 4 if where.startswith("before") else len(whole) - 12
    value = ImageCodec().decode(whole[:place] + METADATA[name] + whole[place:]).value
    assert isinstance(value, ImageValue)
    np.testing.assert_array_equal(value.pixels, PIXELS)


def test_transparency_and_turns_are_kept_when_metadata_is_passed_over() -> None:
    exif = Image.Exif()
    exif[274] = 6
    picture = Image.fromarray(PIXELS).convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    whole = saved(picture, "PNG", exif=exif, transparency=3)
    place = whole.index(b"IDAT") - 4
    damaged = whole[:place] + METADATA["a packed text that is a megabyte"] + whole[place:]
    for mode in ("rgb", "keep"):
        one, other = (ImageCodec(mode).decode(data).value for data in (whole, damaged))
        assert isinstance(one, ImageValue)
        assert isinstance(other, ImageValue)
        assert one.pixels.shape[:2] == (30, 20)
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_masks_are_read_whatever_their_metadata_is_like() -> None:
    classes = (PIXELS[..., 0] // 64).astype(np.uint8)
    whole = saved(Image.fromarray(classes), "PNG")
    place = whole.index(b"IDAT") - 4
    for name in METADATA:
        masks = read_masks(whole[:place] + METADATA[name] + whole[place:], 20, 30)
        assert masks is not None
        np.testing.assert_array_equal(masks[0], classes)


def original_of(payload: bytes, **field: Any) -> bytes:
    """What becomes of copy 0."""
    steps = {"augment": [{"albumentations.HorizontalFlip": {"p": 1}}]}
    config = JobConfig.model_validate(
        {"input": {"path": "x"}, "output": {"path": "y"}, "fields": {"image": {"type": "image", **steps, **field}}}
    )
    record = Record("key", "file", 0, (), {"image": payload}, pa.record_batch({"x": [1]}), 0)
    (family,) = augment(tools_of(config), 0, iter([Family(record, (Variant(0, b""),))]))
    made = family.rendered["image"][0].payload
    assert isinstance(made, bytes)
    return made


def turned_jpeg() -> bytes:
    exif = Image.Exif()
    exif[274] = 6
    return saved(Image.fromarray(PIXELS), "JPEG", exif=exif, quality=95)


ORIGINALS = {
    "turned by EXIF": turned_jpeg(),
    "alpha": saved(Image.fromarray(PIXELS).convert("RGBA"), "PNG"),
    "1 bit": saved(Image.fromarray(PIXELS[..., 0] > 100), "PNG"),
    "16 bit": saved(Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 200), "PNG"),
    "palette": saved(Image.fromarray(PIXELS).convert("P"), "PNG"),
}


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_originals_keep_their_bytes_or_are_like_their_copies(name: str) -> None:
    payload = ORIGINALS[name]
    assert original_of(payload) == payload == original_of(payload, originals="as_is")
    with Image.open(io.BytesIO(original_of(payload, originals="decoded"))) as picture:
        assert picture.mode == "RGB"
        assert picture.getexif().get(274, 1) == 1
        assert picture.size == ((20, 30) if name.startswith("turned") else (30, 20))
        if name.startswith("turned"):
            with Image.open(io.BytesIO(payload)) as before:
                upright = np.asarray(ImageOps.exif_transpose(before).convert("RGB"), np.int16)
            assert np.abs(np.asarray(picture, np.int16) - upright).mean() < 6


def test_another_choice_is_named() -> None:
    with pytest.raises(ValueError, match="as_is"):
        original_of(ORIGINALS["alpha"], originals="upright")


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_init_tells_in_what_originals_differ_from_copies(name: str, tmp_path: Path) -> None:
    ending = "jpg" if name.startswith("turned") else "png"
    for number in range(4):
        (tmp_path / f"{number}.{ending}").write_bytes(ORIGINALS[name])
    text = config_text(describe_data(str(tmp_path)), "config.yaml")
    assert "# originals: decoded" in text
    said = {"1 bit": "less than 8 bits: 4", "16 bit": "more than 8 bits: 4"}.get(name, f"{name}: 4")
    assert said in text


def test_init_says_nothing_of_originals_that_are_like_their_copies(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(saved(Image.fromarray(PIXELS), "PNG"))
    assert "originals" not in config_text(describe_data(str(tmp_path)), "config.yaml")


def warnings_for(tmp_path: Path, payloads: list[bytes], **field: Any) -> list[str]:
    """What `check` warns of."""
    pq.write_table(pa.table({"image": pa.array(payloads, pa.binary())}), tmp_path / "a.parquet")
    steps = {"augment": [{"albumentations.HorizontalFlip": {"p": 1}}]}
    fields = {"image": {"type": "image", **steps, **field}}
    config = {
        "input": {"path": str(tmp_path / "a.parquet")},
        "output": {"path": str(tmp_path / "out")},
        "fields": fields,
    }
    (tmp_path / "c.yaml").write_text(json.dumps(config))
    return warnings_of(*checked(read_config(str(tmp_path / "c.yaml"), [])))


def test_check_notes_originals_that_differ_from_their_copies(tmp_path: Path) -> None:
    payloads = [ORIGINALS["alpha"], ORIGINALS["turned by EXIF"], saved(Image.fromarray(PIXELS), "PNG")]
    (note,) = warnings_for(tmp_path, payloads)
    assert "alpha: 1, turned by EXIF: 1" in note
    assert "originals: decoded" in note
    assert warnings_for(tmp_path, payloads, originals="decoded") == []
    assert warnings_for(tmp_path, payloads[2:]) == []


def test_check_notes_where_precision_is_lost(tmp_path: Path) -> None:
    deep = saved(Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 16), "PNG")
    notes = warnings_for(tmp_path, [deep], originals="decoded")
    assert len(notes) == 1
    assert f"uint16 values from {PIXELS[..., 0].min() * 16} to {PIXELS[..., 0].max().astype(int) * 16}" in notes[0]
    assert "window: [LOW, HIGH]" in notes[0]
    assert warnings_for(tmp_path, [deep], originals="decoded", window=[0, 4095]) == []


def test_check_notes_the_same_of_files_that_a_table_names(tmp_path: Path) -> None:
    deep = saved(Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 16), "PNG")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "deep.png").write_bytes(deep)
    (tmp_path / "in" / "turned.jpg").write_bytes(ORIGINALS["turned by EXIF"])
    pq.write_table(pa.table({"image": ["deep.png", "turned.jpg", "gone.png"]}), tmp_path / "in" / "a.parquet")
    field = {"type": "image", "uri": True, "augment": ["albumentations.HorizontalFlip"]}
    tree = {"input": {"path": str(tmp_path / "in" / "a.parquet")}, "output": {"path": "y"}, "fields": {"image": field}}
    (tmp_path / "c.yaml").write_text(json.dumps(tree))
    notes = "\n".join(warnings_of(*checked(read_config(str(tmp_path / "c.yaml"), []))))
    assert "uint16 values from" in notes
    assert "turned by EXIF: 1" in notes


@pytest.mark.parametrize("mode", ["rgb", "keep"])
def test_originals_that_differ_from_copies_are_counted(tmp_path: Path, mode: str) -> None:
    """In the manifest, the card and the summary; alpha stays where the field keeps it."""
    plain = saved(Image.fromarray(PIXELS), "PNG")
    lossless = saved(Image.fromarray(PIXELS).convert("RGBA"), "WEBP", lossless=True)
    clear = saved(Image.fromarray(np.dstack([PIXELS, PIXELS[..., :1]])), "WEBP", lossless=True)
    payloads = [*ORIGINALS.values(), turned_jpeg(), plain, plain, lossless, clear]
    (tmp_path / "in").mkdir()
    rows = {"image": payloads, "id": [f"r{n}" for n in range(len(payloads))]}
    pq.write_table(pa.table(rows), tmp_path / "in" / "a.parquet")
    field = {"type": "image", "mode": mode, "augment": ["albumentations.HorizontalFlip"]}
    tree: dict[str, Any] = {"seed": 1, "input": {"path": str(tmp_path / "in"), "id": "id"}, "fields": {"image": field}}
    config = JobConfig.model_validate({**tree, "copies": 2, "split": {}, "output": {"path": str(tmp_path / "out")}})
    made = ran(config)
    wanted = {"turned by EXIF": 2, "less than 8 bits": 1, "more than 8 bits": 1, "palette": 1}
    wanted |= {"alpha": 2} if mode == "rgb" else {}
    assert made.dataset.manifest["unlike_originals"] == {"image": wanted}
    assert "turned by EXIF 2" in Path(made.dataset.path, "README.md").read_text()
    field["originals"] = "decoded"
    again = JobConfig.model_validate({**tree, "copies": 2, "split": {}, "output": {"path": str(tmp_path / "decoded")}})
    assert "unlike_originals" not in ran(again).dataset.manifest


def test_the_summary_of_a_run_tells_them() -> None:
    (line,) = told({"image": {"turned by EXIF": 2, "alpha": 1}})
    assert line.startswith("image: originals keep their own bytes, unlike copies (alpha 1, turned by EXIF 2); ")


def test_pixels_that_look_like_a_chunk_are_none() -> None:
    noise = saved(Image.fromarray(PIXELS), "PNG", compress_level=0)
    place = noise.index(b"IDAT") + 40
    assert differences(noise[:place] + b"tRNSeXIf" + noise[place + 8 :], "rgb") == []


def test_check_says_nothing_of_pictures_that_cannot_be_read(tmp_path: Path) -> None:
    assert warnings_for(tmp_path, [b"no picture", b""]) == []
