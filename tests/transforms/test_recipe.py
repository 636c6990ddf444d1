import hashlib
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from transforms import recipe as recipe_module
from transforms.interface import RecipeError
from transforms.recipe import Recipe, build_recipe, check_steps, step_seed
from transforms.values import ImageValue, TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")

SEED = bytes(range(16))
IMAGE = ImageValue(np.arange(32 * 48 * 3, dtype=np.uint32).reshape(32, 48, 3).astype(np.uint8))


def seeds(count: int) -> list[bytes]:
    return [number.to_bytes(16, "little") for number in range(count)]


def applied(recipe: Recipe, seed: bytes) -> list[str]:
    return [step.name.removeprefix("albumentations.") for step in recipe.apply(IMAGE, seed)[1]]


def test_steps_run_in_order_and_are_recorded() -> None:
    recipe = build_recipe(
        [{"albumentations.HorizontalFlip": {"p": 1}}, {"albumentations.Transpose": {"p": 1}}], "image"
    )
    value, steps = recipe.apply(IMAGE, SEED)
    assert isinstance(value, ImageValue)
    assert np.array_equal(value.pixels, IMAGE.pixels[:, ::-1].transpose(1, 0, 2))
    assert [(step.name, step.params) for step in steps] == [
        ("albumentations.HorizontalFlip", "{}"),
        ("albumentations.Transpose", "{}"),
    ]


def test_an_empty_recipe_is_false_and_gives_the_value_itself() -> None:
    recipe = build_recipe([], "image")
    assert not recipe
    assert len(recipe) == 0
    value, steps = recipe.apply(IMAGE, SEED)
    assert value is IMAGE
    assert steps == ()


def test_what_p_decides_against_is_not_recorded() -> None:
    recipe = build_recipe([{"albumentations.HorizontalFlip": {"p": 0.3}}], "image")
    share = sum(bool(applied(recipe, seed)) for seed in seeds(2000)) / 2000
    assert 0.26 < share < 0.34


def test_a_step_added_in_front_redraws_no_other() -> None:
    noise = {"albumentations.GaussNoise": {"p": 1}}
    alone = build_recipe([noise], "image").apply(IMAGE, SEED)[1]
    behind = build_recipe([{"albumentations.NoOp": {"p": 1}}, noise], "image").apply(IMAGE, SEED)[1]
    assert behind[1] == alone[0]
    twice = build_recipe([noise, noise], "image").apply(IMAGE, SEED)[1]
    assert twice[0] == alone[0]
    assert twice[1] != alone[0]


def test_one_of_chooses_uniformly() -> None:
    steps = [{f"albumentations.{name}": {"p": 1}} for name in ("HorizontalFlip", "VerticalFlip", "Transpose", "NoOp")]
    recipe = build_recipe([{"one_of": steps}], "image")
    counts = Counter(tuple(applied(recipe, seed)) for seed in seeds(4000))
    assert all(len(chosen) == 1 for chosen in counts)
    assert all(900 < count < 1100 for count in counts.values())
    assert len(counts) == 4


def test_the_chosen_step_keeps_its_own_p() -> None:
    recipe = build_recipe([{"one_of": [{"albumentations.HorizontalFlip": {"p": 0.5}}]}], "image")
    share = sum(bool(applied(recipe, seed)) for seed in seeds(2000)) / 2000
    assert 0.45 < share < 0.55


def test_a_step_added_to_one_of_moves_only_what_chooses_it() -> None:
    few = [{f"albumentations.{name}": {"p": 1}} for name in ("HorizontalFlip", "VerticalFlip")]
    before = build_recipe([{"one_of": few}], "image")
    after = build_recipe([{"one_of": [{"albumentations.Transpose": {"p": 1}}, *few]}], "image")
    for seed in seeds(200):
        now = applied(after, seed)
        assert now in (["Transpose"], applied(before, seed))


def test_some_of_runs_n_steps_in_the_order_of_the_config() -> None:
    names = ["HorizontalFlip", "VerticalFlip", "Transpose", "NoOp"]
    steps = [{f"albumentations.{name}": {"p": 1}} for name in names]
    for n, sizes in ((2, {2}), ([0, 3], {0, 1, 2, 3}), (0, {0}), (4, {4})):
        recipe = build_recipe([{"some_of": {"n": n, "steps": steps}}], "image")
        runs = [applied(recipe, seed) for seed in seeds(300)]
        assert {len(run) for run in runs} == sizes
        assert all(run == [name for name in names if name in run] for run in runs)
    pairs = Counter(tuple(applied(build_some_of(steps, 2), seed)) for seed in seeds(1200))
    assert len(pairs) == 6
    assert all(150 < count < 250 for count in pairs.values())


def build_some_of(steps: list[Any], n: int) -> Recipe:
    return build_recipe([{"some_of": {"n": n, "steps": steps}}], "image")


