"""Dataflow without a cloud: a fake of its API that runs the staged graph, and an emulator of Google Cloud Storage."""

import io
import json
import os
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from small_inputs import parquet, text_columns, values

from pipeline.engines.adapters.dataflow_template import spec
from tests.engines.fake_dataflow import FakeDataflow, worker_environment
from tests.engines.fake_flex_launch import FlexTemplates, Refused

pytestmark = [pytest.mark.slow]

BUCKET = "birds"
BATCH = 1  # the API's numbers of a JobType, and of AutoscalingAlgorithm
NOT_SCALED, THROUGHPUT_BASED = 1, 2
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "SECRET-of-aws-4f1b",
    "AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=SECRET-of-azure-9c2d",
    "MY_PASSWORD": "SECRET-of-mine-77aa",
}
ROOT = Path(__file__).parents[2]
FANBEAM = (sys.executable, "-c", "from pipeline.cli.program import console; console()")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    from gcp_storage_emulator.server import create_server

    port = free_port()
    server = create_server("localhost", port, in_memory=True, default_bucket=BUCKET)
    server.start()
    yield f"http://localhost:{port}"
    server.stop()


@dataclass
class Cloud:
    """The two services, a bucket with records in it, and credentials that name the fake's token endpoint."""

    dataflow: FakeDataflow
    store: str
    key: Path
    config: Path

    def environment(self) -> dict[str, str]:
        mine = {"GOOGLE_APPLICATION_CREDENTIALS": str(self.key), "PYTHONPATH": str(ROOT)}
        return {**os.environ, **worker_environment(self.store), **mine, **SECRETS}

    def command(self, *more: str, output: str) -> list[str]:
        place = ("--project", "my-project", "--region", "europe-west1", "--temp_location", f"gs://{BUCKET}/tmp")
        target = (f"--dataflow_endpoint={self.dataflow.url}", "--set", f"output.path=gs://{BUCKET}/{output}")
        command = [*FANBEAM, "run", str(self.config), "--json", "--runner", "dataflow"]
        return [*command, *place, *target, *more]

    def run(self, *more: str, output: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*more, output=output)
        return subprocess.run(command, env=self.environment(), text=True, capture_output=True, timeout=150)

    def objects(self, prefix: str) -> dict[str, bytes]:
        os.environ["STORAGE_EMULATOR_HOST"] = self.store
        try:
            bucket = client().bucket(BUCKET)
            names = [blob.name for blob in client().list_blobs(BUCKET, prefix=prefix)]
            return {name.removeprefix(prefix): bucket.blob(name).download_as_bytes() for name in names}
        finally:
            del os.environ["STORAGE_EMULATOR_HOST"]


def client() -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    return storage.Client(project="p", credentials=AnonymousCredentials())


