import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from small_inputs import FLIP, SWAP, config_of, opened, parquet, put, text_columns, values

from pipeline.config.schema import JobConfig
from pipeline.planning import fingerprint as module
from pipeline.planning.fingerprint import cpu, fingerprint, frozen_config, libraries
from pipeline.sources.listing import list_input


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return parquet(tmp_path / "in" / "a.parquet", text_columns(5))


def version(path: Any, output: Any = "out", **changes: Any) -> str:
    return opened(config_of(path, output, **changes))[0].version


SAME: list[dict[str, Any]] = [
    {"output__path": "elsewhere"},
    {"limits__failed": 0.5},
    {"limits": {"failed": 1, "rejected": 1}},
    {"copies": 2},
    {"split": {"validation": 0.1}},
    {"output__shard_size": "64MiB"},
    {"fields__text__quality": None},
    {"record_timeout": 60},
]
OTHER: list[dict[str, Any]] = [
    {"seed": 18},
    {"copies": 3},
    {"keep_original": False},
    {"split": {}},
    {"split": {"validation": 0.1, "seed": 1}},
    {"input__label": None},
    {"input__group": "label"},
    {"output__shard_size": "32MiB"},
    {"fields__text__augment": []},
    {"fields__text__augment": [SWAP, SWAP]},
    {"fields__text__prepare": [SWAP]},
    {"fields__text__quality": {"reject_unchanged": True}},
    {"fields__text__augment": [{"nlpaug.RandomWordAug": {"action": "swap", "aug_p": 0.6}}]},
]


@pytest.mark.parametrize("changes", SAME)
def test_what_cannot_change_bytes_is_not_in_it(source: Path, changes: dict[str, Any]) -> None:
    assert version(source, **changes) == version(source)


@pytest.mark.parametrize("changes", OTHER)
def test_what_can_change_bytes_is(source: Path, changes: dict[str, Any]) -> None:
    assert version(source, **changes) != version(source)


def test_all_of_these_differ(source: Path) -> None:
    assert len({version(source, **changes) for changes in OTHER}) == len(OTHER)


def test_it_is_16_hex_digits(source: Path) -> None:
    assert len(version(source)) == 16
    int(version(source), 16)


def test_the_input_decides(source: Path, tmp_path: Path) -> None:
    before = version(source)
    assert version(tmp_path / "in") == version(str(tmp_path / "*n" / ".." / "in" / "*.parquet")) == before
    (tmp_path / "moved").mkdir()
    source.rename(tmp_path / "moved" / "a.parquet")
    assert version(tmp_path / "moved") == before
    (tmp_path / "moved" / "a.parquet").rename(tmp_path / "moved" / "b.parquet")
    assert version(tmp_path / "moved") != before
    parquet(source, text_columns(6))
    assert version(source) != before


def test_a_copy_elsewhere_is_the_same_input_where_content_is_asked_for(source: Path, tmp_path: Path) -> None:
    copy = put(tmp_path / "copied" / "to" / source.name, source.read_bytes())
    os.utime(copy, (1, 1))
    by_content = {"input__fingerprint": "content"}
    assert version(copy.parent, **by_content) == version(source.parent, **by_content)
    assert version(copy.parent) != version(source.parent)


def test_the_order_of_fields_decides(tmp_path: Path) -> None:
    """Digests of several fields are in the order of the config."""
    path = parquet(tmp_path / "a.parquet", text_columns(2, more=["x", "y"]))
    one, two = {"text": {"type": "text"}}, {"more": {"type": "text"}}
    assert version(path, fields={**one, **two}) != version(path, fields={**two, **one})


def test_the_order_of_other_keys_does_not(source: Path) -> None:
    tree = values(source, "out")
    backwards = {key: tree[key] for key in reversed(tree)}
    listing = list_input(JobConfig.model_validate(tree))
    assert fingerprint(JobConfig.model_validate(backwards), listing) == fingerprint(
        JobConfig.model_validate(tree), listing
    )


