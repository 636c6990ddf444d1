from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.loader import ConfigText, dotted, parse_yaml, read_config, validate
from pipeline.errors import ConfigError

GOOD = """\
seed: 17
input:
  path: data/*.parquet
  id: id
split: {validation: 0.1}
fields:
  image:
    type: image
    augment:
      - albumentations.HorizontalFlip
      - albumentations.Blur:
          blur_limit: 7
output: {path: out}
"""


def problems(text: str) -> list[str]:
    config, found = validate(parse_yaml(text, "c.yaml"))
    assert (config is None) == bool(found)
    return [str(p) for p in found]


def syntax(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "c.yaml")
    (problem,) = caught.value.problems
    assert "\n" not in str(problem)
    return str(problem)


def test_a_good_config() -> None:
    config, found = validate(parse_yaml(GOOD, "c.yaml"))
    assert found == ()
    assert config is not None
    assert config.seed == 17
    assert list(config.fields) == ["image"]


def test_every_key_and_item_has_its_line() -> None:
    text = parse_yaml(GOOD, "c.yaml")
    assert text.where(("input", "id")) == "c.yaml:4 input.id"
    assert text.where(("split", "validation")) == "c.yaml:5 split.validation"
    assert text.where(("fields", "image", "augment", 0)) == "c.yaml:10 fields.image.augment[0]"
    where = text.where(("fields", "image", "augment", 1, "albumentations.Blur", "blur_limit"))
    assert where == "c.yaml:12 fields.image.augment[1].albumentations.Blur.blur_limit"


def test_a_missing_key_stands_where_its_parent_does() -> None:
    assert parse_yaml(GOOD, "c.yaml").where(("input", "label")) == "c.yaml:2 input.label"
    assert ConfigText("c.yaml", {}).where(("a", 0)) == "c.yaml a[0]"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: 1\na: 2\n", "c.yaml:2:1:", "duplicate key"),
        ("a:\n  b: 1\n  b: 1\n", "c.yaml:3:3:", "duplicate key"),
        ("input:\n\tpath: x\n", "c.yaml:2:1:", "'\\t'"),
        ('a: 1\nb: "open\n', "c.yaml:3:1:", "end of stream"),
        ("a: [1, 2\nb: 3\n", "c.yaml:2:2:", ""),
        ("a: 1\n b: 2\n", "c.yaml:2:3:", "mapping values"),
        ("a: b: c\n", "c.yaml:1:5:", "mapping values"),
        ("a: *gone\n", "c.yaml:1:4:", "gone"),
        ("a: !odd 1\n", "c.yaml:1:4:", "!odd"),
        ("a: !!python/object/apply:os.system [ls]\n", "c.yaml:1:4:", "python"),
        ("a: 1\n---\nb: 2\n", "c.yaml:2:1:", "another document"),
        ("a: @odd\n", "c.yaml:1:4:", "@"),
        ("a: \x00\n", "c.yaml:", "#x0000"),
        ("[" * 3_000, "c.yaml:", "deep"),
        ("a: 2024-13-45\n", "c.yaml:", "month"),
    ],
)
def test_syntax_errors_say_where(text: str, place: str, said: str) -> None:
    found = syntax(text)
    assert found.startswith(place), found
    assert said in found


def test_an_alias_that_holds_itself() -> None:
    assert "alias" in syntax("a: &a [1, *a]\n")
    assert "alias" in syntax("a: &a {b: *a}\n")


def test_aliases_and_merges_are_fine() -> None:
    shared = GOOD.replace("split: {validation: 0.1}", "split: &s {validation: 0.1}") + "limits: {<<: {failed: 0.5}}\n"
    config, found = validate(parse_yaml(shared, "c.yaml"))
    assert found == ()
    assert config is not None
    assert config.limits.failed == 0.5


def test_yaml_is_1_2() -> None:
    assert parse_yaml("id: no\nn: 0o17\non: yes\n", "c").values == {"id": "no", "n": 15, "on": "yes"}


