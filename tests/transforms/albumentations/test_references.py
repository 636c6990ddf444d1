"""Classes that look at other pictures, texts or boxes: against the library called directly, and what a check says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFont

from pipeline.sources import assets
from transforms.albumentations import adapter
from transforms.isolation import library_warnings
from transforms.isolation.philox import generators
from transforms.recipe import build_recipe, check_steps
from transforms.registry import carries, versions
from transforms.steps import Step
from transforms.values import Boxes, ImageValue, Peers

pytestmark = pytest.mark.usefixtures("quiet_process")

SEED = bytes(range(3, 19))
KEYS = {"FDA": "fda_metadata", "HistogramMatching": "hm_metadata", "PixelDistributionAdaptation": "pda_metadata"}


def pixels_of(number: int, height: int = 40, width: int = 56) -> NDArray[np.uint8]:
    rng = np.random.Generator(np.random.Philox(key=number))
    coarse = rng.integers(0, 235 // (number + 1) + 20, (height // 8, width // 8, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((8, 8, 1), np.uint8))


VALUE = ImageValue(pixels_of(0))
OTHERS = {f"k{n}": pixels_of(n, 24 + 8 * n, 64 - 8 * n) for n in range(1, 5)}
PEERED = replace(VALUE, peers=Peers(lambda scope, most: tuple(OTHERS)[:most], lambda key: ImageValue(OTHERS[key])))


@pytest.fixture(autouse=True)
def connected() -> None:
    assets.connect()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "pictures"
    place.mkdir()
    for name, pixels in OTHERS.items():
        Image.fromarray(pixels).save(place / f"{name}.png")
    return place


def direct(name: str, params: dict[str, Any], **given: Any) -> dict[str, Any]:
    with library_warnings.collected():
        step = vars(albumentations)[name](**params, p=1)
    step.set_random_state(*generators(SEED))
    result: dict[str, Any] = step(force_apply=True, image=VALUE.pixels.copy(), **given)
    return result


def drawn_of(name: str, params: dict[str, Any], value: ImageValue = VALUE) -> tuple[ImageValue, dict[str, Any]]:
    result, drawn = adapter.build(name, {**params, "p": 1})(value, SEED)
    assert isinstance(result, ImageValue)
    assert drawn is not None
    return result, drawn


@pytest.mark.parametrize("name", KEYS)
def test_the_result_is_that_of_the_library_with_the_drawn_picture(name: str, folder: Path) -> None:
    for reference, value, ending in (({"folder": str(folder)}, VALUE, ".png"), ({"records": "any"}, PEERED, "")):
        result, drawn = drawn_of(name, {"reference": reference}, value)
        other = OTHERS[drawn["reference"].removesuffix(ending)]
        assert np.array_equal(result.pixels, direct(name, {}, **{KEYS[name]: [other]})["image"])


def test_mosaic_is_that_of_the_library(folder: Path) -> None:
    shape = {"target_size": [48, 48], "cell_shape": [40, 40]}
    result, drawn = drawn_of("Mosaic", {**shape, "reference": {"folder": str(folder)}})
    assert len(drawn["reference"]) == 3
    items = [{"image": OTHERS[name.removesuffix(".png")]} for name in drawn["reference"]]
    given = {"target_size": (48, 48), "cell_shape": (40, 40)}
    assert np.array_equal(result.pixels, direct("Mosaic", given, mosaic_metadata=items)["image"])
    assert carries("albumentations.Mosaic") == frozenset()
    (problem,) = check_steps(
        [{"albumentations.Mosaic": {**shape, "reference": {"records": "any"}}}], "image", ["boxes"]
    )
    assert problem.message == "albumentations.Mosaic does not move boxes along"


def test_overlays_are_laid_where_their_alpha_is_solid(tmp_path: Path) -> None:
    sticker = np.zeros((10, 12, 4), np.uint8)
    sticker[2:8, 3:9] = (250, 10, 10, 255)
    sticker[0, 0] = (1, 2, 3, 100)
    Image.fromarray(sticker, "RGBA").save(tmp_path / "sticker.png")
    boxed = replace(VALUE, boxes=Boxes(np.array([[1.0, 2, 20, 30]]), np.arange(1)))
    result, drawn = drawn_of("OverlayElements", {"reference": {"folder": str(tmp_path)}}, boxed)
    top, left = drawn["overlays"][0]["offset"]
    expected = VALUE.pixels.copy()
    expected[top + 2 : top + 8, left + 3 : left + 9] = (250, 10, 10)
    assert np.array_equal(result.pixels, expected)
    assert result.boxes is boxed.boxes
    assert drawn["reference"] == "sticker.png"
    placed = {"reference": {"folder": str(tmp_path)}, "metadata": {"bbox": [0.5, 0.5, 1, 1]}}
    result, _ = drawn_of("OverlayElements", placed)
    assert np.array_equal(result.pixels[:, :28], VALUE.pixels[:, :28])
    assert not np.array_equal(result.pixels, VALUE.pixels)


def test_an_overlay_larger_than_the_picture_is_made_to_fit(tmp_path: Path) -> None:
    Image.fromarray(pixels_of(2, 160, 80)).save(tmp_path / "large.png")
    result, drawn = drawn_of("OverlayElements", {"reference": {"folder": str(tmp_path)}})
    assert result.pixels.shape == VALUE.pixels.shape
    left, top, right, bottom = drawn["overlays"][0]["bbox"]
    assert (right - left, bottom - top) == (20, 40)


def test_texts_are_drawn_in_the_font_of_a_file(tmp_path: Path) -> None:
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    (tmp_path / "font.ttf").write_bytes(font.font_bytes)
    texts = [{"bbox": [0, 0, 1, 0.5], "text": "sea"}, {"bbox": [0, 0.5, 1, 1], "text": "land"}]
    result, drawn = drawn_of("TextImage", {"font_path": str(tmp_path / "font.ttf"), "metadata": texts})
    expected = direct("TextImage", {"font_path": str(tmp_path / "font.ttf")}, textimage_metadata=texts)["image"]
    assert np.array_equal(result.pixels, expected)
    assert sorted(entry["text"] for entry in drawn["overlays"]) == ["land", "sea"]


def test_a_crop_near_one_of_the_boxes() -> None:
    boxes = Boxes(np.array([[2.5, 3, 20, 30], [30.0, 4, 50, 20]]), np.arange(2))
    value = replace(VALUE, boxes=boxes)
    result, drawn = drawn_of("RandomCropNearBBox", {}, value)
    assert drawn["cropping_bbox"] in ([2, 3, 20, 30], [30, 4, 50, 20])
    expected = direct("RandomCropNearBBox", {}, cropping_bbox=drawn["cropping_bbox"])["image"]
    assert np.array_equal(result.pixels, expected)
    assert result.boxes is not None
    assert len(result.boxes.rows)
    step = adapter.build("RandomCropNearBBox", {})
    chosen = {str(step(value, bytes([n] * 16))[1]["cropping_bbox"]) for n in range(16)}  # type: ignore[index]
    assert len(chosen) == 2
    none = replace(VALUE, boxes=Boxes(np.zeros((0, 4)), np.zeros(0, np.int64)))
    assert step(none, SEED) == (none, {"not_applied": "the picture has no box"})


def test_pictures_of_a_table(tmp_path: Path, folder: Path) -> None:
    payloads = [path.read_bytes() for path in sorted(folder.iterdir())]
    pq.write_table(pa.table({"plain": payloads, "n": [1] * 4}), tmp_path / "a.parquet", row_group_size=2)
    structs = pa.array([{"bytes": data, "path": None} for data in payloads])
    pq.write_table(pa.table({"image": structs}), tmp_path / "b.parquet")
    plain = {"parquet": str(tmp_path / "a.parquet"), "column": "plain"}
    nested = {"parquet": str(tmp_path / "b.parquet"), "column": "image"}
    for reference, file in ((plain, "a"), (nested, "b")):
        result, drawn = drawn_of("FDA", {"reference": reference})
        name, _, row = drawn["reference"].rpartition("#")
        assert name == f"{file}.parquet"
        assert np.array_equal(result.pixels, direct("FDA", {}, fda_metadata=[OTHERS[f"k{int(row) + 1}"]])["image"])
    assert adapter.problems("FDA", {"reference": nested}) == []


def test_other_channels_than_the_reference(folder: Path) -> None:
    for channels in (1, 3, 4):
        pixels = np.repeat(VALUE.pixels[:, :, :1], channels, axis=2)
        for name in (*KEYS, "OverlayElements"):
            try:
                result, _ = drawn_of(name, {"reference": {"folder": str(folder)}}, ImageValue(pixels))
            except ValueError as error:
                assert f"albumentations.{name}" in str(error)
            else:
                assert result.pixels.shape == pixels.shape


def test_a_record_that_cannot_be_decoded_is_passed_over() -> None:
    every = {drawn_of("FDA", {"reference": {"records": "any"}}, PEERED)[1]["reference"]}
    first = next(iter(every))
    holes = Peers(lambda scope, most: tuple(OTHERS), lambda key: None if key == first else ImageValue(OTHERS[key]))
    assert drawn_of("FDA", {"reference": {"records": "any"}}, replace(VALUE, peers=holes))[1]["reference"] != first
    nobody = Peers(lambda scope, most: (), lambda key: None)
    result, drawn = drawn_of("FDA", {"reference": {"records": "any"}}, replace(VALUE, peers=nobody))
    assert result.pixels is VALUE.pixels
    assert drawn == {"not_applied": "no other record to look at", "reference": None}
    with pytest.raises(ValueError, match="nothing offers other records here"):
        drawn_of("FDA", {"reference": {"records": "any"}})


def test_peers_stay_with_the_value_through_steps() -> None:
    steps = [
        {"pillow.Mirror": {}},
        "albumentations.Transpose",
        {"albumentations.FDA": {"reference": {"records": "any"}}},
    ]
    result, applied = build_recipe(steps, "image").apply(PEERED, SEED)
    assert isinstance(result, ImageValue)
    assert result.peers is PEERED.peers
    assert applied


def test_another_reference_is_another_version(folder: Path) -> None:
    step = Step("albumentations.FDA", {"reference": {"folder": str(folder)}}, "", ())
    before = versions([step])[f"material {folder}"]
    (folder / "more.png").write_bytes((folder / "k1.png").read_bytes())
    assert versions([step])[f"material {folder}"] != before
    records = Step("albumentations.FDA", {"reference": {"records": "any"}}, "", ())
    assert not any(key.startswith("material") for key in versions([records]))


@pytest.mark.parametrize(
    ("name", "params", "path", "message"),
    [
        ("FDA", {}, (), "albumentations.FDA needs the parameter 'reference'"),
        ("FDA", {"reference": "x"}, ("reference",), "reference holds one of folder: PATH, "),
        ("FDA", {"reference": {"folder": "x", "records": "any"}}, ("reference",), "reference holds one of "),
        ("FDA", {"reference": {"folder": "/no/where"}}, ("reference",), "folder: no such path: /no/where"),
        ("FDA", {"reference": {"folder": 3}}, ("reference",), "reference needs folder: a text"),
        ("FDA", {"reference": {"parquet": "x"}}, ("reference",), "reference needs column: a text"),
        ("FDA", {"reference": {"records": "same"}}, ("reference",), "records: 'same' is not same_class or any"),
        ("FDA", {"reference": {"records": "any", "cont": 3}}, ("reference",), "reference has no 'cont' beside records"),
        ("FDA", {"reference": {"records": "any", "count": 0}}, ("reference",), "count: 0 is not a whole number"),
        ("FDA", {"read_fn": "x", "reference": {"records": "any"}}, ("read_fn",), "read_fn is filled in here"),
        ("FDA", {"beta_limit": 3, "reference": {"records": "any"}}, ("beta_limit",), "beta_limit: "),
        (
            "TextImage",
            {"font_path": "/no/where", "metadata": [{"bbox": [0, 0, 1, 1], "text": "a"}]},
            (),
            "font_path: no",
        ),
        ("TextImage", {"font_path": "x", "metadata": "a"}, ("metadata",), "metadata: 'a' is not a list of entries"),
        (
            "OverlayElements",
            {"reference": {"records": "any"}, "metadata": {"box": 1}},
            ("metadata",),
            "metadata has no",
        ),
        (
            "OverlayElements",
            {"reference": {"records": "any"}, "metadata": {"bbox": [0, 0, 2, 1]}},
            ("metadata",),
            "bbox: [0, 0, 2, 1] is not x_min, y_min, x_max, y_max as shares",
        ),
    ],
)
def test_bad_parameters(name: str, params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    problem = adapter.problems(name, params)[0]
    assert problem.path == path
    assert problem.message.startswith(message)


def test_bad_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.png").write_bytes(b"no picture")
    pq.write_table(pa.table({"n": [1, 2]}), tmp_path / "t.parquet")
    found = [
        adapter.problems("FDA", {"reference": reference})[0].message
        for reference in (
            {"folder": str(tmp_path / "empty")},
            {"folder": str(tmp_path / "bad.png")},
            {"parquet": str(tmp_path / "t.parquet"), "column": "image"},
            {"parquet": str(tmp_path / "t.parquet"), "column": "n"},
            {"parquet": str(tmp_path / "bad.png"), "column": "n"},
        )
    ]
    assert found[0].startswith("folder: no pictures in ")
    assert found[1].startswith("folder: reference bad.png cannot be read as a picture: ")
    assert found[2].endswith("t.parquet has no column 'image'; it has n")
    assert found[3].endswith("column 'n' holds neither bytes nor struct<bytes, path>")
    assert "is not a readable Parquet file" in found[4]


def test_at_most_limit_pictures_are_taken(folder: Path) -> None:
    step = adapter.build("FDA", {"reference": {"folder": str(folder), "limit": 2}, "p": 1})
    names = {step(VALUE, bytes([n] * 16))[1]["reference"] for n in range(24)}  # type: ignore[index]
    assert len(names) == 2
