"""Dataflow's REST API as far as Beam and fanbeam call it, and Google's token endpoint. Accepted jobs are really run.

https://cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.locations.jobs
"""

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

WORKER = Path(__file__).with_name("dataflow_worker.py")
JOBS = re.compile(r"/v1b3/projects/([^/]+)/locations/([^/]+)/jobs(?:/([^/]+))?(?:/(messages|metrics))?$")
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "OPENBLAS_CORETYPE")  # the last one names the class of CPU
FINAL = {"JOB_STATE_DONE", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"}


@dataclass
class FakeDataflow:
    """`runs`: whether accepted jobs are executed. `environment`: of the workers. `home`: where they put their files."""

    home: Path
    environment: dict[str, str]
    runs: bool = True
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, list[str]] = field(default_factory=dict)
    tokens: int = 0

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.workers: dict[str, subprocess.Popen[str]] = {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                code, value = fake.answer(self.command, self.path, body)
                data = json.dumps(value).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = answer  # noqa: N815

        self.server = ThreadingHTTPServer(("localhost", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server.server_address[1]}"

    def close(self) -> None:
        for process in self.workers.values():
            if process.poll() is None:
                process.kill()
            process.wait(30)
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()

    def wait_for(self, count: int = 1, seconds: float = 120) -> dict[str, Any]:
        """The job of that number, once it is there."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.jobs) >= count, seconds), "no job came"
            return list(self.jobs.values())[count - 1]

    def wait_end(self, job: dict[str, Any], seconds: float = 120) -> str:
        with self.changed:
            assert self.changed.wait_for(lambda: job["currentState"] in FINAL, seconds), job["currentState"]
            return str(job["currentState"])

    def end(self, job: dict[str, Any], state: str, *messages: str) -> None:
        with self.changed:
            if job["currentState"] not in FINAL:
                job["currentState"] = state
                self.messages[job["id"]] += messages
            self.changed.notify_all()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        asked = urlparse(path)
        if asked.path == "/token":
            self.tokens += 1
            return 200, {"access_token": "ya29.TOKEN-OF-THE-FAKE", "expires_in": 3600, "token_type": "Bearer"}
        match = JOBS.match(asked.path)
        if match is None or (match[3] is not None and match[3] not in self.jobs):
            return 404, {"error": {"code": 404, "message": f"no {path}", "status": "NOT_FOUND"}}
        if match[3] is not None:
            return 200, self.of_job(method, self.jobs[match[3]], match[4])
        if method == "POST":
            return 200, self.create(match[1], match[2], json.loads(body))
        name = parse_qs(asked.query).get("name", [""])[0]
        return 200, {"jobs": [j for j in self.jobs.values() if not name or j["name"] == name]}

    def of_job(self, method: str, job: dict[str, Any], part: str | None) -> Any:
        if method == "PUT":
            self.cancel(job)
        if part == "messages":
            return {"jobMessages": [self.told(n, text) for n, text in enumerate(self.messages[job["id"]])]}
        return {"metrics": []} if part == "metrics" else job

    def told(self, number: int, text: str) -> dict[str, str]:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return {"id": str(number), "time": now, "messageText": text, "messageImportance": "JOB_MESSAGE_ERROR"}

    def create(self, project: str, location: str, job: dict[str, Any]) -> dict[str, Any]:
        with self.changed:
            identity = f"2026-11-24_{len(self.jobs):04d}"
            made = {**job, "id": identity, "projectId": project, "location": location}
            made["currentState"] = "JOB_STATE_RUNNING"
            self.jobs[identity], self.messages[identity] = made, []
            self.changed.notify_all()
        if self.runs:
            threading.Thread(target=self.execute, args=(made,), daemon=True).start()
        return made

    def execute(self, job: dict[str, Any]) -> None:
        """As Google's machines do: with what was staged, in an environment of their own."""
        pipeline = job["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"]
        home = self.home / job["id"]
        home.mkdir(parents=True)
        command = [sys.executable, str(WORKER), pipeline, str(home)]
        process = subprocess.Popen(
            command, cwd=home, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.workers[job["id"]] = process
        said, _ = process.communicate(timeout=150)
        state = "JOB_STATE_FAILED" if process.returncode else "JOB_STATE_DONE"
        self.end(job, state, *([said] if process.returncode else []))

    def cancel(self, job: dict[str, Any]) -> None:
        process = self.workers.get(job["id"])
        self.end(job, "JOB_STATE_CANCELLED")
        if process is not None and process.poll() is None:
            process.kill()


def worker_environment(store: str) -> dict[str, str]:
    """What workers have: programs, libraries and the store; nothing of whoever submitted."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "STORAGE_EMULATOR_HOST": store, "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}