@pytest.mark.parametrize("key", ["1", "? [a, b]\n", "null", "1.5", "true", "2024-01-01"])
def test_keys_that_are_no_text(key: str) -> None:
    found = problems(f"{GOOD}{key}: 3\n")
    assert len(found) == 1
    assert "Keys should be strings" in found[0]


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), ("# x\n", "is empty"), ("- a\n", "list"), ("a", "str")])
def test_no_mapping(text: str, said: str) -> None:
    (found,) = problems(text)
    assert said in found
    assert "fanbeam init" in found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed:", "sead:", "c.yaml:1 sead: unknown key. Did you mean 'seed'?"),
        ("  id: id", "  lable: id", "c.yaml:4 input.lable: unknown key. Did you mean 'label'?"),
        ("{validation: 0.1}", "{tset: 0.1}", "c.yaml:5 split.tset: unknown key. Did you mean 'test'?"),
        ("    augment:", "    augmint:", "c.yaml:9 fields.image.augmint: unknown key. Did you mean 'augment'?"),
        (
            "    type: image",
            "    type: image\n    encode: {qualty: 3}",
            "c.yaml:9 fields.image.encode.qualty: unknown key. Did you mean 'quality'?",
        ),
        (
            "    type: image",
            "    type: image\n    quality: {retrys: 3}",
            "c.yaml:9 fields.image.quality.retrys: unknown key. Did you mean 'retries'?",
        ),
        (
            "{path: out}",
            "{path: out, shardsize: 3}",
            "c.yaml:13 output.shardsize: unknown key. Did you mean 'shard_size'?",
        ),
        (
            "seed: 17",
            "limits: {fail: 0.1}",
            "c.yaml:1 limits.fail: unknown key. Did you mean 'failed'?",
        ),
    ],
)
def test_unknown_keys_at_every_level(old: str, new: str, said: str) -> None:
    assert problems(GOOD.replace(old, new)) == [said]


def test_an_audio_key_in_a_text_field_is_unknown() -> None:
    text = "input: {path: a}\nfields: {t: {type: text, mode: rgb, quality: {min_side: 3}}}\noutput: {path: b}\n"
    assert len(problems(text)) == 2


def test_all_problems_at_once() -> None:
    text = """\
sead: 1
input: {path: 5, lable: x}
split: {validation: 0.7, test: 0.7}
copies: -1
fields:
  a: {type: imag}
  b: {type: image, mode: 3}
  c: {}
output: {}
limits: {failed: 3}
record_timeout: soon
"""
    found = problems(text)
    for part in ("sead", "input.path", "input.lable", "split", "copies", "fields.a", "fields.b.mode", "fields.c",
                 "output.path", "limits.failed", "record_timeout"):  # fmt: skip
        assert sum(f" {part}: " in p for p in found) == 1, (part, found)
    assert len(found) == 11


def test_missing_keys_have_examples() -> None:
    found = problems("copies: 2\n")
    assert len(found) == 3
    assert all("Example:" in p for p in found)


def test_a_type_that_is_missing_or_unknown() -> None:
    kinds = "image, audio, text, video, volume"
    for field, said in (
        ("{}", f"`type` is missing: one of {kinds}. Example: type: image"),
        ("{type: 3}", f"`type` is 3, which is none of {kinds}."),
        ("{type: [a]}", f"`type` is ['a'], which is none of {kinds}."),
        ("{type: Image}", f"`type` is 'Image', which is none of {kinds}. Did you mean 'image'?"),
        ("{type: imagee}", f"`type` is 'imagee', which is none of {kinds}. Did you mean 'image'?"),
    ):
        (found,) = problems(f"input: {{path: a}}\nfields:\n  f: {field}\noutput: {{path: b}}\n")
        assert found.startswith(f"c.yaml:3 fields.f: {said}")


def test_reading_a_file(tmp_path: Path) -> None:
    path = tmp_path / "ü x.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_config(str(path)).values["seed"] == 17


@pytest.mark.parametrize("made", ["nothing", "folder", "latin"])
def test_files_that_cannot_be_read(tmp_path: Path, made: str) -> None:
    path = tmp_path / "c.yaml"
    if made == "folder":
        path.mkdir()
    if made == "latin":
        path.write_bytes(b"seed: \xff")
    with pytest.raises(ConfigError) as caught:
        read_config(str(path))
    (problem,) = caught.value.problems
    assert problem.where == str(path)
    assert "fanbeam init" in problem.suggestion


@pytest.mark.parametrize(
    ("overrides", "path", "value"),
    [
        (["copies=8"], ["copies"], 8),
        (["input.path=[a, b]"], ["input", "path"], ["a", "b"]),
        (["fields.image.encode.quality=80"], ["fields", "image", "encode", "quality"], 80),
        (["fields.image.augment.1=x.Y"], ["fields", "image", "augment", 1], "x.Y"),
        (["split="], ["split"], None),
        (["seed=1", "seed=2"], ["seed"], 2),
        (["output.path=a=b"], ["output", "path"], "a=b"),
        ([" seed =3"], ["seed"], 3),
        (["limits.failed=0.5"], ["limits", "failed"], 0.5),
    ],
)
def test_overrides(tmp_path: Path, overrides: list[str], path: list[Any], value: object) -> None:
    (tmp_path / "c.yaml").write_text(GOOD)
    found = read_config(str(tmp_path / "c.yaml"), overrides).values
    for key in path:
        found = found[key]
    assert found == value


