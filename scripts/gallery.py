"""Draw the pictures of docs/gallery.md, docs/blends.md: one photo before and after the steps under each picture.

python scripts/gallery.py [PAGE]     (default: docs/gallery.md)
"""

import io
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from ruamel.yaml import YAML

from pipeline.preview import drawing
from pipeline.preview.captions import Caption, captions
from pipeline.preview.cells import beside, stacked
from pipeline.preview.drawing import BODY, LINE, SMALL
from pipeline.preview.panels import WIDTH, Panel, picture_panels
from transforms.isolation import library_warnings
from transforms.recipe import build_recipe
from transforms.values import Donors, ImageValue, Peers

PAGE = Path(__file__).resolve().parent.parent / "docs" / "gallery.md"
SEED = b"docs/gallery.md "
GAP, MARGIN, QUALITY = 16, 12, 90
_ENTRY = re.compile(r"!\[[^\]]*\]\((\S+)\)\n\n```yaml\n(.*?)```", re.DOTALL)


def entries(page: str) -> Iterator[tuple[str, list[Any]]]:
    """Every picture that a page shows, with the steps of the YAML below it."""
    for picture, text in _ENTRY.findall(page):
        yield picture, YAML(typ="safe").load(text)["augment"]


def photo() -> ImageValue:
    """A cat, 451 x 300, out of scikit-image."""
    import skimage.data

    return ImageValue(np.ascontiguousarray(skimage.data.chelsea()))


def among_others(photo: ImageValue) -> ImageValue:
    """The photo with three others to blend with; a cup, a face and a rocket in them are marked by masks."""
    import skimage.data

    marked = {"coffee": (300, 210, 150, 150), "astronaut": (225, 110, 75, 105), "rocket": (322, 190, 25, 160)}
    others = {name: _marked(getattr(skimage.data, name)(), *place) for name, place in marked.items()}
    donors = Donors(lambda scope: tuple(others), lambda name: others[name])
    none = np.zeros((0, *photo.pixels.shape[:2]), np.uint8)
    peers = Peers(lambda scope, most: (), lambda name: None, donors)
    return replace(photo, masks=none, mask_rows=np.arange(0), peers=peers)


def _marked(pixels: Any, x: int, y: int, wide: int, high: int) -> ImageValue:
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    ellipse = ((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2 <= 1
    return ImageValue(np.ascontiguousarray(pixels), masks=ellipse[np.newaxis].astype(np.uint8), mask_rows=np.arange(1))


def before_and_after(before: ImageValue, steps: list[Any]) -> Image.Image:
    """Both pictures with their sizes, and what was drawn for each step."""
    before = among_others(before) if "fanbeam." in str(steps) else before
    with library_warnings.quiet():
        after, applied = build_recipe(steps, "image").apply(before, SEED)
    if not isinstance(after, ImageValue):
        raise TypeError(f"{steps} gave no picture")
    told: tuple[tuple[Caption, ...], ...] = ((), captions(applied))
    plain = [replace(value, masks=None, mask_rows=None) for value in (before, after)]  # marked for the blends alone
    titles = zip(("before", "after"), picture_panels(plain), told, strict=True)
    pair = beside([_column(title, panel, lines) for title, panel, lines in titles], GAP)
    page = Image.new("RGB", (pair.width + 2 * MARGIN, pair.height + 2 * MARGIN), drawing.CARD)
    page.paste(pair, (MARGIN, MARGIN))
    return page


def jpeg(picture: Image.Image) -> bytes:
    """The file: small, colours not subsampled, so that letters stay sharp."""
    sink = io.BytesIO()
    picture.save(sink, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    return sink.getvalue()


def _column(title: str, panel: Panel, steps: tuple[Caption, ...]) -> Image.Image:
    picture, size = panel
    lines = [_line(_told(step), SMALL, drawing.MUTED) for step in steps]
    return stacked([_line(f"{title}  ·  {size}", BODY, drawing.INK), picture, *lines], 4)


def _told(step: Caption) -> str:
    """A step's name, with its parameters where they fit."""
    whole = f"{step.name}  {step.parameters}".rstrip()
    return whole if drawing.width_of(whole, SMALL) <= WIDTH else step.name


def _line(text: str, size: int, ink: str) -> Image.Image:
    image = Image.new("RGB", (WIDTH, LINE[size]), drawing.CARD)
    drawing.draw_line(ImageDraw.Draw(image), (0, 0), drawing.shortened(text, size, WIDTH), size, ink)
    return image


def main(page: Path) -> None:
    for name, steps in entries(page.read_text(encoding="utf-8")):
        path = page.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jpeg(before_and_after(photo(), steps)))
        print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE)
