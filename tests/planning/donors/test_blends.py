from typing import Any

import pytest

from pipeline.config.schema import JobConfig
from pipeline.errors import InputError
from pipeline.planning.donors.blends import blend_notes, blend_steps, has_soft_labels, refuse_large_shelf, shelf_size
from pipeline.records import Split

CLASSES: dict[tuple[Split, str], int] = {("train", "owl"): 9, ("train", "tit"): 1, ("test", "wren"): 1}


def config(*steps: Any, shelf: int | None = None, label: str | None = "label") -> JobConfig:
    fields = {"image": {"type": "image", "augment": list(steps)}}
    tree = {"input": {"path": "x", "label": label}, "output": {"path": "y"}, "fields": fields}
    return JobConfig.model_validate(tree | ({"blends": {"shelf": shelf}} if shelf else {}))


def test_steps_are_found_wherever_they_stand() -> None:
    made = config(
        "albumentations.Blur", {"one_of": ["fanbeam.CutMix", {"sometimes": {"p": 0.5, "steps": ["fanbeam.MixUp"]}}]}
    )
    assert [(place[:4], step.name) for place, step in blend_steps(made)] == [
        (("fields", "image", "augment", 1), "fanbeam.CutMix"),
        (("fields", "image", "augment", 1), "fanbeam.MixUp"),
    ]
    assert blend_steps(config("albumentations.Blur", "fanbeam.Nothing", "nobody.Knows")) == []


def test_the_shelf_has_a_size_where_records_are_blended() -> None:
    assert shelf_size(config("fanbeam.MixUp")) == 512
    assert shelf_size(config("fanbeam.MixUp", shelf=7)) == 7
    assert shelf_size(config("albumentations.Blur", shelf=7)) == 0


def test_labels_are_soft_where_there_are_any() -> None:
    assert has_soft_labels(config("fanbeam.MixUp"))
    assert not has_soft_labels(config("fanbeam.MixUp", label=None))
    assert not has_soft_labels(config("albumentations.Blur"))


@pytest.mark.parametrize("shelf", [1, 0, 10**6, True, "many"])
def test_shelves_that_cannot_be(shelf: Any) -> None:
    with pytest.raises(ValueError, match="shelf"):
        JobConfig.model_validate({**config("fanbeam.MixUp").model_dump(mode="json"), "blends": {"shelf": shelf}})


def test_a_shelf_that_train_does_not_fill() -> None:
    refuse_large_shelf(config("fanbeam.MixUp", shelf=5), 5)
    refuse_large_shelf(config("fanbeam.MixUp"), 0)
    with pytest.raises(InputError, match=r"a shelf of 5 donors is larger than train, which has 1 record$") as caught:
        refuse_large_shelf(config("fanbeam.MixUp", shelf=5), 1)
    assert caught.value.problems[0].where == "blends.shelf"


def test_who_finds_nobody_is_told() -> None:
    same, other = ({"fanbeam.MixUp": {"partners": f"{scope}_class"}} for scope in ("same", "other"))
    told = ("classes of one training record ('tit'): partners: same_class finds nobody for them",)
    assert blend_notes(config(same), CLASSES) == told
    assert blend_notes(config(other), CLASSES) == ()
    assert blend_notes(config("fanbeam.MixUp"), CLASSES) == ()
    alone: dict[tuple[Split, str], int] = {("train", "owl"): 9, ("test", "tit"): 3}
    assert blend_notes(config(other), alone) == (
        "all training records are of one class: partners: other_class finds nobody",
    )
    assert blend_notes(config(same), alone) == ()
