"""A worker of the fake Dataflow: fetches what was staged, unpacks the staged fanbeam, runs the staged graph.

python dataflow_worker.py gs://BUCKET/…/pipeline.pb FOLDER
"""

import sys
import tarfile
import zipfile
from pathlib import Path


def main(url: str, home: str) -> None:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    client = storage.Client(project="p", credentials=AnonymousCredentials())
    bucket, _, name = url.removeprefix("gs://").partition("/")
    folder = name.rpartition("/")[0]
    staged = Path(home) / "staged"
    for blob in client.list_blobs(bucket, prefix=folder):
        target = staged / blob.name.removeprefix(f"{folder}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(client.bucket(bucket).blob(blob.name).download_as_bytes())
    sys.path.insert(0, unpacked(staged, Path(home) / "installed"))
    run((staged / "pipeline.pb").read_bytes())


def unpacked(staged: Path, home: Path) -> str:
    """The folder that holds the staged fanbeam; without one, that of the worker's image: this checkout."""
    if not [*staged.glob("fanbeam-*.whl"), *staged.glob("workflow.tar.gz")]:
        return str(Path(__file__).parents[2])
    for wheel in staged.glob("fanbeam-*.whl"):
        zipfile.ZipFile(wheel).extractall(home)
        return str(home)
    with tarfile.open(staged / "workflow.tar.gz") as source:
        source.extractall(home, filter="data")
    (inside,) = home.iterdir()
    return str(inside)


def run(graph: bytes) -> None:
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.portability import common_urns, python_urns
    from apache_beam.portability.api import beam_runner_api_pb2
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    import pipeline

    assert Path(pipeline.__file__).is_relative_to(sys.path[0]), pipeline.__file__
    proto = beam_runner_api_pb2.Pipeline.FromString(graph)
    for environment in proto.components.environments.values():
        assert environment.urn == common_urns.environments.DOCKER.urn
        environment.urn, environment.payload = python_urns.EMBEDDED_PYTHON, b""
        del environment.dependencies[:]
    result = FnApiRunner().run_via_runner_api(proto, PipelineOptions([]))
    assert result.wait_until_finish() == "DONE"


if __name__ == "__main__":
    main(*sys.argv[1:])
