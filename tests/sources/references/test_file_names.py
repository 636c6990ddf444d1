"""Names of files as spreadsheets and other systems write them: found, or refused, and never taken for words."""

from pathlib import Path
from typing import Any

import pytest
from small_inputs import config_of, jpeg, opened, put, ran, values, words

from pipeline.config.loader import ConfigText
from pipeline.errors import FanbeamError
from pipeline.planning.checks.check import checked
from pipeline.sources.inspection.describe import describe_data
from pipeline.sources.references.file_names import are_file_names, like_path

COUNT = 12


def pictures(home: Path) -> None:
    for number in range(COUNT):
        put(home / "img" / "sub dir" / f"im {number}.jpg", jpeg(number))


WAYS = {
    "plain": "img/sub dir/im {n}.jpg",
    "backslashes": "img\\sub dir\\im {n}.jpg",
    "dots": "./img/../img/sub dir/im {n}.jpg",
    "blanks": " img/sub dir/im {n}.jpg ",
    "absolute": "{home}/img/sub dir/im {n}.jpg",
    "file url": "file://{home}/img/sub%20dir/im%20{n}.jpg",
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_write_a_path_is_found(way: str, tmp_path: Path) -> None:
    pictures(tmp_path)
    names = [WAYS[way].format(n=n, home=tmp_path) for n in range(COUNT)]
    source = put(
        tmp_path / "t.csv", "image,label\n" + "".join(f"{name},{'ab'[n % 2]}\n" for n, name in enumerate(names))
    )
    (field,) = describe_data(str(source)).fields
    assert (field.column, field.modality, field.uri, field.refused) == ("image", "image", True, 0)
    fields = {"image": {"type": "image", "uri": True}}
    made = ran(config_of(source, tmp_path / "out", input__id=..., fields=fields, split={}, copies=0))
    assert made.table().column("image").to_pylist() == [jpeg(n) for n in range(COUNT)]


def test_a_name_is_read_as_it_is_written_where_that_is_there(tmp_path: Path) -> None:
    put(tmp_path / "a\\b.jpg", jpeg(1))
    put(tmp_path / "a" / "b.jpg", jpeg(2))
    put(tmp_path / "x%20y.jpg", jpeg(3))
    put(tmp_path / "x y.jpg", jpeg(4))
    source = put(tmp_path / "t.csv", f"image,label\na\\b.jpg,x\nfile://{tmp_path}/x%20y.jpg,x\nx%20y.jpg,x\n")
    fields = {"image": {"type": "image", "uri": True}}
    made = ran(config_of(source, tmp_path / "out", input__id=..., fields=fields, split={}, copies=0))
    assert made.table().column("image").to_pylist() == [jpeg(1), jpeg(3), jpeg(3)]


def test_another_spelling_leads_no_further_than_the_first(tmp_path: Path) -> None:
    put(tmp_path / "secret.jpg", jpeg(1))
    put(tmp_path / "in" / "a.jpg", jpeg(2))
    rows = ["a.jpg", "..\\secret.jpg", f"file://{tmp_path}/%73ecret.jpg", f" {tmp_path}/secret.jpg "]
    source = put(tmp_path / "in" / "t.csv", "image,label\n" + "".join(f'"{row}",x\n' for row in rows))
    fields = {"image": {"type": "image", "uri": True}}
    config = config_of(source, tmp_path / "out", input__id=..., fields=fields, split={}, copies=0, limits__failed=1)
    made = ran(config)
    assert [row["reason"] for row in made.dropped()] == ["outside_allowed"] * 3


@pytest.mark.parametrize(
    "way", ["C:\\data\\img\\sub dir\\im {n}.jpg", "img/sub dir/the picture number {n}", "\\\\server\\share\\im {n}.jpg",
            "a folder/with a picture {n}.jpg", "the picture with the number {n}.jpeg"]
)  # fmt: skip
def test_names_of_files_that_are_not_there_are_not_words(way: str, tmp_path: Path) -> None:
    """They have blanks, so they would be augmented as sentences."""
    lines = "".join(f"{way.format(n=n)},{'ab'[n % 2]}\n" for n in range(COUNT))
    source = put(tmp_path / "t.csv", "image,label\n" + lines)
    with pytest.raises(FanbeamError) as caught:
        describe_data(str(source))
    assert caught.value.exit_code == 2


def test_sentences_with_slashes_are_words(tmp_path: Path) -> None:
    lines = "".join(f"He and/or she went to the market number {n}. They bought apples.,x\n" for n in range(COUNT))
    (field,) = describe_data(str(put(tmp_path / "t.csv", "story,label\n" + lines))).fields
    assert (field.column, field.modality) == ("story", "text")


def test_check_warns_of_names_of_files_as_a_text_field(tmp_path: Path) -> None:
    def notes(lines: str) -> Any:
        source = put(tmp_path / "t.csv", "text,label\n" + lines)
        text = ConfigText("job.yaml", values(source, tmp_path / "out", input__id=...))
        return checked(text)[1].notes

    (note,) = notes("".join(f"some file {n}.txt,x\n" for n in range(COUNT)))
    assert "column 'text' holds names of files" in note
    assert "uri: true" in note
    assert notes("".join(f"{words(n)},x\n" for n in range(COUNT))) == ()
    assert opened(config_of(tmp_path / "t.csv", tmp_path / "out", input__id=...))[1].notes == ()


def test_what_is_a_name() -> None:
    assert are_file_names(["a b.jpg", "c\\d.PNG", "https://h/x.wav?size=2"])
    assert not are_file_names([])
    assert not are_file_names(["We saw photo.jpg today.", "and then\nit ended.txt", "a.jpg"])
    assert like_path("C:\\a b") and like_path("./x y") and like_path("/x") and like_path("a/b c")
    assert not like_path("12/05/2021 it rained") and not like_path("no slash") and not like_path("He/she left. Then")