@pytest.mark.parametrize(
    "override",
    ["copies", "=3", "seed.deep=3", "fields.image.augment.9=x", "fields.image.augment.²=x", "a=[1", "a=b: c: d"],
)
def test_overrides_that_cannot_be(tmp_path: Path, override: str) -> None:
    (tmp_path / "c.yaml").write_text(GOOD)
    with pytest.raises(ConfigError) as caught:
        read_config(str(tmp_path / "c.yaml"), [override])
    assert "--set" in str(caught.value.problems[0])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("seed.a.b=max", "--set 'seed={a: {b: max}}'"),
        ("fields.image.augment.9=x", "fields.image.augment is a list, and has no '9': its places are 0 to"),
    ],
)
def test_an_override_without_a_place_says_what_to_do(tmp_path: Path, override: str, said: str) -> None:
    (tmp_path / "c.yaml").write_text(GOOD)
    with pytest.raises(ConfigError) as caught:
        read_config(str(tmp_path / "c.yaml"), [override])
    (problem,) = caught.value.problems
    assert said in str(problem)


def test_what_the_advice_says_can_be_set(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(GOOD)
    assert read_config(str(tmp_path / "c.yaml"), ["seed={a: {b: max}}"]).values["seed"] == {"a": {"b": "max"}}


def test_overrides_leave_the_rest() -> None:
    text = parse_yaml(GOOD, "c.yaml")
    before = repr(text.values)
    ConfigText("c", text.values)
    assert repr(text.values) == before


@pytest.mark.parametrize(
    ("path", "said"),
    [((), ""), (("a",), "a"), (("a", 0, "b"), "a[0].b"), ((0, "a"), "[0].a"), (("a", 0, 1), "a[0][1]")],
)
def test_dotted(path: tuple[str | int, ...], said: str) -> None:
    assert dotted(path) == said


@pytest.mark.parametrize(
    "value",
    ["2024-01-01", "2024-01-01T10:00:00Z", "!!binary gIGC", "!!set {b, a}", ".nan", "-.inf", "99999999999999999999",
     "{7: 8}", "{null: 8}", "[[2024-01-01]]"],
)  # fmt: skip
def test_recipes_hold_what_json_can_say(value: str) -> None:
    """A set is in another order in each process, and bytes are no JSON: the fingerprint stumbled over both."""
    found = problems(GOOD.replace("blur_limit: 7", f"blur_limit: {value}"))
    assert len(found) == 1
    assert found[0].startswith("c.yaml:9 fields.image.augment: ")
    assert "\n" not in found[0]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_clearly(text: str) -> None:
    try:
        parsed = parse_yaml(text, "c.yaml")
    except ConfigError as error:
        assert error.problems
    else:
        config, found = validate(parsed)
        assert config is None
        assert found


KEYS = st.sampled_from(
    ["seed", "input", "path", "split", "fields", "image", "type", "encode", "quality", "output", "copies", "x"]
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["image", "text", "a", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(TREES)
def test_any_tree_is_a_config_or_has_problems(tree: object) -> None:
    config, found = validate(ConfigText("c.yaml", tree))
    assert (config is None) == bool(found)
    assert all(p.message and "\n" not in str(p) for p in found)


def test_aliases_of_aliases_are_refused_at_once() -> None:
    """Eight lines that stand for 10^9 values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError, match=r"its aliases stand for .* values") as error:
        parse_yaml("\n".join(lines), "bomb.yaml")
    assert "Remove aliases" in error.value.problems[0].suggestion
    with pytest.raises(ConfigError, match="its aliases stand for"):
        parse_yaml("\n".join([lines[0].replace("[", "{k: [").replace("]", "]}"), *lines[1:]]), "--set fields")


def test_a_large_config_without_aliases_is_read() -> None:
    classes = "".join(f"    class{n}: {n % 7}\n" for n in range(60_000))
    values = parse_yaml(f"copies:\n  per_class:\n{classes}", "large.yaml").values
    assert len(values["copies"]["per_class"]) == 60_000
