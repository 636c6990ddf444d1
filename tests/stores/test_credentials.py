"""Keys that are wrong or missing are told in one line with a remedy; those that are right stand nowhere."""

import bz2
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import workdata
from records_in_stores import FIELDS, rows, table
from servers import Server
from unsteady import between, every

from pipeline.storage.folder import Folder

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
NOWHERE = "http://127.0.0.1:1"
AWS, AZURE = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", "AZURE_STORAGE_CONNECTION_STRING"
NO_FILES = {"AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
AZURE_NAMES = ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY")
WRONG_KEY = "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgdw=="
SECRETS = {"MY_PASSWORD": "SECRET-of-mine-77aa", "AZURE_CLIENT_SECRET": "SECRET-of-azure-9c2d"}
Environment = dict[str, str]


def without(*names: str) -> Callable[[Environment], None]:
    def change(environment: Environment) -> None:
        environment.update(dict.fromkeys(names, ""))

    return change


def wrong_azure_key(environment: Environment) -> None:
    right = environment["AZURE_STORAGE_ACCOUNT_KEY"]
    for name in AZURE_NAMES:
        environment[name] = environment[name].replace(right, WRONG_KEY)


def azure_is_elsewhere(environment: Environment) -> None:
    connection = environment["AZURE_STORAGE_CONNECTION_STRING"]
    environment["AZURE_STORAGE_CONNECTION_STRING"] = (
        f"{connection.partition('BlobEndpoint=')[0]}BlobEndpoint={NOWHERE}/a;"
    )


CASES = [
    ("s3", lambda e: e.update(AWS_SECRET_ACCESS_KEY="wrong"), "", ("access denied", AWS)),
    ("s3", lambda e: e.update(AWS_ACCESS_KEY_ID="nobody"), "", ("access denied", AWS)),
    ("s3", without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "", ("no credentials", AWS)),
    ("s3", lambda e: e.update(AWS_ENDPOINT_URL=NOWHERE), "", ("cannot be reached", "AWS_ENDPOINT_URL")),
    ("s3", without(), "s3://nowhere", ("no such bucket", "Create it")),
    ("gcs", lambda e: e.update(STORAGE_EMULATOR_HOST="", GOOGLE_APPLICATION_CREDENTIALS="/nowhere"), "",
     ("cannot be read", "GOOGLE_APPLICATION_CREDENTIALS")),
    ("gcs", lambda e: e.update(STORAGE_EMULATOR_HOST="", GOOGLE_APPLICATION_CREDENTIALS=__file__), "",
     ("no JSON", "GOOGLE_APPLICATION_CREDENTIALS")),
    ("gcs", lambda e: e.update(STORAGE_EMULATOR_HOST=NOWHERE), "", ("did not answer", "STORAGE_EMULATOR_HOST")),
    ("gcs", without(), "gs://nowhere", ("no such bucket", "Create it")),
    ("azure", wrong_azure_key, "", ("access denied", AZURE)),
    ("azure", without(*AZURE_NAMES), "", ("no credentials", AZURE)),
    ("azure", azure_is_elsewhere, "", ("cannot be reached", "AZURE_STORAGE_ENDPOINT")),
    ("azure", without(), "az://nowhere", ("no such bucket", "Create it")),
]  # fmt: skip


def config(path: Path, source: str, output: str) -> Path:
    tree = workdata.image_config(source, output, fields={"text": FIELDS["text"]}, limits={"failed": 0.5})
    return workdata.write_config(path, tree)


def refused(home: Path, bucket: str, environment: Environment) -> str:
    """What `check` says of an input in a store that cannot be used: one line."""
    path = config(home / "c.yaml", f"{bucket}/in.parquet", str(home / "out"))
    done = workdata.run("check", path, "--json", timeout=240, **environment)
    assert done.returncode == 2, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    (problem,) = json.loads(done.stdout)["error"]["problems"]
    assert "\n" not in problem["message"]
    assert problem["where"].endswith("input.path")
    return f"{problem['message']} {problem['suggestion']}"


@pytest.mark.parametrize(
    ("store", "change", "bucket", "words"), CASES,
    indirect=["store"],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_a_remedy(
    store: Server, change: Callable[[Environment], None], bucket: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    environment = {**store.environment, **NO_FILES}
    change(environment)
    said = refused(tmp_path, bucket or store.bucket, environment)
    assert all(word in said for word in words), said


@pytest.mark.parametrize("store", ["gcs"], indirect=True)
def test_a_private_bucket_asks_for_credentials(store: Server, tmp_path: Path) -> None:
    with between(store.port, every("401", times=1000)) as port:
        said = refused(tmp_path, store.bucket, dict(store.through(port).environment))
    assert "no credentials" in said and "gcloud" in said


@pytest.mark.parametrize(
    ("url", "library", "extra"),
    [
        ("s3://b", "obstore", "s3"),
        ("gs://b", "gcsfs", "gcs"),
        ("az://b", "obstore", "azure"),
        ("s3://b", "botocore", "s3"),
    ],
)
def test_a_missing_extra_is_named(url: str, library: str, extra: str, tmp_path: Path) -> None:
    (tmp_path / f"{library}.py").write_text(f"raise ImportError('no {library}')")
    path = f"{tmp_path}:{workdata.ROOT}"
    said = refused(tmp_path, url, {"PYTHONPATH": path, "AWS_ACCESS_KEY_ID": "", **NO_FILES})
    assert f"pip install 'fanbeam[{extra}]'" in said


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_an_output_without_a_bucket_is_told_before_anything_is_made(store: Server, tmp_path: Path) -> None:
    (tmp_path / "in.parquet").write_bytes(table(some_rows()).to_pybytes())
    path = config(tmp_path / "c.yaml", str(tmp_path / "in.parquet"), "s3://nowhere/out")
    done = workdata.run("run", path, "--json", timeout=240, **store.environment)
    assert done.returncode == 4, done.stderr + done.stdout
    message = json.loads(done.stdout)["error"]["message"]
    assert "no such bucket" in message and "\n" not in message


def some_rows() -> list[dict[str, Any]]:
    """One of them fails."""
    made = [{name: row[name] for name in ("id", "label", "text")} for row in rows("")]
    return [*made[:-1], {**made[-1], "text": None}]


@pytest.mark.parametrize("store", ["s3", "azure"], indirect=True)
def test_credentials_stand_nowhere(store: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.enter(monkeypatch)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    top = Folder(f"{store.bucket}/secrets")
    top.put("in.parquet", table(some_rows()))
    path = config(tmp_path / "c.yaml", top.full("in.parquet"), top.full("out"))
    top.put("c.yaml", path.read_bytes())
    said = [workdata.run(*command, timeout=240) for command in (
        ("run", top.full("c.yaml"), "--json"), ("plan", path, "--json"), ("run", path, "--debug"),
        ("verify", top.full("out"), "--samples", "2", "--json"), ("replay", top.full("out"), "r001/1", "--json"),
        ("check", path, "--debug", "--set", f"input.path={store.bucket}/gone"),
    )]  # fmt: skip
    assert [done.returncode for done in said] == [0, 0, 0, 0, 0, 2], said
    told = {f"command {n}": (done.stdout + done.stderr).encode() for n, done in enumerate(said)}
    written = {f.path: top.read(f.path) for f in top.walk()}
    kinds = ("manifest.json", "_plan.json", "_receipts/", "_runs/", "_failed/", "README.md", "croissant.json", "LATEST")
    assert all(any(kind in name for name in written) for kind in kinds), sorted(written)
    graph = {f"graph {n}": part for n, part in enumerate(job_graph(path, monkeypatch))}
    for name, content in {**told, **written, **graph}.items():
        shown = content + (opened(content) if name.endswith(".parquet") else b"")
        for secret in secrets(store):
            assert secret.encode() not in shown, name


def secrets(store: Server) -> list[str]:
    """Keys, and strings of which they are a part."""
    found = [value for name, value in store.environment.items() if "SECRET" in name or "KEY" in name.split("_")[-1]]
    return [*found, *SECRETS.values(), "AccountKey="]


def opened(parquet: bytes) -> bytes:
    """Rows and metadata of a file, unpacked."""
    found = pq.read_table(io.BytesIO(parquet))
    return f"{found.to_pylist()} {found.schema.metadata}".encode()


def noting(packed: list[bytes], compress: Callable[..., bytes]) -> Callable[..., bytes]:
    """`compress`, and what it was given."""

    def noted(data: bytes, *more: Any, **options: Any) -> bytes:
        packed.append(data)
        return compress(data, *more, **options)

    return noted


def job_graph(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The graph as every engine gets it, what is packed in it before it is packed, and the files of its work."""
    import apache_beam as beam

    from pipeline.config.loader import read_config
    from pipeline.dataset.commit import Expected
    from pipeline.driver.jobs import job_of
    from pipeline.engines.beam.graph import Work, build
    from pipeline.engines.work_files import assign
    from pipeline.engines.worker_environment import Surroundings
    from pipeline.planning.checks.check import checked
    from pipeline.planning.job import Task
    from pipeline.records import Block, Shard

    config, listing = checked(read_config(str(path)), with_recipes=False)
    job = job_of(config, listing)
    tasks = [Task(Shard("train", n, (Block(unit, 0, unit.rows),))) for n, unit in enumerate(listing.units)]
    expected = Expected(tuple(t.shard.name for t in tasks), 0, listing.files)
    files = assign(job, "fanbeam-x", tasks, expected)
    packed: list[bytes] = []
    for library in (bz2, zlib):
        monkeypatch.setattr(library, "compress", noting(packed, library.compress))
    pipeline = beam.Pipeline(options=beam.options.pipeline_options.PipelineOptions([]))
    build(pipeline, Work(job, files, Surroundings.here(config, "fanbeam-x"), local=False))
    graph = pipeline.to_runner_api().SerializeToString()
    assert any(job.output.url.encode() in part for part in packed)
    assigned = [job.dataset.read(f"_runs/work/{name}") for name in job.dataset.names("_runs/work")]
    assert len(assigned) == files + 1
    return [graph, *packed, *assigned]
