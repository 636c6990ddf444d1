"""The Flex Template: its metadata comes from the config's schema, its parameters become a command line of fanbeam."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from small_inputs import values

from pipeline.config.loader import read_config, validate
from pipeline.engines.adapters.dataflow_template import IMAGE_VARIABLE, command, metadata, parameters, spec

FOLDER = Path(__file__).parents[3] / "scripts" / "engines" / "flex_template"
CONFIG = "--config=gs://b/birds.yaml"


@pytest.fixture(autouse=True)
def no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(IMAGE_VARIABLE, raising=False)


def test_the_committed_metadata_is_that_of_the_schema() -> None:
    told = json.loads((FOLDER / "metadata.json").read_text(encoding="utf-8"))
    assert told == metadata(), "write it anew: python scripts/engines/flex_template/spec.py"


def test_every_parameter_says_what_google_asks_for() -> None:
    told = metadata()["parameters"]
    assert [p["name"] for p in told if not p["isOptional"]] == ["config"]
    names = [p["name"] for p in told]
    assert len(set(names)) == len(names)
    assert {"input_path", "output_path", "copies", "seed", "split_validation", "limits_failed", "workers"} <= set(names)
    for parameter in told:
        assert parameter["label"] and parameter["helpText"].endswith("."), parameter
        assert all(re.compile(regex) for regex in parameter["regexes"])


def test_google_reads_the_spec() -> None:
    from google.cloud import dataflow

    read = dataflow.ContainerSpec.from_json(json.dumps(spec("reg/fanbeam:1")))
    assert (read.image, read.sdk_info.language.name) == ("reg/fanbeam:1", "PYTHON")
    assert [p.name for p in read.metadata.parameters] == [p.name for p in parameters()]
    assert [p.is_optional for p in read.metadata.parameters][:2] == [False, True]


def test_defaults_of_a_section_that_the_config_may_lack_are_the_configs() -> None:
    (share,) = [p for p in parameters() if p.name == "split_validation"]
    assert "0.1" in share.help


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("config", ["gs://b/c.yaml", "s3://b/c.yaml"], ["c.yaml", "/tmp/c.yaml", "gs://"]),
        ("output_path", ["gs://b/out"], ["out"]),
        ("copies", ["0", "12"], ["many", "1.5", ""]),
        ("split_validation", ["0.1", ".5", "1", "1e-3"], ["half", "1."]),
        ("keep_original", ["true", "false"], ["yes", "1"]),
        ("input_format", ["csv", "folder"], ["xml", "csv,folder"]),
        ("workers", ["1", "16"], ["0", "-1"]),
        ("sdk_container_image", ["eu-docker.pkg.dev/p/r/fanbeam:1"], ["a b"]),
    ],
)
def test_values(name: str, good: list[str], bad: list[str]) -> None:
    (parameter,) = [p for p in parameters() if p.name == name]
    assert [v for v in good if not re.search(parameter.regex, v)] == []
    assert [v for v in bad if re.search(parameter.regex, v)] == []


def test_parameters_become_overrides_and_all_else_passes() -> None:
    google = ["--runner=DataflowRunner", "--project=p", "--template_location=gs://b/job_object", '--labels={"a": "b"}']
    assert command([CONFIG, "--copies=8", "--input_path=gs://b/in", *google]) == [
        "run", "gs://b/birds.yaml", "--set", "copies=8", "--set", 'input.path="gs://b/in"', *google
    ]  # fmt: skip


def test_without_a_runner_it_is_dataflow_and_empty_values_are_none() -> None:
    assert command([CONFIG, "--copies=", "--workers=2"]) == [
        "run",
        "gs://b/birds.yaml",
        "--workers=2",
        "--runner=dataflow",
    ]


def test_workers_get_the_launchers_image_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IMAGE_VARIABLE, "reg/fanbeam:1")
    assert "--sdk_container_image=reg/fanbeam:1" in command([CONFIG])
    named = command([CONFIG, "--sdk_container_image=mine:2"])
    assert [word for word in named if "image" in word] == ["--sdk_container_image=mine:2"]


def test_what_is_given_as_text_stays_text(tmp_path: Path) -> None:
    """A column may be called 2024, yes or "a: b"."""
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps(values("gs://b/in", "gs://b/out")))
    given = [
        "--input_label=2024",
        "--input_group=a: b",
        "--split_validation=1e-1",
        "--seed=7",
        "--output_shard_size=2MiB",
    ]
    words = command([CONFIG, *given])
    overrides = [word for before, word in pairwise(words) if before == "--set"]
    config, problems = validate(read_config(str(path), overrides))
    assert not problems
    assert config is not None
    assert (config.input.label, config.input.group, config.seed) == ("2024", "a: b", 7)
    assert (config.split.validation, int(config.output.shard_size)) == (0.1, 2 * 2**20)


def test_no_parameter_hides_an_option_of_beam() -> None:
    from apache_beam.options.pipeline_options import PipelineOptions

    of_beam = set(PipelineOptions([]).get_all_options())
    assert [p.name for p in parameters() if p.key and p.name in of_beam] == []