def test_libraries_and_cpu_decide(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = version(source)
    monkeypatch.setattr(module, "cpu", lambda: {"machine": "other", "simd": []})
    changed = version(source)
    monkeypatch.setattr(module, "libraries", lambda _: {"numpy": "0"})
    assert len({before, changed, version(source)}) == 3


def test_only_libraries_in_use_decide(source: Path) -> None:
    found = libraries(config_of(source, "out"))
    assert {"python", "fanbeam", "numpy", "pyarrow", "nlpaug"} <= set(found)
    assert "albumentations" not in found
    assert list(found) == sorted(found)
    image = libraries(config_of(source, "out", fields={"image": {"type": "image", "augment": [{"one_of": [FLIP]}]}}))
    assert "albumentations" in image
    assert "nlpaug" not in image


def test_a_library_that_is_missing_is_said_to_be() -> None:
    assert module.installed("no-such-distribution") == "not installed"


def test_the_cpu_is_named() -> None:
    assert cpu()["machine"]
    assert cpu()["simd"] == sorted(cpu()["simd"])


def test_places_and_limits_are_not_in_the_manifests_config(source: Path) -> None:
    frozen = frozen_config(config_of(source, "out", limits__failed=0.5))
    assert "limits" not in frozen
    assert "path" not in frozen["input"]
    assert "path" not in frozen["output"]
    assert str(source) not in repr(frozen)


def test_recipes_of_python_and_of_yaml_are_the_same(source: Path) -> None:
    size = {"albumentations.Resize": {"height": 16, "width": 16}}
    lists = {"image": {"type": "image", "augment": [size, {"some_of": {"n": [1, 2], "steps": [FLIP, size]}}]}}
    tuples = {"image": {"type": "image", "augment": [size, {"some_of": {"n": (1, 2), "steps": (FLIP, size)}}]}}
    assert version(source, fields=lists) == version(source, fields=tuples)


PROGRAM = """
import sys
from importlib import metadata
from pathlib import Path
sys.path.insert(0, {tests!r})
from small_inputs import config_of, opened
print(opened(config_of(Path({path!r}), "out"))[0].version)
"""


def test_every_process_finds_the_same(source: Path) -> None:
    program = PROGRAM.format(tests=str(Path(__file__).parents[1] / "support"), path=str(source))
    found = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True,
            text=True, check=True, cwd=Path(__file__).parents[2],
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {version(source)}


def test_the_kernel_that_multiplies_matrices_is_part_of_the_cpu() -> None:
    """Sums of products come out otherwise with another one; the library itself is told which to take."""
    code = "from pipeline.planning.fingerprint import cpu; print(*cpu()['blas'])"
    found = []
    for kernel in ("Haswell", "Prescott"):
        environment = {**os.environ, "OPENBLAS_CORETYPE": kernel}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        found.append(done.stdout.strip())
    assert found[0].startswith("openblas ")
    assert found[0].endswith(" Haswell")
    assert found[0] != found[1]


EXTRAS = {"fast-mp3-augment", "lameenc", "loudness", "numpy-audio-limiter", "pydub", "pyroomacoustics"}


@pytest.mark.parametrize(
    ("step", "used"),
    [
        ("audiomentations.Gain", set()),
        ({"audiomentations.RoomSimulator": {}}, {"pyroomacoustics"}),
        ({"audiomentations.Mp3Compression": {}}, {"fast-mp3-augment"}),
        ({"audiomentations.LoudnessNormalization": {}}, {"loudness"}),
        ({"audiomentations.Limiter": {}}, {"numpy-audio-limiter"}),
    ],
)
def test_extras_that_no_step_uses_do_not_decide(
    step: Any, used: set[str], source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"sound": {"type": "audio", "augment": [step]}}
    config = config_of(source, "out", fields=fields)
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "9" if name in EXTRAS else version(name))
    assert EXTRAS & set(libraries(config)) == used
