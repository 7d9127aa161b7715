"""An SFTP server in memory, by asyncssh, that a test may twist: it lacks extensions, lies, or answers nonsense.

It is honest where it is not twisted, so that a test shows what one lie does. It also takes passwords, which sshd does
not without PAM.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncssh

#: Changes an honest answer (a whole packet, without its length) to request `kind` into what is sent instead.
Twist = Callable[[int, int, bytes], bytes]

INIT, OPEN, CLOSE, READ, WRITE, LSTAT, OPENDIR, READDIR, REMOVE, MKDIR, RENAME, EXTENDED = (
    1, 3, 4, 5, 6, 7, 11, 12, 13, 14, 18, 200,
)  # fmt: skip
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105


def text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def status(id_: int, code: int, message: bytes = b"") -> bytes:
    return struct.pack(">BII", STATUS, id_, code) + text(message) + text(b"")


def attributes(size: int, mode: int = 0o100644, mtime: int = 1_700_000_000) -> bytes:
    return struct.pack(">IQIII", 0x1 | 0x4 | 0x8, size, mode, mtime, mtime)


def names(id_: int, entries: Mapping[bytes, bytes]) -> bytes:
    """`entries`: name to attributes."""
    listed = b"".join(text(name) + text(b"") + attrs for name, attrs in entries.items())
    return struct.pack(">BII", NAME, id_, len(entries)) + listed


@dataclass
class OddServer:
    """Files by path; folders are whatever stands before a slash. No extensions at all, so no posix-rename."""

    files: dict[bytes, bytes] = field(default_factory=dict)
    twist: Twist | None = None
    password: str = "open sesame"
    host_key: Any = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    port: int = 0
    silent_subsystem: bool = False
    requests: list[int] = field(default_factory=list)
    _handles: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        return str(self.host_key.get_fingerprint())

    def answer(self, packet: bytes) -> bytes:
        """What to send for a request (both without length)."""
        kind, body = packet[0], packet[5:]
        id_ = struct.unpack(">I", packet[1:5])[0]
        self.requests.append(kind)
        answer = self._answer(kind, id_, body)
        if self.twist is not None:
            answer = self.twist(kind, id_, answer)
        return answer[4:] if answer[:4] == b"RAW:" else text(answer) if answer else b""

    def _answer(self, kind: int, id_: int, body: bytes) -> bytes:
        if kind == INIT:
            return struct.pack(">BI", 2, 3)
        first = body[4 : 4 + struct.unpack(">I", body[:4])[0]]
        rest = body[4 + len(first) :]
        if kind == OPEN:
            return self._open(id_, first, struct.unpack(">I", rest[:4])[0])
        if kind == OPENDIR:
            self._handles[first + b"/"] = (first, 0)
            return struct.pack(">BI", HANDLE, id_) + text(first + b"/")
        if kind == READDIR:
            return self._readdir(id_, first)
        if kind == CLOSE:
            return status(id_, 0 if self._handles.pop(first, None) else 4)
        if kind == READ:
            offset, length = struct.unpack(">QI", rest[:12])
            data = self.files.get(self._handles[first][0], b"")[offset : offset + length]
            return struct.pack(">BI", DATA, id_) + text(data) if data else status(id_, 1)
        if kind == WRITE:
            return self._write(id_, first, *struct.unpack(">QI", rest[:12]), rest[12:])
        if kind == LSTAT:
            return self._lstat(id_, first)
        if kind == REMOVE:
            return status(id_, 2 if self.files.pop(first, None) is None else 0)
        if kind == MKDIR:
            return status(id_, 0)
        if kind == RENAME:
            return self._rename(id_, first, rest[4:])
        return status(id_, 8, b"unknown")

    def _open(self, id_: int, path: bytes, flags: int) -> bytes:
        if flags & 0x2:
            if path in self.files:
                return status(id_, 4, b"exists")
            self.files[path] = b""
        elif path not in self.files:
            return status(id_, 2, b"missing")
        handle = b"h%d" % id_
        self._handles[handle] = (path, 0)
        return struct.pack(">BI", HANDLE, id_) + text(handle)

    def _write(self, id_: int, handle: bytes, offset: int, length: int, data: bytes) -> bytes:
        path = self._handles[handle][0]
        old = self.files.get(path, b"")
        self.files[path] = old[:offset].ljust(offset, b"\0") + data[:length] + old[offset + length :]
        return status(id_, 0)

    def _readdir(self, id_: int, handle: bytes) -> bytes:
        folder, done = self._handles[handle]
        if done:
            return status(id_, 1)
        self._handles[handle] = (folder, 1)
        inside = {
            path.rpartition(b"/")[2]: attributes(len(data))
            for path, data in self.files.items()
            if path.rpartition(b"/")[0] == folder
        }
        return names(id_, inside)

    def _lstat(self, id_: int, path: bytes) -> bytes:
        if path in self.files:
            return struct.pack(">BI", ATTRS, id_) + attributes(len(self.files[path]))
        if any(other.startswith(path + b"/") for other in self.files):
            return struct.pack(">BI", ATTRS, id_) + attributes(0, 0o040755)
        return status(id_, 2, b"missing")

    def _rename(self, id_: int, old: bytes, new: bytes) -> bytes:
        if new in self.files:
            return status(id_, 4, b"exists")
        if old not in self.files:
            return status(id_, 2, b"missing")
        self.files[new] = self.files.pop(old)
        return status(id_, 0)


class _Session(asyncssh.SSHServerSession[bytes]):
    def __init__(self, server: OddServer) -> None:
        self._server = server
        self._buffer = b""
        self._channel: Any = None

    def connection_made(self, chan: Any) -> None:
        self._channel = chan

    def subsystem_requested(self, subsystem: str) -> bool:
        return True

    def data_received(self, data: bytes, datatype: Any) -> None:
        self._buffer += data
        while len(self._buffer) >= 4:
            end = 4 + struct.unpack(">I", self._buffer[:4])[0]
            if len(self._buffer) < end:
                return
            packet, self._buffer = self._buffer[4:end], self._buffer[end:]
            if not self._server.silent_subsystem:
                self._channel.write(self._server.answer(packet))


class _PasswordOnly(asyncssh.SSHServer):
    def __init__(self, server: OddServer) -> None:
        self._server = server
        self._password = server.password

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == self._password


class _Door(_PasswordOnly):
    def session_requested(self) -> _Session:
        return _Session(self._server)


@contextmanager
def running(server: OddServer) -> Iterator[OddServer]:
    """The server on a free loopback port."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        listener = await asyncssh.create_server(
            lambda: _Door(server),
            "127.0.0.1",
            0,
            server_host_keys=[server.host_key],
            encoding=None,
        )
        server.port = listener.get_port()
        started.set()
        await stop.wait()
        listener.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


@contextmanager
def running_asyncssh(host_key: Any, password: str) -> Iterator[int]:
    """The port of asyncssh's own SFTP server over the file system: it carries out many requests at once, and answers
    in the order they end."""
    door = OddServer(password=password, host_key=host_key)
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()
    ports: list[int] = []

    async def serve() -> None:
        listener = await asyncssh.create_server(
            lambda: _PasswordOnly(door), "127.0.0.1", 0, server_host_keys=[host_key], sftp_factory=True
        )
        ports.append(listener.get_port())
        started.set()
        await stop.wait()
        listener.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
