"""The determinism contract, for every name of the registry; what each property is stands in `properties`."""

from pathlib import Path

import contract_samples
import properties
import pytest
from contract_samples import COUNTS, SEEDS, digest, labeled, modality_of, params_of, suited, value_of

from transforms import registry
from transforms.recipe import build_recipe
from transforms.values import ImageValue

NAMES = list(registry.all_names())
every_name = pytest.mark.parametrize("name", NAMES)


def test_the_registry_is_as_large_as_it_was() -> None:
    counts = {
        library: sum(name.startswith(f"{library}.") for name in registry.all_names()) for library in registry.LIBRARIES
    }
    assert counts == COUNTS


@every_name
def test_it_can_be_constructed(name: str) -> None:
    properties.constructed(name)


@every_name
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    properties.same_bytes_twice(name)


@every_name
def test_what_ran_before_does_not_matter(name: str) -> None:
    properties.after_other_steps(name)


@every_name
def test_another_seed_gives_another_result(name: str) -> None:
    properties.other_seeds(name)


@every_name
def test_the_input_is_not_mutated(name: str) -> None:
    properties.input_kept(name)


@every_name
def test_the_output_is_a_value(name: str) -> None:
    properties.output_valid(name)


@every_name
def test_the_step_is_recorded_with_json_parameters(name: str) -> None:
    properties.json_parameters(name)


@every_name
def test_a_check_passes_and_an_unknown_parameter_is_refused_with_the_nearest(name: str) -> None:
    properties.unknown_refused(name)


@every_name
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, for covariances of one pixel
def test_tiny_values_work_or_fail_cleanly(name: str) -> None:
    properties.tiny_values(name)


@every_name
def test_four_threads_give_what_one_gives(name: str) -> None:
    properties.four_threads(name)


@every_name
def test_it_carries_labels_that_its_values_can_hold(name: str) -> None:
    properties.labels(name)


def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    assert properties.digests_of_another_process(NAMES) == contract_samples.digests(NAMES)


def test_every_property_has_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert all(f"properties.{check.__name__}(name)" in source for check in properties.PROPERTIES.values())


def test_a_whole_recipe_of_each_modality_gives_the_same_in_any_order_of_seeds() -> None:
    for modality in ("image", "audio", "text", "video", "volume"):
        names = [name for name in NAMES if modality_of(name) == modality][:6]
        recipe = build_recipe([{"some_of": {"n": [1, 3], "steps": [{n: params_of(n)} for n in names]}}], modality)
        plain = value_of(modality)
        value = labeled(plain) if isinstance(plain, ImageValue) else plain
        for name in names:
            value = suited(name, value)
        forwards = [digest(recipe, seed, value) for seed in SEEDS]
        assert [digest(recipe, seed, value) for seed in reversed(SEEDS)] == forwards[::-1]
