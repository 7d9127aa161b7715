"""SFTP version 3 as bytes: reading what a client sends, writing what we answer.

paramiko's own SFTP server is not used: it decodes names as UTF-8, loops as often as a packet's counter says, reads
packets of 16 MB, and hands every packet from thread to thread. Here a packet is bounded, every field is checked
against its length, and names stay bytes.
"""

from __future__ import annotations

import os
import stat
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.transports.sftp_server import faults

VERSION: Final = 3
#: OpenSSH's bounds: a packet of 256 KiB, and data of 1 KiB less.
LARGEST_PACKET: Final = 256 * 1024
LARGEST_DATA: Final = LARGEST_PACKET - 1024

(INIT, VERSION_REPLY, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT) = range(1, 11)
(OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK, SYMLINK) = range(11, 21)
STATUS, HANDLE, DATA, NAME, ATTRS = range(101, 106)
EXTENDED, EXTENDED_REPLY = 200, 201

FLAG_READ, FLAG_WRITE, FLAG_APPEND, FLAG_CREATE, FLAG_TRUNCATE, FLAG_EXCLUSIVE = 1, 2, 4, 8, 16, 32
_HAS_SIZE, _HAS_OWNER, _HAS_MODE, _HAS_TIMES, _HAS_MORE = 1, 2, 4, 8, 0x80000000

_U32: Final = struct.Struct(">I")
_U64: Final = struct.Struct(">Q")
_HEAD: Final = struct.Struct(">IBI")
_DATA_HEAD: Final = struct.Struct(">IBII")
_ATTRIBUTES: Final = struct.Struct(">IQIII")
_HALF_A_YEAR_S: Final = 182 * 86_400


@dataclass(frozen=True, slots=True)
class Wishes:
    """Attributes that a client wants set; None where it says nothing. Times in seconds since 1970."""

    size_bytes: int | None = None
    mode: int | None = None
    atime_s: int | None = None
    mtime_s: int | None = None


class Request:
    """The fields of one packet, read in order. Every reading raises Refused when the packet ends before."""

    __slots__ = ("_at", "_packet", "kind")

    def __init__(self, packet: bytes) -> None:
        self._packet = packet
        self.kind = packet[0]
        self._at = 1

    def u32(self) -> int:
        return int(_U32.unpack(self._take(4))[0])

    def u64(self) -> int:
        return int(_U64.unpack(self._take(8))[0])

    def string(self) -> bytes:
        return self._take(self.u32())

    def wishes(self) -> Wishes:
        flags = self.u32()
        size = self.u64() if flags & _HAS_SIZE else None
        if flags & _HAS_OWNER:
            self._take(8)
        mode = self.u32() if flags & _HAS_MODE else None
        atime, mtime = (self.u32(), self.u32()) if flags & _HAS_TIMES else (None, None)
        if flags & _HAS_MORE:
            for _ in range(self.u32()):  # ends with the packet, whatever the counter says
                self.string()
                self.string()
        return Wishes(size, mode, atime, mtime)

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._packet):
            raise faults.Refused(faults.BAD_MESSAGE, "Bad message")
        taken = self._packet[self._at : end]
        self._at = end
        return taken


def version_reply(extensions: Iterable[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(_string(name) + _string(value) for name, value in extensions)
    return struct.pack(">IBI", len(body) + 5, VERSION_REPLY, VERSION) + body


def status(number: int, code: int, text: str) -> bytes:
    body = _U32.pack(code) + _string(text.encode()) + _string(b"en")
    return _HEAD.pack(len(body) + 5, STATUS, number) + body


def ok(number: int) -> bytes:
    return _HEAD.pack(17, STATUS, number) + b"\0\0\0\0\0\0\0\0\0\0\0\0"


def handle(number: int, name: bytes) -> bytes:
    return _HEAD.pack(len(name) + 9, HANDLE, number) + _string(name)


def data(number: int, content: bytes) -> bytes:
    return _DATA_HEAD.pack(len(content) + 9, DATA, number, len(content)) + content


def attributes(number: int, facts: os.stat_result) -> bytes:
    return _HEAD.pack(29, ATTRS, number) + _attributes(facts)


def names(number: int, entries: list[tuple[bytes, os.stat_result | None]]) -> bytes:
    """A listing, or the one name that is the answer to REALPATH (its facts None)."""
    body = [_U32.pack(len(entries))]
    for name, facts in entries:
        body.append(_string(name))
        body.append(_string(name if facts is None else _line(name, facts)))
        body.append(_U32.pack(0) if facts is None else _attributes(facts))
    packed = b"".join(body)
    return _HEAD.pack(len(packed) + 5, NAME, number) + packed


def extended_reply(number: int, body: bytes) -> bytes:
    return _HEAD.pack(len(body) + 5, EXTENDED_REPLY, number) + body


def _string(value: bytes) -> bytes:
    return _U32.pack(len(value)) + value


def _attributes(facts: os.stat_result) -> bytes:
    """Size, mode and times; owners of this machine are nobody's business."""
    flags = _HAS_SIZE | _HAS_MODE | _HAS_TIMES
    return _ATTRIBUTES.pack(
        flags, facts.st_size, facts.st_mode, int(facts.st_atime) & 0xFFFFFFFF, int(facts.st_mtime) & 0xFFFFFFFF
    )


def _line(name: bytes, facts: os.stat_result) -> bytes:
    """As `ls -l` shows it: clients print it, and old ones parse it."""
    moment = time.gmtime(facts.st_mtime)
    recent = abs(time.time() - facts.st_mtime) < _HALF_A_YEAR_S
    when = time.strftime("%b %d %H:%M" if recent else "%b %d  %Y", moment)
    head = f"{stat.filemode(facts.st_mode)} {1:>4} {'partner':<8} {'partner':<8} {facts.st_size:>12} {when} "
    return head.encode() + name