def test_sometimes_runs_all_or_none() -> None:
    steps = [{"albumentations.HorizontalFlip": {"p": 1}}, {"albumentations.VerticalFlip": {"p": 1}}]
    recipe = build_recipe([{"sometimes": {"p": 0.3, "steps": steps}}], "image")
    counts = Counter(len(applied(recipe, seed)) for seed in seeds(2000))
    assert set(counts) == {0, 2}
    assert 520 < counts[2] < 680
    for p, size in ((0, 0), (1, 2)):
        recipe = build_recipe([{"sometimes": {"p": p, "steps": steps}}], "image")
        assert {len(applied(recipe, seed)) for seed in seeds(100)} == {size}


def test_nested_groups() -> None:
    inner = {"one_of": [{"albumentations.HorizontalFlip": {"p": 1}}, {"albumentations.VerticalFlip": {"p": 1}}]}
    recipe = build_recipe([{"sometimes": {"p": 1, "steps": [{"some_of": {"n": 1, "steps": [inner]}}]}}], "image")
    assert {tuple(applied(recipe, seed)) for seed in seeds(50)} == {("HorizontalFlip",), ("VerticalFlip",)}


def test_the_seed_of_a_step_is_the_keyed_digest_of_its_path() -> None:
    expected = hashlib.blake2b(b"albumentations.Blur#0", key=SEED, digest_size=16).digest()
    assert step_seed(SEED, "albumentations.Blur#0") == expected
    assert len({step_seed(seed, path) for seed in seeds(4) for path in ("a#0", "a#1")}) == 8


def test_the_digest_is_that_of_the_meaning() -> None:
    def digest(*steps: Any) -> str:
        return build_recipe(list(steps), "image").digest

    plain = digest("albumentations.HorizontalFlip")
    assert plain == digest({"albumentations.HorizontalFlip": None}) == digest({"albumentations.HorizontalFlip": {}})
    assert plain != digest({"albumentations.HorizontalFlip": {"p": 1}})
    some = {"n": 1, "steps": ["albumentations.Blur"]}
    assert digest({"some_of": some}) == digest({"some_of": {**some, "n": [1, 1]}})
    assert digest({"some_of": some}) != digest({"one_of": some["steps"]})
    assert len(plain) == 12


def test_names_and_leaves() -> None:
    steps = [
        "albumentations.Blur",
        {"one_of": [{"albumentations.CLAHE": {"p": 1}}, "albumentations.Blur"]},
        {"some_of": {"n": [1, 2], "steps": ["albumentations.D4", {"albumentations.NoOp": {"p": 0.5}}]}},
        {"sometimes": {"p": 0.25, "steps": [{"albumentations.Blur": {"blur_limit": 5}}]}},
    ]
    recipe = build_recipe(steps, "image")
    assert recipe.names == tuple(f"albumentations.{name}" for name in ("Blur", "CLAHE", "D4", "NoOp"))
    assert len(recipe) == 4
    leaves = list(recipe.leaves())
    assert [leaf.default_probability for leaf in leaves] == [0.5, 1.0, 0.5, 1.0, 0.5, 0.5]
    assert [leaf.probability for leaf in leaves] == [0.5, 0.5, 0.25, 0.75, 0.375, 0.125]
    assert leaves[-1].params == {"blur_limit": 5}
    assert leaves[-1].place == (3, "sometimes", "steps", 0, "albumentations.Blur")


def test_texts_have_no_p_and_always_count() -> None:
    assert [leaf.default_probability for leaf in build_recipe(["nlpaug.OcrAug"], "text").leaves()] == [1.0]


def test_check_finds_everything_in_order() -> None:
    steps = [
        {"albumentations.Blur": {"blur_limt": 3}},
        "albumentations.Blurr",
        {"one_of": [{"albumentations.RandomCrop": {"height": -1, "width": "x"}}, {"albumentations.D4": {"p": 2}}]},
        {"sometimes": {"p": 7, "steps": ["nlpaug.OcrAug"]}},
    ]
    assert [(p.path, p.suggestion) for p in check_steps(steps, "image")] == [
        ((0, "albumentations.Blur", "blur_limt"), "blur_limit"),
        ((1, "albumentations.Blurr"), "albumentations.Blur"),
        ((2, "one_of", 0, "albumentations.RandomCrop", "height"), ""),
        ((2, "one_of", 0, "albumentations.RandomCrop", "width"), ""),
        ((2, "one_of", 1, "albumentations.D4", "p"), ""),
        ((3, "sometimes", "p"), ""),
        ((3, "sometimes", "steps", 0, "nlpaug.OcrAug"), ""),
    ]


