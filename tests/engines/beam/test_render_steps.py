"""The graph with a step per stage, as a cluster runs it, makes the same files as the composed stages."""

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.utils.windowed_value import WindowedValue
from small_inputs import Ran, config_of, planned, ran, words
from small_inputs import put as put_file

from pipeline.dataset.commit import Expected
from pipeline.engines.beam import render_steps
from pipeline.engines.beam.graph import Work, build
from pipeline.engines.beam.settings import settings_of
from pipeline.engines.options import Settings, engine_of
from pipeline.engines.work_files import assign, dismiss
from pipeline.engines.worker_environment import Surroundings
from pipeline.errors import UsageError
from pipeline.planning.donors.selection import Candidate, Candidates
from pipeline.planning.job import Task
from pipeline.planning.plan import Probe
from pipeline.planning.probe import remember
from pipeline.records import Receipt
from pipeline.rendering.stages import STAGES, begun
from pipeline.storage.folder import Folder
from pipeline.storage.layout import PLAN


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = "".join(f'{{"id": "r{n}", "label": "{"ab"[n % 2]}", "text": "{words(n)}"}}\n' for n in range(40))
    return put_file(tmp_path / "in" / "texts.jsonl", rows)


def files_of(folder: str) -> dict[str, bytes]:
    top = Path(folder)
    return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


def on_beam(table: Path, output: Path, small: bool = False, **changes: Any) -> dict[str, bytes]:
    """Run the graph of separate steps on Beam's in-process runner."""
    job, listing, plan = planned(config_of(table, output, **changes))
    expected = Expected(tuple(s.name for s in plan.shards), plan.records, listing.files)
    remember(job.dataset, Probe())
    files = assign(job, "job", map(Task, plan.shards), expected)
    with beam.Pipeline(options=PipelineOptions(direct().beam_arguments("job"))) as pipeline:
        build(pipeline, Work(job, files, Surroundings.here(job.config, "job"), local=False, small=small))
    dismiss(job.dataset, "job")
    return {name: data for name, data in files_of(job.dataset.url).items() if name != PLAN}


def direct(*arguments: str) -> Settings:
    return settings_of(engine_of("direct"), arguments, Folder("/nowhere"))


@pytest.mark.parametrize("small", [False, True], ids=["audited part by part", "audited in one place"])
def test_a_step_per_stage_makes_the_same_files_as_the_composed_stages(small: bool, table: Path, tmp_path: Path) -> None:
    composed: Ran = ran(config_of(table, tmp_path / "one", output__shard_size="2KiB"))
    assert len(composed.plan.shards) > 2
    assert on_beam(table, tmp_path / "two", small, output__shard_size="2KiB") == files_of(composed.dataset.path)


