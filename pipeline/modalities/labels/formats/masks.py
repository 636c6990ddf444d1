"""Masks in columns: pictures of class numbers, run lengths as COCO writes them, or lists of either; and back."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.image.codec import sniff
from pipeline.modalities.codecs.image.integrity import check_whole
from pipeline.modalities.codecs.image.orientation import of_exif, turned
from pipeline.modalities.codecs.image.pillow_formats import DECODER_ERRORS, PLUGINS
from pipeline.modalities.codecs.image.png_metadata import without_metadata
from pipeline.modalities.codecs.memory import refuse_want
from pipeline.modalities.labels.cells import BadLabels
from pipeline.modalities.labels.formats.run_lengths import from_runs, other_size, to_runs

Mask = NDArray[np.generic]
Palette = Sequence[tuple[int, int, int]]
_LOSSLESS = ("png", "tiff", "bmp", "gif")
_MOST_PIXELS = 2**31
"""Of all masks of a record together: each pixel is a byte or two."""


def read_masks(cell: Any, height: int, width: int, palette: Palette = ()) -> Mask | None:
    """One cell as (n, height, width) uint8 or uint16; None for null. Raises BadLabels.

    `palette`: of pictures in colours, the red, green and blue of each class number.
    """
    if cell is None:
        return None
    entries = cell if isinstance(cell, list) else [cell]
    if len(entries) * height * width > _MOST_PIXELS:
        raise BadLabels(f"{len(entries)} masks of {width}x{height} are more than {_MOST_PIXELS} pixels together")
    masks = [_read(entry, height, width, palette) for entry in entries]
    if not masks:
        return np.zeros((0, height, width), np.uint8)
    return np.stack(masks)


def written_mask(entry: Any, mask: Mask, palette: Palette = ()) -> Any:
    """What to write for one mask, in the form in which `entry` came."""
    if isinstance(entry, dict) and "counts" in entry:
        return {**entry, **to_runs(entry, mask)}
    sink = io.BytesIO()
    mask = np.array(palette, np.uint8)[mask] if palette else mask
    Image.fromarray(mask).save(sink, "PNG", compress_level=6)
    return {**entry, "bytes": sink.getvalue()} if isinstance(entry, dict) else sink.getvalue()


def _read(entry: Any, height: int, width: int, palette: Palette) -> Mask:
    if isinstance(entry, dict) and "counts" in entry:
        return from_runs(entry, height, width)
    data = entry.get("bytes") if isinstance(entry, dict) else entry
    if not isinstance(data, bytes):
        raise BadLabels(f"a mask is neither bytes nor run lengths: {type(data).__name__}")
    pixels = _pixels(data, height, width)
    mask = _of_colours(pixels, palette) if palette else _class_numbers(pixels)
    if mask.shape != (height, width):
        raise other_size((mask.shape[0], mask.shape[1]), (height, width))
    return mask


def _pixels(data: bytes, height: int, width: int) -> Mask:
    """The pixels of a picture in one of the formats that keep numbers as they are, turned as its EXIF tag says."""
    kind = ""
    try:
        kind = sniff(data)
        if kind not in _LOSSLESS:
            raise BadLabels(f"a mask is {kind.upper()}, which need not keep class numbers: save masks as PNG")
        with PLUGINS[kind](io.BytesIO(data)) as picture:
            if sorted(picture.size) != sorted((width, height)):  # before its pixels are decoded
                raise other_size(picture.size[::-1], (height, width))
            check_whole(data, kind)
            pixels = np.array(picture)
            exif = picture.info.get("exif") if kind == "png" else None
    except BadLabels:
        raise
    except CodecError as error:
        raise BadLabels(f"a mask cannot be decoded: {error}") from error
    except DECODER_ERRORS as error:
        refuse_want(error)
        pixels_alone = without_metadata(data) if kind == "png" else data
        if len(pixels_alone) < len(data):
            return _pixels(pixels_alone, height, width)
        raise BadLabels(f"a mask cannot be decoded: {type(error).__name__}") from error
    return pixels if exif is None else turned(pixels, of_exif(exif))


def _of_colours(pixels: Mask, palette: Palette) -> Mask:
    """The class number of each colour. Raises BadLabels for one that the palette does not have."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise BadLabels("a mask is not in colours (RGB of 8 bits), which masks.palette says of it")
    codes, colours = _codes(pixels), _codes(np.array(palette, np.uint8))
    order = np.argsort(colours)
    places = np.minimum(np.searchsorted(colours[order], codes), len(order) - 1)
    numbers = order[places]
    strange = colours[numbers] != codes
    if strange.any():
        colour = pixels[strange][0].tolist()
        raise BadLabels(
            f"{int(strange.sum())} pixels of a mask have colours that masks.palette lacks, such as {colour}"
        )
    return numbers.astype(np.uint8 if len(palette) <= 256 else np.uint16)


def _codes(colours: Mask) -> NDArray[np.int32]:
    levels = colours.astype(np.int32)
    return np.asarray(levels[..., 0] << 16 | levels[..., 1] << 8 | levels[..., 2])


def _class_numbers(pixels: Mask) -> Mask:
    if pixels.ndim != 2:
        raise BadLabels(
            "a mask has several channels: it must hold one class number per pixel, or masks.palette name its colours"
        )
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8)
    if pixels.dtype == np.int32 and pixels.size and pixels.min() >= 0 and pixels.max() < 2**16:
        return pixels.astype(np.uint16)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise BadLabels(f"a mask holds {pixels.dtype}, not class numbers of 8 or 16 bits")
    return pixels
