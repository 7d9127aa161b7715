"""Peers, pools and folders for the tests of the SFTP client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.transports.sftp_client.circuit import Circuit
from gateway.transports.sftp_client.connections import Chance, Connections
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.peer import Bounds, HostKeys, KeyFile, Login, Peer, Timeouts
from gateway.transports.sftp_client.pool import Pool
from tests.transports.sshd import Sshd


@dataclass(slots=True)
class HandTime:
    """Time that passes only by sleeping, and luck that is always the middle."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def chance(self) -> Chance:
        return Chance(lambda: self.now, self.sleep, lambda: 0.5)

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


def peer_of(sshd: Sshd, **changes: Any) -> Peer:
    """The server as a partner's, its key pinned, logging in by our key; `changes` as of the dataclass."""
    peer = Peer(
        "127.0.0.1",
        Login(sshd.user, (KeyFile(sshd.user_key),)),
        HostKeys((sshd.host_fingerprint,)),
        port=sshd.port,
        timeouts=Timeouts(connect_s=5, banner_s=5, handshake_s=10, auth_s=10, answer_s=10),
        bounds=Bounds(file_bytes=64 * 1024 * 1024),
    )
    return replace(peer, **changes)


def circuit_of(time: HandTime, luck: float = 0.5) -> Circuit:
    """By that time alone."""
    return Circuit(time.utc, lambda: luck, lambda: time.now)


@contextmanager
def opened(peer: Peer, path: Path | bytes, time: HandTime | None = None) -> Iterator[RemoteFolder]:
    """A remote folder, and its connections closed at the end. Back-off costs no time."""
    time = time or HandTime()
    pool = Pool(Connections(peer, circuit_of(time), time.chance()))
    try:
        yield RemoteFolder(pool, path if isinstance(path, bytes) else os.fsencode(path))
    finally:
        pool.close()


def write_files(folder: Path, count: int, size: int = 10_000) -> dict[bytes, bytes]:
    """So many files of about that size (the first ones empty and of one byte), and what is in them."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {b"f%05d.xml" % i: os.urandom((0, 1)[i] if i < 2 else size + i % 97) for i in range(count)}
    for name, content in contents.items():
        (folder / os.fsdecode(name)).write_bytes(content)
    return contents
