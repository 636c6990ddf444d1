"""Every command through `main([...])`: exit codes, one JSON object, messages that say what to do."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import workdata

from pipeline.cli.program import main
from transforms.nlpaug import wordnet

Ask = Callable[..., tuple[int, dict[str, Any]]]
Say = Callable[..., tuple[int, str, str]]
Birds = tuple[Path, Path]


def test_init_writes_a_config_that_runs_as_it_is(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workdata.write_folder(tmp_path / "photos", 24)
    code, answer = ask("init", "photos", "-o", "photos.yaml")
    assert (code, Path(answer["config"]).name) == (0, "photos.yaml")
    assert ask("check", "photos.yaml")[0] == 0
    code, answer = ask("run", "photos.yaml", "--set", "copies=1", "--workers", "1")
    assert code == 0
    assert answer["records"] == 24


def test_init_does_not_replace_a_config(tmp_path: Path, ask: Ask) -> None:
    workdata.write_folder(tmp_path / "photos", 4)
    config = tmp_path / "photos.yaml"
    config.write_text("mine")
    code, answer = ask("init", tmp_path / "photos", "-o", config)
    assert code == 2
    assert "--force" in answer["error"]["message"]
    assert config.read_text() == "mine"
    assert ask("init", tmp_path / "photos", "-o", config, "--force")[0] == 0


def test_check(birds: Birds, ask: Ask, say: Say) -> None:
    config, _ = birds
    code, answer = ask("check", config)
    assert (code, answer["ok"], answer["files"], answer["kind"]) == (0, True, 1, "parquet")
    code, out, _ = say("check", config)
    assert code == 0
    assert "fine" in out


def test_plan_tells_what_run_makes_and_writes_nothing(birds: Birds, ask: Ask, say: Say, tmp_path: Path) -> None:
    config, output = birds
    code, planned = ask("plan", config, "--workers", "1", "--set", f"output.path={tmp_path}/new")
    assert code == 0
    assert not (tmp_path / "new").exists()
    manifest = workdata.manifest_of(output)
    assert planned["version"] == manifest["version"]
    assert {s: p["samples"] for s, p in planned["splits"].items()} == {
        s: p["samples"] for s, p in manifest["splits"].items()
    }
    code, out, _ = say("plan", config, "--workers", "1")
    assert code == 0
    assert manifest["version"] in out


def test_preview_draws_a_sheet(birds: Birds, ask: Ask, tmp_path: Path) -> None:
    code, answer = ask("preview", birds[0], "-o", tmp_path / "sheet.png", "--records", "2")
    assert (code, answer["records"]) == (0, 2)
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_run_answers_nothing_to_do_for_a_finished_version(birds: Birds, ask: Ask, say: Say) -> None:
    config, output = birds
    before = workdata.contents(output)
    code, answer = ask("run", config)
    assert (code, answer["already_there"]) == (0, True)
    assert answer["path"] == str(workdata.version_folder(output))
    assert answer["records"] == 48
    code, out, _ = say("run", config)
    assert code == 0
    assert "Nothing to do" in out
    assert workdata.contents(output) == before


def test_a_finished_version_starts_no_worker(birds: Birds, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr("pipeline.engines.local.pool.Pool.__enter__", refuse)
    assert ask("run", birds[0])[0] == 0


def test_run_points_latest_at_a_finished_version_again(birds: Birds, ask: Ask) -> None:
    config, output = birds
    latest = (output / "LATEST").read_bytes()
    (output / "LATEST").unlink()
    assert ask("run", config)[0] == 0
    assert (output / "LATEST").read_bytes() == latest


def test_run_summary_for_people(birds: Birds, say: Say, tmp_path: Path) -> None:
    code, out, err = say("run", birds[0], "--workers", "1", "--set", f"output.path={tmp_path}/o", "--set", "copies=1")
    assert code == 0
    for word in ("train", "validation", "samples/s", "Dataset:", "owl"):
        assert word in out
    assert "rendering" in err


def test_verify_and_replay_of_a_sound_dataset(birds: Birds, ask: Ask, say: Say, tmp_path: Path) -> None:
    _, output = birds
    code, answer = ask("verify", output, "--samples", "5")
    assert (code, answer["ok"], answer["rendered"], answer["differences"]) == (0, True, 5, [])
    version = workdata.version_folder(output)
    assert ask("verify", version, "--samples", "0")[0] == 0
    sample_id = next(i for i in workdata.samples(version) if i.endswith("/2"))
    code, answer = ask("replay", output, sample_id, "-o", tmp_path / "again.jpg")
    assert (code, answer["same"], answer["written"]) == (0, True, [str(tmp_path / "again.jpg")])
    assert (tmp_path / "again.jpg").read_bytes() == workdata.samples(version)[sample_id][1][0]
    code, out, _ = say("replay", output, sample_id)
    assert code == 0
    assert "the same again" in out


def test_replay_of_an_unknown_sample_names_some(birds: Birds, ask: Ask) -> None:
    code, answer = ask("replay", birds[1], "nobody/7")
    assert code == 2
    assert "Ids look like 'r0" in answer["error"]["message"]


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_no_dataset_at_all(command: str, ask: Ask, tmp_path: Path) -> None:
    rest = ["r001/0"] if command == "replay" else []
    code, answer = ask(command, tmp_path / "nothing", *rest)
    assert (code, answer["error"]["kind"]) == (2, "input")
    code, answer = ask(command, tmp_path, *rest)
    assert code == 2
    assert "no dataset" in answer["error"]["message"]


def test_transforms_and_schema(ask: Ask, say: Say) -> None:
    code, answer = ask("transforms", "albumentations.Rotate")
    assert code == 0
    assert "limit" in str(answer)
    assert "albumentations.Rotate" in str(ask("transforms")[1])
    code, answer = ask("transforms", "albumentations.Rotat")
    assert code == 2
    assert "Rotate" in str(answer["error"])
    assert ask("schema")[1]["properties"].keys() >= {"input", "fields", "output", "limits"}
    assert say("schema")[0] == 0


@pytest.mark.slow
def test_demo(ask: Ask, say: Say, tmp_path: Path) -> None:
    code, answer = ask("demo", tmp_path / "demo")
    assert code == 0
    assert answer["samples"] > answer["records"]
    code, out, _ = say("demo", tmp_path / "demo")
    assert code == 0
    assert "all is as the manifest says" in out


@pytest.mark.parametrize(
    "command",
    ["init", "check", "plan", "preview", "run", "verify", "replay", "transforms", "resources", "schema", "demo"],
)
def test_help_has_an_example(command: str, say: Say) -> None:
    code, out, _ = say(command, "--help")
    assert code == 0
    assert f"Example: fanbeam {command}" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["rum"], "rum"),
        (["run"], "CONFIG"),
        (["check", "no.yaml"], "no.yaml"),
        (["verify", "somewhere", "--samples", "many"], "--samples"),
        (["replay", "somewhere"], "SAMPLE_ID"),
    ],
)
def test_usage_errors(arguments: list[str], expected: str, ask: Ask, say: Say) -> None:
    code, answer = ask(*arguments)
    assert code == 2
    assert expected in str(answer["error"])
    code, out, err = say(*arguments)
    assert (code, out) == (2, "")
    assert expected in err


def test_an_unknown_flag_of_run_is_refused(birds: Birds, ask: Ask, tmp_path: Path) -> None:
    output = f"output.path={tmp_path}/o"
    code, answer = ask("run", birds[0], "--set", output, "--workres", "2")
    assert code == 2
    assert "workres" in answer["error"]["message"]
    assert not (tmp_path / "o").exists()
    code, answer = ask("run", birds[0], "other.yaml", "--set", output)
    assert code == 2
    assert "'other.yaml'" in answer["error"]["message"]
    assert not (tmp_path / "o").exists()
    code, answer = ask("run", birds[0], "--set", output, "--runner", "dask")
    assert code == 2
    assert "refused" in answer["error"]["message"]
    assert not (tmp_path / "o").exists()


def test_beam_options_are_accepted_and_its_local_ones_change_nothing(birds: Birds, ask: Ask, tmp_path: Path) -> None:
    output = f"output.path={tmp_path}/o"
    flags = ["--direct_num_workers", "2", "--direct_running_mode=multi_processing", "--job_name=birds"]
    code, answer = ask("run", birds[0], "--set", output, *flags)
    assert code == 0, answer
    log = next(Path(answer["path"]).glob("_runs/*.json"))
    assert json.loads(log.read_text())["workers"] == 2
    assert ask("verify", answer["path"])[0] == 0


def test_every_problem_of_a_config_at_once(tmp_path: Path, ask: Ask) -> None:
    data = workdata.write_parquet(tmp_path / "in.parquet", workdata.image_rows(6))
    tree = workdata.image_config(data, tmp_path / "out", copies=-1, colour="blue")
    tree["fields"]["image"]["augment"] = ["albumentations.HorizontalFlipp", {"albumentations.Rotate": {"limt": 3}}]
    tree["input"]["label"] = "lable"
    config = workdata.write_config(tmp_path / "c.yaml", tree)
    for command in ("check", "plan", "run"):
        code, answer = ask(command, config)
        assert (code, answer["error"]["kind"]) == (2, "config")
        shown = str(answer["error"]["problems"])
        assert "copies" in shown
        assert "colour" in shown
    code, answer = ask("check", config, "--set", "copies=1")
    shown = str(answer["error"]["problems"])
    for part in ("HorizontalFlip", "limit", "colour"):
        assert part in shown
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["plan", "run"])
def test_bad_recipes_and_columns_are_told_before_anything_is_written(command: str, tmp_path: Path, ask: Ask) -> None:
    data = workdata.write_parquet(tmp_path / "in.parquet", workdata.image_rows(6))
    tree = workdata.image_config(data, tmp_path / "out")
    tree["fields"]["image"]["augment"] = ["albumentations.HorizontalFlipp"]
    config = workdata.write_config(tmp_path / "c.yaml", tree)
    code, answer = ask(command, config, "--workers", "1")
    assert code == 2
    assert "HorizontalFlip" in str(answer["error"]["problems"])
    code, answer = ask(command, config, "--set", "fields.image.augment=[]", "--set", "input.label=lable")
    assert code == 2
    assert "label" in str(answer["error"]["problems"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("nolib.Flip", "no library 'nolib'"),
        ("nlpaug.SynonymAug", "WordNet is not installed"),
        ({"nlpaug.WordEmbsAug": {"model_type": "glove", "model_path": "gone.txt"}}, "gone.txt"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "run", "preview"])
def test_what_recipes_need_and_is_missing_is_a_problem_of_the_config(
    command: str, step: Any, said: str, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions of what is missing cannot be told: no defect, but the place and what to do."""
    monkeypatch.setattr(wordnet, "_pointer", lambda: None)
    monkeypatch.setattr(wordnet, "_files_digest", wordnet._files_digest.__wrapped__)
    rows = [{"id": str(n), "text": workdata.sentence(n)} for n in range(6)]
    fields = {"text": {"type": "text", "augment": [step]}}
    tree = {"input": {"path": str(workdata.write_parquet(tmp_path / "in.parquet", rows)), "id": "id"}, "fields": fields}
    config = workdata.write_config(tmp_path / "c.yaml", {**tree, "output": {"path": str(tmp_path / "out")}})
    code, answer = ask(command, config)
    assert (code, answer["error"]["kind"]) == (2, "config")
    (problem,) = answer["error"]["problems"]
    assert "fields.text.augment[0]" in problem["where"]
    assert said in problem["message"]
    assert not (tmp_path / "out").exists()


