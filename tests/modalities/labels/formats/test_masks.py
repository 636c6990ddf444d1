import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from PIL import Image
from pycocotools import mask as coco

from pipeline.config.labels import MaskBinding
from pipeline.modalities.labels.cells import BadLabels
from pipeline.modalities.labels.formats.masks import read_masks, written_mask

CLASSES = np.arange(12, dtype=np.uint8).reshape(3, 4)


def png(array: np.ndarray[Any, Any], mode: str | None = None) -> bytes:
    sink = io.BytesIO()
    picture = Image.fromarray(array)
    if mode:
        picture = picture.convert(mode)
    picture.save(sink, "PNG")
    return sink.getvalue()


@pytest.mark.parametrize("array", [CLASSES, CLASSES.astype(np.uint16) * 5000])
def test_pictures_of_class_numbers(array: np.ndarray[Any, Any]) -> None:
    for cell in (png(array), {"bytes": png(array), "path": "m.png"}, [png(array)]):
        masks = read_masks(cell, 3, 4)
        assert masks is not None
        assert masks.dtype == array.dtype
        assert np.array_equal(masks, array[np.newaxis])
        form = cell[0] if isinstance(cell, list) else cell
        again = written_mask(form, masks[0])
        assert type(again) is type(form)
        assert np.array_equal(read_masks(again, 3, 4), masks)  # type: ignore[arg-type]


def test_palette_pictures_hold_indices() -> None:
    picture = Image.fromarray(CLASSES)
    picture = picture.convert("P")
    picture.putdata(CLASSES.ravel().tolist())
    picture.putpalette([255 - n for n in range(256) for _ in range(3)])
    sink = io.BytesIO()
    picture.save(sink, "PNG")
    masks = read_masks(sink.getvalue(), 3, 4)
    assert np.array_equal(masks, CLASSES[np.newaxis])  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools, on numpy 2
@given(hn.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_run_lengths_are_those_of_coco(mask: np.ndarray[Any, Any]) -> None:
    height, width = mask.shape
    packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    plain = {"size": [height, width], "counts": _runs(mask)}
    for cell in (packed, {**packed, "counts": packed["counts"].decode()}, plain):
        masks = read_masks(cell, height, width)
        assert np.array_equal(masks, mask[np.newaxis])  # type: ignore[arg-type]
        again = written_mask(cell, masks[0])  # type: ignore[index]
        assert again == cell


def _runs(mask: np.ndarray[Any, Any]) -> list[int]:
    runs, value, count = [], False, 0
    for pixel in mask.T.ravel():
        if pixel != value:
            runs.append(count)
            value, count = pixel, 0
        count += 1
    return [*runs, count]


def test_null_has_no_masks() -> None:
    assert read_masks(None, 3, 4) is None
    assert read_masks([], 3, 4).shape == (0, 3, 4)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (png(np.zeros((2, 2), np.uint8)), "a mask of 2x2 on a picture of 4x3"),
        (b"no picture", "cannot be decoded"),
        (png(CLASSES)[:40], "cannot be decoded"),
        (png(np.zeros((3, 4, 3), np.uint8)), "several channels"),
        ({"bytes": None, "path": "x"}, "neither bytes nor run lengths"),
        ({"counts": [3, 4], "size": [3, 4]}, "do not sum"),
        ({"counts": [-1, 13], "size": [3, 4]}, "negative"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 3\n", "cannot be decoded"),
        (b"qoif" + bytes(60), "cannot be decoded"),
        (b"FTEX" + bytes(60), "cannot be decoded"),
        (png(np.zeros((4, 3), np.uint8)), "EXIF orientation"),
        ({"counts": [12], "size": [4, 3]}, "EXIF orientation"),
        ([{"counts": [12], "size": [3, 4]}, 7], "neither bytes nor run lengths: int"),
        ({"counts": [12], "size": None}, "without a size"),
        ({"counts": [12], "size": [12]}, "without a size"),
    ],
)
def test_masks_that_cannot_be_used(cell: Any, message: str) -> None:
    with pytest.raises(BadLabels, match=message):
        read_masks(cell, 3, 4)


