from importlib import util
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_inputs import FLIP, config_of, jpeg, parquet, put, text_columns, text_of, values

from pipeline.config.loader import parse_yaml
from pipeline.errors import ConfigError, FanbeamError, InputError, Problem, headline
from pipeline.planning.checks.check import checked
from pipeline.planning.checks.warnings import recipe_warnings
from pipeline.sources.open_input import open_input

NOTHING: dict[str, Any] = {"input__id": ..., "input__label": ...}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return parquet(tmp_path / "in" / "a.parquet", text_columns(5, n=list(range(5)), image=[jpeg()] * 5))


def problems(path: Any, output: Any = "out", **changes: Any) -> list[str]:
    with pytest.raises(FanbeamError) as caught:
        checked(text_of(values(path, output, **changes)))
    assert caught.value.exit_code == 2
    found = [str(p) for p in caught.value.problems]
    assert found
    assert not any("\n" in line for line in found)
    return found


def problem(path: Any, output: Any = "out", **changes: Any) -> str:
    found = problems(path, output, **changes)
    assert len(found) == 1, found
    return found[0]


def test_a_good_config(source: Path) -> None:
    config, listing = checked(text_of(values(source, "out")))
    assert config.input.id == "id"
    assert listing.schema.names == ["id", "label", "text", "n", "image"]


def test_what_is_wrong_with_the_input_is_told_with_what_is_wrong_with_the_config(source: Path) -> None:
    text = {"text": {"type": "text"}, "txt": {"type": "text"}}
    found = problems(source, copis=3, seed="x", input__label="lable", fields={**text, "n": {"type": "imagee"}})
    assert [line for line in found if "copis" in line and "Did you mean 'copies'?" in line]
    assert [line for line in found if "'imagee', which is none of image" in line and "Did you mean 'image'?" in line]
    assert [line for line in found if "seed" in line and "'x'" in line]
    assert [line for line in found if "no column 'lable'" in line]
    assert [line for line in found if "no column 'txt'" in line]
    assert len(found) == 5


@pytest.mark.parametrize("fields", [{}, [], "image", {"text": {"type": "imagee"}}, {"text": None}])
def test_a_config_with_nothing_right_to_go_on_from_names_its_own_problems(source: Path, fields: Any) -> None:
    assert all("fields" in line for line in problems(source, fields=fields))


def test_a_missing_input_is_told_with_a_wrong_config(tmp_path: Path) -> None:
    found = problems(tmp_path / "nowhere", copis=3)
    assert len(found) == 2
    assert [line for line in found if "nowhere" in line]


# Columns


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"input__id": "ids"}, "input.id: the input has no column 'ids'. Did you mean 'id'?"),
        ({"input__label": "lable"}, "input.label: the input has no column 'lable'. Did you mean 'label'?"),
        ({"input__group": "zzz"}, "input.group: the input has no column 'zzz'. Columns: id, image, label, n, text."),
        ({"split": {"column": "fold"}}, "split.column: the input has no column 'fold'."),
        ({"fields": {"txt": {"type": "text"}}}, "fields.txt: the input has no column 'txt'. Did you mean 'text'?"),
        ({"fields": {"n": {"type": "text"}}}, "fields.n: a text field needs a column of text, this one is int64."),
        (
            {"fields": {"text": {"type": "image"}}},
            "fields.text: the image column holds text, not bytes. If it holds paths",
        ),
        (
            {"fields": {"n": {"type": "audio"}}},
            "fields.n: an audio field needs bytes or struct<bytes, path>, this column",
        ),
        (
            {"fields": {"image": {"type": "text"}}},
            "fields.image: a text field needs a column of text, this one is binary.",
        ),
        ({"fields": {"image": {"type": "image", "uri": True}}}, "fields.image: uri: true needs a column of text"),
        ({"input__id": "image"}, "input.id: column 'image' is binary, which cannot be the id."),
    ],
)
def test_columns(source: Path, changes: dict[str, Any], said: str) -> None:
    assert f" {said}" in problem(source, **changes)


