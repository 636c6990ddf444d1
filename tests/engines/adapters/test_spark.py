"""What `--runner spark` adds to Beam's options, what it finds missing, cancelling and causes; no Spark needed."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipeline.engines.adapters import spark
from pipeline.engines.adapters.job_server import leashed
from pipeline.engines.adapters.spark_rest import PAGE_VARIABLE, Master, is_local
from pipeline.engines.options import ENGINES, engine_of
from pipeline.errors import Problem
from pipeline.storage.folder import Folder

HERE = Folder.at("out")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in ("FANBEAM_SPARK_JOB_SERVER_JAR", PAGE_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return tmp_path / "cache" / "fanbeam" / "engines"


class Page:
    """A master's page: its port and the master's, what it tells, what was killed."""

    def __init__(self, port: int, master: int) -> None:
        self.port, self.master, self.killed = port, master, list[str]()
        self.told: dict[str, Any] = {
            "url": f"spark://localhost:{master}", "status": "ALIVE", "aliveworkers": 2, "activeapps": [],
            "completedapps": [],
        }  # fmt: skip

    def app(self, name: str, state: str, start: int = 0) -> None:
        key = "activeapps" if state == "RUNNING" else "completedapps"
        self.told[key].append({"id": f"app-{name}-{start}", "name": f"{name}_x-y", "state": state, "starttime": start})

    def kill(self, number: str) -> None:
        self.killed.append(number)
        for app in [a for a in self.told["activeapps"] if a["id"] == number]:
            self.told["activeapps"].remove(app)
            self.told["completedapps"].append({**app, "state": "KILLED"})


def closed() -> int:
    with listening() as port:
        return port


@contextmanager
def listening() -> Iterator[int]:
    with closing(socket.socket()) as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        yield int(door.getsockname()[1])


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(json.dumps(mine.told).encode())

        def do_POST(self) -> None:
            body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            assert (self.path, body["terminate"]) == ("/app/kill/", ["true"])
            mine.kill(body["id"][0])
            self._say(b"")

        def _say(self, body: bytes) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None: ...

    with listening() as master, HTTPServer(("127.0.0.1", 0), Answer) as server:
        mine = Page(server.server_port, master)
        monkeypatch.setenv(PAGE_VARIABLE, f"localhost:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield mine
        server.shutdown()
        thread.join()


def master_of(page: Page) -> dict[str, Any]:
    return {"spark_master_url": f"spark://localhost:{page.master}"}


def only(found: list[Problem]) -> str:
    (problem,) = found
    assert "\n" not in str(problem)
    assert problem.suggestion
    return str(problem)


@pytest.mark.parametrize(("name", "key"), [("SparkRunner", "spark"), ("PrismRunner", "prism"), ("Spark", "spark")])
def test_beams_own_names(name: str, key: str) -> None:
    assert engine_of(name) is ENGINES[key]


# ---- options


def without_leash(options: list[str]) -> list[str]:
    leash = leashed({})
    assert [word for word in options if word in leash] == leash
    return [word for word in options if word not in leash]


def test_spark_alone_runs_inside_the_job_server(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "default_count", lambda: 3)
    assert without_leash(spark.settled({})) == [
        "--spark_master_url=local[3,4]", "--environment_type=LOOPBACK",
        *(f"--job_server_jvm_properties=-Dspark.{p}" for p in (
            "driver.host=localhost", "driver.bindAddress=127.0.0.1", "ui.enabled=false")),
    ]  # fmt: skip
    for version in ("2.9.0", "2.70.0"):
        jar = empty_cache / f"beam-spark-job-server-{version}" / "job-server.jar"
        jar.parent.mkdir(parents=True)
        jar.touch()
    assert f"--spark_job_server_jar={jar}" in spark.settled({})
    monkeypatch.setenv("FANBEAM_SPARK_JOB_SERVER_JAR", "/mine.jar")
    assert "--spark_job_server_jar=/mine.jar" in spark.settled({})


def test_what_is_given_is_not_repeated() -> None:
    given = {"spark_master_url": "local[2]", "spark_job_server_jar": "/j.jar", "environment_type": "PROCESS"}
    added = [word.partition("=")[0] for word in without_leash(spark.settled(given))]
    assert set(added) == {"--job_server_jvm_properties", "--environment_cache_millis"}


def test_a_master_of_this_machine_reaches_this_process() -> None:
    near = {"spark_master_url": "spark://localhost:7077", "spark_job_server_jar": "/j.jar"}
    assert "--environment_type=LOOPBACK" in spark.settled(near)
    assert "--job_server_jvm_properties=-Dspark.executor.extraClassPath=/j.jar" in spark.settled(near)
    assert "--environment_type=LOOPBACK" not in spark.settled({**near, "environment_type": "PROCESS"})
    assert not [w for w in spark.settled({**near, "job_endpoint": "h:1"}) if "jvm" in w or "jar" in w]


def test_a_master_elsewhere_gets_workers_of_its_own_which_are_kept() -> None:
    added = without_leash(spark.settled({"spark_master_url": "spark://192.0.2.1:7077"}))
    assert added == ["--environment_cache_millis=600000"]


@pytest.mark.parametrize(("url", "local"), [
    ("local", True), ("local[*]", True), ("local[2,4]", True), ("", True), ("spark://h:1", False), ("yarn", False),
])  # fmt: skip
def test_local_masters(url: str, local: bool) -> None:
    assert is_local({"spark_master_url": url}) is local


# ---- what is missing


def whole(**more: Any) -> dict[str, Any]:
    return {"environment_type": "LOOPBACK", "job_server_java_launcher": "java", **more}


def test_nothing_is_missing(page: Page) -> None:
    assert spark.problems(whole(**master_of(page)), HERE) == []
    assert spark.problems(whole(spark_master_url="local[2]"), HERE) == []


def fake_java(folder: Path, version: str) -> str:
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return str(program)


def test_java_and_jar(tmp_path: Path) -> None:
    assert "not-there is not installed" in only(spark.problems(whole(job_server_java_launcher="not-there"), HERE))
    old = fake_java(tmp_path, "1.8.0_292")
    assert "is Java 8, too old" in only(spark.problems(whole(job_server_java_launcher=old), HERE))
    told = only(spark.problems(whole(spark_job_server_jar="/no.jar"), HERE))
    assert told.startswith("--spark_job_server_jar: /no.jar: there is no such file.")
    assert "scripts/engines/spark.sh up" in told


def test_no_master_and_no_workers(page: Page) -> None:
    url = f"spark://localhost:{closed()}"
    assert "no Spark master at localhost:" in only(spark.problems(whole(spark_master_url=url), HERE))
    assert "connection refused" in only(spark.problems(whole(spark_master_url=url), HERE))
    page.told["aliveworkers"] = 0
    assert "no worker that is alive" in only(spark.problems(whole(**master_of(page)), HERE))
    standby = {"spark_master_url": f"{url},localhost:{page.master}"}
    assert "no worker" in only(spark.problems(whole(**standby), HERE))
    assert "is not of the form spark://HOST:PORT" in only(spark.problems(whole(spark_master_url="spark://h:x"), HERE))


def test_no_job_server() -> None:
    told = only(spark.problems(whole(job_endpoint=f"localhost:{closed()}"), HERE))
    assert "no job server at localhost:" in told


def test_process_needs_a_command(page: Page, tmp_path: Path) -> None:
    def told(**more: Any) -> str:
        return only(spark.problems({**master_of(page), "environment_type": "PROCESS", **more}, HERE))

    assert "PROCESS needs the command" in told()
    assert "there is no such file" in told(environment_config='{"command": "/no/boot.sh"}')
    assert "is no JSON object" in told(environment_config="boot.sh")


def test_another_host(monkeypatch: pytest.MonkeyPatch, page: Page, tmp_path: Path) -> None:
    """Its workers reach neither this process nor a disk of this machine."""
    monkeypatch.setattr(spark, "is_here", lambda host: False)
    output = Folder.at(str(tmp_path))
    where = [p.where for p in spark.problems(whole(**master_of(page)), output)]
    assert where[0] == "--environment_type"
    assert where[1:] in (["output.path"], [])  # a disk that this test cannot name
    docker = {**master_of(page), "environment_type": "DOCKER", "environment_config": "image"}
    assert "--environment_type" not in [p.where for p in spark.problems(docker, output)]
    assert spark.problems(docker, Folder.at("memory://out")) == []


def test_setup_file_and_rest_url() -> None:
    assert "--setup_file: no.py" in only(spark.problems(whole(setup_file="no.py"), HERE))
    assert "--spark_rest_url" in only(spark.problems(whole(spark_submit_uber_jar=True), HERE))


# ---- cancelling and causes


def test_cancel_ends_the_jobs_own_application_and_waits(page: Page) -> None:
    page.app("job-1", "RUNNING")
    page.app("job-10", "RUNNING")
    spark.cancel(master_of(page), "job-1")
    assert page.killed == ["app-job-1-0"]
    assert [a["name"] for a in page.told["activeapps"]] == ["job-10_x-y"]
    spark.cancel(master_of(page), "job-1")
    assert page.killed == ["app-job-1-0"]
    spark.cancel({"spark_master_url": "local[2]"}, "job-1")


def test_one_that_does_not_end(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.app("job", "RUNNING")
    monkeypatch.setattr(page, "kill", lambda number: None)
    master = Master.of(master_of(page))
    assert master is not None
    with pytest.raises(TimeoutError, match=r"did not end within 0\.1 s"):
        master.cancel("job", 0, 0.1)


def test_causes(page: Page) -> None:
    assert spark.cause(master_of(page), "job") == ""
    page.app("job", "FINISHED", start=1)
    assert spark.cause(master_of(page), "job") == ""
    page.app("job", "KILLED", start=2)
    assert spark.cause(master_of(page), "job") == "the Spark application was killed"
    page.told["aliveworkers"] = 0
    assert spark.cause(master_of(page), "job") == "Spark has no worker left"
    assert spark.cause({"spark_master_url": "local[2]"}, "job") == ""


def test_the_page_of_another_master_is_none(page: Page) -> None:
    page.told["url"] = "spark://localhost:1"
    with pytest.raises(OSError, match=PAGE_VARIABLE):
        spark.cause(master_of(page), "job")
    assert spark.problems(whole(**master_of(page)), HERE) == []
