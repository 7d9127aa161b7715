"""A server that misbehaves on purpose: it issues tokens properly, then does to each call what a test says."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes
    connection: socket.socket
    stopping: threading.Event

    def json(self) -> dict:
        return json.loads(self.body)

    def send(self, raw: bytes) -> None:
        try:
            self.connection.sendall(raw)
        except OSError:
            return

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    def answer_json(self, value: object, status: int = 200) -> None:
        self.answer(status, json.dumps(value).encode(), Content_Type="application/json")

    def drip(self, raw: bytes, every_s: float = 0.05) -> None:
        for byte in raw:
            if self.stopping.wait(every_s):
                return
            self.send(bytes([byte]))


Handler = Callable[[Request], None]


@dataclass
class RudeServer:
    url: str
    requests: list[Request] = field(default_factory=list)
    tokens: int = 0

    @property
    def token_url(self) -> str:
        return f"{self.url}/api/oauth/token"

    def calls(self, service: str) -> list[Request]:
        return [request for request in self.requests if service in request.path]


@contextmanager
def rude_server(
    handler: Handler, *, reads: bool = True, keeps: bool = False, pause_s: float = 0.0, tls=None
) -> Iterator[RudeServer]:
    """`reads=False`: the body of a call to a service is never read, as by a server that hangs in mid-upload.
    `pause_s`: it is only read after that time. `keeps=True`: connections are kept after an answer, whatever the client
    asked for.
    `tls`: a server's SSLContext."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = RudeServer(f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}")
    stopping = threading.Event()
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        try:
            connection = tls.wrap_socket(connection, server_side=True) if tls else connection
        except OSError:
            return
        with connection, connection.makefile("rb") as stream:
            while (request := _read(stream, connection, stopping, reads, pause_s)) is not None:
                if request.path == "/api/oauth/token":
                    server.tokens += 1
                    request.answer_json({"access_token": f"token-{server.tokens}", "expires_in": 3600})
                    continue
                server.requests.append(request)
                if not reads:
                    stopping.wait(20)
                    return
                handler(request)
                if not keeps:
                    return

    def accept() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        stopping.set()
        listener.close()
        for connection in connections:
            connection.close()


def _read(stream, connection, stopping, reads, pause_s) -> Request | None:
    try:
        start = stream.readline().decode("latin-1").split()
        if len(start) < 2:
            return None
        headers: dict[str, str] = {}
        while line := stream.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        path = start[1]
        whole = reads or path == "/api/oauth/token"
        if path != "/api/oauth/token":
            stopping.wait(pause_s)
        body = stream.read(int(headers.get("content-length", "0"))) if whole else b""
        return Request(path, headers, body, connection, stopping)
    except OSError:
        return None