def test_doubled_ids_are_told_with_their_places(tmp_path: Path, ask: Ask) -> None:
    rows = workdata.image_rows(12)
    rows[7]["id"] = "r003"
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    config = workdata.write_config(tmp_path / "c.yaml", workdata.image_config(data, tmp_path / "out"))
    code, answer = ask("run", config, "--workers", "1")
    assert (code, answer["error"]["kind"]) == (2, "input")
    shown = str(answer["error"]["problems"])
    assert "'r003'" in shown
    assert "row 3" in shown
    assert "row 7" in shown
    assert not (tmp_path / "out").exists()


def test_too_many_failures_exit_3(tmp_path: Path, ask: Ask, say: Say) -> None:
    rows = workdata.image_rows(12)
    rows[2]["image"] = b""
    data = workdata.write_parquet(tmp_path / "in.parquet", rows)
    config = workdata.write_config(tmp_path / "c.yaml", workdata.image_config(data, tmp_path / "out"))
    code, answer = ask("run", config, "--workers", "1")
    assert (code, answer["error"]["kind"]) == (3, "limits")
    assert "limits.failed" in str(answer["error"]["problems"])
    code, _, err = say("run", config, "--workers", "1")
    assert code == 3
    assert "raise limits.failed" in err
    assert not (tmp_path / "out" / "LATEST").exists()