KINDS: list[tuple[str, Any, bool]] = [
    ("id", pa.array(["a", "b"], pa.large_string()), True),
    ("id", pa.array(["a", "b"]).dictionary_encode(), True),
    ("id", pa.array([1, 2], pa.uint8()), True),
    ("id", pa.array([1.5, 2.5]), False),
    ("id", pa.array([True, False]), False),
    ("id", pa.array([[1], [2]]), False),
    ("id", pa.array([0, 1], pa.timestamp("s")), False),
    ("label", pa.array([1.5, 2.5]), True),
    ("label", pa.array([True, False]), True),
    ("label", pa.array([["a"], ["b"]]), True),
    ("label", pa.array([[1], [2]], pa.large_list(pa.int8())), True),
    ("label", pa.array([["a"], ["b"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))), True),
    ("label", pa.array([{"a": 1}, {"a": 2}]), False),
    ("label", pa.array([[{"a": 1}], []]), False),
    ("label", pa.array([[[1]], []]), False),
    ("label", pa.array([[b"a"], []]), False),
    ("label", pa.array([b"a", b"b"]), False),
    ("group", pa.array(["a", "b"], pa.string_view()), True),
    ("group", pa.array([1.5, 2.5]), False),
    ("group", pa.array([["a"], ["b"]]), False),
]


@pytest.mark.parametrize(("role", "column", "fine"), KINDS)
def test_types_of_keys(tmp_path: Path, role: str, column: pa.Array, fine: bool) -> None:
    path = parquet(tmp_path / "a.parquet", {"id": [1, 2], "text": ["a", "b"], role: column})
    changes: dict[str, Any] = {"input__label": ..., f"input__{role}": role}
    if fine:
        checked(text_of(values(path, "out", **changes)))
    else:
        assert f" input.{role}: column {role!r} is " in problem(path, **changes)


@pytest.mark.parametrize("name", ["sample_id", "lineage"])
def test_columns_that_fanbeam_writes_itself(tmp_path: Path, name: str) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(2, **{name: [1, 2]}))
    assert f"the input has a column '{name}', which fanbeam writes itself" in problem(path)


def test_columns_of_one_name(tmp_path: Path) -> None:
    table = pa.table([["a"], ["x"], ["w"], [1], [2]], names=["id", "label", "text", "n", "n"])
    assert "['n'] occur twice" in problem(parquet(tmp_path / "a.parquet", table))
    table = pa.table([["a"], ["x"], ["w"], ["b"]], names=["id", "label", "text", "id"])
    assert "['id'] occur twice" in problem(parquet(tmp_path / "a.parquet", table))


# Places


@pytest.mark.parametrize("output", ["in", "in/out", "in/deep/er", "./x/../in/out"])
def test_output_inside_the_input(source: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    monkeypatch.chdir(source.parent.parent)
    assert " output.path: " in problem("in", output)


def test_output_that_a_glob_would_find(source: Path) -> None:
    home = source.parent.parent
    assert " output.path: " in problem(home / "**" / "*.parquet", home / "out")
    assert " output.path: " in problem(home / "in" / "**", home / "in" / "out")
    checked(text_of(values(home / "in" / "*.parquet", home / "in" / "out")))
    checked(text_of(values(home / "in" / "**" / "*.parquet", home / "out")))


@pytest.mark.parametrize("output", ["in2", "out", "in.parquet", "memory://in/out"])
def test_output_beside_the_input(source: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    monkeypatch.chdir(source.parent.parent)
    checked(text_of(values("in", output)))


def test_input_that_cannot_be_read(tmp_path: Path) -> None:
    assert "no such path" in problem(tmp_path / "gone")
    assert "no files in" in problem(tmp_path)
    assert "no files in" in problem(tmp_path / "*.csv")
    put(tmp_path / "x.bin", b"1")
    assert "set input.format" in problem(tmp_path)
    put(tmp_path / "a.parquet", b"no parquet at all")
    assert "not a readable Parquet file" in problem(tmp_path / "a.parquet")


def test_all_missing_paths(tmp_path: Path) -> None:
    found = problems([str(tmp_path / "gone"), str(tmp_path / "too")])
    assert len(found) == 2


def test_an_unknown_kind_of_storage_is_one_problem_among_others() -> None:
    assert "unknown kind of storage" in problem("odd://x/y")
    found = problems("odd://x/y", "out", copies=-1, fields__text__augment=["nlpaug.Nothing"])
    assert len(found) == 3
    assert any("unknown kind of storage" in line and "input.path" in line for line in found)
    assert len(problems("odd://x/y", fields__text__augment=["nlpaug.Nothing"])) == 2


def test_a_url_with_a_secret_is_refused_and_not_repeated(tmp_path: Path) -> None:
    found = problems("s3://AKIA:hidden@bucket/x")
    assert any("environment" in line and "input.path" in line for line in found)
    put(tmp_path / "in" / "a.csv", b"text\none\n")
    found += problems(tmp_path / "in", "az://box/out?sig=hidden")
    assert any("environment" in line and "output.path" in line for line in found)
    assert "hidden" not in "".join(found)


# Recipes


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("nlpaug.RandomWrdAug", "nlpaug.RandomWordAug"),
        ("nlpaugh.RandomWordAug", "nlpaug.RandomWordAug"),
        ("RandomWordAug", "library.Class"),
        ({"nlpaug.RandomWordAug": {"acton": "swap"}}, "action"),
        ({"nlpaug.RandomWordAug": {"aug_p": "much"}}, "aug_p"),
        (FLIP, "works on images"),
        ({"one_of": []}, "no steps"),
        ({"some_of": {"n": 3, "steps": ["nlpaug.SplitAug"]}}, "n: 3"),
        (3, "a step is a name"),
        ({"a": 1, "b": 2}, "one step has one name"),
        ({"nlpaug.SplitAug": 3}, "must be a mapping"),
    ],
)
def test_recipes(source: Path, step: Any, said: str) -> None:
    found = problem(source, fields__text__augment=[step])
    assert " fields.text.augment[0]" in found
    assert said in found


