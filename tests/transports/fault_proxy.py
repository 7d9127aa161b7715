"""A TCP proxy on loopback that does to a connection what networks do: cut, stall, half-open, garbage, slow, delay.

It forwards bytes between a client and a real server and counts them. Faults are given for each connection in turn, so
that a test says exactly what happens to the first, the second, and all later ones. It runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

_READ_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one connection. Byte counts are of what the server sends (`down`) or the client (`up`)."""

    cut_down: int | None = None  #: both sides are reset after the server sent so many bytes
    cut_up: int | None = None
    stall_down: int | None = None  #: nothing more comes from the server, and the connection stays
    half_open: int | None = None  #: as if the server had vanished: nothing goes either way any more
    garbage_down: int | None = None  #: from there on, random bytes in the place of the server's
    piece: int = 0  #: forwarded in pieces of so many bytes, each a packet of its own ("slow")
    delay_s: float = 0.0  #: each way, for every byte, without limiting how much is under way


NO_FAULT: Final = Fault()
#: Chooses the fault of connection number n (from 0).
Plan = Callable[[int], Fault]


class FaultProxy:
    """Running: connect to `port`."""

    def __init__(self, target: int, plan: Plan) -> None:
        self._target = target
        self._plan = plan
        self._links: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.down_bytes = 0
        self.up_bytes = 0

    async def serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=_READ_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        fault = self._plan(self.connections)
        self.connections += 1
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target, limit=_READ_BYTES)
        link = _Link(fault, writer, there_writer)
        up = link.forward(reader, there_writer, _Limits(cut=fault.cut_up, silent=fault.half_open), self._count_up)
        down = link.forward(
            there_reader,
            writer,
            _Limits(cut=fault.cut_down, silent=_least(fault.stall_down, fault.half_open), garbage=fault.garbage_down),
            self._count_down,
        )
        try:
            await _until_one_ends(up, down)
        except asyncio.CancelledError:
            pass  # the proxy ends
        finally:
            link.cut()
            self._links.discard(task)

    def _count_up(self, size: int) -> None:
        self.up_bytes += size

    def _count_down(self, size: int) -> None:
        self.down_bytes += size


@dataclass(frozen=True, slots=True)
class _Limits:
    cut: int | None = None
    silent: int | None = None
    garbage: int | None = None


class _Link:
    def __init__(self, fault: Fault, here: asyncio.StreamWriter, there: asyncio.StreamWriter) -> None:
        self._fault = fault
        self._writers = (here, there)
        for writer in self._writers:
            writer.transport.set_write_buffer_limits(high=4 * 1024 * 1024)  # type: ignore[attr-defined]

    def cut(self) -> None:
        for writer in self._writers:
            with contextlib.suppress(Exception):
                writer.transport.abort()

    async def forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: _Limits, count: Callable[[int], None]
    ) -> None:
        late: deque[tuple[float, bytes]] = deque()
        wake = asyncio.Event()
        sender = asyncio.create_task(self._send_late(late, wake, writer)) if self._fault.delay_s else None
        passed = 0
        try:
            while data := await reader.read(_READ_BYTES):
                if limits.silent is not None and passed + len(data) > limits.silent:
                    data = data[: max(0, limits.silent - passed)]
                    passed = limits.silent
                if limits.garbage is not None and passed + len(data) > limits.garbage:
                    data = os.urandom(len(data))
                if limits.cut is not None and passed + len(data) >= limits.cut:
                    writer.write(data[: limits.cut - passed])
                    await writer.drain()
                    return
                passed += len(data)
                count(len(data))
                if sender is not None:
                    late.append((asyncio.get_running_loop().time() + self._fault.delay_s, data))
                    wake.set()
                else:
                    await self._send(data, writer)
        except OSError:
            pass
        finally:
            if sender is not None:
                sender.cancel()

    async def _send(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        step = self._fault.piece or len(data)
        for at in range(0, len(data), step or 1):
            writer.write(data[at : at + step])
            if self._fault.piece:
                await asyncio.sleep(0)
        await writer.drain()

    async def _send_late(
        self, late: deque[tuple[float, bytes]], wake: asyncio.Event, writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await wake.wait()
            wake.clear()
            while late:
                due, data = late.popleft()
                await asyncio.sleep(due - loop.time())
                writer.write(data)
                with contextlib.suppress(OSError):
                    await writer.drain()


async def _until_one_ends(*directions: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _least(*values: int | None) -> int | None:
    given = [value for value in values if value is not None]
    return min(given) if given else None


def always(fault: Fault) -> Plan:
    return lambda _: fault


def first(*faults: Fault) -> Plan:
    """These for the first connections, none for the later ones."""
    return lambda number: faults[number] if number < len(faults) else NO_FAULT


@contextmanager
def running_proxy(target: int, plan: Plan) -> Iterator[FaultProxy]:
    """A proxy before the server on loopback port `target`."""
    proxy = FaultProxy(target, plan)
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    def run() -> None:
        loop.run_until_complete(proxy.serve(started, stop))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    if not started.wait(10):
        raise RuntimeError("the proxy does not start")
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
