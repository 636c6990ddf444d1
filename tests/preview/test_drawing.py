"""Measuring, wrapping and shortening; fonts for characters that Pillow's own lacks."""

import pytest
from debian_files import unpacked
from PIL import Image, ImageDraw, ImageFont

from pipeline.preview import fonts
from pipeline.preview.drawing import (
    BODY,
    checkerboard,
    draw_line,
    pieces,
    shortened,
    tokens,
    visible,
    width_of,
    wrapped,
)


@pytest.fixture
def no_system_fonts(monkeypatch):
    def clear():
        for cached in (fonts._system_fonts, fonts.path_for):
            cached.cache_clear()

    monkeypatch.setattr(fonts, "_FOLDERS", ())
    clear()
    yield
    clear()


def test_short_text_stays_and_long_text_keeps_both_ends():
    assert shortened("a b", BODY, 200) == "a b"
    cut = shortened("beginning " + "x" * 500 + " end", BODY, 120)
    assert cut.startswith("begin")
    assert cut.endswith("end")
    assert width_of(cut, BODY) <= 120


def test_lines_fit_and_the_last_one_tells_that_there_is_more():
    lines = wrapped("some words " * 50, BODY, 100, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert all(width_of(line, BODY) <= 100 for line in lines)
    assert wrapped("", BODY, 100, 3) == []
    assert wrapped("two words", BODY, 300, 3) == ["two words"]


def test_words_wider_than_a_line_are_cut():
    parts = list(pieces(["m" * 100], BODY, 80))
    assert "".join(parts) == "m" * 100
    assert len(parts) > 5
    assert list(pieces(["mm"], BODY, 1)) == ["m", "m"]


def test_what_cannot_be_drawn_goes():
    assert visible("a\x00b\u200bc\ud800\u2028d\ufe0f") == "a bc\ufffd d"
    assert visible("e\u0301") == "é"


def test_han_and_kana_break_anywhere():
    assert tokens("ab 学习かa") == ["ab", " ", "学", "习", "か", "a"]


def test_a_missing_character_is_a_box_and_no_failure(no_system_fonts):
    assert fonts.path_for("A") == ""
    assert fonts.path_for("学") is None
    assert fonts.missing("ab 学")
    assert not fonts.missing("plain text\n")
    assert not fonts.missing(b"bytes")
    image = Image.new("RGB", (200, 40), "white")
    assert draw_line(ImageDraw.Draw(image), (0, 0), "ab 学 c", BODY) > 20


def test_a_system_font_is_found(no_system_fonts, monkeypatch, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    installed = unpacked("fonts", "fonts-dejavu-core") / "usr" / "share" / "fonts"
    monkeypatch.setattr(fonts, "_FOLDERS", (str(installed), str(tmp_path)))
    system = [p for p in fonts._system_fonts() if fonts._has(p, "Ж")]
    assert fonts.path_for("Ж") == system[0]
    parts = fonts.runs("ab Жя c", BODY)
    assert [part for part, _ in parts] == ["ab ", "Жя ", "c"]
    assert all(isinstance(face, ImageFont.FreeTypeFont) for _, face in parts)
    assert not fonts._has(str(tmp_path / "broken.ttf"), "A")


def test_checkerboard():
    board = checkerboard(20, 9)
    assert board.size == (20, 9)
    assert board.getpixel((0, 0)) != board.getpixel((8, 0))
    assert board.getpixel((0, 0)) == board.getpixel((8, 8))
