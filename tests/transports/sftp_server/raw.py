"""A client that sends SFTP packets as they are, hostile ones included."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import paramiko

OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT, OPENDIR, READDIR = range(3, 13)
REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK, SYMLINK = range(13, 21)
EXTENDED = 200
STATUS, HANDLE, DATA, NAME, ATTRS = range(101, 106)
OK, EOF, NO_SUCH_FILE, DENIED, FAILURE, BAD_MESSAGE = range(6)


def string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def u64(value: int) -> bytes:
    return struct.pack(">Q", value)


NO_WISHES = u32(0)


@dataclass
class Answer:
    kind: int
    body: bytes  #: after the request number

    @property
    def code(self) -> int:
        assert self.kind == STATUS, f"no status but {self.kind}"
        return int(struct.unpack_from(">I", self.body)[0])

    @property
    def handle(self) -> bytes:
        assert self.kind == HANDLE, f"no handle but {self}"
        return self.body[4:]

    @property
    def data(self) -> bytes:
        assert self.kind == DATA, f"no data but {self}"
        return self.body[4:]


class RawClient:
    """One SFTP channel, spoken by hand. `ask` waits for the answer, `send` does not."""

    def __init__(self, transport: paramiko.Transport, greet: bool = True) -> None:
        self.channel = transport.open_session(timeout=10)
        self.channel.settimeout(20)
        self.channel.invoke_subsystem("sftp")
        self.number = 0
        if greet:
            self.channel.sendall(string(b"\x01" + u32(3)))
            assert self.packet()[0] == 2

    def packet(self) -> bytes:
        (length,) = struct.unpack(">I", self._exactly(4))
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            piece = self.channel.recv(count - len(got))
            if not piece:
                raise EOFError
            got += piece
        return got

    def send(self, kind: int, body: bytes) -> int:
        self.number += 1
        self.channel.sendall(string(bytes([kind]) + u32(self.number) + body))
        return self.number

    def answer(self) -> Answer:
        packet = self.packet()
        return Answer(packet[0], packet[5:])

    def ask(self, kind: int, body: bytes) -> Answer:
        self.send(kind, body)
        return self.answer()

    def open(self, path: bytes, flags: int) -> Answer:
        return self.ask(OPEN, string(path) + u32(flags) + NO_WISHES)

    def write(self, handle: bytes, offset: int, content: bytes) -> Answer:
        return self.ask(WRITE, string(handle) + u64(offset) + string(content))

    def read(self, handle: bytes, offset: int, length: int) -> Answer:
        return self.ask(READ, string(handle) + u64(offset) + u32(length))

    def close(self, handle: bytes) -> Answer:
        return self.ask(CLOSE, string(handle))

    def put(self, path: bytes, content: bytes) -> Answer:
        """All of a file; the answer to the close."""
        handle = self.open(path, 2 | 8 | 16).handle
        assert self.write(handle, 0, content).code == OK
        return self.close(handle)

    def names(self, path: bytes) -> list[bytes]:
        """A whole listing."""
        handle = self.ask(OPENDIR, string(path)).handle
        found: list[bytes] = []
        while (answer := self.ask(READDIR, string(handle))).kind == NAME:
            body = answer.body[4:]
            for _ in range(struct.unpack_from(">I", answer.body)[0]):
                name, body = take(body)
                _, body = take(body)
                found.append(name)
                body = body[24:] if body[:4] != u32(0) else body[4:]
        self.close(handle)
        return sorted(found)


def take(body: bytes) -> tuple[bytes, bytes]:
    """A string and what comes after it."""
    (length,) = struct.unpack_from(">I", body)
    return body[4 : 4 + length], body[4 + length :]
