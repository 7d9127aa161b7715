"""SFTP version 3 as bytes: the requests that we send, and the answers, read as if an enemy had written them.

From draft-ietf-secsh-filexfer-02 and OpenSSH's PROTOCOL file. An answer that is not exactly what was asked for raises
`Strange`: no length is believed, nothing is larger than asked, nothing is left over.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from gateway.domain.finding import printable
from gateway.transports.sftp_client.errors import Answered, Failure, Missing, NoSpace, Refused, Strange, Unsupported

VERSION: Final = 3
#: A whole packet, as OpenSSH bounds it.
LONGEST_PACKET: Final = 256 * 1024
#: What every server must take in one read or write; more where it says so (`limits@openssh.com`).
CHUNK_BYTES: Final = 32 * 1024
_LONGEST_HANDLE: Final = 256
_MOST_NAMES: Final = 10_000  #: in one answer
_LONGEST_EXTENSION: Final = 1024

INIT, VERSION_ANSWER, OPEN, CLOSE, READ, WRITE, LSTAT = 1, 2, 3, 4, 5, 6, 7
OPENDIR, READDIR, REMOVE, MKDIR, RENAME, EXTENDED = 11, 12, 13, 14, 18, 200
STATUS, HANDLE, DATA, NAME, ATTRS, EXTENDED_REPLY = 101, 102, 103, 104, 105, 201

OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, OP_UNSUPPORTED = 0, 1, 2, 3, 4, 8
#: Of later versions; some servers say them in version 3 too.
_NO_SPACE: Final = frozenset({14, 15})

READ_FLAG, WRITE_FLAG, CREATE_FLAG, EXCLUSIVE_FLAG = 0x01, 0x02, 0x08, 0x20

_U32: Final = struct.Struct(">I")
_U64: Final = struct.Struct(">Q")
_HEAD: Final = struct.Struct(">IBI")
_TWO_U32: Final = struct.Struct(">II")


class Status(NamedTuple):
    code: int
    message: str


class Attributes(NamedTuple):
    """None where the server did not say. `mtime` in whole seconds since 1970, UTC."""

    size: int | None
    mode: int | None
    mtime: int | None


class Entry(NamedTuple):
    name: bytes
    attributes: Attributes


Answer: TypeAlias = Status | bytes | Attributes | list[Entry]


class Request(NamedTuple):
    """One request. `answer` is the kind of packet awaited beside STATUS; `weight` the bytes of content it moves."""

    kind: int
    body: bytes
    answer: int = STATUS
    weight: int = 0
    offset: int = 0


def string(value: bytes) -> bytes:
    return _U32.pack(len(value)) + value


def open_to_read(path: bytes) -> Request:
    return Request(OPEN, string(path) + _TWO_U32.pack(READ_FLAG, 0), HANDLE)


def open_new(path: bytes) -> Request:
    """Create a file that must not exist."""
    return Request(OPEN, string(path) + _TWO_U32.pack(WRITE_FLAG | CREATE_FLAG | EXCLUSIVE_FLAG, 0), HANDLE)


def close(handle: bytes) -> Request:
    return Request(CLOSE, string(handle))


def read(handle: bytes, offset: int, length: int) -> Request:
    return Request(READ, string(handle) + _U64.pack(offset) + _U32.pack(length), DATA, length, offset)


def write(handle: bytes, offset: int, data: bytes) -> Request:
    return Request(WRITE, string(handle) + _U64.pack(offset) + _U32.pack(len(data)) + data, STATUS, len(data), offset)


def lstat(path: bytes) -> Request:
    return Request(LSTAT, string(path), ATTRS)


def opendir(path: bytes) -> Request:
    return Request(OPENDIR, string(path), HANDLE)


def readdir(handle: bytes) -> Request:
    return Request(READDIR, string(handle), NAME)


def remove(path: bytes) -> Request:
    return Request(REMOVE, string(path))


def mkdir(path: bytes) -> Request:
    return Request(MKDIR, string(path) + _U32.pack(0))


def rename(old: bytes, new: bytes) -> Request:
    """Version 3: fails where `new` exists (on most servers)."""
    return Request(RENAME, string(old) + string(new))


def posix_rename(old: bytes, new: bytes) -> Request:
    """Replaces `new` in one instant."""
    return Request(EXTENDED, string(b"posix-rename@openssh.com") + string(old) + string(new))


def fsync(handle: bytes) -> Request:
    return Request(EXTENDED, string(b"fsync@openssh.com") + string(handle))


def limits() -> Request:
    return Request(EXTENDED, string(b"limits@openssh.com"), EXTENDED_REPLY)


def packed(request: Request, id_: int) -> bytes:
    """The packet as it goes out."""
    return _HEAD.pack(len(request.body) + 5, request.kind, id_) + request.body


def hello() -> bytes:
    return struct.pack(">IBI", 5, INIT, VERSION)


def extensions(packet: bytes) -> Mapping[bytes, bytes]:
    """What the server says it can do, from its first packet. Raises Strange."""
    if len(packet) < 5 or packet[0] != VERSION_ANSWER:
        raise Strange("the server does not begin with its version")
    reader = Reader(packet, 1)
    if (version := reader.u32()) != VERSION:
        raise Strange(f"the server wants SFTP version {version}; we speak {VERSION}")
    found: dict[bytes, bytes] = {}
    while not reader.done:
        name = reader.string(_LONGEST_EXTENSION)
        found[name] = reader.string(_LONGEST_EXTENSION)
        if len(found) > 200:
            raise Strange("the server names extensions without end")
    return found


def id_of(packet: bytes) -> int:
    """Of an answer to a request. Raises Strange."""
    if len(packet) < 5:
        raise Strange(f"the server sent a packet of {len(packet)} bytes")
    return int(_U32.unpack_from(packet, 1)[0])


def answer_to(request: Request, packet: bytes) -> Answer:
    """What the packet says, which must be an answer to that request. Raises Strange."""
    kind = packet[0]
    if kind == DATA and request.answer == DATA:
        return _data(packet, request.weight)
    reader = Reader(packet, 5)
    if kind == STATUS:
        return _status(reader)
    if kind != request.answer:
        raise Strange(f"the server answered request {request.kind} by packet {kind}")
    answer: Answer
    if kind == ATTRS:
        answer = reader.attributes()
    elif kind == HANDLE:
        answer = reader.string(_LONGEST_HANDLE)
    elif kind == NAME:
        answer = _names(reader)
    else:
        return packet[5:]
    if not reader.done:
        raise Strange(f"the server's answer to request {request.kind} has bytes left over")
    return answer


def problem(status: Status, what: str) -> Answered:
    """The exception for a status that is not OK. `what` says what was asked, for people."""
    kinds: dict[int, type[Answered]] = {
        NO_SUCH_FILE: Missing,
        PERMISSION_DENIED: Refused,
        OP_UNSUPPORTED: Unsupported,
    }
    kind = NoSpace if status.code in _NO_SPACE else kinds.get(status.code, Failure)
    return kind(f"{what}: the server says {status.message or 'no more'!r} (code {status.code})")


def _data(packet: bytes, most: int) -> bytes:
    length = len(packet) - 9
    if length < 1 or _U32.unpack_from(packet, 5)[0] != length:
        raise Strange("the server sent a piece of a file whose length is not what it claims")
    if length > most:
        raise Strange(f"the server sent {length} bytes of a file where {most} were asked for")
    return packet[9:]


def _status(reader: Reader) -> Status:
    code = reader.u32()
    # Old servers leave the message out.
    message = b"" if reader.done else reader.string(LONGEST_PACKET)
    return Status(code, printable(message.decode("utf-8", "replace"), 200))


def _names(reader: Reader) -> list[Entry]:
    count = reader.u32()
    if count > _MOST_NAMES:
        raise Strange(f"the server claims {count} names in one answer")
    found = []
    for _ in range(count):
        name = reader.string(LONGEST_PACKET)
        reader.string(LONGEST_PACKET)
        found.append(Entry(name, reader.attributes()))
    return found


class Reader:
    """Takes one value after another out of a packet. Raises Strange where it ends too soon."""

    def __init__(self, packet: bytes, at: int) -> None:
        self._packet = packet
        self._at = at

    @property
    def done(self) -> bool:
        return self._at >= len(self._packet)

    def u32(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def u64(self) -> int:
        return int.from_bytes(self._take(8), "big")

    def string(self, most: int) -> bytes:
        length = self.u32()
        if length > most:
            raise Strange(f"the server sent a text of {length} bytes where {most} are the most")
        return self._take(length)

    def attributes(self) -> Attributes:
        flags = self.u32()
        size = self.u64() if flags & 0x1 else None
        if flags & 0x2:
            self._take(8)
        mode = self.u32() if flags & 0x4 else None
        mtime = int.from_bytes(self._take(8)[4:], "big") if flags & 0x8 else None
        if flags & 0x80000000:
            for _ in range(min(self.u32(), 1000)):
                self.string(_LONGEST_EXTENSION)
                self.string(_LONGEST_EXTENSION)
        return Attributes(size, mode, mtime)

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._packet):
            raise Strange("the server's packet ends before what it announces")
        taken = self._packet[self._at : end]
        self._at = end
        return taken
