"""Tables that name what never ends: a pipe, a device, a server that sends a byte now and then."""

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import workdata
from conftest import run

SECONDS = 2


class _Dripping(BaseHTTPRequestHandler):
    """Says that 100,000 bytes come, and sends one every 50 ms."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        try:
            for _ in range(100_000):
                self.wfile.write(b"x")
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


def test_what_never_ends_is_one_failed_record(tmp_path: Path) -> None:
    """Every record beside it comes out, and the run ends soon."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Dripping)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    data = tmp_path / "in"
    data.mkdir()
    rows: list[dict[str, Any]] = []
    for row in workdata.image_rows(12):
        (data / f"{row['id']}.jpg").write_bytes(row["image"])
        rows.append({**row, "image": f"{row['id']}.jpg"})
    os.mkfifo(data / "pipe.jpg")
    (data / "zero.jpg").symlink_to("/dev/zero")
    rows[2]["image"], rows[5]["image"], rows[8]["image"] = "pipe.jpg", "zero.jpg", f"{url}/drips.jpg"
    source = workdata.write_csv(data / "t.csv", rows)
    field = {"type": "image", "uri": {"allow": [url]}, "augment": ["albumentations.HorizontalFlip"]}
    tree = workdata.image_config(source, tmp_path / "out", limits={"failed": 1}, fields={"image": field}, copies=1)
    tree |= {"record_timeout": SECONDS, "split": {}}
    begun = time.monotonic()
    try:
        assert run(workdata.write_config(tmp_path / "c.yaml", tree)) == 0
    finally:
        server.shutdown()
        server.server_close()
    assert time.monotonic() - begun < 60
    made = workdata.version_folder(tmp_path / "out")
    found = {row["source_row"]: row for row in workdata.dropped(made)}
    assert {number: row["reason"] for number, row in found.items()} == {
        2: "unreadable_file", 5: "outside_allowed", 8: "timed_out",
    }  # fmt: skip
    assert "not a regular file" in found[2]["message"]
    assert len(workdata.samples(made)) == 18
