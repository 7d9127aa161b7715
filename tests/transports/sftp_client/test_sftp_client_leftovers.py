"""What interrupted fetches leave: one beginning for a remote name at most, and none that another version could get."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.peer import HostKeys, Login, Peer, Timeouts
from gateway.transports.sftp_client.results import Failed, Fetched
from tests.transports.sftp_client import odd_server as odd
from tests.transports.sftp_client.odd_server import OddServer, running
from tests.transports.sftp_client.peers import HandTime, opened

SIZE = 3_000_000
#: Reads that are answered before the server falls over, and then every time: more than a MiB arrives.
READS = 60


class There:
    """What stands on the server under one name, and whether it can be read to its end."""

    def __init__(self) -> None:
        self.mtime: int | None = 1_700_000_000
        self.falls = True
        self.reads = 0
        self.server = OddServer(twist=self.twist)
        self.put(1)

    def put(self, seed: int) -> bytes:
        content = random.Random(seed).randbytes(SIZE)
        self.server.files[b"in/a.bin"] = content
        return content

    def twist(self, kind: int, id_: int, honest: bytes) -> bytes:
        if kind == odd.READ:
            self.reads += 1
            if self.falls and self.reads > READS:
                return b"RAW:\xff\xff\xff\xff"
        told = struct.pack(">IQI", 0x1 | 0x4, SIZE, 0o100644)
        if self.mtime is not None:
            told = odd.attributes(SIZE, mtime=self.mtime)
        if kind == odd.READDIR and honest[0] == odd.NAME:
            return odd.names(id_, {b"a.bin": told})
        return struct.pack(">BI", odd.ATTRS, id_) + told if kind == odd.LSTAT else honest

    @contextmanager
    def folder(self) -> Iterator[RemoteFolder]:
        login, pins = Login("u", password=self.server.password), HostKeys((self.server.fingerprint,))
        peer = Peer("127.0.0.1", login, pins, port=self.server.port, timeouts=Timeouts(answer_s=20))
        with opened(peer, b"in", HandTime()) as folder:
            yield folder


@pytest.fixture
def remote() -> Iterator[There]:
    there = There()
    with running(there.server):
        yield there


def fetched(remote: There, here: Path) -> Fetched | Failed:
    remote.reads = 0
    with remote.folder() as folder:
        (result,) = folder.fetch_many(folder.list().looks, here)
    return result


def test_a_file_that_changes_between_interrupted_fetches_leaves_one_beginning(remote: There, here: Path) -> None:
    for round_ in range(4):
        remote.mtime = 1_700_000_000 + round_
        assert isinstance(fetched(remote, here), Failed)
        assert len(list(here.glob(".*.part"))) == 1


def test_another_version_begins_anew(remote: There, here: Path) -> None:
    assert isinstance(fetched(remote, here), Failed)
    remote.falls = False
    remote.mtime = 1_700_000_001
    content = remote.put(2)
    result = fetched(remote, here)
    assert isinstance(result, Fetched)
    assert result.path.read_bytes() == content
    assert list(here.iterdir()) == [result.path]


def test_beginnings_of_other_names_stay(remote: There, here: Path) -> None:
    (here / (".%s.part" % ("0" * 56))).write_bytes(b"of another file")
    assert isinstance(fetched(remote, here), Failed)
    assert len(list(here.glob(".*.part"))) == 2


def test_a_file_of_which_no_time_is_told_is_read_from_its_beginning(remote: There, here: Path) -> None:
    """Two versions of one size, alike at the place where the first was broken off: nothing would tell them apart."""
    remote.mtime = None
    assert isinstance(fetched(remote, here), Failed)
    assert list(here.iterdir()) == []
