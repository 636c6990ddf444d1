"""scripts/engines/dataflow.sh, with stand-ins for gcloud and docker that write down what they are asked."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "engines" / "dataflow.sh"
STAND_IN = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
name, words = Path(sys.argv[0]).name, sys.argv[1:]
with open(os.environ["ASKED"], "a") as file:
    file.write(json.dumps([name, *words]) + chr(10))
failing = json.loads(os.environ["FAILING"])
if any(word in " ".join([name, *words]) for word in failing):
    sys.exit(1)
if words[:2] == ["config", "get-value"]:
    print(json.loads(os.environ["SETTINGS"]).get(words[2], ""))
"""
TOOLS = ("bash", "cat", "date", "dirname", "env", "git", "sed")
PLACE = ("--project", "p", "--region", "europe-west1", "--bucket", "b", "--tag", "t1", "--python", sys.executable)
IMAGE, TEMPLATE = "europe-west1-docker.pkg.dev/p/fanbeam/fanbeam:t1", "gs://b/templates/fanbeam-t1.json"


@dataclass
class Machine:
    """A machine with these programs. `failing`: words of a command line that does not succeed."""

    home: Path
    programs: tuple[str, ...] = ("gcloud", "docker")
    failing: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    credentials: bool = True

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        folder = self.home / "bin"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in self.programs:
            (folder / name).write_text(STAND_IN)
            (folder / name).chmod(0o755)
        for tool in TOOLS:  # and nothing else: neither gcloud nor credentials of whoever runs the tests
            (folder / tool).symlink_to(str(shutil.which(tool)))
        key = self.home / "key.json"
        key.write_text(
            json.dumps({"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "t"})
        )
        known = {"PATH": str(folder), "HOME": str(self.home), "ASKED": str(self.home / "asked")}
        known |= {"FAILING": json.dumps(self.failing), "SETTINGS": json.dumps(self.settings), "NO_GCE_CHECK": "true"}
        known |= {"GOOGLE_APPLICATION_CREDENTIALS": str(key)} if self.credentials else {}
        command = ["bash", str(SCRIPT), *words]
        return subprocess.run(command, env=known, text=True, capture_output=True, timeout=120)

    def asked(self, *begin: str) -> list[list[str]]:
        lines = [json.loads(line) for line in (self.home / "asked").read_text().splitlines()]
        return [words for words in lines if words[: len(begin)] == list(begin)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_is_missing(machine: Machine) -> None:
    done = machine.run("check", *PLACE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing is missing: project p, region europe-west1, gs://b, repository fanbeam" in done.stdout


def test_all_that_is_missing_is_told_a_line_each(machine: Machine) -> None:
    machine.failing, machine.credentials = ("access-token", "buckets", "repositories"), False
    done = machine.run("check", *PLACE)
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["credentials", "login", "bucket", "repository"]
    assert all(";" in line for line in done.stderr.splitlines()), "each says what to do"


def test_where_is_asked_for_before_what_lies_there(machine: Machine) -> None:
    done = machine.run("check", "--python", sys.executable)
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["project", "region", "bucket"]
    assert done.returncode == 2


def test_without_gcloud_only_that_is_told(machine: Machine) -> None:
    machine.programs = ()
    done = machine.run("check", *PLACE)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("gcloud:")


def test_gclouds_own_settings_are_used(machine: Machine) -> None:
    machine.settings = {"core/project": "mine", "compute/region": "us-east1"}
    done = machine.run("check", "--bucket", "gs://b", "--python", sys.executable)
    assert "project mine, region us-east1, gs://b" in done.stdout


def test_build_with_docker(machine: Machine) -> None:
    done = machine.run("build", *PLACE, "--extras", "dataflow,gcs,torch")
    assert done.returncode == 0, done.stderr
    (build,) = machine.asked("docker", "build")
    assert {f"IMAGE={IMAGE}", "EXTRAS=dataflow,gcs,torch", IMAGE, str(ROOT)} <= set(build)
    assert machine.asked("docker", "push") == [["docker", "push", IMAGE]]
    (template,) = machine.asked("gcloud", "dataflow", "flex-template", "build")
    assert template[4] == TEMPLATE
    assert template[template.index("--image") + 1] == IMAGE
    assert Path(template[template.index("--metadata-file") + 1]).is_file()
    assert done.stdout.split() == ["image", IMAGE, "template", TEMPLATE]


def test_build_without_docker(machine: Machine) -> None:
    machine.failing = ("docker info",)
    assert machine.run("build", *PLACE).returncode == 0
    (submitted,) = machine.asked("gcloud", "builds", "submit")
    assert submitted[-1] == f"^;^_IMAGE={IMAGE};_EXTRAS=dataflow,gcs"
    config = Path(submitted[submitted.index("--config") + 1]).read_text()
    assert "IMAGE=$_IMAGE" in config
    assert not machine.asked("docker", "build")


def test_a_build_that_fails_makes_no_template(machine: Machine) -> None:
    machine.failing = ("docker push",)
    assert machine.run("build", *PLACE).returncode != 0
    assert not machine.asked("gcloud", "dataflow")


def test_launch(machine: Machine) -> None:
    done = machine.run("launch", *PLACE, "--", "config=gs://b/c.yaml", "input_path=gs://b/{a,b}/*.parquet", "copies=8")
    assert done.returncode == 0, done.stderr
    (launched,) = machine.asked("gcloud", "dataflow", "flex-template", "run")
    assert launched[launched.index("--template-file-gcs-location") + 1] == TEMPLATE
    assert launched[-1] == "^;^config=gs://b/c.yaml;input_path=gs://b/{a,b}/*.parquet;copies=8"


def test_run_is_fanbeams_own(machine: Machine, tmp_path: Path) -> None:
    done = machine.run("run", *PLACE, "--", str(tmp_path / "no.yaml"), "--set", "copies=8")
    assert done.returncode == 2
    assert "no.yaml: the config cannot be read" in done.stderr


@pytest.mark.parametrize("words", [(), ("fly",), ("check", "--bukket", "b")])
def test_anything_else_shows_how(machine: Machine, words: tuple[str, ...]) -> None:
    done = machine.run(*words)
    assert done.returncode == 2
    assert "scripts/engines/dataflow.sh check" in done.stderr
