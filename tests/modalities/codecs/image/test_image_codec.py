import io
import os
import pickle
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageOps

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.image import jpeg
from pipeline.modalities.codecs.image.channels import over_white
from pipeline.modalities.codecs.image.codec import ImageCodec
from pipeline.modalities.codecs.volume.codec import VolumeCodec
from transforms.values import ImageValue, TextValue, VolumeValue

HEIGHT, WIDTH = 48, 64


def photo(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Smooth colours with some noise: enough texture for JPEG to have something to lose."""
    rows, columns = np.mgrid[0:height, 0:width]
    base = np.stack([rows * 4 % 256, columns * 3 % 256, (rows + columns) * 2 % 256], axis=-1)
    return np.clip(base + np.random.default_rng(1).normal(0, 6, base.shape), 0, 255).astype(np.uint8)


RGB = Image.fromarray(photo())


def alpha_picture() -> Image.Image:
    picture = RGB.copy()
    picture.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))))
    return picture


RGBA = alpha_picture()


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def frames() -> list[Image.Image]:
    return [Image.fromarray(np.roll(photo(), shift, axis=1)) for shift in (0, 9, 18)]


def animated(kind: str, **options: Any) -> bytes:
    first, *others = frames()
    return saved(first, kind, save_all=True, append_images=others, **options)


def transparent_palette() -> Image.Image:
    picture = RGB.quantize(16)
    picture.info["transparency"] = 0
    return picture


def decode(payload: Any, mode: str = "rgb", **options: Any) -> np.ndarray:
    value = ImageCodec(mode=mode, **options).decode(payload).value
    assert isinstance(value, ImageValue)
    pixels = value.pixels
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    return pixels


def by_pillow(payload: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(payload)) as picture:
        picture.seek(0)
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def reason_of(payload: Any, **options: Any) -> str:
    with pytest.raises(CodecError) as caught:
        ImageCodec(**options).decode(payload)
    message = str(caught.value)
    assert message
    assert " at 0x" not in message
    assert "/tmp" not in message
    return caught.value.reason


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_16_bit(levels: np.ndarray, extra: bytes = b"") -> bytes:
    """Made by hand, for neither Pillow nor OpenCV writes all of them."""
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[levels.shape[2]]
    header = struct.pack(">IIBBBBB", levels.shape[1], levels.shape[0], 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    body = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff_16_bit(levels: np.ndarray, order: str = "<", **tags: int) -> bytes:
    """Uncompressed, one strip. `tags` are tag numbers as `t284=2`."""
    height, width, channels = levels.shape
    pixels = levels.astype(f"{order}u2").tobytes()
    entries = {256: width, 257: height, 259: 1, 262: 1 if channels == 1 else 2, 277: channels, 278: height}
    entries |= {279: len(pixels)} | {int(name[1:]): value for name, value in tags.items()}
    if channels == 4:
        entries[338] = 2
    directory = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries |= {258: directory if channels > 2 else 16, 273: directory + 2 * channels}
    lines = b""
    for tag, value in sorted(entries.items()):
        count = channels if tag == 258 else 1
        kind = 3 if tag in (258, 338) else 4
        inline = struct.pack(f"{order}HH", value, 0) if kind == 3 and count == 1 else struct.pack(f"{order}I", value)
        lines += struct.pack(f"{order}HHI", tag, kind, count) + inline
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    return head + lines + struct.pack(f"{order}I", 0) + struct.pack(f"{order}{channels}H", *[16] * channels) + pixels


def sixteen(channels: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 65_536, (7, 9, channels)).astype(np.uint16)


def to_eight(levels: np.ndarray) -> np.ndarray:
    return np.rint(levels / 257).astype(np.uint8)


WHOLE: dict[str, bytes] = {
    "jpeg": saved(RGB, "JPEG", quality=90),
    "jpeg progressive": saved(RGB, "JPEG", quality=90, progressive=True),
    "jpeg grey": saved(RGB.convert("L"), "JPEG", quality=90),
    "jpeg 4:4:4": saved(RGB, "JPEG", quality=97, subsampling=0),
    "jpeg rgb": saved(RGB, "JPEG", quality=90, keep_rgb=True),
    "jpeg cmyk": saved(RGB.convert("CMYK"), "JPEG", quality=90),
    "jpeg restart markers": saved(RGB, "JPEG", quality=90, restart_marker_blocks=4),
    "png": saved(RGB, "PNG"),
    "png palette": saved(RGB.quantize(64), "PNG"),
    "png grey": saved(RGB.convert("L"), "PNG"),
    "png 1 bit": saved(RGB.convert("1"), "PNG"),
    "png 16 bit": png_16_bit(sixteen(3)),
    "gif": saved(RGB, "GIF"),
    "gif animated": animated("GIF"),
    "tiff": saved(RGB, "TIFF"),
    "tiff lzw": saved(RGB, "TIFF", compression="tiff_lzw"),
    "tiff deflate": saved(RGB, "TIFF", compression="tiff_adobe_deflate"),
    "tiff jpeg": saved(RGB, "TIFF", compression="jpeg"),
    "tiff pages": animated("TIFF"),
    "tiff cmyk": saved(RGB.convert("CMYK"), "TIFF"),
    "bmp": saved(RGB, "BMP"),
    "bmp palette": saved(RGB.quantize(64), "BMP"),
    "webp": saved(RGB, "WEBP"),
    "webp lossless": saved(RGB, "WEBP", lossless=True),
    "webp animated": animated("WEBP"),
    "png animated": animated("PNG"),
}
OPAQUE = [name for name in WHOLE if name != "png 16 bit"]


class TestWholeFiles:
    @pytest.mark.parametrize("name", OPAQUE)
    def test_same_pixels_as_pillow(self, name: str) -> None:
        assert np.array_equal(decode(WHOLE[name]), by_pillow(WHOLE[name]))

    @pytest.mark.parametrize("name", WHOLE)
    def test_source_format_is_the_container(self, name: str) -> None:
        assert ImageCodec().decode(WHOLE[name]).source_format == name.split()[0]

    @pytest.mark.parametrize("name", WHOLE)
    @pytest.mark.parametrize(("mode", "channels"), [("rgb", 3), ("grey", 1), ("rgba", 4)])
    def test_channels_of_the_mode(self, name: str, mode: str, channels: int) -> None:
        assert decode(WHOLE[name], mode).shape[2] == channels

    @pytest.mark.parametrize(
        ("name", "channels"),
        [("jpeg", 3), ("jpeg grey", 1), ("jpeg cmyk", 3), ("png", 3), ("png palette", 3), ("png grey", 1)],
    )
    def test_keep_keeps_the_channels_of_the_file(self, name: str, channels: int) -> None:
        assert decode(WHOLE[name], "keep").shape == (HEIGHT, WIDTH, channels)

    def test_grey_of_a_colour_jpeg_is_its_own_luma(self) -> None:
        assert np.array_equal(decode(WHOLE["jpeg"], "grey"), simplejpeg.decode_jpeg(WHOLE["jpeg"], "GRAY"))

    def test_grey_of_a_colour_png_is_bt_601_luma(self) -> None:
        expected = photo() @ np.array([0.299, 0.587, 0.114])
        assert np.abs(decode(WHOLE["png"], "grey")[..., 0] - expected).max() <= 0.51

    @pytest.mark.parametrize("kind", [bytearray, memoryview])
    def test_other_buffers_are_bytes_too(self, kind: Callable[[bytes], Any]) -> None:
        assert np.array_equal(decode(kind(WHOLE["jpeg"])), decode(WHOLE["jpeg"]))

    def test_trailing_garbage_after_a_jpeg_is_ignored(self) -> None:
        assert np.array_equal(decode(WHOLE["jpeg"] + b"garbage\xff\xd8" * 9), decode(WHOLE["jpeg"]))

    def test_odd_header_that_libjpeg_warns_of_is_left_to_pillow(self) -> None:
        odd = WHOLE["jpeg"].replace(b"JFIF\0\x01", b"JFIF\0\x09", 1)
        assert odd != WHOLE["jpeg"]
        assert jpeg.decode(odd, "rgb", 10**6) is None
        assert np.array_equal(decode(odd), decode(WHOLE["jpeg"]))

    def test_jpeg_without_a_known_subsampling_is_left_to_pillow(self) -> None:
        """4:2:0 declared as luma 3x1: no constant of TurboJPEG; Pillow decodes or refuses it, but nothing crashes."""
        start = WHOLE["jpeg"].index(b"\xff\xc0")
        odd = bytearray(WHOLE["jpeg"])
        odd[start + 11] = 0x31
        assert jpeg.decode(bytes(odd), "rgb", 10**6) is None

    def test_jpeg_of_4_4_1_is_left_to_pillow(self) -> None:
        """64 px a side have as many blocks in either layout, so that the changed header fits the scan."""
        payload = bytearray(saved(Image.fromarray(photo(64, 64)), "JPEG", quality=90))
        payload[payload.index(b"\xff\xc0") + 11] = 0x14
        assert jpeg.decode(bytes(payload), "rgb", 10**6) is None
        assert np.array_equal(decode(bytes(payload)), by_pillow(bytes(payload)))


class TestAlpha:
    white = staticmethod(lambda colour, alpha: np.rint(colour * (alpha / 255.0) + 255.0 - alpha))

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_rgb_composites_over_white(self, kind: str) -> None:
        pixels = np.asarray(RGBA).astype(float)
        expected = self.white(pixels[..., :3], pixels[..., 3:])
        assert np.abs(decode(saved(RGBA, kind)) - expected).max() <= 0.0

    def test_lossless_webp_with_alpha(self) -> None:
        payload = saved(RGBA, "WEBP", lossless=True, exact=True)
        assert np.array_equal(decode(payload, "keep"), np.asarray(RGBA))
        assert np.array_equal(decode(payload), over_white(np.asarray(RGBA)))

    @pytest.mark.parametrize("kind", ["PNG", "GIF"])
    def test_transparent_palette(self, kind: str) -> None:
        picture = transparent_palette()
        payload = saved(picture, kind, transparency=0)
        holes = np.asarray(picture) == 0
        assert holes.any()
        assert (decode(payload)[holes] == 255).all()
        kept = decode(payload, "keep")
        assert kept.shape[2] == 4
        assert (kept[holes, 3] == 0).all()
        assert (kept[~holes, 3] == 255).all()
        assert np.array_equal(decode(payload)[~holes], np.asarray(picture.convert("RGB"))[~holes])

    def test_palette_with_an_alpha_for_each_entry(self) -> None:
        payload = saved(RGB.quantize(4), "PNG", transparency=bytes([0, 85, 170, 255]))
        assert set(np.unique(decode(payload, "keep")[..., 3])) <= {0, 85, 170, 255}
        assert decode(payload).shape[2] == 3

    def test_grey_with_alpha(self) -> None:
        picture = RGBA.convert("LA")
        payload = saved(picture, "PNG")
        assert decode(payload, "keep").shape[2] == 4
        assert np.array_equal(decode(payload), over_white(np.asarray(picture.convert("RGBA"))))
        assert np.array_equal(decode(payload, "grey")[..., 0], decode(payload)[..., 0])

    def test_grey_with_a_transparent_level(self) -> None:
        grey = RGB.convert("L")
        level = int(np.asarray(grey)[0, 0])
        kept = decode(saved(grey, "PNG", transparency=level), "keep")
        assert np.array_equal(kept[..., 3] == 0, np.asarray(grey) == level)

    def test_opaque_picture_gets_full_alpha(self) -> None:
        assert (decode(WHOLE["jpeg"], "rgba")[..., 3] == 255).all()


class TestDeepPictures:
    def test_16_bit_grey_png_is_scaled_not_clipped(self) -> None:
        levels = np.arange(0, 65_536, 257, dtype=np.uint16).reshape(16, 16)
        assert np.array_equal(decode(png_16_bit(levels[..., None]), "keep")[..., 0].ravel(), np.arange(256))

    @pytest.mark.parametrize("channels", [1, 3])
    def test_16_bit_png(self, channels: int) -> None:
        levels = sixteen(channels)
        assert np.array_equal(decode(png_16_bit(levels), "keep"), to_eight(levels))

    def test_16_bit_png_with_alpha(self) -> None:
        levels = sixteen(4)
        assert np.array_equal(decode(png_16_bit(levels), "keep"), to_eight(levels))

    def test_16_bit_grey_png_with_alpha(self) -> None:
        levels = to_eight(sixteen(2))
        kept = decode(png_16_bit(sixteen(2)), "keep")
        assert np.array_equal(kept, levels[..., [0, 0, 0, 1]])

    def test_16_bit_png_with_a_transparent_level(self) -> None:
        levels = sixteen(1)
        key = png_chunk(b"tRNS", struct.pack(">H", int(levels[0, 0, 0])))
        kept = decode(png_16_bit(levels, key), "keep")
        assert np.array_equal(kept[..., 3] == 0, (levels == levels[0, 0])[..., 0])
        assert np.array_equal(kept[..., 1], to_eight(levels)[..., 0])

    def test_16_bit_png_with_a_transparent_colour(self) -> None:
        levels = sixteen(3)
        key = png_chunk(b"tRNS", struct.pack(">HHH", *(int(level) for level in levels[0, 0])))
        kept = decode(png_16_bit(levels, key), "keep")
        assert kept.shape[2] == 4
        assert kept[0, 0, 3] == 0
        assert np.array_equal(kept[..., :3], to_eight(levels))

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("channels", [1, 3, 4])
    def test_16_bit_tiff(self, channels: int, order: str) -> None:
        levels = sixteen(channels)
        assert np.array_equal(decode(tiff_16_bit(levels, order), "keep"), to_eight(levels))

    @pytest.mark.parametrize("turn", range(1, 9))
    def test_16_bit_tiff_is_turned_like_an_8_bit_one(self, turn: int) -> None:
        levels = sixteen(3)
        eight = saved(Image.fromarray(to_eight(levels)), "TIFF", tiffinfo={274: turn})
        assert np.array_equal(decode(tiff_16_bit(levels, t274=turn)), decode(eight))

    def test_16_bit_tiff_with_white_as_zero(self) -> None:
        levels = sixteen(1)
        assert np.array_equal(decode(tiff_16_bit(levels, t262=0), "keep"), to_eight(65_535 - levels))

    def test_16_bit_tiff_in_planes_is_refused_rather_than_misread(self) -> None:
        assert reason_of(tiff_16_bit(sixteen(3), t284=2)) in ("unsupported_format", "corrupt", "truncated")

    def test_floats_within_shares_of_white_need_no_window(self) -> None:
        payload = saved(Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)), "TIFF")
        assert decode(payload, "keep").ravel().tolist() == [0, 128, 255]

    @pytest.mark.parametrize("high", [1.01, 254.0, 256.0, 65_535.0, 1e6])
    @pytest.mark.parametrize("low", [0.0, -1.0])
    def test_one_picture_never_tells_the_range_of_floats(self, low: float, high: float) -> None:
        levels = np.array([[low, 0.25 * high, 0.5 * high, high]], np.float32)
        payload = saved(Image.fromarray(levels), "TIFF")
        assert reason_of(payload) == "unsupported_format"
        with pytest.raises(CodecError, match=r"window: \[LOW, HIGH\]"):
            ImageCodec().decode(payload)
        seen = decode(payload, "keep", window=(0.0, high)).ravel()
        np.testing.assert_allclose(seen, [0, 63.75, 127.5, 255], atol=0.51)

    def test_the_brightest_pixel_of_a_picture_changes_no_other(self) -> None:
        scene = np.linspace(0, 0.6, 48, dtype=np.float32).reshape(6, 8)
        found = []
        for brightest in (0.99, 1.01, 3.0):
            scene[0, 0] = brightest
            found.append(decode(saved(Image.fromarray(scene), "TIFF"), "keep", window=(0.0, 1.0))[..., 0])
        assert all(np.array_equal(found[0][1:], other[1:]) for other in found[1:])

    @pytest.mark.parametrize("odd", [float("nan"), float("inf")])
    def test_floats_that_are_no_numbers_fail(self, odd: float) -> None:
        payload = saved(Image.fromarray(np.array([[0.0, odd]], np.float32)), "TIFF")
        assert reason_of(payload) == reason_of(payload, window=(0.0, 1.0)) == "non_finite"

    def test_32_bit_tiff_needs_a_window(self) -> None:
        payload = saved(Image.fromarray(np.array([[-70_000, 0, 70_000]], np.int32)), "TIFF")
        assert reason_of(payload) == "unsupported_format"
        assert decode(payload, "keep", window=(-70_000.0, 70_000.0)).ravel().tolist() == [0, 128, 255]

    @pytest.mark.parametrize("channels", [1, 3])
    def test_a_window_keeps_twelve_bits_in_sixteen_apart(self, channels: int) -> None:
        levels = (np.arange(48 * channels) * 4095 // (48 * channels - 1)).reshape(6, 8, channels).astype(np.uint16)
        expected = np.rint(levels / 4095 * 255).astype(np.uint8)
        for payload in (png_16_bit(levels), tiff_16_bit(levels)):
            assert np.array_equal(decode(payload, "keep", window=(0.0, 4095.0)), expected)
            assert len(np.unique(decode(payload, "keep"))) <= 17

    def test_a_window_leaves_alpha_alone(self) -> None:
        levels = sixteen(4)
        kept = decode(png_16_bit(levels), "keep", window=(0.0, 1000.0))
        assert np.array_equal(kept[..., 3], to_eight(levels)[..., 3])
        assert np.array_equal(kept[..., :3], np.rint(np.clip(levels[..., :3] / 1000, 0, 1) * 255).astype(np.uint8))

    def test_a_window_with_white_as_zero(self) -> None:
        levels = sixteen(1) // 16
        kept = decode(tiff_16_bit(65_535 - levels, t262=0), "keep", window=(0.0, 4095.0))
        assert np.array_equal(kept, np.rint(levels / 4095 * 255).astype(np.uint8))

    def test_a_window_says_nothing_of_eight_bits(self) -> None:
        for kind in ("PNG", "JPEG", "TIFF"):
            assert np.array_equal(decode(saved(RGB, kind), window=(0.0, 4095.0)), decode(saved(RGB, kind)))

    def test_1_bit_is_black_and_white(self) -> None:
        assert set(np.unique(decode(WHOLE["png 1 bit"], "keep"))) == {0, 255}


def bands_of(array: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


class TestBands:
    """Satellites and microscopes write bands that are no colours."""

    rgb = np.random.default_rng(5).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    near = np.full((6, 8, 1), 60, np.uint8)

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    @pytest.mark.parametrize("more", [1, 2, 10])
    def test_bands_that_are_no_colours_are_refused_by_their_number(self, more: int, dtype: Any) -> None:
        stack = np.dstack([self.rgb, *[self.near] * more]).astype(dtype)
        for options in (
            {"photometric": "rgb", "planarconfig": "contig", "extrasamples": ["unspecified"] * more},
            {"photometric": "minisblack", "planarconfig": "contig"},
        ):
            payload = bands_of(stack, **options)
            for mode in ("rgb", "keep", "rgba", "grey"):
                assert reason_of(payload, mode=mode) == "unsupported_format"
                with pytest.raises(CodecError, match=rf"{3 + more} bands.*type: volume"):
                    ImageCodec(mode).decode(payload)
            volume = VolumeCodec().decode(payload).value
            assert isinstance(volume, VolumeValue)
            assert volume.voxels.shape == (1, 6, 8, 3 + more)

    def test_two_grey_bands_are_refused(self) -> None:
        payload = bands_of(self.rgb[..., :2], photometric="minisblack", planarconfig="contig")
        with pytest.raises(CodecError, match="2 bands"):
            ImageCodec().decode(payload)

    def test_alpha_that_is_called_so_is_alpha(self) -> None:
        payload = bands_of(np.dstack([self.rgb, self.near]), photometric="rgb", extrasamples=["unassalpha"])
        assert np.array_equal(decode(payload, "keep"), np.dstack([self.rgb, self.near]))

    def test_many_bands_say_nothing_on_standard_error(self, capfd: pytest.CaptureFixture[str]) -> None:
        reason_of(bands_of(np.dstack([self.rgb] * 5), photometric="minisblack", planarconfig="contig"))
        assert capfd.readouterr() == ("", "")


class TestOrientation:
    @pytest.mark.parametrize("turn", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_like_exif_transpose(self, kind: str, turn: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = turn
        payload = saved(RGB, kind, exif=exif)
        assert np.array_equal(decode(payload), by_pillow(payload))
        assert decode(payload, "grey").shape[:2] == by_pillow(payload).shape[:2]

    @pytest.mark.parametrize("turn", range(1, 9))
    def test_of_tiff_like_exif_transpose(self, turn: int) -> None:
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(saved(RGB, "PNG", exif=_exif(turn)))))
        assert np.array_equal(decode(saved(RGB, "TIFF", tiffinfo={274: turn})), np.asarray(upright))

    @pytest.mark.parametrize("turn", range(1, 9))
    def test_of_cmyk_and_grey_jpeg(self, turn: int) -> None:
        for mode in ("CMYK", "L"):
            payload = saved(RGB.convert(mode), "JPEG", exif=_exif(turn))
            assert np.array_equal(decode(payload), by_pillow(payload))

    def test_jfif_before_exif(self) -> None:
        exif = _exif(6).tobytes()
        segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
        payload = WHOLE["jpeg"][:20] + segment + WHOLE["jpeg"][20:]
        assert WHOLE["jpeg"][2:4] == b"\xff\xe0"
        assert np.array_equal(decode(payload), np.rot90(decode(WHOLE["jpeg"]), -1))

    @pytest.mark.parametrize(
        "exif",
        [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12\0", b"Exif\0\0??"],
    )
    def test_broken_exif_counts_as_upright(self, exif: bytes) -> None:
        segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
        assert np.array_equal(decode(WHOLE["jpeg"][:20] + segment + WHOLE["jpeg"][20:]), decode(WHOLE["jpeg"]))

    @pytest.mark.parametrize("turn", [0, 9, 65_535])
    def test_value_out_of_range_counts_as_upright(self, turn: int) -> None:
        assert np.array_equal(decode(saved(RGB, "JPEG", exif=_exif(turn), quality=90)), decode(WHOLE["jpeg"]))


def _exif(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = turn
    return exif


DEFLATE_BOMB = b"\x89PNG\r\n\x1a\n" + b"".join(
    [
        png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)),
        png_chunk(b"IDAT", zlib.compress(b"\0" * 100_000)),
        png_chunk(b"IEND", b""),
    ]
)
NOT_IMAGES = {
    "text": b"hello, this is no picture",
    "text that begins like a bitmap": b"BMW builds cars in Munich and elsewhere",
    "html": b"<!doctype html><html><body>404</body></html>",
    "json": b'{"error": "not found"}',
    "zeros": b"\0" * 1000,
    "a jpeg's first byte": b"\xff",
    "flac": b"fLaC" + b"\0" * 60,
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
}


class TestNastyPayloads:
    @pytest.mark.parametrize("payload", [b"", bytearray(), memoryview(b"")])
    def test_nothing(self, payload: Any) -> None:
        assert reason_of(payload) == "empty_payload"

    @pytest.mark.parametrize("name", NOT_IMAGES)
    def test_no_image(self, name: str) -> None:
        assert reason_of(NOT_IMAGES[name]) == "not_an_image"

    @pytest.mark.parametrize("payload", ["a string", None, 7])
    def test_no_bytes(self, payload: Any) -> None:
        assert reason_of(payload) == "not_an_image"

    @pytest.mark.parametrize(
        "payload", [b"\0\0\0\x20ftypavif" + b"\0" * 20, b"8BPS\0\x01", b"%PDF-1.7", b"\0\0\0\x0cjP  \r\n\x87\n"]
    )
    def test_formats_that_are_not_read(self, payload: bytes) -> None:
        assert reason_of(payload) == "unsupported_format"

    @pytest.mark.parametrize("name", WHOLE)
    @pytest.mark.parametrize("share", range(10, 100, 10))
    def test_truncated(self, name: str, share: int) -> None:
        payload = WHOLE[name]
        assert reason_of(payload[: len(payload) * share // 100]) in ("truncated", "corrupt")

    @pytest.mark.parametrize("name", [name for name in WHOLE if name != "tiff pages"])  # that one ends in padding
    @pytest.mark.parametrize("lost", [1, 2, 3, 13])
    def test_last_bytes_missing(self, name: str, lost: int) -> None:
        assert reason_of(WHOLE[name][:-lost]) == "truncated"

    @pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "jpeg grey", "jpeg cmyk"])
    def test_jpeg_cut_anywhere(self, name: str) -> None:
        for end in range(3, len(WHOLE[name]), 5):
            reason_of(WHOLE[name][:end])

    @pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "jpeg grey", "jpeg cmyk", "jpeg rgb"])
    def test_jpeg_that_libjpeg_warns_of_is_corrupt(self, name: str) -> None:
        """Pillow gives grey areas for these without a word."""
        payload = WHOLE[name]
        middle = len(payload) * 6 // 10
        assert reason_of(payload[:middle] + b"\xff\xd9" + payload[middle:]) in ("corrupt", "truncated")
        assert reason_of(payload[:middle] + payload[middle + 150 :]) == "corrupt"

    @pytest.mark.parametrize("name", ["png", "png palette", "png grey", "png 16 bit"])
    def test_every_changed_byte_of_png_pixels_is_found(self, name: str) -> None:
        payload = WHOLE[name]
        start = payload.index(b"IDAT")
        for position in range(start + 4, len(payload) - 12, 37):
            damaged = bytearray(payload)
            damaged[position] ^= 0x10
            assert reason_of(bytes(damaged)) == "corrupt"

    @pytest.mark.parametrize("name", ["gif animated", "tiff pages", "webp animated"])
    def test_cut_behind_the_first_frame(self, name: str) -> None:
        payload = WHOLE[name]
        for end in range(len(payload) * 4 // 10, len(payload), 101):
            assert reason_of(payload[:end]) in ("truncated", "corrupt")

    def test_bomb(self) -> None:
        assert reason_of(DEFLATE_BOMB) == "too_many_pixels"

    @pytest.mark.parametrize("name", WHOLE)
    def test_limit_of_pixels_is_checked_before_decoding(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(simplejpeg, "decode_jpeg", None)
        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
        assert reason_of(WHOLE[name], max_pixels=50) == "too_many_pixels"

    def test_limit_itself_is_allowed(self) -> None:
        assert decode(WHOLE["png"], max_pixels=HEIGHT * WIDTH).shape == (HEIGHT, WIDTH, 3)
        assert reason_of(WHOLE["png"], max_pixels=HEIGHT * WIDTH - 1) == "too_many_pixels"

    def test_webp_canvas_is_checked_before_the_decoder_reserves_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        canvas = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + b"\xff\xff\x00" + b"\xff\xff\x00"
        monkeypatch.setattr("PIL.WebPImagePlugin.WebPImageFile._open", None)
        assert reason_of(b"RIFF" + struct.pack("<I", len(canvas) + 4) + b"WEBP" + canvas) == "too_many_pixels"

    def test_tiff_whose_pages_form_a_circle(self) -> None:
        circle = bytearray(tiff_16_bit(sixteen(1)))
        (entries,) = struct.unpack_from("<H", circle, 8)
        struct.pack_into("<I", circle, 10 + 12 * entries, 8)
        assert reason_of(bytes(circle)) == "corrupt"

    def test_errors_survive_a_process_boundary(self) -> None:
        error = pickle.loads(pickle.dumps(CodecError("corrupt", "why")))
        assert (error.reason, str(error)) == ("corrupt", "why")

    @settings(max_examples=200, deadline=None)
    @given(
        name=st.sampled_from(sorted(name for name in WHOLE if not name.startswith("tiff"))),
        changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5),
        mode=st.sampled_from(["rgb", "grey", "rgba", "keep"]),
    )
    def test_damage_gives_pixels_or_a_codec_error(self, name: str, changes: list[tuple[float, int]], mode: str) -> None:
        damaged = bytearray(WHOLE[name])
        for place, byte in changes:
            damaged[int(place * len(damaged))] = byte
        try:
            decode(bytes(damaged), mode, max_pixels=10**6)
        except CodecError as error:
            assert error.reason

    @settings(max_examples=100, deadline=None)
    @given(head=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF"]), body=st.binary())
    def test_noise_is_a_codec_error(self, head: bytes, body: bytes) -> None:
        reason_of(head + body)


class TestEncode:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [("jpeg", "jpeg"), ("png", "png"), ("webp", "webp"), ("gif", "png"), ("tiff", "png"), ("bmp", "png")],
    )
    def test_keeps_what_can_be_written_and_makes_png_of_the_rest(self, source: str, expected: str) -> None:
        codec = ImageCodec()
        assert codec.decode(codec.encode(ImageValue(photo()), source)).source_format == expected

    @pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
    def test_configured_format_wins(self, kind: str) -> None:
        assert ImageCodec().decode(ImageCodec(format=kind).encode(ImageValue(photo()), "gif")).source_format == kind

    @settings(max_examples=50, deadline=None)
    @given(
        hnp.arrays(
            np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3, 4])), fill=st.nothing()
        )
    )
    def test_png_is_lossless(self, pixels: np.ndarray) -> None:
        codec = ImageCodec(mode="keep", format="png")
        assert np.array_equal(codec.decode(codec.encode(ImageValue(pixels), "")).value.pixels, pixels)  # type: ignore[union-attr]

    @pytest.mark.parametrize(("quality", "chroma"), [(None, "444"), (90, "420"), (94, "420"), (95, "444")])
    def test_chroma_of_jpeg(self, quality: int | None, chroma: str) -> None:
        payload = ImageCodec(quality=quality).encode(ImageValue(photo()), "jpeg")
        assert simplejpeg.decode_jpeg_header(payload) == (HEIGHT, WIDTH, "YCbCr", chroma)

    def test_default_qualities(self) -> None:
        value = ImageValue(photo())
        assert ImageCodec().encode(value, "jpeg") == ImageCodec(quality=95).encode(value, "jpeg")
        assert ImageCodec().encode(value, "webp") == ImageCodec(quality=90).encode(value, "webp")

    def test_jpeg_is_close(self) -> None:
        again = decode(ImageCodec(quality=95).encode(ImageValue(photo()), "jpeg")).astype(float)
        assert np.mean((again - photo()) ** 2) < 20

    def test_one_channel_gives_a_grey_jpeg(self) -> None:
        payload = ImageCodec().encode(ImageValue(photo()[..., :1]), "jpeg")
        assert simplejpeg.decode_jpeg_header(payload)[2] == "Gray"

    def test_alpha_goes_over_white_in_jpeg(self) -> None:
        rgba = np.asarray(RGBA)
        codec = ImageCodec(mode="keep")
        assert codec.encode(ImageValue(rgba), "jpeg") == codec.encode(ImageValue(over_white(rgba)), "jpeg")

    def test_alpha_stays_in_webp(self) -> None:
        kept = decode(ImageCodec().encode(ImageValue(np.asarray(RGBA)), "webp"), "keep")
        assert np.array_equal(kept[..., 3], np.asarray(RGBA)[..., 3])

    @pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
    @pytest.mark.parametrize("channels", [1, 3, 4])
    def test_views_give_the_bytes_of_their_copies_and_stay_as_they_are(self, kind: str, channels: int) -> None:
        base = np.dstack([photo(), photo()[..., 0]])[..., :channels]
        view = base[::2, ::-1]
        before = base.copy()
        view.flags.writeable = False
        assert ImageCodec().encode(ImageValue(view), kind) == ImageCodec().encode(ImageValue(view.copy()), kind)
        assert np.array_equal(base, before)

    @pytest.mark.parametrize(
        "pixels",
        [
            np.zeros((4, 4, 3), np.float32),
            np.zeros((4, 4), np.uint8),
            np.zeros((4, 4, 2), np.uint8),
            np.zeros((0, 4, 3), np.uint8),
            np.zeros((1, 70_000, 3), np.uint8),
        ],
    )
    @pytest.mark.parametrize("kind", ["jpeg", "webp"])
    def test_what_cannot_be_encoded(self, pixels: Any, kind: str) -> None:
        with pytest.raises(CodecError) as caught:
            ImageCodec().encode(ImageValue(pixels), kind)
        assert caught.value.reason == "cannot_encode"

    def test_no_picture_cannot_be_encoded(self) -> None:
        with pytest.raises(CodecError, match="expected an image"):
            ImageCodec().encode(TextValue("a"), "png")

    def test_opencv_that_fails_is_a_codec_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cv2, "imencode", lambda *_: (False, None))
        with pytest.raises(CodecError, match="PNG"):
            ImageCodec().encode(ImageValue(photo()), "png")

    @pytest.mark.parametrize("wrong", [{"mode": "bgr"}, {"format": "gif"}, {"quality": 0}, {"quality": 101}])
    def test_bad_settings_are_named(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=repr(next(iter(wrong.values())))):
            ImageCodec(**wrong)


SCRIPT = """
import hashlib
import numpy as np
from pipeline.modalities.codecs.image.codec import ImageCodec
from transforms.values import ImageValue
pixels = np.random.default_rng(5).integers(0, 256, (40, 30, 4)).astype(np.uint8)
for kind in ("jpeg", "png", "webp"):
    for channels in (1, 3, 4):
        payload = ImageCodec().encode(ImageValue(pixels[..., :channels]), kind)
        decoded = ImageCodec().decode(payload).value.pixels
        print(hashlib.sha256(payload).hexdigest(), hashlib.sha256(decoded.tobytes()).hexdigest())
"""


def test_same_bytes_twice_and_in_other_processes(capsys: pytest.CaptureFixture[str]) -> None:
    exec(SCRIPT, {})
    exec(SCRIPT, {})
    here = capsys.readouterr().out
    there = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True, env=_environment(seed)
        ).stdout
        for seed in ("1", "2")
    ]
    assert here == there[0] + there[1]


def _environment(seed: str) -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_codec_survives_a_process_boundary() -> None:
    codec = ImageCodec(mode="grey", format="png")
    assert pickle.loads(pickle.dumps(codec)) == codec
