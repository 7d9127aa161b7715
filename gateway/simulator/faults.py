"""Trouble on demand: a queue of faults, and the ASGI layer that commits them before or instead of an answer.

`lost` is the one that matters most: the request was processed, and the client never learns it.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

#: What each kind does, and the details it takes (shown in docs/simulator.md).
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "lost": frozenset(),  # processed, then the connection is dropped without a byte
    "dropped": frozenset(),  # dropped when the request has come in, nothing processed
    "delay": frozenset({"seconds", "processed"}),  # wait, then process (or the other way round)
    "status": frozenset({"status", "headers", "body", "processed"}),  # this status instead of the answer
    "garbage": frozenset({"processed"}),  # 200, JSON content type, bytes that are no JSON
    "truncated": frozenset(),  # processed; the answer's JSON stops half-way, the HTTP around it is whole
    "cut": frozenset(),  # processed; the connection is dropped half-way through the answer
    "huge": frozenset({"bytes"}),  # 200 and a body of so many bytes, sent in chunks
    "content-type": frozenset({"value"}),  # processed; the answer under another content type
    "incident": frozenset(),  # the flow deposited next ends in IN_INCIDENTE
}
CHUNK: Final = b" " * 65_536


@dataclass(slots=True)
class Fault:
    """A fault for the next `times` requests whose path contains `path`."""

    kind: str
    path: str
    times: int
    details: Mapping[str, Any] = field(default_factory=dict)


class Faults:
    """The faults still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._coming: list[Fault] = []

    def add(self, kind: str, path: str = "", times: int = 1, **details: Any) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {sorted(KINDS)}")
        if unknown := sorted(set(details) - KINDS[kind]):
            raise ValueError(f"fault {kind!r} takes no {unknown}")
        with self._lock:
            self._coming.append(Fault(kind, path, times, details))

    def take(self, kind: str | None, path: str) -> Fault | None:
        """The first fault for this path, used up by one. Without a kind: any that concerns the answer."""
        with self._lock:
            for fault in self._coming:
                fits = fault.kind == kind if kind else fault.kind != "incident"
                if fits and fault.path in path:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._coming.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._coming.clear()

    def coming(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{"kind": f.kind, "path": f.path, "times": f.times, **f.details} for f in self._coming]


class DroppableProtocol(H11Protocol):
    """HTTP/1.1 whose connections can be cut by the client's address, which ASGI alone does not offer."""

    open: dict[Any, asyncio.Transport] = {}  # noqa: RUF012 - shared by all connections of the process on purpose

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.open[self.server, self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.open.pop((self.server, self.client), None)
        super().connection_lost(exc)


def drop(scope: Scope) -> None:
    server, client = scope["server"], scope["client"]
    if transport := DroppableProtocol.open.get((tuple(server), tuple(client))):
        transport.abort()


class FaultLayer:
    """Outermost: asks the queue about every request that is not for the controls."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app, self._faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith("/_simulator"):
            return await self._app(scope, receive, send)
        fault = self._faults.take(None, path)
        if fault is None:
            return await self._app(scope, receive, send)
        return await self._commit(fault, scope, receive, send)

    async def _commit(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        details = fault.details
        match fault.kind:
            case "delay":
                await self._delay(fault, scope, receive, send)
            case "lost":
                await self._process(scope, receive)
                drop(scope)
            case "dropped":
                await _swallow(receive)
                drop(scope)
            case "status" | "garbage" | "huge":
                if details.get("processed"):
                    await self._process(scope, receive)
                else:
                    await _swallow(receive)
                await _instead(fault, send)
            case "content-type":
                start, body = await self._process(scope, receive)
                value = str(details.get("value", "text/html")).encode()
                await _send(send, start["status"], {b"content-type": value}, body)
            case "truncated":
                start, body = await self._process(scope, receive)
                await _send(send, start["status"], {b"content-type": b"application/json"}, body[: len(body) // 2])
            case "cut":
                start, body = await self._process(scope, receive)
                await send(start)
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                drop(scope)

    async def _delay(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = float(fault.details.get("seconds", 1.0))
        if not fault.details.get("processed"):
            await asyncio.sleep(seconds)
            return await self._app(scope, receive, send)
        start, body = await self._process(scope, receive)
        await asyncio.sleep(seconds)
        await send(start)
        return await send({"type": "http.response.body", "body": body})

    async def _process(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """Let the request be processed, and keep its answer from going out."""
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._app(scope, receive, keep)
        return kept[0], b"".join(message.get("body", b"") for message in kept[1:])


async def _instead(fault: Fault, send: Send) -> None:
    details = fault.details
    if fault.kind == "garbage":
        body = b'\x00\xff{"codeRetour": 0, <html>\xc3\x28'
        return await _send(send, 200, {b"content-type": b"application/json"}, body)
    if fault.kind == "status":
        given = details.get("body", "")
        body = given.encode() if isinstance(given, str) else json.dumps(given).encode()
        headers = {str(k).lower().encode(): str(v).encode() for k, v in details.get("headers", {}).items()}
        return await _send(send, int(details.get("status", 500)), headers, body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    left = int(details.get("bytes", 100_000_000))
    while left > 0:
        await send({"type": "http.response.body", "body": CHUNK[:left], "more_body": True})
        left -= len(CHUNK)
    return await send({"type": "http.response.body", "body": b""})


async def _send(send: Send, status: int, headers: Mapping[bytes, bytes], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers.items(), length]})
    await send({"type": "http.response.body", "body": body})


async def _swallow(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
