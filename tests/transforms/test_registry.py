import subprocess
import sys
import types
from collections.abc import Iterator
from importlib import metadata, util

import pytest

from transforms import registry
from transforms.interface import Description, MissingLibrary
from transforms.steps import Step


@pytest.fixture
def third_party() -> Iterator[types.ModuleType]:
    module = types.ModuleType("their_adapter")
    vars(module).update(
        DISTRIBUTIONS=("pytest", "no-such-distribution"),
        names=lambda: ("Swirl",),
        modality=lambda name: "image",
        describe=lambda name: Description(f"theirs.{name}", "image", (), ""),
        problems=lambda name, params: [],
        build=lambda name, params: lambda value, seed: (value, {}),
        resources=lambda name, params: {"their weights": "1"},
    )
    sys.modules["their_adapter"] = module
    points = {
        "theirs": metadata.EntryPoint("theirs", "their_adapter", registry.ENTRY_POINTS),
        "broken": metadata.EntryPoint("broken", "no_such_module_at_all", registry.ENTRY_POINTS),
    }
    registry.adapter.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_entry_points", lambda: points)
        yield module
    registry.adapter.cache_clear()
    del sys.modules["their_adapter"]


def test_importing_recipes_imports_no_library() -> None:
    heavy = ["albumentations", "cv2", "audiomentations", "librosa", "nlpaug", "nltk", "pandas", "torch", "apache_beam"]
    code = (
        "import sys, transforms.recipe as r\n"
        "r.registry.versions(r.read_steps(['albumentations.Blur', 'audiomentations.Gain', 'nlpaug.OcrAug']).nodes)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == "[]"


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(filter(None, sys.path))}


def test_every_name_is_found_and_described() -> None:
    names = registry.all_names()
    assert names == tuple(sorted(set(names)))
    for name in names:
        description = registry.describe(name)
        assert description.name == name
        assert description.doc
        assert all(parameter.name for parameter in description.parameters)
        assert " at 0x" not in str(description.parameters)


def test_names_by_modality() -> None:
    assert "albumentations.Blur" in registry.all_names("image")
    assert "albumentations.Blur" not in registry.all_names("text")
    video = registry.all_names("video")
    assert {"vidaug.InverseOrder", "video.Speed", "albumentations.Blur", "audiomentations.Gain"} <= set(video)
    assert not {"albumentations.MaskDropout", "audiomentations.TimeStretch", "nlpaug.OcrAug"} & set(video)


def test_labels_that_a_part_of_a_video_cannot_hold_stay() -> None:
    assert registry.carries("albumentations.Rotate", "video") >= {"boxes", "segments"}
    assert "segments" not in registry.carries("albumentations.Rotate", "image")
    assert registry.carries("audiomentations.Gain", "video") == {"boxes", "segments"}
    assert registry.carries("video.BridgeFrames", "video") == {"segments"}
    assert registry.modalities("albumentations.Rotate") == {"image", "video", "volume"}
    assert registry.modalities("albumentations.MaskDropout") == {"image"}


def test_an_unknown_library_or_class_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="no library 'nope'"):
        registry.adapter("nope")
    with pytest.raises(LookupError, match="no transform 'Nope'"):
        registry.find("albumentations.Nope")


@pytest.fixture
def no_cache() -> Iterator[None]:
    registry.adapter.cache_clear()
    yield
    registry.adapter.cache_clear()


@pytest.mark.usefixtures("no_cache")
def test_a_library_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "audiomentations" else found(name))
    with pytest.raises(MissingLibrary, match=r"audiomentations is not installed: pip install 'fanbeam\[audio\]'"):
        registry.adapter("audiomentations")
    problem = registry.name_problem("audiomentations.Gain", "audio")
    assert problem is not None
    assert "fanbeam[audio]" in problem.message
    assert not any(name.startswith("audiomentations.") for name in registry.all_names())


@pytest.mark.parametrize(
    ("name", "message", "suggestion"),
    [
        ("Blur", "'Blur' is no step: write library.Class", "albumentations.Blur"),
        ("albumentation.Blur", "no library 'albumentation'", "albumentations.Blur"),
        ("imgaug.HorizontalFlip", "no library 'imgaug'", "albumentations.HorizontalFlip"),
        (
            "albumentations.horizontalflip",
            "albumentations has no transform 'horizontalflip'",
            "albumentations.HorizontalFlip",
        ),
        ("albumentations.Flip", "albumentations has no transform 'Flip'", "albumentations.VerticalFlip"),
        ("nlpaug.Blur", "nlpaug has no transform 'Blur'", "albumentations.Blur"),
        ("nlpaug.KeyboardAug", "nlpaug.KeyboardAug works on text; this field is image", ""),
        (
            "audiomentations.TimeMask",
            "audiomentations.TimeMask works on audio; this field is image",
            "albumentations.TimeMasking",
        ),
        ("albumentations.Xyzzy", "albumentations has no transform 'Xyzzy'", ""),
    ],
)
def test_a_wrong_name_gets_the_nearest_right_one(name: str, message: str, suggestion: str) -> None:
    problem = registry.name_problem(name, "image")
    assert problem is not None
    assert (problem.path, problem.message, problem.suggestion) == ((name,), message, suggestion)


def test_an_image_step_for_a_text_field() -> None:
    problem = registry.name_problem("albumentations.Blur", "text")
    assert problem is not None
    assert problem.message == "albumentations.Blur works on images; this field is text"


@pytest.mark.parametrize("library", registry.LIBRARIES)
def test_every_public_class_is_either_usable_or_refused_with_a_reason(library: str) -> None:
    adapter = registry.adapter(library)
    refused = getattr(adapter, "REFUSED", {})
    assert not set(refused) & set(adapter.names())
    for cls in refused:
        problem = registry.name_problem(f"{library}.{cls}", adapter.modality(adapter.names()[0]))
        assert problem is not None
        assert problem.message == f"{library}.{cls} {refused[cls]}"


def test_versions_are_those_of_the_distributions_in_use(third_party: types.ModuleType) -> None:
    versions = registry.versions([Step("albumentations.Blur", {}, "", ()), Step("theirs.Swirl", {}, "", ())])
    assert versions["albumentations"] == metadata.version("albumentations")
    assert versions["pytest"] == pytest.__version__
    assert versions["their weights"] == "1"
    assert "no-such-distribution" not in versions
    assert "audiomentations" not in versions
    assert list(versions) == sorted(versions)


def test_third_party_libraries_are_found_by_entry_point(third_party: types.ModuleType) -> None:
    assert "theirs.Swirl" in registry.all_names("image")
    assert registry.find("theirs.Swirl") == (third_party, "Swirl")
    assert registry.name_problem("theirs.Swirl", "image") is None


def test_a_third_party_adapter_that_cannot_be_imported_is_a_missing_library(third_party: types.ModuleType) -> None:
    with pytest.raises(MissingLibrary, match="'no_such_module_at_all', cannot be imported"):
        registry.adapter("broken")
    assert registry.all_names()


def test_a_class_may_work_on_several_modalities() -> None:
    assert registry.modalities("albumentations.HorizontalFlip") == {"image", "video", "volume"}
    assert registry.modalities("albumentations.CubicSymmetry") == {"volume"}
    assert registry.modalities("audiomentations.Gain") == {"audio", "video"}
    assert registry.name_problem("albumentations.HorizontalFlip", "volume") is None
    assert "albumentations.HorizontalFlip" in registry.all_names("volume")
    assert "albumentations.Pad3D" not in registry.all_names("image")