@pytest.mark.parametrize("small", [True, False])
def test_what_leaks_is_found_by_steps_as_by_one_process(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    """Ids apart: a text, a group and a reworded text on both sides; dealt into many parts and buckets, and not."""
    if small:
        monkeypatch.setattr("pipeline.audit.digest_matching._MARKS_PER_PART", 8)
        monkeypatch.setattr("pipeline.audit.signatures._AT_ONCE", 1)
        monkeypatch.setattr("pipeline.audit.signatures.ROWS_PER_BUCKET", 5)
    draw = np.random.Generator(np.random.Philox(5))
    texts = [" ".join("".join(map(chr, draw.integers(97, 123, 7))) for _ in range(9)) for _ in range(40)]
    texts[3], texts[7] = texts[0], f"{texts[2].upper()}!"
    rows = [
        {"id": f"r{n}", "label": "a", "part": "validation" if n % 4 == 3 else "train", "text": text, "site": f"s{n}"}
        for n, text in enumerate(texts)
    ]
    rows[11]["site"] = "s1"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    changes = {"split": {"column": "part"}, "input__group": "site", "output__shard_size": "2KiB", "limits__leaks": 1}
    composed = ran(config_of(table, tmp_path / "one", **changes))
    files = on_beam(table, tmp_path / "two", **changes)
    assert files == files_of(composed.dataset.path)
    found = json.loads(files["leaks.json"])["leaking"]
    assert {kind: count for kind, count in found.items() if count} == {"exact": 1, "group": 1, "near": 1}


def test_limits_do_not_raise_inside_the_graph(table: Path, tmp_path: Path) -> None:
    table.write_text(table.read_text() + '{"id": "x", "label": "a", "text": null}\n')
    files = on_beam(table, tmp_path / "out", limits__failed=0.0)
    assert "manifest.json" not in files
    assert any(name.startswith("_receipts/") for name in files)


def test_the_graph_is_as_small_for_many_shards_and_candidates_as_for_few(table: Path, tmp_path: Path) -> None:
    job, _, _ = planned(config_of(table, tmp_path / "out"))
    around = Surroundings.here(job.config, "job")
    many = Candidates({str(n): (Candidate("k" * 100, "f", n),) for n in range(10_000)})

    def size(work: Work) -> int:
        pipeline = beam.Pipeline(options=PipelineOptions(direct().beam_arguments("job")))
        build(pipeline, work)
        return len(pipeline.to_runner_api().SerializeToString())

    few = size(Work(job, 1, around, local=False))
    assert few < 170_000
    assert size(Work(replace(job, candidates=many), 1_000, around, local=False)) < few + 10_000


def test_every_stage_is_a_step_of_its_own_name(table: Path, tmp_path: Path) -> None:
    job, _, _ = planned(config_of(table, tmp_path / "out"))
    pipeline = beam.Pipeline(options=PipelineOptions(direct().beam_arguments("job")))
    around = Surroundings.here(job.config, "job")
    build(pipeline, Work(job, 1, around, local=False))
    seen: list[str] = []

    class Visitor(beam.pipeline.PipelineVisitor):
        def visit_transform(self, node: Any) -> None:
            seen.append(node.full_label)

        def enter_composite_transform(self, node: Any) -> None:
            seen.append(node.full_label)

    pipeline.visit(Visitor())
    for name, _ in STAGES:
        assert f"Render/{name}" in seen


def test_the_pool_gets_train_shards_first_and_emits_in_the_global_window(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pool:
        size = 2

        def run(self, kind: str, tasks: list[Task]) -> list[Receipt]:
            assert kind == "render"
            return [Receipt(t.shard.split, t.shard.index, 0, 0, 0, None) for t in tasks]

    from pipeline.records import Shard

    monkeypatch.setattr(render_steps.workers, "current", Pool)
    render = render_steps.RenderInPool()
    render.start_bundle()
    for shard in (Shard("test", 0, ()), Shard("train", 1, ()), Shard("train", 0, ())):
        assert list(render.process(Task(shard))) == []
    values = list(render.finish_bundle())
    assert all(isinstance(v, WindowedValue) for v in values)
    assert [v.value.name for v in values] == ["train-00000", "train-00001", "test-00000"]


@pytest.mark.parametrize("name", ["direct", "DirectRunner", "FnApiRunner"])
def test_names_of_the_local_engine(name: str) -> None:
    assert engine_of(name).local


@pytest.mark.parametrize(("name", "word"), [("dask", "refused"), ("DaskRunner", "refused"), ("flnk", "unknown")])
def test_other_engines_are_refused_with_a_reason(name: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        engine_of(name)


def test_an_option_that_beam_does_not_know_is_an_error() -> None:
    with pytest.raises(UsageError, match="num_workers"):
        direct("--num_worker=3")
    assert direct("--job_name=x").options["job_name"] == "x"


def test_work_in_progress_pickles_as_a_description_without_payload(table: Path, tmp_path: Path) -> None:
    job, _, plan = planned(config_of(table, tmp_path / "out"))
    names = tuple(name for name, _ in STAGES[:-1])
    for count in range(1, len(names) + 1):
        work = begun(job, Task(plan.shards[0]), names[:count])
        raw = pickle.dumps(work)
        assert words(1).encode() not in raw
        assert repr(list(pickle.loads(raw).flow)) == repr(list(work.flow))
