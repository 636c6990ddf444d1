"""The pictures of docs/gallery.md and docs/blends.md are those that their steps make."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts import gallery

PAGE = gallery.PAGE.read_text(encoding="utf-8")
BLENDS = (gallery.PAGE.parent / "blends.md").read_text(encoding="utf-8")
ENTRIES = [*gallery.entries(PAGE), *gallery.entries(BLENDS)]
LARGEST = 150 * 1024


def test_the_pages_show_nine_classic_ones_and_four_blends_and_every_picture_has_its_steps() -> None:
    for folder, page, count in (("gallery", PAGE, 9), ("blends", BLENDS, 4)):
        pictures = re.findall(r"!\[[^\]]+\]\((\S+)\)", page)
        assert [picture for picture, _ in gallery.entries(page)] == pictures
        assert len(set(pictures)) == count
        there = {f"{folder}/{path.name}" for path in (gallery.PAGE.parent / folder).iterdir()}
        assert there == {*pictures}


@pytest.mark.parametrize(("picture", "steps"), ENTRIES, ids=[picture for picture, _ in ENTRIES])
def test_drawing_it_again_gives_the_same_pixels(picture: str, steps: list[object]) -> None:
    kept = (gallery.PAGE.parent / picture).read_bytes()
    assert len(kept) < LARGEST
    drawn = gallery.before_and_after(gallery.photo(), steps)
    again = gallery.jpeg(drawn)
    assert again == gallery.jpeg(gallery.before_and_after(gallery.photo(), steps))
    assert np.array_equal(pixels_of(again), pixels_of(kept))


def test_before_and_after_differ() -> None:
    for _, steps in ENTRIES:
        picture = np.asarray(gallery.before_and_after(gallery.photo(), steps))
        left, right = picture[:, : picture.shape[1] // 2], picture[:, -(picture.shape[1] // 2) :]
        assert not np.array_equal(left[40:], right[40:])


def test_the_script_writes_what_a_page_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("![x](made/flip.jpg)\n\n```yaml\naugment:\n  - albumentations.VerticalFlip: {p: 1}\n```\n")
    gallery.main(page)
    assert pixels_of((tmp_path / "made" / "flip.jpg").read_bytes()).shape[1] > 2 * gallery.WIDTH
    assert "flip.jpg" in capsys.readouterr().out


def pixels_of(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(data)))
