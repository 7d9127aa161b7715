"""Servers whose listing and whose look at one file do not tell the same: an unchanged file is fetched all the same."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.peer import HostKeys, Login, Peer, Timeouts
from gateway.transports.sftp_client.results import Failed, Fetched, Why
from tests.transports.sftp_client import odd_server as odd
from tests.transports.sftp_client.odd_server import OddServer, running
from tests.transports.sftp_client.peers import opened

CONTENT = b"content of a"
SIZE = len(CONTENT)
TIMELESS = struct.pack(">IQI", 0x1 | 0x4, SIZE, 0o100644)
SIZE_ALONE = struct.pack(">IQ", 0x1, SIZE)
#: What the server says of the file: in listing number n, and to look number n.
Says = Callable[[int], bytes]


def always(attributes: bytes) -> Says:
    return lambda _: attributes


@contextmanager
def folder_that_says(listing: Says, look: Says) -> Iterator[RemoteFolder]:
    """One file, `a.xml`, of which the server says so."""
    listings = looks = 0

    def twist(kind: int, id_: int, honest: bytes) -> bytes:
        nonlocal listings, looks
        if kind == odd.READDIR and honest[0] == odd.NAME:
            listings += 1
            return odd.names(id_, {b"a.xml": listing(listings)})
        if kind == odd.LSTAT:
            looks += 1
            return struct.pack(">BI", odd.ATTRS, id_) + look(looks)
        return honest

    server = OddServer(files={b"in/a.xml": CONTENT}, twist=twist)
    with running(server):
        login, pins = Login("u", password=server.password), HostKeys((server.fingerprint,))
        peer = Peer("127.0.0.1", login, pins, port=server.port, timeouts=Timeouts(answer_s=20))
        with opened(peer, b"in") as folder:
            yield folder


TIMES = {
    "no time in the listing": (TIMELESS, odd.attributes(SIZE)),
    "no time in the look": (odd.attributes(SIZE), TIMELESS),
    "no time anywhere": (TIMELESS, TIMELESS),
    "the size alone in the look": (odd.attributes(SIZE), SIZE_ALONE),
    "even seconds in the listing": (
        odd.attributes(SIZE, mtime=1_700_000_000),
        odd.attributes(SIZE, mtime=1_700_000_001),
    ),
    "another zone in the look": (odd.attributes(SIZE), odd.attributes(SIZE, mtime=1_700_007_200)),
}


@pytest.mark.parametrize("times", list(TIMES))
def test_a_file_whose_time_is_told_in_two_ways_is_fetched(here: Path, times: str) -> None:
    listing, look = TIMES[times]
    with folder_that_says(always(listing), always(look)) as folder:
        (seen,) = folder.list().looks
        (result,) = folder.fetch_many([seen], here)
    assert isinstance(result, Fetched)
    assert result.path.read_bytes() == CONTENT
    assert result.look == seen  # as it was listed, whatever the look says


CHANGES = {
    "another time in the next listing": (
        lambda n: odd.attributes(SIZE, mtime=1_700_000_000 + 60 * n),
        always(odd.attributes(SIZE, mtime=1_700_000_120)),
    ),
    "another time while it was read": (always(TIMELESS), lambda n: odd.attributes(SIZE, mtime=1_700_000_000 + n)),
    "another size in the look": (always(TIMELESS), always(odd.attributes(SIZE + 1))),
    "another size while it was read": (always(TIMELESS), lambda n: odd.attributes(SIZE + n - 1)),
    "a link in its place": (always(TIMELESS), always(odd.attributes(SIZE, mode=0o120777))),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_file_that_has_changed_is_not_taken_whatever_is_compared(here: Path, change: str) -> None:
    listing, look = CHANGES[change]
    with folder_that_says(listing, look) as folder:
        (result,) = folder.fetch_many(folder.list().looks, here)
    assert isinstance(result, Failed)
    assert result.why is Why.CHANGING
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("size", [2**63 - 1, 2**63, 2**64 - 1])
def test_a_size_that_no_ledger_holds_is_told_as_the_largest_and_is_too_large(here: Path, size: int) -> None:
    with folder_that_says(always(odd.attributes(size, mtime=2**32 - 1)), always(odd.attributes(size))) as folder:
        (look,) = folder.list().looks
        (result,) = folder.fetch_many([look], here)
    assert (look.size, look.mtime) == (2**63 - 1, 2**32 - 1)
    assert isinstance(result, Failed)
    assert result.why is Why.TOO_LARGE