def service_account(path: Path, token_uri: str) -> Path:
    """A key file as Google Cloud gives it out."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    known = {
        "type": "service_account",
        "project_id": "my-project",
        "client_email": "a@my-project.iam",
        "client_id": "1",
    }
    path.write_text(json.dumps({**known, "private_key": key.decode(), "token_uri": f"{token_uri}/token"}))
    return path


@pytest.fixture
def cloud(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    fake = FakeDataflow(tmp_path / "workers", worker_environment(store))
    source = parquet(tmp_path / "in" / "texts.parquet", text_columns(60))
    with monkeypatch.context() as patched:
        patched.setenv("STORAGE_EMULATOR_HOST", store)
        client().bucket(BUCKET).blob("in/texts.parquet").upload_from_filename(str(source))
    tree = values(f"gs://{BUCKET}/in/texts.parquet", "unset", output__shard_size="2KiB")
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps(tree))
    yield Cloud(fake, store, service_account(tmp_path / "key.json", fake.url), config)
    fake.close()


def everything_sent(cloud: Cloud, job: dict[str, Any], output: str) -> bytes:
    """The job, every object of the bucket, and what is inside of packages."""
    parts = [json.dumps(job).encode()]
    for name, data in {**cloud.objects("tmp/"), **cloud.objects(f"{output}/")}.items():
        parts.append(data)
        if name.endswith(".tar.gz"):
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                parts += [archive.extractfile(m).read() for m in archive if m.isfile()]  # type: ignore[union-attr]
    return b"\n".join(parts)


def test_a_run_commits_the_same_files_as_a_direct_one_and_sends_no_secret(cloud: Cloud, tmp_path: Path) -> None:
    done = cloud.run("--machine_type=n2-standard-4", "--max_num_workers=20", "--labels=team=owls", output="whole")
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    (job,) = cloud.dataflow.jobs.values()
    check_job(job, said["version"])
    assert cloud.dataflow.tokens
    theirs = {n: d for n, d in cloud.objects(f"whole/{said['version']}/").items() if not n.startswith("_runs/")}
    direct = tree_of(cloud, tmp_path)
    assert theirs == direct
    assert cloud.objects("whole/LATEST")[""] == f"{said['version']}\n".encode()
    sent = everything_sent(cloud, job, "whole")
    for secret in (*SECRETS.values(), "SECRET-of", "ya29.TOKEN", "PRIVATE KEY", str(cloud.key)):
        assert secret.encode() not in sent, secret


def tree_of(cloud: Cloud, tmp_path: Path) -> dict[str, bytes]:
    """What a direct run makes of the same file."""
    tree = json.loads(cloud.config.read_text())
    tree["input"]["path"], tree["output"]["path"] = f"gs://{BUCKET}/in/texts.parquet", str(tmp_path / "direct")
    (tmp_path / "direct.yaml").write_text(json.dumps(tree))
    command = [*FANBEAM, "run", str(tmp_path / "direct.yaml"), "--json"]
    done = subprocess.run(command, env=cloud.environment(), text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    top = Path(json.loads(done.stdout)["path"])
    names = [p.relative_to(top).as_posix() for p in sorted(top.rglob("*")) if p.is_file()]
    return {name: (top / name).read_bytes() for name in names if not name.startswith("_runs/")}


def check_job(job: dict[str, Any], version: str) -> None:
    """What Dataflow is asked for."""
    assert (job["projectId"], job["location"], job["type"]) == ("my-project", "europe-west1", BATCH)
    assert job["name"].startswith(f"fanbeam-{version}-")
    assert job["labels"] == {"fanbeam_version": version, "team": "owls"}
    environment = job["environment"]
    assert {"use_runner_v2", "disable_logging_submission_environment"} <= set(environment["experiments"])
    (pool,) = environment["workerPools"]
    assert pool["machineType"] == "n2-standard-4"
    assert pool["autoscalingSettings"] == {"algorithm": THROUGHPUT_BASED, "maxNumWorkers": 20}
    assert pool["numThreadsPerWorker"] == 1
    (image,) = {i["containerImage"] for i in pool["sdkHarnessContainerImages"]}
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"beam_python{minor}_sdk:" in image
    assert {p["name"] for p in pool["packages"]} == {"workflow.tar.gz", "requirements.txt"}
    assert environment["sdkPipelineOptions"]["options"]["pipelineUrl"].startswith(f"gs://{BUCKET}/tmp/")


def test_given_options_win_and_an_image_needs_no_packages(cloud: Cloud) -> None:
    cloud.dataflow.runs = False
    more = ("--sdk_container_image=reg/fanbeam:1", "--number_of_worker_harness_threads=3")
    scaled = ("--autoscaling_algorithm=NONE", "--num_workers=2", "--no_wait_until_finish")
    done = cloud.run(*more, *scaled, output="image")
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    (job,) = cloud.dataflow.jobs.values()
    assert (said["handed_over"], said["job"]) == (True, job["id"])
    (pool,) = job["environment"]["workerPools"]
    assert pool["autoscalingSettings"]["algorithm"] == NOT_SCALED
    assert (pool["numThreadsPerWorker"], pool["numWorkers"]) == (3, 2)
    assert {i["containerImage"] for i in pool["sdkHarnessContainerImages"]} == {"reg/fanbeam:1"}
    assert "packages" not in pool
    assert "image/LATEST" not in cloud.objects("image/")


def test_a_job_that_nobody_waits_for_commits_and_points_latest(cloud: Cloud) -> None:
    done = cloud.run("--no_wait_until_finish", output="alone")
    assert done.returncode == 0, done.stdout + done.stderr
    version = json.loads(done.stdout)["version"]
    (job,) = cloud.dataflow.jobs.values()
    assert cloud.dataflow.wait_end(job) == "JOB_STATE_DONE", cloud.dataflow.messages
    found = cloud.objects("alone/")
    assert found["LATEST"] == f"{version}\n".encode()
    again = cloud.run("--no_wait_until_finish", output="alone")
    assert json.loads(again.stdout)["already_there"] is True


def test_a_template_is_written_and_keeps_the_launchers_name(cloud: Cloud) -> None:
    where = f"gs://{BUCKET}/templates/job_object"
    done = cloud.run(f"--template_location={where}", "--job_name=nightly", output="template")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not cloud.dataflow.jobs
    job = json.loads(cloud.objects("templates/")["job_object"])
    assert job["name"] == "nightly"
    assert job["labels"] == {"fanbeam_version": json.loads(done.stdout)["version"]}


@dataclass(frozen=True)
class Scheduler:
    """Somebody who launches the template with parameters, on the two fake services."""

    cloud: Cloud

    def launch(self, name: str, **parameters: str) -> dict[str, Any]:
        """The job, at its end."""
        environment = {**self.cloud.environment(), "FANBEAM_IMAGE": "reg/fanbeam:1"}
        read = lambda left: self.cloud.objects(left).get("")  # noqa: E731
        job = FlexTemplates(spec("reg/fanbeam:1"), BUCKET, environment, read).launch(name, parameters)
        made = self.cloud.dataflow.create("my-project", "europe-west1", json.loads(job))
        assert self.cloud.dataflow.wait_end(made) == "JOB_STATE_DONE", self.cloud.dataflow.messages
        return made


@pytest.fixture
def scheduler(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    with monkeypatch.context() as patched:
        patched.setenv("STORAGE_EMULATOR_HOST", cloud.store)
        client().bucket(BUCKET).blob("configs/c.yaml").upload_from_filename(str(cloud.config))
    return Scheduler(cloud)


def test_the_flex_template_makes_the_dataset_that_its_parameters_ask_for(scheduler: Scheduler) -> None:
    cloud, place = scheduler.cloud, {"config": f"gs://{BUCKET}/configs/c.yaml", "output_path": f"gs://{BUCKET}/flex"}
    job = scheduler.launch("nightly-1", **place, copies="1", seed="7")
    version = cloud.objects("flex/LATEST")[""].decode().strip()
    assert (job["name"], job["labels"]["fanbeam_version"]) == ("nightly-1", version)
    assert job["labels"]["goog-dataflow-provided"] == "no"
    (pool,) = job["environment"]["workerPools"]
    assert {i["containerImage"] for i in pool["sdkHarnessContainerImages"]} == {"reg/fanbeam:1"}
    assert job["environment"]["serviceAccountEmail"] == "workers@my-project.iam"
    assert "enable_something" in job["environment"]["experiments"]
    config = json.loads(cloud.objects(f"flex/{version}/")["manifest.json"])["config"]
    assert (config["copies"], config["seed"]) == (1, 7)


def test_the_same_launch_again_is_a_job_that_changes_nothing(scheduler: Scheduler) -> None:
    """A launcher that leaves no job has failed, and with it the scheduler's step."""
    place = {"config": f"gs://{BUCKET}/configs/c.yaml", "output_path": f"gs://{BUCKET}/again"}
    scheduler.launch("nightly-1", **place)
    first = scheduler.cloud.objects("again/")
    scheduler.launch("nightly-2", **place)
    assert scheduler.cloud.objects("again/") == first


