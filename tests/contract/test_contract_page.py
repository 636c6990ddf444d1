"""docs/contract.md tells what the suite finds; `python scripts/contract_report.py` writes it again."""

from pathlib import Path
from typing import Any

import contract_page
import properties
import pytest
from contract_page import BROKEN, COLUMNS, class_names, installed, page, refused, results_of, rows_of

from scripts import contract_report

PAGE = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")
FEW = ["albumentations.HorizontalFlip", "audiomentations.Gain", "nlpaug.OcrAug"]


def test_the_page_names_every_class_and_every_refused_one() -> None:
    libraries = installed()
    assert sorted(rows_of(PAGE, libraries)) == sorted([*class_names(), *refused(libraries)])


def test_the_page_gives_the_reasons_of_the_adapters() -> None:
    reasons = refused(installed())
    assert {name: rest for name, rest in rows_of(PAGE, installed()).items() if name in reasons} == reasons


def test_the_page_tells_of_nothing_broken() -> None:
    assert BROKEN not in PAGE
    assert PAGE.count(f" {' | '.join(COLUMNS)} |") == len({name.partition(".")[0] for name in class_names()})


def test_a_few_classes_asked_again_have_the_rows_of_the_page() -> None:
    results = list(results_of(FEW))
    assert [result.broken for result in results] == [(), (), ()]
    told = rows_of(PAGE, installed())
    assert [" | ".join(result.cells) for result in results] == [told[name] for name in FEW]


def test_what_breaks_is_told_and_does_not_end_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> str:
        raise AssertionError(f"{name} is not what it was")

    monkeypatch.setitem(properties.PROPERTIES, "four threads", fails)
    (result,) = results_of(FEW[:1])
    assert result.cells.count(BROKEN) == 1
    assert result.broken == (f"{FEW[0]}, four threads: {FEW[0]} is not what it was",)
    assert f"| `{FEW[0]}` | yes |" in page([result])
    assert BROKEN in page([result])


def test_the_script_fails_where_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(name: str) -> str:
        raise AssertionError("broken")

    def few(**_: Any) -> list[str]:
        return FEW[:1]

    monkeypatch.setattr(contract_page, "class_names", few)
    assert contract_report.main(str(tmp_path / "page.md")) == 0
    monkeypatch.setitem(properties.PROPERTIES, "labels", fails)
    assert contract_report.main(str(tmp_path / "page.md")) == 1
    assert f"{FEW[0]}, labels: broken" in capsys.readouterr().out


@pytest.mark.slow
def test_the_whole_page_is_current(tmp_path: Path) -> None:
    assert contract_report.main(str(tmp_path / "page.md")) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == PAGE