def test_pictures_that_lose_numbers_are_refused() -> None:
    for form in ("JPEG", "WEBP"):
        sink = io.BytesIO()
        Image.fromarray(CLASSES).save(sink, form)
        with pytest.raises(BadLabels, match=f"a mask is {form}, which need not keep class numbers: save masks as PNG"):
            read_masks(sink.getvalue(), 3, 4)


@pytest.mark.parametrize("form", ["TIFF", "BMP", "GIF"])
def test_other_formats_that_keep_numbers_are_read(form: str) -> None:
    sink = io.BytesIO()
    Image.fromarray(CLASSES).save(sink, form)
    masks = read_masks(sink.getvalue(), 3, 4)
    assert np.array_equal(masks, CLASSES[np.newaxis])  # type: ignore[arg-type]


def test_only_named_plugins_of_pillow_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ghostscript is started by the plugin for PostScript, which `Image.open` would ask."""
    from PIL import EpsImagePlugin

    def started(*_: Any, **__: Any) -> None:
        raise AssertionError("Ghostscript was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", started)
    monkeypatch.setattr(Image, "open", started)
    body = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 3\n%%EndComments\n"
    with pytest.raises(BadLabels, match="cannot be decoded"):
        read_masks(body, 3, 4)
    assert read_masks(png(CLASSES), 3, 4) is not None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_with_an_exif_tag_is_turned_as_viewers_turn_it(orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    sink = io.BytesIO()
    Image.fromarray(CLASSES).save(sink, "PNG", exif=exif)
    shown = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(sink.getvalue()))))
    masks = read_masks(sink.getvalue(), *shown.shape)
    assert np.array_equal(masks, shown[np.newaxis])  # type: ignore[arg-type]
    written = written_mask(sink.getvalue(), masks[0])  # type: ignore[index]
    assert np.array_equal(np.array(Image.open(io.BytesIO(written))), shown)
    assert Image.open(io.BytesIO(written)).getexif().get(0x0112) is None


def test_too_many_pixels_together_are_refused_before_any_room_is_made() -> None:
    runs = {"counts": [10**8], "size": [10**4, 10**4]}
    with pytest.raises(BadLabels, match="30 masks of 10000x10000 are more than"):
        read_masks([runs] * 30, 10**4, 10**4)


PALETTE = ((0, 0, 0), (128, 64, 128), (220, 20, 60), (0, 0, 142))


def test_masks_in_colours_are_read_and_written_by_their_palette() -> None:
    numbers = np.array([[0, 1, 2, 3], [3, 2, 1, 0], [1, 1, 0, 2]], np.uint8)
    picture = png(np.array(PALETTE, np.uint8)[numbers])
    masks = read_masks(picture, 3, 4, PALETTE)
    assert masks is not None
    assert np.array_equal(masks, numbers[np.newaxis])
    again = written_mask(picture, masks[0][:, ::-1], PALETTE)
    assert np.array_equal(np.array(Image.open(io.BytesIO(again))), np.array(PALETTE, np.uint8)[numbers[:, ::-1]])


def test_colours_that_the_palette_lacks_are_refused() -> None:
    pixels = np.zeros((3, 4, 3), np.uint8)
    pixels[1, 2] = (1, 2, 3)
    with pytest.raises(
        BadLabels, match=r"1 pixels of a mask have colours that masks.palette lacks, such as \[1, 2, 3\]"
    ):
        read_masks(png(pixels), 3, 4, PALETTE)
    with pytest.raises(BadLabels, match="a mask is not in colours"):
        read_masks(png(CLASSES), 3, 4, PALETTE)


def test_a_colour_stands_for_one_class() -> None:
    with pytest.raises(ValueError, match=r"the colour \[1, 2, 3\] stands for two classes"):
        MaskBinding(column="m", palette=((1, 2, 3), (0, 0, 0), (1, 2, 3)))
