import json

import pytest

from pipeline.cli.catalog import catalogue, described
from pipeline.errors import UsageError
from transforms import registry
from transforms.interface import MissingLibrary
from transforms.registry import Library


def test_everything_by_modality() -> None:
    found = catalogue(None)
    assert list(found.names) == ["image", "audio", "text", "video", "volume"]
    assert "albumentations.HorizontalFlip" in found.names["image"]
    assert "audiomentations.Gain" in found.names["audio"]
    assert "nlpaug.SynonymAug" in found.names["text"]
    assert {"albumentations.CubicSymmetry", "albumentations.HorizontalFlip"} < set(found.names["volume"])
    assert "albumentations.CubicSymmetry" not in found.names["image"]
    assert json.loads(json.dumps(found.as_json())) == {"transforms": found.names, "not_installed": {}}


def test_libraries_that_are_not_installed_are_named_with_their_command(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = dict(registry.LIBRARIES)
    gone = {"keras": Library("transforms.keras.adapter", "no_such_keras", "keras")}
    monkeypatch.setattr(registry, "LIBRARIES", {**everything, **gone})
    registry.adapter.cache_clear()
    found = catalogue(None)
    registry.adapter.cache_clear()
    assert not [name for names in found.names.values() for name in names if name.startswith("keras.")]
    assert found.as_json()["not_installed"] == {"keras": "pip install 'fanbeam[keras]'"}
    assert "\n".join(found.lines()).endswith("not installed (1)\n  keras: pip install 'fanbeam[keras]'")
    assert catalogue("Gain").absent == {}


def test_lines_end_with_the_groups() -> None:
    lines = "\n".join(catalogue(None).lines())
    assert lines.startswith("image (")
    for word in ("one_of", "some_of", "sometimes", "  albumentations.HorizontalFlip\n"):
        assert word in lines


@pytest.mark.parametrize("part", ["flip", "FLIP", "HorizontalFl"])
def test_a_part_of_the_name_in_any_case(part: str) -> None:
    assert "albumentations.HorizontalFlip" in catalogue(part).names["image"]
    assert all(part.lower() in name.lower() for names in catalogue(part).names.values() for name in names)


def test_no_such_part() -> None:
    with pytest.raises(UsageError, match="zzz"):
        catalogue("zzz")


@pytest.mark.parametrize("name", ["albumentations.HorizontalFlip", "audiomentations.Gain", "nlpaug.RandomWordAug"])
def test_one_transform(name: str) -> None:
    found = described(name)
    assert found.description.name == name
    assert json.loads(json.dumps(found.as_json()))["parameters"]
    text = "\n".join(found.lines())
    assert text.startswith(name)
    assert all(f"  {p.name}: " in text for p in found.description.parameters)


def test_an_unknown_name_and_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'albumentations\.HorizontalFlip'\?"):
        described("albumentations.HorizontalFlp")
    for name in ("nolibrary.Blur", "Blur", "", ".", "albumentations."):
        with pytest.raises(UsageError):
            described(name)


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise MissingLibrary("keras is not installed: pip install 'fanbeam[keras]'")

    monkeypatch.setattr(registry, "describe", missing)
    with pytest.raises(UsageError, match=r"fanbeam\[keras\]"):
        described("keras.RandomFlip")
