"""Text of users is shown as what it is: it commands no terminal, is no markup, and leaves no folder."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.cli.commands import _console
from pipeline.escaping.file_names import file_name
from pipeline.escaping.markdown import cell, code, identifier
from pipeline.escaping.terminal import json_text, plain, shown

COMMANDS = ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "a\rb", "\x08", "\x7f", "\u202egpj.exe", "\u2028", "\ufeff", "\0"]
HONEST = ["owl", "Eule äöü", "नमस्ते", "می‌خواهم", "👨‍👩‍👧", "日本語", "e\u0301", "C:\\data", "[v2] x", "a_b*c"]


@pytest.mark.parametrize("text", COMMANDS)
def test_what_a_terminal_would_obey_is_spelled_out(text: str) -> None:
    for told in (plain(text), shown(text), json_text(text), cell(text), code(text), file_name(text)):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufeff]", told)


@pytest.mark.parametrize("text", HONEST)
def test_all_scripts_stay_as_they_are(text: str) -> None:
    assert plain(text) == text
    assert shown(text) == text
    assert json.loads(json_text(text)) == text


def test_lines_of_ours_keep_their_ends() -> None:
    assert plain("one\n\ttwo\r") == "one\n\ttwo\\r"


ALIKE = [
    "a b", "a  b", "a\tb", "a\nb", "a\\nb", "a\\\\nb", "a\r\nb", "a\u00a0b", "a\u200bb", "a b ", " a b",
    "a\\x20b", "ab", "a\x00b", "a\x01b", "\x1b", "\\x1b", "\\\\x1b", "\u200d", "a\u200db", "", " ",
]  # fmt: skip


@pytest.mark.parametrize("show", [shown, cell, code, file_name, identifier])
def test_values_that_differ_look_different(show: "type[str]") -> None:
    assert len({show(text) for text in ALIKE}) == len(ALIKE)


@pytest.mark.parametrize("value", [{"a": "\x1b\x9b\u202e"}, ["\ud800", "ä"], {"\x7f": 1}, "x\ny"])
def test_json_means_the_same_and_can_be_written(value: object) -> None:
    for indent in (None, 2):
        text = json_text(value, indent)
        assert json.loads(text) == value
        assert "\x9b" not in text.encode("utf-8").decode()


@pytest.mark.parametrize("label", ["[/b]", "[bold]x[/bold]", "[v2] x", ":smile:", "[link=http://x]y[/link]", "\\[b]"])
def test_a_console_prints_no_markup(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    console = _console()
    console.file = io.StringIO()
    console.print(label, soft_wrap=True)
    assert console.file.getvalue() == f"{label}\n"
    assert isinstance(console, Console)


@pytest.mark.parametrize(
    "text", ["*b*", "_i_", "[l](http://x)", "<script>", "&lt;", "`c`", "a|b", "![p](x)", "~~s~~", "\\"]
)
def test_a_cell_holds_no_markup(text: str) -> None:
    told = cell(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*\[\]|~<>]", told)
    assert "<" not in told


def test_code_spans_end_where_the_text_ends() -> None:
    assert code("image") == "`image`"
    assert code("a`b") == "`` a`b ``"


@pytest.mark.parametrize("text", ["/../../x", "..", "../x", "a/b", "a\\b", "\0", "~", "C:", "x\n", "."])
def test_no_text_names_a_file_elsewhere(text: str, tmp_path: Path) -> None:
    name = file_name(text)
    target = tmp_path / f"again.{name}.png"
    assert target.resolve().parent == tmp_path.resolve()
    target.write_bytes(b"")
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_plain_field_names_stay() -> None:
    assert file_name("image_2-left (b)") == "image_2-left (b)"
    assert file_name("größe") == "größe"