def test_a_damaged_row_group_is_bad_input(tmp_path: Path, ask: Ask) -> None:
    rows = workdata.image_rows(40)
    data = workdata.write_parquet(tmp_path / "in.parquet", rows, 20)
    meta = pq.read_metadata(data).row_group(1)
    column = next(meta.column(n) for n in range(meta.num_columns) if meta.column(n).path_in_schema == "id")
    raw = bytearray(data.read_bytes())
    begin = column.dictionary_page_offset or column.data_page_offset
    raw[begin : begin + 20] = b"\xff" * 20
    data.write_bytes(raw)
    config = workdata.write_config(tmp_path / "c.yaml", workdata.image_config(data, tmp_path / "out"))
    code, answer = ask("run", config, "--workers", "1")
    assert (code, answer["error"]["kind"]) == (2, "input")
    assert "in.parquet" in answer["error"]["message"]
    assert not (tmp_path / "out").exists()


def test_debug_shows_the_traceback_and_nothing_else_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "no.yaml")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert main(["check", str(tmp_path / "no.yaml"), "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(closed: str, tmp_path: Path) -> None:
    data = workdata.write_parquet(tmp_path / "in.parquet", workdata.image_rows(12))
    config = workdata.write_config(tmp_path / "c.yaml", workdata.image_config(data, tmp_path / "out"))
    program = (
        f'exec "{sys.executable}" -c "from pipeline.cli.program import console; console()" run "{config}" {closed}'
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False, cwd=workdata.ROOT)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "out" / "LATEST").exists()
