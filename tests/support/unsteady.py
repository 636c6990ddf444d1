"""A server between a client and a store that spoils some answers: what networks and busy stores do."""

import hashlib
import http.client
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Fault = Callable[[str, str], str | None]
REFUSALS = {
    "500": b"<Error><Code>InternalError</Code></Error>",
    "503": b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
    "429": b"<Error/>",
    "401": json.dumps({"error": {"code": 401, "message": "Anonymous caller does not have access."}}).encode(),
}
PASSING = ("reset", "500", "503", "cut", "short", "slow", "lost answer")


class _Between(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.spoil(self.command, self.path)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if fault in REFUSALS:
            self._answer(int(fault), {}, REFUSALS[fault])
            return
        if fault == "slow":
            time.sleep(0.2)
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=30)
        upstream.request(self.command, self.path, body, dict(self.headers.items()))
        response = upstream.getresponse()
        data = response.read()
        headers = {k: v for k, v in response.getheaders() if k.lower() not in ("connection", "transfer-encoding")}
        upstream.close()
        if fault == "lost answer":
            self._answer(500, {}, b"")
        else:
            self._answer(response.status, headers, data, fault)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def _answer(self, status: int, headers: dict[str, str], data: bytes, fault: str | None = None) -> None:
        self.send_response_only(status)
        shown = len(data) // 2 if fault == "short" else len(data)
        headers = {k: v for k, v in headers.items() if k.lower() != "content-length" or self.command == "HEAD"}
        for name, value in headers.items():
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(shown))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if fault in ("cut", "short") else data)
        if fault == "cut":
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    target = 0
    spoil: Fault

    def handle_error(self, *_: object) -> None:
        """A client that gave up is no news."""


@contextmanager
def between(target: int, spoil: Fault) -> Iterator[int]:
    """Its port. `spoil(method, path)` answers with a fault or None."""
    server = _Server(("127.0.0.1", 0), _Between)
    server.target, server.spoil = target, spoil  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def drawn(seed: int, share: float, faults: Sequence[str] = PASSING) -> Fault:
    """Spoils a share of the requests: the n-th one of a method to a path always in the same way."""
    seen: Counter[tuple[str, str]] = Counter()
    busy = threading.Lock()

    def spoil(command: str, path: str) -> str | None:
        with busy:
            seen[command, path] += 1
            drawn = hashlib.sha256(f"{seed} {command} {path} {seen[command, path]}".encode()).digest()
        return faults[drawn[8] % len(faults)] if int.from_bytes(drawn[:8]) < share * 2**64 else None

    return spoil


def down_after(writes: int) -> Fault:
    """A store that takes so many writes and then is gone."""
    taken: list[str] = []

    def spoil(command: str, path: str) -> str | None:
        if len(taken) >= writes:
            return "reset"
        if command in ("PUT", "POST"):
            taken.append(path)
        return None

    return spoil


def every(fault: str, method: str = "", times: int = 1) -> Fault:
    """Spoils the first `times` requests of a method to each path."""
    seen: dict[tuple[str, str], int] = {}
    busy = threading.Lock()

    def spoil(command: str, path: str) -> str | None:
        with busy:
            key = (command, path)
            seen[key] = seen.get(key, 0) + 1
            return fault if (not method or command == method) and seen[key] <= times else None

    return spoil
