"""S3 through obstore, against a server in this process, with faults between."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from unsteady import between, every

from pipeline.errors import InputError, RunFailed
from pipeline.storage.folder import Folder, StoreFailed, expand, file_system
from pipeline.storage.lock import probe_put_if_absent
from pipeline.storage.stores import credentials, retries

NAMES = ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_SKIP_SIGNATURE", "AWS_REGION")


@pytest.fixture(scope="session")
def s3() -> Iterator[int]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="bucket")
    yield port
    server.stop()


def at(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def folder(s3: int, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Folder:
    at(monkeypatch, s3)
    return Folder(f"s3://bucket/{request.node.name}")


def test_what_is_put_is_read(folder: Folder) -> None:
    folder.put("a/b.bin", pa.py_buffer(b"12345"))
    assert folder.read("a/b.bin") == b"12345"
    assert folder.read_range("a/b.bin", 1, 3) == b"23"
    assert folder.read_range("a/b.bin", 3, 30) == b"45"
    assert folder.read_range("a/b.bin", 3, 3) == b""
    folder.put("e", b"")
    assert folder.read("e") == b""
    folder.put("ü x%20#?.txt", b"1")
    assert folder.read("ü x%20#?.txt") == b"1"
    assert [f.path for f in folder.walk()] == ["a/b.bin", "e", "ü x%20#?.txt"]
    assert folder.stat("a/b.bin") == next(f for f in folder.walk() if f.path == "a/b.bin")
    assert (folder.names(), folder.folders()) == (["e", "ü x%20#?.txt"], ["a"])
    assert folder.exists() and folder.exists("a") and not folder.exists("b")
    folder.remove("e")
    folder.remove("e")
    assert not folder.exists("e")


def test_what_is_not_there(folder: Folder) -> None:
    for call in (folder.read, folder.stat, lambda name: folder.read_range(name, 0, 3)):
        with pytest.raises(FileNotFoundError):
            call("gone")
    assert folder.names("gone") == folder.walk() == []
    with pytest.raises(InputError, match="no such path"):
        expand(folder.full("gone"))


def test_large_objects_go_up_in_parts_and_whole(folder: Folder) -> None:
    data = os.urandom(20_000_001)
    folder.put("large", data)
    assert folder.read("large") == data
    assert folder.put_if_absent("absent", data)
    assert not folder.put_if_absent("absent", data[::-1])
    assert folder.read("absent") == data


def test_one_of_many_wins(folder: Folder) -> None:
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda n: folder.put_if_absent("a", str(n).encode()), range(8)))
    assert won.count(True) == 1
    assert folder.read("a") == str(won.index(True)).encode()
    assert probe_put_if_absent(folder)
    assert folder.names() == ["a"]


def test_globs_and_markers_of_folders(folder: Folder) -> None:
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="us-east-1")
    for name in ("x/a.parquet", "x/b.csv", "x/deep/c.parquet", "y/d.parquet", "x/._a.parquet"):
        folder.put(name, b"1")
    prefix = folder.url.removeprefix("s3://bucket/")
    for name in ("", "x/", "x/deep/"):
        client.put_object(Bucket="bucket", Key=f"{prefix}/{name}", Body=b"")

    def found(pattern: str) -> list[str]:
        root, files = expand(folder.full(pattern))
        return sorted(root.full(f.path).removeprefix(folder.url + "/") for f in files)

    assert found("x/*.parquet") == ["x/a.parquet"]
    assert found("**/*.parquet") == ["x/a.parquet", "x/deep/c.parquet", "y/d.parquet"]
    assert found("?/*.parquet") == ["x/a.parquet", "y/d.parquet"]
    assert found("x/.*.parquet") == ["x/._a.parquet"]
    assert found("") == ["x/a.parquet", "x/b.csv", "x/deep/c.parquet", "y/d.parquet"]
    assert folder.names("x") == ["._a.parquet", "a.parquet", "b.csv"]


def test_arrow_reads_columns_and_datasets(folder: Folder) -> None:
    table = pa.table({"a": range(20_000), "b": [os.urandom(300) for _ in range(20_000)]})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=7_000)
    folder.put("t/a.parquet", sink.getvalue())
    for known in (None, sink.getvalue().size):
        with folder.open("t/a.parquet", known) as file:
            assert pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20).read(use_threads=False).equals(table)
    system, root = file_system(folder)
    dataset = pads.dataset([f"{root}/t/a.parquet"], filesystem=system, format="parquet")
    assert dataset.to_table().equals(table)
    assert dataset.to_table(filter=pads.field("a") == 77, columns=["a"]).to_pylist() == [{"a": 77}]


@pytest.mark.parametrize("fault", ["500", "503", "429", "reset", "cut", "short", "slow"])
def test_faults_that_pass_change_nothing(s3: int, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    data = os.urandom(300_000)
    with between(s3, every(fault)) as port:
        at(monkeypatch, port)
        folder = Folder(f"s3://bucket/faults-{fault}")
        folder.put("a", data)
        assert folder.put_if_absent("b", b"one") or fault in ("cut", "short")  # the answer was lost, not the object
        assert folder.read("b") == b"one"
        assert folder.read("a") == data
        assert folder.read_range("a", 5, 200_000) == data[5:200_000]
        assert [f.path for f in folder.walk()] == ["a", "b"]
        assert folder.stat("a").size == len(data)
        assert not folder.put_if_absent("b", b"two")
        folder.remove("a")
        assert folder.names() == ["b"]


def test_a_store_that_stays_broken_is_one_clear_line(s3: int, monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    for fault, said in (("503", "too busy"), ("500", "failed through every attempt"), ("reset", "cannot be reached")):
        with between(s3, every(fault, times=1000)) as port:
            at(monkeypatch, port)
            for call in (lambda: Folder("s3://bucket/x").read("a"), lambda: Folder("s3://bucket/x").put("a", b"1")):
                with pytest.raises(StoreFailed, match=said) as caught:
                    call()
                assert "\n" not in caught.value.message
            with pytest.raises(InputError, match=said):
                expand("s3://bucket/x")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits."""
    monkeypatch.setattr(credentials, "_PATIENT", {"max_retries": 1})
    monkeypatch.setattr(credentials, "_IMPATIENT", {"max_retries": 1})
    monkeypatch.setattr(retries, "_FIRST_SECONDS", 0.01)


def test_a_short_answer_that_stays_short_is_refused(s3: int, monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    at(monkeypatch, s3)
    Folder("s3://bucket/cut").put("a", b"x" * 1000)
    for fault in ("cut", "short"):
        with between(s3, every(fault, "GET", times=1000)) as port:
            at(monkeypatch, port)
            with pytest.raises(RunFailed):
                Folder("s3://bucket/cut").read_range("a", 0, 1000)


def test_clear_errors(s3: int, monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    at(monkeypatch, s3)
    with pytest.raises(InputError, match="no such bucket"):
        expand("s3://nowhere/x")
    with pytest.raises(RunFailed, match="no such bucket"):
        Folder("s3://nowhere/x").put("a", b"1")
    at(monkeypatch, 1)
    with pytest.raises(InputError, match=r"cannot be reached.*AWS_ENDPOINT_URL"):
        expand("s3://bucket/x")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(InputError, match=r"no credentials.*AWS_ACCESS_KEY_ID"):
        expand("s3://bucket/x")


def test_threads_share_one_client(folder: Folder) -> None:
    folder.put("a", b"1" * 100_000)
    barrier = threading.Barrier(16)

    def read(_: int) -> int:
        barrier.wait()
        return len(folder.read("a"))

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(read, range(16))) == {100_000}