def test_build_raises_every_problem() -> None:
    with pytest.raises(RecipeError) as caught:
        build_recipe([{"albumentations.Blur": {"blur_limit": "x"}}, {"albumentations.Resize": {}}], "image")
    assert [problem.path[:2] for problem in caught.value.problems] == [
        (0, "albumentations.Blur"),
        (1, "albumentations.Resize"),
        (1, "albumentations.Resize"),
    ]
    assert "blur_limit" in str(caught.value)
    with pytest.raises(RecipeError, match="steps must be a list"):
        build_recipe({}, "image")


def test_build_refuses_the_wrong_modality_and_missing_groups() -> None:
    with pytest.raises(RecipeError, match="works on images; this field is text"):
        build_recipe(["albumentations.Blur"], "text")


def test_an_error_of_a_step_names_the_step() -> None:
    recipe = build_recipe([{"albumentations.RandomCrop": {"height": 999, "width": 9}}], "image")
    with pytest.raises(ValueError, match=r"albumentations\.RandomCrop, 32 x 48 x 3") as caught:
        recipe.apply(IMAGE, SEED)
    assert caught.value.__notes__ == ["in step albumentations.RandomCrop#0"]


def test_a_step_refuses_a_value_of_another_modality() -> None:
    with pytest.raises(TypeError, match="works on images, not on TextValue"):
        build_recipe(["albumentations.Blur"], "image").apply(TextValue("a"), SEED)


def test_parameters_are_those_that_were_drawn() -> None:
    recipe = build_recipe([{"albumentations.RandomCrop": {"height": 8, "width": 8}}], "image")
    value, (step,) = recipe.apply(IMAGE, SEED)
    x_min, y_min, x_max, y_max = json.loads(step.params)["crop_coords"]
    assert isinstance(value, ImageValue)
    assert np.array_equal(value.pixels, IMAGE.pixels[y_min:y_max, x_min:x_max])


def test_no_trial_call_when_building(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_module, "check_steps", lambda *args: pytest.fail("checked"))
    assert build_recipe(["albumentations.Blur"], "image")


FRONT = [
    {"one_of": [{"albumentations.Transpose": {"p": 1}}, {"albumentations.RandomRotate90": {"p": 1}}]},
    {"some_of": {"n": [0, 2], "steps": [{"albumentations.Transpose": {"p": 1}}, {"albumentations.NoOp": {"p": 1}}]}},
    {"sometimes": {"p": 0.5, "steps": [{"albumentations.Transpose": {"p": 1}}]}},
]


@pytest.mark.parametrize("front", FRONT)
def test_a_group_in_front_redraws_no_group_behind_it(front: dict[str, Any]) -> None:
    steps = [
        {"one_of": [{"albumentations.HorizontalFlip": {"p": 1}}, {"albumentations.VerticalFlip": {"p": 1}}]},
        {
            "some_of": {
                "n": [0, 2],
                "steps": [{"albumentations.Blur": {"p": 1}}, {"albumentations.GaussNoise": {"p": 1}}],
            }
        },
        {"sometimes": {"p": 0.5, "steps": [{"albumentations.InvertImg": {"p": 1}}]}},
    ]
    alone, behind = build_recipe(steps, "image"), build_recipe([front, *steps], "image")
    known = {"HorizontalFlip", "VerticalFlip", "Blur", "GaussNoise", "InvertImg"}
    for seed in seeds(60):
        before = [(a.name, a.params) for a in alone.apply(IMAGE, seed)[1]]
        after = [(a.name, a.params) for a in behind.apply(IMAGE, seed)[1] if a.name.split(".")[1] in known]
        assert [name for name, _ in after] == [name for name, _ in before]


def test_groups_of_one_kind_draw_apart() -> None:
    names = ["HorizontalFlip", "VerticalFlip", "Transpose", "InvertImg"]
    steps = [{"sometimes": {"p": 0.5, "steps": [{f"albumentations.{name}": {"p": 1}}]}} for name in names]
    counts = Counter(tuple(applied(build_recipe(steps, "image"), seed)) for seed in seeds(1600))
    assert len(counts) == 16
    assert all(60 < count < 140 for count in counts.values())
    pair = [{"some_of": {"n": [0, 1], "steps": [{f"albumentations.{n}": {"p": 1}}]}} for n in names[:2]]
    sizes = Counter(len(applied(build_recipe(pair, "image"), seed)) for seed in seeds(1200))
    assert 230 < sizes[0] < 370
    assert 230 < sizes[2] < 370
    three = [{"one_of": [{"one_of": [{f"albumentations.{n}": {"p": 1}} for n in names[:3]]},
              {"albumentations.InvertImg": {"p": 1}}]}]  # fmt: skip
    chosen = Counter(applied(build_recipe(three, "image"), seed)[0] for seed in seeds(1200))
    assert 530 < chosen["InvertImg"] < 670, "a group is as likely as a step"