def test_a_launch_with_a_wrong_config_says_what_is_wrong(scheduler: Scheduler) -> None:
    with pytest.raises(Refused, match=r"input\.label"):
        scheduler.launch("wrong", config=f"gs://{BUCKET}/configs/c.yaml", input_label="no_such_column")
    with pytest.raises(Refused, match="copy"):
        scheduler.launch("wrong", config=f"gs://{BUCKET}/configs/c.yaml", copy="8")


def test_why_a_job_died_is_told(cloud: Cloud) -> None:
    cloud.dataflow.runs = False
    with subprocess.Popen(
        cloud.command("--attempts", "1", output="dead"), env=cloud.environment(), text=True, stdout=subprocess.PIPE
    ) as run:
        job = cloud.dataflow.wait_for()
        error = "Error message from worker: Traceback (most recent call last):\n  File x\nMemoryError: no room"
        cloud.dataflow.end(job, "JOB_STATE_FAILED", error, "The job failed because a work item has failed 4 times.")
        said, _ = run.communicate(timeout=90)
    assert run.returncode == 4
    assert "MemoryError: no room" in json.loads(said)["error"]["message"]


def test_ctrl_c_cancels_the_job(cloud: Cloud) -> None:
    import signal

    cloud.dataflow.runs = False
    with subprocess.Popen(
        cloud.command(output="stopped"), env=cloud.environment(), text=True, stdout=subprocess.PIPE
    ) as run:
        job = cloud.dataflow.wait_for()
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 130, said
    assert cloud.dataflow.wait_end(job, 10) == "JOB_STATE_CANCELLED"
