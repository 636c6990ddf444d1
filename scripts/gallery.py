"""Draw the pictures of docs/gallery.md: one photo before and after the steps that stand under each picture.

python scripts/gallery.py [PAGE]     (default: docs/gallery.md)
"""

import io
import re
import sys
from collections.abc import Iterator
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
from transforms import library_warnings
from transforms.recipe import build_recipe
from transforms.values import ImageValue

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


def before_and_after(before: ImageValue, steps: list[Any]) -> Image.Image:
    """Both pictures with their sizes, and what was drawn for each step."""
    with library_warnings.quiet():
        after, applied = build_recipe(steps, "image").apply(before, SEED)
    if not isinstance(after, ImageValue):
        raise TypeError(f"{steps} gave no picture")
    told: tuple[tuple[Caption, ...], ...] = ((), captions(applied))
    titles = zip(("before", "after"), picture_panels([before, after]), told, strict=True)
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