def test_recipes_can_be_left_to_the_caller(source: Path) -> None:
    checked(text_of(values(source, "out", fields__text__augment=["nlpaug.Nothing"])), with_recipes=False)


# Everything at once


MANY = """\
sead: 3
input: {path: PATH, id: idd, group: zzz}
copies: -1
fields:
  text:
    type: text
    augment:
      - nlpaug.Nothing
      - albumentations.Blur
  sound: {type: audio, mode: 3}
output: {path: out}
"""


def test_every_problem_of_the_file_with_its_line_in_order(tmp_path: Path) -> None:
    text = parse_yaml(MANY.replace("PATH", str(tmp_path / "gone")), "c.yaml")
    with pytest.raises(ConfigError) as caught:
        checked(text)
    places = [str(p).split(" ")[0] for p in caught.value.problems]
    assert [p.split(":")[1] for p in places] == ["1", "2", "3", "8", "9", "10"]
    assert caught.value.message == "c.yaml: 6 problems"


def test_a_missing_path_stands_at_its_line(tmp_path: Path) -> None:
    text = MANY.split("copies")[0].replace("PATH", str(tmp_path / "gone")).replace("sead", "seed")
    text += "output: {path: out}\nfields: {text: {type: text, augment: [nlpaug.Nothing]}}\n"
    with pytest.raises(ConfigError) as caught:
        checked(parse_yaml(text, "c.yaml"))
    assert [p.where.split(" ")[0] for p in caught.value.problems] == ["c.yaml:2", "c.yaml:4"]


def test_every_problem_of_columns_and_recipes(source: Path) -> None:
    found = problems(
        source, source.parent, input__id="idd", input__label="lable", split={"column": "x"},
        fields={"text": {"type": "text", "augment": ["nlpaug.Nothing"]}, "n": {"type": "audio"}, "m": {"type": "text"}},
    )  # fmt: skip
    assert len(found) == 6


def test_a_bad_input_alone_is_an_input_error(tmp_path: Path, source: Path) -> None:
    with pytest.raises(InputError):
        checked(text_of(values(tmp_path / "gone", "out")))
    with pytest.raises(ConfigError):
        checked(text_of(values(tmp_path / "gone", "out", fields__text__augment=["nlpaug.Nothing"])))
    with pytest.raises(ConfigError):
        checked(text_of(values(source, "out", input__id="nope")))


@pytest.mark.parametrize(
    "tree", [None, [], "x", 3, {"input": 3}, {"fields": [1]}, {"fields": {"a": 3}}, {"input": {"path": [3]}}]
)
def test_trees_of_any_shape(tree: Any) -> None:
    with pytest.raises(ConfigError):
        checked(text_of(tree))


# Folders and warnings


def test_a_folder_names_its_own_columns(tmp_path: Path) -> None:
    put(tmp_path / "in/cats/a.jpg", jpeg())
    config, _ = open_input(config_of(tmp_path / "in", "out", fields={"image": {"type": "image"}}, **NOTHING))
    assert (config.input.id, config.input.label) == ("path", "label")
    put(tmp_path / "flat/a.jpg", jpeg())
    config, _ = open_input(config_of(tmp_path / "flat", "out", fields={"image": {"type": "image"}}, **NOTHING))
    assert (config.input.id, config.input.label) == ("path", None)


BALANCED = [{"balance": {"target": "max"}}, {"per_class": {"owl": 2}}]


@pytest.mark.parametrize("copies", BALANCED)
def test_copies_by_class_need_classes_and_folders_have_them(source: Path, tmp_path: Path, copies: object) -> None:
    said = problem(source, copies=copies, input__label=...)
    assert said.startswith("job.yaml copies: copies by class need to know the classes. Name input.label")
    put(tmp_path / "birds" / "owl" / "a.txt", "a small owl sat there")
    checked(text_of(values(tmp_path / "birds", "out", copies=copies, **NOTHING)))


def test_classes_of_a_balance_may_be_other_columns(source: Path) -> None:
    checked(text_of(values(source, "out", copies={"balance": {"target": "max", "per": "n"}}, input__label=...)))


def test_warnings(source: Path) -> None:
    def said(**changes: Any) -> list[str]:
        return recipe_warnings(config_of(source, "out", **changes))

    assert said() == []
    assert "its copies repeat the original" in said(fields={"text": {"type": "text"}})[0]
    assert said(fields={"text": {"type": "text"}}, copies=0) == []
    (found,) = said(fields={"image": {"type": "image", "prepare": [FLIP], "augment": [FLIP]}})
    assert f"fields.image.prepare: {FLIP} has p=0.5" in found
    assert said(fields={"image": {"type": "image", "prepare": [{FLIP: {"p": 1}}], "augment": [FLIP]}}) == []


def test_headlines() -> None:
    assert headline("c.yaml", [Problem("a", "b")]) == "c.yaml: 1 problem"
    assert headline("c.yaml", []) == "c.yaml: 0 problems"


def volume_source(tmp_path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table({"scan": pa.array([b"x"], pa.binary()), **columns}), tmp_path / "v.parquet")
    return tmp_path / "v.parquet"


def test_volumes_need_their_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, fields = volume_source(tmp_path), {"scan": {"type": "volume"}}
    checked(text_of(values(path, "out", **NOTHING, fields=fields)))
    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "nibabel" else found(name))
    said = problem(path, **NOTHING, fields=fields)
    assert "volume fields need nibabel: pip install 'fanbeam[volumes]'" in said


def test_a_volume_needs_bytes_and_a_window_that_rises(tmp_path: Path) -> None:
    path = volume_source(tmp_path, number=[1.5])
    said = problem(path, **NOTHING, fields={"number": {"type": "volume"}})
    assert "a volume field needs bytes or struct<bytes, path>" in said
    said = problem(path, **NOTHING, fields={"scan": {"type": "volume", "window": [5, 5]}})
    assert "must go from a lower to a higher value, not from 5 to 5" in said


def test_masks_of_volumes_are_files(tmp_path: Path) -> None:
    path = volume_source(tmp_path, mask=pa.array([{"counts": "x", "size": [1, 1]}]))
    said = problem(path, **NOTHING, fields={"scan": {"type": "volume", "masks": {"column": "mask"}}})
    assert "masks of volumes are bytes, {bytes, path}, or a list of these" in said


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"albumentations.Rotate": {"border_mode": 4}}, "border_mode: 4"),
        ({"albumentations.Pad": {"padding": 4, "border_mode": "cv2.BORDER_WRAP"}}, "border_mode: cv2.BORDER_WRAP"),
        ({"torchvision.Pad": {"padding": 4, "padding_mode": "symmetric"}}, "padding_mode: symmetric"),
        ({"albumentations.Rotate": {"border_mode": 1}}, ""),
        ("albumentations.Rotate", ""),
    ],
)
def test_objects_that_are_shown_again_are_noted_where_labels_are_bound(step: Any, told: str, source: Path) -> None:
    for boxes in ({"boxes": {"column": "b", "format": "coco"}}, {}):
        field = {"type": "image", "augment": [step], **boxes}
        notes = recipe_warnings(config_of(source, "out", fields={"image": field}))
        assert len(notes) == bool(told and boxes)
        assert all(f"({told}); an object keeps its boxes once" in note for note in notes)


def test_points_that_keep_their_sides_in_a_mirror_are_noted(source: Path) -> None:
    def said(step: str, **points: Any) -> list[str]:
        field = {"type": "image", "augment": [step], "keypoints": {"column": "p", **points}}
        return recipe_warnings(config_of(source, "out", fields={"image": field}))

    (note,) = said(FLIP)
    assert f"fields.image.keypoints: {FLIP} turns left to right" in note
    assert "swap: [[left_eye, right_eye]" in note
    assert said(FLIP, swap=[[0, 1]]) == []
    assert said("albumentations.GaussNoise") == []
